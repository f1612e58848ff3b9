"""The outbox: due notices are claimed, sent and marked, in that order.

If a worker dies between sending and marking, its claim runs out and the message is sent again.
"""

# A message twice is better than none: it spends nothing, and both copies have one Message-ID.

from __future__ import annotations

import logging
import time
import uuid
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error
from django.db.models import F
from django.utils import timezone

from mailops.core.sealed import CannotOpen, Sealed
from mailops.notices import apprise_channel, mail_channel, message_texts
from mailops.notices.kinds import DIGEST, EMAIL
from mailops.notices.models import LEASE, PAUSES, TRIES, Notice, NoticeSettings, Wait

log = logging.getLogger("mailops.notices")
DELIVERY_SECONDS = 15  # then the rest waits for the next minute: workers have orders to send
DIGEST_LINES = 100


class NotDelivered(Exception):
    """The message did not go out now; the text says why."""


def run(*, seconds: float = DELIVERY_SECONDS) -> Counter[str]:
    """Send due notices for at most so long; returns how many of each outcome."""
    done: Counter[str] = Counter()
    if not settings.NOTICES:
        return done
    end = time.monotonic() + seconds
    given_up = Notice.objects.due(timezone.now()).filter(tries__gte=TRIES)
    given_up.update(ended_at=timezone.now(), gave_up=True)
    Notice.objects.forgotten(timezone.now()).delete()
    is_mail_down = False
    while (
        time.monotonic() < end
        and (claimed := claim(timezone.now(), mail_too=not is_mail_down)) is not None
    ):
        if claimed and (notices := _needed(claimed)):
            word, is_down = _deliver(notices)
            done[word] += len(notices)
            # the others' e-mails wait too: each would only run into the same time-out
            is_mail_down = is_mail_down or is_down
    return done


def claim(now: datetime, *, mail_too: bool = True) -> list[Notice] | None:
    """Take the next message: one notice, or all notices of one person's digest.

    Empty if another worker took it first, None if nothing is due.
    """
    due = Notice.objects.due(now).filter(tries__lt=TRIES)
    if not mail_too:
        due = due.exclude(channel=EMAIL)
    first = due.order_by("due_at", "pk").first()
    if first is None:
        return None
    mine = due.filter(pk=first.pk)
    if first.timing == DIGEST:
        mine = due.filter(user=first.user_id, channel=first.channel, timing=DIGEST)
    token = uuid.uuid4().hex
    # The lock: once `due_at` lies ahead, the WHERE clause of another worker's update fits no row.
    if not mine.update(claim=token, tries=F("tries") + 1, due_at=now + LEASE):
        return []
    taken = (
        Notice.objects.filter(claim=token)
        .order_by("pk")
        .select_related("user__notice_settings", "shared")
    )
    return list(taken)


def _needed(notices: list[Notice]) -> list[Notice]:
    """The notices that still make sense. Marks the others as ended."""
    waiting = set(
        Wait.objects.filter(order_key__in={n.wait for n in notices}).values_list(
            "order_key", flat=True
        )
    )
    kept = []
    for notice in notices:
        if why := _why_not(notice, waiting):
            Notice.objects.filter(pk=notice.pk).update(ended_at=timezone.now(), why=why)
        else:
            kept.append(notice)
    return kept


def _why_not(notice: Notice, waiting: set[str]) -> str:
    if notice.wait and notice.wait not in waiting:
        return "Somebody took care of it before."
    if notice.shared:
        return (
            ""
            if notice.shared.is_on and notice.shared.sealed
            else "The shared address gets no notices any more."
        )
    user = notice.user
    if user is None or not (user.is_active and user.is_staff):
        return "This person may not sign in any more."
    if not user.has_perm(notice.needs):
        return "This person may not act on it any more."
    return ""


def _deliver(notices: list[Notice]) -> tuple[str, bool]:
    """Send one message, record the outcome. Returns its word, and True if mail can't go out now."""
    rows = Notice.objects.filter(claim=notices[0].claim, pk__in=[notice.pk for notice in notices])
    try:
        _send_safely(notices)
    except (mail_channel.NotMailed, apprise_channel.NotTaken, CannotOpen, NotDelivered) as error:
        tries, now = max(notice.tries for notice in notices), timezone.now()
        if tries >= TRIES:
            rows.update(why=str(error)[:200], ended_at=now, gave_up=True)
            return "given up", getattr(error, "is_down", False)
        rows.update(why=str(error)[:200], due_at=now + timedelta(seconds=PAUSES[tries - 1]))
        return "postponed", getattr(error, "is_down", False)
    rows.update(sent_at=timezone.now(), why="")
    return "sent", False


def _send_safely(notices: list[Notice]) -> None:
    try:
        _send(notices)
    except (mail_channel.NotMailed, apprise_channel.NotTaken, CannotOpen, NotDelivered, Error):
        raise
    except Exception as error:
        # only the class: the error's text may contain an address
        log.warning("A notice could not be made: %s", type(error).__name__)
        raise NotDelivered("MailOps could not make the message.") from None


def _send(notices: list[Notice]) -> None:
    first = notices[0]
    user = first.user
    own = NoticeSettings.of(user) if user else None
    subject, body = _message(notices, own)
    if first.channel == EMAIL:
        if user is None or not user.email:
            raise NotDelivered("There is no e-mail address to send it to.")
        mail_channel.send(
            user.email,
            subject=subject,
            body=body,
            key=f"notice-{first.pk}-{first.made_at:%Y%m%d%H%M%S}",
        )
        return
    sealed = (own or first.shared).sealed  # type: ignore[union-attr]
    if not sealed:
        raise NotDelivered("There is no other address to send it to.")
    apprise_channel.send(Sealed(sealed).open().get("address", ""), title=subject, body=body)


def _message(notices: list[Notice], own: NoticeSettings | None) -> tuple[str, str]:
    first = notices[0]
    end = message_texts.footer("" if first.timing == DIGEST else first.kind, own)
    if first.timing != DIGEST:
        return (
            f"MailOps: {first.subject}",
            f"{first.text}\n\n{message_texts.link(first.path)}\n\n-- \n{end}\n",
        )
    lines = [
        f"* {notice.subject}\n  {_address(notice)}".rstrip() for notice in notices[:DIGEST_LINES]
    ]
    if more := len(notices) - DIGEST_LINES:
        lines += [f"And {more} more: sign in to MailOps to see them."] if more > 0 else []
    count = f"{len(notices)} thing{'s' * (len(notices) != 1)}"
    body = "\n".join(
        [f"{count} happened since the last digest.", "", *lines, "", message_texts.link("/")]
    )
    return f"MailOps: {count} in your digest", f"{body}\n\n-- \n{end}\n"


def _address(notice: Notice) -> str:
    return f"{settings.MAILOPS_URL}{notice.path}" if settings.MAILOPS_URL else ""
