"""Ctrl-C and SIGTERM as a wish: long work ends where it can go on later."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Yield an event that the first SIGINT or SIGTERM sets; the old handlers come back with it and at the
    end."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # signals can only be caught in the main thread
        return
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in old.items():
            signal.signal(number, handler)

    def request(_number: int, _frame: Any) -> None:
        stop.set()
        restore()

    for number in old:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        restore()
