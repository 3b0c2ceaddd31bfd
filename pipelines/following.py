"""A stage ends when the `dvc` that runs it does: killed, that would leave its stage at work on the same files."""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import suppress
from pathlib import Path

STAGE = "DVC_STAGE"  # variable that DVC gives the commands of stages


def follow_dvc() -> None:
    """From now on, interrupt this process as Ctrl-C does when the `dvc` that runs it ends, on Linux; elsewhere nothing.

    Nothing happens either where no `dvc` runs this process.
    """
    if STAGE not in os.environ or not hasattr(os, "pidfd_open"):
        return
    with suppress(OSError):  # who it is may be hidden from us
        handle = os.pidfd_open(_dvc())
        ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN  # as in what a shell runs in the background

        def follow() -> None:
            select.select([handle], [], [])
            os.kill(os.getpid(), signal.SIGTERM if ignored else signal.SIGINT)

        threading.Thread(target=follow, daemon=True).start()


def _dvc() -> int:
    """The nearest process above this one that DVC has not started: `dvc` itself; a shell may be between."""
    pid, mark = os.getppid(), f"{STAGE}=".encode()
    while pid > 1 and any(entry.startswith(mark) for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")):
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid
