"""Items made in a thread ahead of their use."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from weft.media.ahead import ahead


def test_the_items_come_in_order_and_all_of_them() -> None:
    assert list(ahead(iter(range(1000)), 3)) == list(range(1000))
    assert list(ahead(iter(()), 1)) == []
    assert list(ahead(iter([None, None]), 1)) == [None, None]


def test_they_are_made_in_another_thread_and_no_further_ahead_than_asked() -> None:
    made: list[int] = []
    threads: set[str] = set()
    enough = threading.Event()

    def items() -> Iterator[int]:
        for k in range(100):
            made.append(k)
            threads.add(threading.current_thread().name)
            if k == 4:
                enough.set()
            yield k

    taken = ahead(items(), 3)
    assert next(taken) == 0
    assert enough.wait(10)  # one taken, three waiting, one in the maker's hand
    assert made == [0, 1, 2, 3, 4]
    assert list(taken) == list(range(1, 100))
    assert threads == {"weft-ahead"}


def test_a_fault_is_raised_after_what_came_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the disk is gone")

    taken = ahead(items(), 2)
    assert next(taken) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(taken)


def test_whoever_stops_early_ends_the_items() -> None:
    closed = threading.Event()

    def items() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.set()

    taken = ahead(items(), 2)
    next(taken)
    taken.close()
    assert closed.is_set()
    assert not any(t.name == "weft-ahead" for t in threading.enumerate())


def test_none_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match="0 items ahead"):
        next(ahead(iter([1]), 0))
