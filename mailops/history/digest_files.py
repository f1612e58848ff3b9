"""Writing digests where the database's keeper can't reach them, and reading them back."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone

from mailops.history import record
from mailops.history.digest import line
from mailops.history.models import Digest, Event
from mailops.history.verify import Point

AT_MOST = 10_000  # lines of a file; the newest count
MAIL_SECONDS = 10


class BadDigest(ValueError):
    """What was given is no digest; the message says why, in a sentence."""


# Writing


def write(now: datetime | None = None) -> str:
    """Note the end of the chain if it is time, write and send what has not been; says what was
    done.
    """
    now = now or timezone.now()
    done = [*_note(now), *_write_out(), *_send()]
    return ", ".join(done) or "nothing to do"


def head() -> tuple[int, str] | None:
    """Number and hash of the last record; None where there is none."""
    return Event.objects.order_by("-number").values_list("number", "hash").first()


def _note(now: datetime) -> Iterator[str]:
    last, end = Digest.objects.order_by("-id").first(), head()
    if end is None or (last and not _is_due(last, end[0], now)):
        return
    with transaction.atomic():
        digest = Digest.objects.create(number=end[0], hash=end[1], at=now)
        record(
            "history.digest_written",
            digest,
            changes={"number": [None, digest.number], "hash": [None, digest.hash]},
        )
    yield f"noted record {digest.number}"


def _is_due(last: Digest, number: int, now: datetime) -> bool:
    new = number - last.number - 1  # the digest's own record is not news
    return new >= settings.HISTORY_DIGEST_RECORDS or (
        new > 0 and now - last.at >= timedelta(hours=settings.HISTORY_DIGEST_HOURS)
    )


def _write_out() -> Iterator[str]:
    path: Path = settings.HISTORY_DIGEST_FILE
    for digest in Digest.objects.to_be_written()[:100]:
        try:
            _append(path, digest.line)
        except OSError as error:
            trouble = f"{path} can't be written: {error.strerror}"[:200]
            Digest.objects.to_be_written().update(trouble=trouble)  # the newest one is looked at
            return
        Digest.objects.filter(pk=digest.pk).update(file=str(path)[:300], trouble="")
        yield f"wrote record {digest.number}"


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = (
        path.is_file() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    )  # by a full disk
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640), "a", encoding="utf-8"
    ) as file:
        file.write(f"{chr(10) if torn else ''}{text}\n")
        file.flush()
        os.fsync(file.fileno())


def _send() -> Iterator[str]:
    """A mail that fails is tried again the next time, with the newest digest."""
    if not settings.MAIL_IS_SET:
        Digest.objects.to_be_mailed().update(
            trouble="This installation has no mail server: set EMAIL_URL"
        )
        return
    for digest in Digest.objects.to_be_mailed():
        to: list[str] = settings.HISTORY_DIGEST_TO
        try:
            _mail(digest, to).send()
        except Exception as error:  # whatever a mail server comes up with
            said = f"The mail to {', '.join(to)} failed: {str(error) or type(error).__name__}"
            Digest.objects.filter(pk=digest.pk).update(trouble=said[:200])
            return
        Digest.objects.filter(pk=digest.pk).update(
            mailed_to=", ".join(to)[:500], mailed_at=timezone.now(), trouble=""
        )
        yield f"sent record {digest.number}"


def _mail(digest: Digest, to: list[str]) -> EmailMessage:
    text = (
        f"This is the fingerprint of record {digest.number}, the last of the MailOps history at"
        " that time.\nKeep this mail. If the history up to this record is ever rewritten, the line"
        f" below will not fit any more:\npaste it under History, Verify.\n\n{digest.line}\n"
    )
    subject = f"MailOps history: digest of record {digest.number}"
    return EmailMessage(subject, text, to=to, connection=get_connection(timeout=MAIL_SECONDS))


# Reading


def kept_points() -> list[Point]:
    """The digests of the file outside the database; none where there is no file."""
    path: Path = settings.HISTORY_DIGEST_FILE
    if not path.is_file():
        return []
    found: list[Point] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            with suppress(
                BadDigest
            ):  # a line that a power cut left half written; the database has it whole
                found.append(read(text))
    return found[-AT_MOST:]


def points_of(path: Path) -> list[Point]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return read_lines(file)


def read_lines(lines: Iterable[str]) -> list[Point]:
    """One digest a line; BadDigest names the first line that is none."""
    found = []
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                found.append(read(text))
            except BadDigest as bad:
                raise BadDigest(f"Line {number}: {bad}") from bad
    return found[-AT_MOST:]


def read(text: str) -> Point:
    """A digest as it was written, mailed, or noted by hand: a number and a hash."""
    if len(text) > 1000:
        raise BadDigest("This is too long for a digest, which is one short line.")
    number, hash, at = _parts(text.strip())
    if not hash:
        raise BadDigest("There is no fingerprint in it: 64 digits and letters from a to f.")
    if not number:
        raise BadDigest("There is no record number in it, only a fingerprint.")
    return Point(number, hash, f"the digest of {at}" if at else f"the digest of record {number}")


def _parts(text: str) -> tuple[int, str, str]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        hash = str(found.get("hash"))
        fits = re.fullmatch("[0-9a-f]{64}", hash)
        return _number(found.get("number")), hash if fits else "", _moment(found.get("at"))
    hashes = re.findall(r"\b[0-9a-fA-F]{64}\b", text)
    rest = text.replace(hashes[0], " ") if hashes else text
    numbers = re.findall(r"(?<![\w-])\d{1,18}(?![\w-])", rest)
    return (
        _number(int(numbers[0])) if numbers else 0,
        hashes[0].lower() if len(hashes) == 1 else "",
        "",
    )


def _number(value: Any) -> int:
    return value if type(value) is int and 0 < value < 2**63 else 0


def _moment(value: Any) -> str:
    from django.utils.formats import date_format

    try:
        at = datetime.fromisoformat(value)
        return date_format(timezone.localtime(at), "j M Y, H:i")
    except (TypeError, ValueError, OverflowError):
        return ""


def current_line() -> str:
    """The digest of the chain as it ends now; empty where there is no record."""
    end = head()
    return line(*end, timezone.now()) if end else ""
