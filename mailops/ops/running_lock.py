"""One `make run` in a data folder at a time, and only where it can write."""

from __future__ import annotations

import fcntl
import os
import sys
from io import FileIO
from pathlib import Path


def take(folder: Path, *, address: str) -> FileIO:
    """The lock file of this folder; closing it, or the end of the process, ends the lock.

    Exits with a sentence where MailOps runs in the folder already, or nothing can be written.
    """
    path = folder / "running.lock"
    try:
        # Without a buffer: on a full disk nothing is left to be written when the file is closed.
        file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid, _, at = file.read().decode().strip().partition(" ")
            sys.exit(f"This MailOps runs already: {at}  (process {pid}, data in {folder})")
        file.truncate(0)
        file.write(f"{os.getpid()} {address}\n".encode())
        os.fsync(file.fileno())
    except OSError as error:
        sys.exit(
            f"MailOps can't write to its data folder {folder}: {error.strerror}. Make room, or set"
            " MAILOPS_DATA to a folder where it may write."
        )
    return file
