"""The command line: parse, call, print. Exit status 0 done, 1 failed, 2 misuse, 130 stopped by Ctrl-C."""

from __future__ import annotations

STOPPED = 130


def main() -> None:
    """Run `weft`; every error weft raises on purpose, and every misuse of a flag, becomes one line on stderr."""
    import sys

    try:
        status = _run()
    except KeyboardInterrupt:  # while the commands themselves were still being read in
        status = STOPPED
    except SystemExit as stop:
        if stop.code != STOPPED:
            raise
        status = STOPPED
    if status == STOPPED:
        print("weft: stopped; nothing half-written was left behind", file=sys.stderr)
    sys.exit(status)


def _run() -> int:
    import os
    import sys
    from typing import Any

    from typer import BadParameter

    from weft.cli.app import app
    from weft.errors import WeftError

    usage: Any = BadParameter.__bases__[
        0
    ]  # typer exports this one kind of misuse, not what they are all kinds of
    try:
        return int(app(prog_name="weft", standalone_mode=False) or 0)
    except WeftError as error:
        _complain(str(error))
        return error.exit_code
    except usage as error:
        if told := error.format_message():  # nothing where the help was printed instead
            asked = "weft" if error.ctx is None else error.ctx.command_path
            _complain(f"{told.strip().rstrip('.')}; see {asked} --help")
        return int(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _complain(text: str) -> None:
    import sys

    print(f"weft: {' '.join(text.split())}", file=sys.stderr)
