"""One question an account at a time, and the account's rest after questions that failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from vendors import rate_limit
from vendors.http import Read, ReadFailed, Reply, Request
from vendors.models import Vendor

LEASE = timedelta(seconds=90)  # longer than a task of questions may run
RESTS = (1, 2, 5, 10, 30, 60)  # minutes, after the first, second … failure in a row
SECONDS = 10.0  # the longest that a question of the queue may take
# A time beyond this was written by a clock that has been set back since, and does not count.
TOLERANCE = timedelta(minutes=5)


def take(vendor_id: int, now: datetime | None = None) -> datetime | None:
    """Take the account's lease for questions. Returns its end, or None while another has it."""
    now = now or timezone.now()
    until = now + LEASE
    free = models.Q(asking_until=None) | models.Q(asking_until__lte=now)
    free |= models.Q(asking_until__gt=until + TOLERANCE)
    # The WHERE clause is the lock.
    taken = Vendor.objects.filter(free, pk=vendor_id).update(asking_until=until)
    return until if taken else None


def give_back(vendor_id: int, until: datetime) -> None:
    # A worker that took too long must not end the lease that another took since.
    Vendor.objects.filter(pk=vendor_id, asking_until=until).update(asking_until=None)


def is_asked(vendor: Vendor, now: datetime) -> bool:
    at = vendor.asking_until
    return at is not None and now < at <= now + LEASE + TOLERANCE


def rests_until(vendor: Vendor, now: datetime) -> datetime | None:
    """The end of the account's rest after failed questions; None where it does not rest."""
    at = vendor.quiet_until
    return at if at and now < at <= now + timedelta(minutes=RESTS[-1]) + TOLERANCE else None


def note_answer(vendor_id: int) -> None:
    now = timezone.now()
    Vendor.objects.filter(pk=vendor_id).update(
        quiet_until=None, reads_failed=0, read_at=now, read_said=""
    )


def note_failure(vendor_id: int, said: str) -> None:
    """Let the account rest, longer after each failure. `said`: a sentence for people."""
    now = timezone.now()
    with transaction.atomic():
        vendor = Vendor.objects.locked(vendor_id)
        vendor.read_said = said[:300]
        # A person may ask while the account rests. That makes the rest no longer.
        if not rests_until(vendor, now):
            minutes = RESTS[min(vendor.reads_failed, len(RESTS) - 1)]
            vendor.quiet_until = now + timedelta(minutes=minutes)
            # The time of the first failure stays: since then the account gives no answer.
            vendor.read_at = vendor.read_at if vendor.reads_failed else now
            vendor.reads_failed = min(vendor.reads_failed + 1, 30000)
        Vendor.objects.filter(pk=vendor_id).update(
            quiet_until=vendor.quiet_until,
            reads_failed=vendor.reads_failed,
            read_at=vendor.read_at,
            read_said=vendor.read_said,
        )


@dataclass(kw_only=True)
class Reads:
    """A `Read` for one task: asks the same GET once, and notes how its questions went.

    `may_ask` says before each question if there is still time; without, `Busy` is raised.
    """

    read: Read
    may_ask: Callable[[], bool]
    failure: str = ""  # the newest failure of the network, in words
    refusal: int = 0  # the newest status other than 200
    answers: int = 0
    is_throttled: bool = False  # by the vendor
    is_busy: bool = False  # a question was not asked: not this account's turn, or no time left
    known: dict[Any, Reply] = field(default_factory=dict)

    def __call__(self, request: Request) -> Reply:
        key = (request.method, request.path, request.query, frozenset(request.headers.items()))
        if request.method == "GET" and key in self.known:
            return self.known[key]
        if not self.may_ask():
            self.is_busy = True
            raise rate_limit.Busy("The time for this account's questions is over.")
        try:
            reply = self.read(request)
        except rate_limit.Busy:
            self.is_busy = True
            raise
        except ReadFailed as error:
            self.failure = str(error)
            raise
        self._note(reply.status)
        if request.method == "GET":
            self.known[key] = reply
        return reply

    def _note(self, status: int) -> None:
        if status == 429:
            self.is_throttled = True
        elif status == 200:
            self.answers += 1
        else:
            self.refusal = status

    def begin(self) -> None:
        """Forget how earlier questions went, but not their answers."""
        self.failure, self.refusal, self.answers = "", 0, 0
        self.is_throttled = self.is_busy = False

    @property
    def why_not(self) -> str:
        """Why nothing was learnt since `begin`, in words; empty where something was."""
        if self.failure:
            return self.failure
        if self.refusal and not self.answers:
            return f"The vendor answered {self.refusal} to a harmless question."
        return ""
