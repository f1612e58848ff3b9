"""The newest record at the last send, in a file outside the database.

A backup that is restored over a database lacks that record, so the file shows that orders may have
been sent which the database no longer knows of.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from mailops.history.digest import line
from mailops.history.models import Archive, Event


class MarkTrouble(Exception):
    """The file can't be read or written. The message is a sentence."""


@dataclass(frozen=True)
class Mark:
    """A record of the history; no other record has its hash."""

    number: int
    hash: str
    at: datetime

    @property
    def is_in_database(self) -> bool:
        found = Event.objects.filter(number=self.number).values_list("hash", flat=True).first()
        if found is None:
            # An archived record is in a file; its number is not given again.
            return Archive.objects.filter(last__gte=self.number).exists()
        return found == self.hash


def read() -> Mark | None:
    """The mark of the last send from this host; None where there is no file. MarkTrouble."""
    path: Path = settings.LAST_SENT_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Mark(
            int(fields["number"]), str(fields["hash"]), datetime.fromisoformat(fields["at"])
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MarkTrouble(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise MarkTrouble(f"{path} holds no record of the last send.") from error


def note(mark: Mark) -> None:
    """Write the mark of an order that is about to leave; on the disk when this returns.

    Raises MarkTrouble: then nothing may be sent.
    """
    with _locked():
        before = read()
        # Another worker of this host may have noted a later record, which stands for this one too.
        if before is None or before.number < mark.number:
            _write(mark)


def replace(old: Mark, new: Mark) -> None:
    """Write `new` unless another process replaced `old` already. MarkTrouble."""
    with _locked():
        if read() == old:
            _write(new)


def newest_record() -> Mark | None:
    found = Event.objects.order_by("-number").values_list("number", "hash", "at").first()
    return Mark(*found) if found else None


def missing() -> Mark | None:
    """The mark, if the database does not have its record. MarkTrouble where nobody can tell."""
    # The file first: its record was committed before the file was written.
    mark = read()
    return None if mark is None or mark.is_in_database else mark


@contextmanager
def _locked() -> Iterator[None]:
    path: Path = settings.LAST_SENT_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o640)
    except OSError as error:
        raise MarkTrouble(f"{path} can't be written: {error.strerror}.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(mark: Mark) -> None:
    path: Path = settings.LAST_SENT_FILE
    temporary = path.with_suffix(".part")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{line(mark.number, mark.hash, mark.at)}\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        # The new name is on the disk only once its folder is.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise MarkTrouble(f"{path} can't be written: {error.strerror}.") from error
