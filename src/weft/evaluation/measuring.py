"""The slow part, done once: every sound, picture and text turned into features, by worker processes if asked.

A task is one clip's bytes and the features it still lacks; what it makes goes to the cache and only what went wrong
comes back. A clip that fails fails alone.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weft.errors import MediaError, WeftError
from weft.evaluation.cache import key
from weft.evaluation.features import Feature, Of, Picture
from weft.evaluation.reading import Window, read, silence
from weft.evaluation.sources import Source
from weft.media.caching import Cache, CacheError
from weft.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class Task:
    """Content whose SHA-256 is `content`, and the `features` wanted of it. One of `source`, `text` and `silence_s`."""

    content: str
    of: Of
    features: tuple[Feature, ...]
    window: Window
    source: Source | None = None
    text: str | None = None
    silence_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What went wrong: `unread` for the whole content, `failed` by a feature's name; `seconds` spent by step."""

    content: str
    of: Of
    unread: str | None = None
    failed: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def measure(
    tasks: Sequence[Task], root: Path, *, jobs: int = 1, progress: Progress = silent
) -> list[Outcome]:
    """Carry out `tasks`, features going to the cache at `root`, by `jobs` processes; outcomes in any order.

    Raises WeftError when a worker process dies; what was finished stays and is not done again.
    """
    out: list[Outcome] = []
    if not tasks:
        return out
    if jobs == 1 or len(tasks) < 2:
        with _one_thread():
            for done, task in enumerate(tasks):
                progress("measure", done / len(tasks))
                out.append(carry_out(task, root))
    else:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(jobs, len(tasks)), mp_context=context, initializer=_settle)
        try:
            with _deaf_to_ctrl_c():  # the workers start here
                futures = [pool.submit(carry_out, task, root) for task in tasks]
            for future in as_completed(futures):
                out.append(future.result())
                progress("measure", len(out) / len(tasks))
        except BrokenProcessPool as error:
            raise WeftError(
                "a worker process died (out of memory?); what was measured is kept: run again, with --jobs 1 "
                "if it happens again"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    progress("measure", 1.0)
    return out


def carry_out(task: Task, root: Path) -> Outcome:
    """Do one task. A clip that cannot be read, or a feature that cannot be made of it, is reported, not raised."""
    cache = Cache(root=root)
    seconds: dict[str, float] = {}
    failed: dict[str, str] = {}
    clock = time.perf_counter()
    try:
        with _opened(task) as clip:
            seconds["decode"] = time.perf_counter() - clock
            for feature in task.features:
                clock = time.perf_counter()
                try:
                    arrays = feature.make(clip)
                except Exception as error:  # one clip's trouble, whatever it is, may not end the run
                    failed[feature.name] = _line(error)
                else:
                    cache.save(key(task.content, feature, task.window), arrays)
                seconds[feature.name] = time.perf_counter() - clock
    except CacheError:
        raise
    except Exception as error:
        return Outcome(content=task.content, of=task.of, unread=_line(error), seconds=seconds)
    return Outcome(content=task.content, of=task.of, failed=failed, seconds=seconds)


@contextmanager
def _opened(task: Task) -> Iterator[Any]:
    if task.text is not None:
        yield task.text
    elif task.silence_s is not None:
        yield silence(task.silence_s, task.window)
    elif task.of == "picture" and task.source is not None:
        with task.source.as_file() as path:
            yield Picture(path=path, window=task.window)
    else:
        assert task.source is not None
        data = task.source.read()
        if hashlib.sha256(data).hexdigest() != task.content:
            raise MediaError(f"{task.source} changed while it was being measured; run again")
        yield read(task.source, data, task.window)


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or "no reason given"
    return text if isinstance(error, (WeftError, ValueError)) else f"{type(error).__name__}: {text}"


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Hold Ctrl-C back meanwhile. Processes started now never hear it, from their first import on, where it would end
    in a traceback each; it is the parent's business."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settle() -> None:
    """A worker: one thread, and Ctrl-C is the parent's business."""
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """As a worker computes, so that both give the same numbers to the last bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
