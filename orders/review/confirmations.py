"""Who may confirm an order, how many have to, and what each of them gave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import IntegrityError, transaction

from mailops.history import record
from orders.models import Confirmation, NotAllowed, Order, State
from orders.models.confirmation_rule import Needed
from orders.plan import Plan
from orders.review import confirming_rights
from vendors.cost import CostSheet

SHOWN_FOR = 7 * 24 * 3600  # seconds that a page's number of confirmers is remembered


class OwnOrder(NotAllowed):
    """Somebody tried to confirm an order that they edited."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """Confirmations of an order since it last began to wait."""

    counts: tuple[Confirmation, ...]
    void: tuple[Confirmation, ...]  # of an older digest


def confirmers_needed(order: Order, cost: CostSheet) -> Needed:
    return confirming_rights.needed(order, cost.due)


def why_not(order: Order, user: Any, current: Plan | None) -> str:
    if current is None:
        return confirming_rights.why_not_confirm(order, user)
    return confirming_rights.why_not_confirm(
        order, user, due=current.cost.due, digest=current.digest
    )


def given(order: Order, digest: str) -> Given:
    found = list(order.confirmations.filter(round=order.round).order_by("pk"))
    return Given(
        counts=tuple(one for one in found if one.digest == digest),
        void=tuple(one for one in found if one.digest != digest),
    )


def not_before(order: Order, digest: str, planned_for: datetime | None) -> datetime | None:
    # Each confirmer may name a time, so nothing is sent before the latest of them.
    asked = [one.planned_for for one in given(order, digest).counts if one.planned_for]
    return max([*asked, planned_for] if planned_for else asked, default=None)


# Confirming, inside the transaction of `submission.confirm`


def check(order: Order, current: Plan, *, by: User) -> Needed:
    """How many have to confirm. Raises `OwnOrder` for an editor, else `NotAllowed`."""
    needed = confirmers_needed(order, current.cost)
    if why := why_not(order, by, current):
        is_own = order.state == State.REVIEW and (
            confirming_rights.was_edited_by(order, by)
            or confirming_rights.has_contact_changed_by(order, by)
        )
        raise OwnOrder(why) if is_own else NotAllowed(why)
    return needed


def give(
    order: Order, current: Plan, needed: Needed, *, by: User, planned_for: datetime | None = None
) -> tuple[Confirmation, ...]:
    """Store this person's confirmation of the plan. Returns all that count now.

    Raises `NotAllowed` where more is needed than the page showed.
    """
    _as_shown(order, current, needed, by)
    # An editor gets here only where nobody else is needed.
    if confirming_rights.was_edited_by(order, by):
        return ()
    before = given(order, current.digest)
    giver = confirming_rights.confirming_right(order, by, current.digest)
    on_behalf = confirming_rights.on_behalf(order, by, current.digest)
    is_delegated = giver is not None and giver != by
    about: dict[str, Any] = (
        {"for_user": giver, "for_name": giver.get_username()} if giver and is_delegated else {}
    )
    mine = Confirmation.objects.create(
        order=order,
        round=order.round,
        digest=current.digest,
        user=by,
        name=by.get_username(),
        planned_for=planned_for,
        **about,
    )
    counts = (*before.counts, mine)
    if len(counts) < needed.count:
        reason = f"{on_behalf} {void_says(before)}".strip()
        changes = {"digest": [None, current.digest], "confirmers_needed": [None, needed.count]}
        record("order.confirmation_given", order, by=by, reason=reason, changes=changes)
    return counts


def void_says(found: Given) -> str:
    names = sorted({str(one) for one in found.void})
    if not names or found.counts:
        return ""
    return (
        f"The confirmation of {' and '.join(names)} does not count any more: the order changed"
        " since."
    )


# Signs of a constraint in the database's message: its name on PostgreSQL, its columns on SQLite.
REFUSALS = (
    (("may not confirm it",), "You edited this order, so somebody else has to confirm it."),
    (
        ("domain_one_live_per_installation", "orders_domain.name"),
        "A domain of this order was bought or confirmed on another order a moment ago. Open it"
        " again to see which.",
    ),
    (
        ("mailbox_one_live_per_installation", "orders_mailbox.address"),
        "A mailbox of this order was bought or confirmed on another order a moment ago. Open it"
        " again to see which.",
    ),
    (("confirmation_once_by", "orders_confirmation."), "You confirmed this order already."),
)


def why_database_refused(error: IntegrityError) -> str:
    # Another transaction was faster: the checks passed, and the constraint decided.
    text = str(error)
    for signs, words in REFUSALS:
        if any(sign in text for sign in signs):
            return words
    return "Something of this order changed a moment ago, so it was not confirmed. Open it again."


# How many confirmers a page showed, so that confirming can say that more are needed now


def _key(order: Order, digest: str, user: User) -> str:
    return f"needed:{order.pk}:{digest}:{user.pk}"


def remember_shown(order: Order, digest: str, needed: Needed, user: User) -> None:
    cache.set(_key(order, digest, user), needed.count, timeout=SHOWN_FOR)


def _as_shown(order: Order, current: Plan, needed: Needed, user: User) -> None:
    shown = cache.get(_key(order, current.digest, user))
    if shown is not None and shown < needed.count:
        # The refusal shows the new number, so the next try is compared with that.
        remember_shown(order, current.digest, needed, user)
        raise NotAllowed(
            "More is needed since you opened this order, so it was not confirmed yet."
            f" {needed.says}"
        )


# Before sending


def lacking(order: Order, current: Plan) -> str:
    """Why a confirmed order may not be sent by today's rules, in words; empty where it may."""
    needed = confirmers_needed(order, current.cost)
    if not needed.count:
        return ""
    if order.confirmers_needed is None:  # from before confirmations were kept one by one
        who = order.confirmed_by_name or "Somebody"
        before = f"{who} confirmed it before MailOps kept each confirmation by itself"
        return f"{before}, so it has to be confirmed once more. {needed.says}"
    # By name too: a deleted user may have been made again under the same name.
    editors = {who for editor in order.editors.all() for who in (editor.user_id, editor.name)}
    editors -= {None, ""}
    found = given(order, order.digest).counts
    count = sum(
        not {one.user_id, one.name, one.for_user_id, one.for_name} & editors for one in found
    )
    if count >= needed.count:
        return ""
    return f"{'Nobody else' if not count else 'One person'} has confirmed it. {needed.says}"


# Attempts to confirm one's own order


def record_refusal(order_id: int, *, by: User, digest: str, why: str) -> None:
    # In a transaction of its own: the one in which the person tried was rolled back.
    digest = digest if re.fullmatch(r"[0-9a-f]{64}", digest) else ""
    with transaction.atomic():
        order = Order.objects.get(pk=order_id)
        record(
            "order.self_confirmation_refused",
            order,
            by=by,
            reason=why,
            changes={"digest": [None, digest]},
        )
