"""The invariants of every drill: the vendors' ledger, our attempts and our history agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

ENDED = {"accepted", "partly", "delivered", "refused", "cancelled"}
WITH_A_PERSON = {"review", "unknown"}
MAY_HOLD_A_CHARGE = {"accepted", "partly", "delivered", "unknown"}
MAY_HAVE_SPENT = {"accepted", "unknown", "placed"}


def violations(
    ledger: Mapping[str, Any], facts: Mapping[str, Any], confirmed: Mapping[int, int]
) -> list[str]:
    """The invariants that do not hold, in words; empty where all do.

    `ledger`: the practice vendors' records. `facts`: the agent's, from the database. `confirmed`:
    how often the drill itself confirmed each order.
    """
    attempts: list[Mapping[str, Any]] = facts["attempts"]
    marked = [attempt for attempt in attempts if attempt["sent_at"]]
    order_of = {attempt["body_sha256"]: attempt["order_id"] for attempt in marked}
    charges, requests = _count(ledger["charges"]), _count(ledger["requests"])
    sent = Counter(attempt["body_sha256"] for attempt in marked)
    spent = Counter(
        attempt["body_sha256"] for attempt in marked if attempt["stage"] in MAY_HAVE_SPENT
    )
    found = [f"the history is broken at {facts['broken']}"] if facts["broken"] else []
    for what, counted in (("charge", charges), ("request", requests)):
        for body, count in counted.items():
            order = order_of.get(body)
            if order is None:
                found.append(f"{count} × {what} {body[:8]} without an attempt that was marked")
            elif count > sent[body]:
                found.append(f"order {order}: {count} × {what}, {sent[body]} × marked")
    for body, count in charges.items():
        order = order_of.get(body)
        if order is None:
            continue
        state = facts["states"][str(order)]
        if count > confirmed.get(order, 0):
            found.append(f"order {order}: {count} charges, {confirmed.get(order, 0)} confirmations")
        if count > spent[body] or state not in MAY_HOLD_A_CHARGE:
            found.append(
                f"order {order}: charged {count} ×, yet it reads {state}, {spent[body]} × perhaps"
                " spent"
            )
    for number, state in facts["states"].items():
        said = facts["confirmed"].get(number, 0)
        if said != confirmed.get(int(number), 0):
            found.append(
                f"order {number}: confirmed {confirmed.get(int(number), 0)} ×, the history says"
                f" {said} ×"
            )
        if state not in ENDED | WITH_A_PERSON:
            found.append(f"order {number}: nobody looks after it, it reads {state}")
    found += [
        f"order {attempt['order_id']}: attempt {attempt['number']} never ended"
        for attempt in attempts
        if attempt["stage"] in ("claimed", "sending")
    ]
    return found


def _count(rows: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(row["body_sha256"] for row in rows)
