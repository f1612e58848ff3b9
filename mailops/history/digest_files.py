"""Writes digests outside the database, sends them by mail, and reads them back."""

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
from django.utils.formats import date_format

from mailops.history import record
from mailops.history.digest import line
from mailops.history.models import Digest, Event
from mailops.history.verify import Point

MOST_LINES = 10_000  # of a file; the newest count
MAIL_SECONDS = 10


class BadDigest(ValueError):
    """The text is no digest. The message is the reason, a sentence."""


def write(now: datetime | None = None) -> str:
    """Make a digest if one is due, write and send the ones that wait. Returns what was done."""
    now = now or timezone.now()
    done = [*_make(now), *_write_out(), *_send()]
    return ", ".join(done) or "nothing to do"


def head() -> tuple[int, str] | None:
    """Number and hash of the last event; None where there is none."""
    return Event.objects.order_by("-number").values_list("number", "hash").first()


def _make(now: datetime) -> Iterator[str]:
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
    # The digest's own event needs no other digest.
    new = number - last.number - 1
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
            # On all of them, because the health page looks at the newest one.
            Digest.objects.to_be_written().update(trouble=trouble)
            return
        Digest.objects.filter(pk=digest.pk).update(file=str(path)[:300], trouble="")
        yield f"wrote record {digest.number}"


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A full disk may have cut the last line off: the next one begins on a line of its own.
    is_torn = path.is_file() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(f"{chr(10) if is_torn else ''}{text}\n")
        # The row says "written" next, so the line has to be on the disk by then.
        file.flush()
        os.fsync(file.fileno())


def _send() -> Iterator[str]:
    # A mail that failed is tried again at the next run, with the newest digest.
    # Without a mail server Django writes mails to files and reports them as sent.
    if not settings.MAIL_IS_SET:
        Digest.objects.to_be_mailed().update(
            trouble="This installation has no mail server: set EMAIL_URL"
        )
        return
    for digest in Digest.objects.to_be_mailed():
        to: list[str] = settings.HISTORY_DIGEST_TO
        try:
            _mail(digest, to).send()
        except Exception as error:
            # Mail back ends raise what they like; the page shows the reason.
            trouble = f"The mail to {', '.join(to)} failed: {str(error) or type(error).__name__}"
            Digest.objects.filter(pk=digest.pk).update(trouble=trouble[:200])
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


def kept_points() -> list[Point]:
    """The digests of the file outside the database; an empty list where there is no file."""
    path: Path = settings.HISTORY_DIGEST_FILE
    if not path.is_file():
        return []
    found: list[Point] = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for text in file:
            # A power cut may have left half a line. The database has the digest in full.
            with suppress(BadDigest):
                found.append(read(text))
    return found[-MOST_LINES:]


def points_of(path: Path) -> list[Point]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return read_lines(file)


def read_lines(lines: Iterable[str]) -> list[Point]:
    """One digest a line. BadDigest names the first line that is none."""
    found = []
    for number, text in enumerate(lines, 1):
        if text.strip():
            try:
                found.append(read(text))
            except BadDigest as bad:
                raise BadDigest(f"Line {number}: {bad}") from bad
    return found[-MOST_LINES:]


def read(text: str) -> Point:
    """A digest: a line as `line` makes it, or any text with one number and one hash."""
    if len(text) > 1000:
        raise BadDigest("This is too long for a digest, which is one short line.")
    number, event_hash, at = _parts(text.strip())
    if not event_hash:
        raise BadDigest("There is no fingerprint in it: 64 digits and letters from a to f.")
    if not number:
        raise BadDigest("There is no record number in it, only a fingerprint.")
    source = f"the digest of {at}" if at else f"the digest of record {number}"
    return Point(number, event_hash, source)


def _parts(text: str) -> tuple[int, str, str]:
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        given = str(found.get("hash"))
        event_hash = given if re.fullmatch("[0-9a-f]{64}", given) else ""
        return _number(found.get("number")), event_hash, _moment(found.get("at"))
    # Digits of the hash, of a date or of a version are no record's number.
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
    try:
        at = datetime.fromisoformat(value)
        return date_format(timezone.localtime(at), "j M Y, H:i")
    except (TypeError, ValueError, OverflowError):
        return ""


def current_line() -> str:
    """The digest of the last event; empty where there is none."""
    end = head()
    return line(*end, timezone.now()) if end else ""
