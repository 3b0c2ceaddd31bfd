"""Worker processes: they compute in one thread each, and end when the process that started them does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

# Read by BLAS and OpenMP, torch's among them, when they are loaded.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def workers(processes: int, start: Callable[..., None] | None = None, *arguments: Any) -> Iterator[ProcessPoolExecutor]:
    """A pool of so many processes; what still waits when its block is left, by an error say, is not begun.

    They are spawned, not forked: a process that has threads (torch, the ray caster) must not be forked. So they import
    the script that started them, which must do so below `if __name__ == "__main__":`.

    Args:
        processes: number of processes.
        start: what each does first, if anything.
        *arguments: of that.

    Raises:
        ChildProcessError: one of them ended of itself, or was killed.
    """
    context = multiprocessing.get_context("spawn")
    with _single_threaded(), ProcessPoolExecutor(processes, context, _start, (start, arguments)) as pool:
        try:
            yield pool
        except BrokenProcessPool as error:
            raise ChildProcessError(
                "a worker process ended before its work was done: it was killed, perhaps for want of memory, or a "
                'script started it outside `if __name__ == "__main__":`; run again'
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _single_threaded() -> Iterator[None]:
    """Processes started meanwhile have BLAS and OpenMP of one thread: more would fight for the cores."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _start(start: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Ctrl-C is the main process's business: a worker ends when that one does, however it ends."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    if start is not None:
        start(*arguments)
