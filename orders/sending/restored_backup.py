"""Holds all sending where the database is older than the last send: it was restored from a backup.

The orders in it may read *Confirmed* though they were sent. A person has to look at the vendors,
release the hold, and confirm again what shall be sent.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils import timezone

from mailops.history import audited, digest_mark, record
from mailops.history.digest_mark import Mark, MarkTrouble
from mailops.history.models import Event
from orders.models import Attempt, Order, Stage, State
from orders.sending.claims import Then, not_sent
from vendors.models import SendingSwitch, Vendor

log = logging.getLogger("mailops.submission")
HELD, RELEASED = "sending.held", "sending.released"  # what the pages record, too
WHY_BACK = (
    "The database was restored from a backup, so this may have been sent already. Look at the"
    " vendor first."
)
BY = "MailOps"
_last_looked: tuple[Path, float] | None = None


def hold_if_older(*, max_age: float = 0) -> bool:
    """Hold all sending if the database lacks the record of the last send. True while that is so.

    `max_age`: seconds for which an earlier answer that nothing is wrong is good enough.
    """
    global _last_looked
    path, now = settings.LAST_SENT_FILE, time.monotonic()
    if max_age and _last_looked and _last_looked[0] == path and now - _last_looked[1] < max_age:
        return False
    try:
        mark = digest_mark.missing()
        if mark is None or is_settled(mark):
            if mark:
                _begin_again(mark)
            _last_looked = (path, now)
            return False
    except MarkTrouble as trouble:
        # Nothing is sent while this lasts: `note` fails too.
        log.error("%s", trouble)
        return False
    _hold(mark)
    return True


def is_settled(mark: Mark) -> bool:
    """True if somebody released the hold that was made because of this mark."""
    held = Event.objects.filter(action=HELD, changes__mark__1__hash=mark.hash)
    if (number := held.values_list("number", flat=True).first()) is None:
        return False
    return Event.objects.filter(action=RELEASED, number__gt=number).exists()


def reason(mark: Mark) -> str:
    before = Event.objects.filter(at__lte=mark.at).values_list("at", flat=True).first()
    since = f" since {_day_and_hour(before)}" if before else ""
    last = f"record {mark.number}, {_day_and_hour(mark.at)}"
    return (
        f"The database is older than the last send ({last}): it looks like a restored backup."
        f" Orders{since} may have been sent."
    )


def _day_and_hour(at: datetime) -> str:
    # People may read it days later, so the day is always there.
    return f"{timezone.localtime(at):%-d %b, %H:%M}"


def return_confirmed() -> None:
    """Before a release: where a restored backup is held, confirmed orders go back to review."""
    released = Event.objects.filter(action=RELEASED).values_list("number", flat=True).first() or 0
    if not _held_for_marks().filter(number__gt=released).exists():
        return
    # All locks of rows before the first event, which locks the history.
    list(Vendor.objects.order_by("pk").select_for_update(no_key=True))
    orders = list(Order.objects.filter(state=State.CONFIRMED).order_by("pk").select_for_update())
    for order in orders:
        order.back_to_review(action="order.returned_unsent", reason=WHY_BACK)
    # Orders that a worker had in hand when the backup was made. That worker may have sent them.
    for attempt in Attempt.objects.filter(stage=Stage.CLAIMED).order_by("pk"):
        not_sent(attempt, WHY_BACK, Then.REVIEW)


def _held_for_marks() -> models.QuerySet[Event]:
    return Event.objects.filter(action=HELD, changes__has_key="mark")


def _hold(mark: Mark) -> None:
    with audited():
        switch = SendingSwitch.current()
        is_known = _held_for_marks().filter(changes__mark__1__hash=mark.hash).exists()
        if is_known and switch.stopped_at:
            return
        why = reason(mark)
        # In place of a person's own reason, too: this one is what they have to know.
        switch.hold(reason=why, by=BY)
        found = {"number": mark.number, "hash": mark.hash}
        record(HELD, switch, who=BY, reason=why, changes={"mark": [None, found]})
    log.error("All sending is held. %s", why)


def _begin_again(mark: Mark) -> None:
    # Without this the file would name the lost record for ever, and the next restored backup would
    # not be noticed.
    if newest := digest_mark.newest_record():
        digest_mark.replace(mark, newest)
