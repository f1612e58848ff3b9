"""Findings about what runs beside sending: the queue for questions, and the sweep."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from mailops.core import heartbeat
from mailops.core.queue_names import QUESTIONS
from mailops.core.times import moment
from mailops.ops.finding import Finding, note, problem

LATE = timedelta(minutes=3)
LATE_BEHIND_ORDERS = timedelta(minutes=30)


def questions(now: datetime) -> Iterable[Finding]:
    at = heartbeat.last_beat(QUESTIONS)
    if at is None:
        yield note("No question to a vendor was asked yet: no worker for questions has started.")
    elif now - at > heartbeat.STALE:
        yield note(
            f"Questions to vendors are late since {moment(at)}: the workers for questions and"
            " notices finish nothing. Orders are sent all the same."
        )


def sweep(now: datetime) -> Iterable[Finding]:
    beat, swept = heartbeat.last_beat(), heartbeat.last_sweep()
    # Where nothing runs at all, that is said already.
    if beat is None or now - beat > heartbeat.STALE:
        return
    if swept is None:
        yield note("The sweep, which finds lost orders, has not ended once yet.")
    elif now - swept > LATE:
        text = f"The sweep, which finds lost orders, last ended {moment(swept)}"
        if now - swept <= LATE_BEHIND_ORDERS:
            yield note(f"{text}. Orders may stand in line before it.")
        else:
            yield problem(f"{text}, though workers finish other tasks. Look at their log.")
