"""Work ahead: the next items of an iterator are made in a thread while the last one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """Yield `items` in order, made in a thread at most `count` (from 1) ahead of who takes them.

    What `items` raises is raised here, after all that came before it. Whoever stops early stops the thread too: it ends
    `items` before this generator's `close` returns. Raises ValueError for a `count` below 1.
    """
    if count < 1:
        raise ValueError(f"{count} items ahead; give 1 or more")
    waiting: queue.Queue[object] = queue.Queue(count)
    left = threading.Event()
    fault: list[BaseException] = []

    def put(item: object) -> bool:
        while not left.is_set():
            try:
                waiting.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    break
        except BaseException as error:
            fault.append(error)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
            put(_END)

    worker = threading.Thread(target=work, name="weft-ahead", daemon=True)
    worker.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if fault:
            raise fault[0]
    finally:
        left.set()
        worker.join()
