"""The command line: parse, call, print. Exit status 0 done, 1 failed, 2 misuse, 130 stopped by Ctrl-C."""

from __future__ import annotations

STOPPED = 130


def main() -> None:
    """Run `weft`; every error weft raises on purpose becomes one line on stderr."""
    import os
    import sys

    from weft.cli.app import app
    from weft.errors import WeftError

    try:
        app()
    except WeftError as error:
        print(f"weft: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.exit_code)
    except SystemExit as stop:  # typer turns Ctrl-C into this status, and says nothing
        if stop.code == STOPPED:
            print("weft: stopped; nothing half-written was left behind", file=sys.stderr)
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
