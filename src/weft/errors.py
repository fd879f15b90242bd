"""The few exceptions a user can meet. Each message says what is wrong, with which value, and what to do next."""

from __future__ import annotations


class WeftError(Exception):
    """Base of every error weft raises on purpose. The command line prints it as one line."""

    exit_code = 1


class UserError(WeftError):
    """The request cannot be carried out as given (missing file, bad option, corrupt media): exit code 2."""

    exit_code = 2


class MediaError(UserError):
    """A media file cannot be read or written."""


class CueError(UserError):
    """A cue sheet is invalid; the message starts with the JSON path of the fault."""


class MissingExtra(UserError):
    """A command needs an optional dependency that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the [{extra}] extra: pip install 'weft-foley[{extra}]'")


class WeightsError(UserError):
    """Weights are missing, damaged or do not fit the network."""
