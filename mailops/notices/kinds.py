"""The table of notices: which event is told as what, to whom, and what people get who chose
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailops.history.models import Event

OFF, AT_ONCE, DIGEST = "off", "now", "digest"
WHEN = [(OFF, "Not at all"), (AT_ONCE, "At once"), (DIGEST, "In the daily digest")]
EMAIL, ADDRESS, BOTH = "email", "address", "both"
BY = [(EMAIL, "By e-mail"), (ADDRESS, "To my other address"), (BOTH, "Both")]

DRAFTER, MENTIONED = (
    "the drafter",
    "whoever is mentioned",
)  # else: everybody with the permission in `needs`
SEE, DRAFT = "orders.view_order", "orders.add_order"
CONFIRM, SETTLE = "orders.confirm_order", "orders.settle_order"
OPERATE, VERIFY = "vendors.change_vendor", "history.verify_event"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of notice.

    `needs` is a permission: who has lost it when the message goes out gets none.
    """

    name: str
    label: str
    help: str
    needs: str
    to: str = ""
    default: str = AT_ONCE
    superusers: str = OFF  # of those without a role, who may do everything and do little of it
    is_urgent: bool = (
        False  # goes to the shared addresses too, and through quiet hours where the person lets it
    )


WAITING, REMINDER, BACK, UNKNOWN = "waiting", "reminder", "back", "unknown"
REFUSED, DELIVERED, LIMIT, STOPPED = "refused", "delivered", "limit", "stopped"
BROKEN, OUTSIDE, MENTION, PROPOSAL = "broken", "outside", "mention", "proposal"

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name=WAITING,
            label="An order waits for confirmation",
            help=(
                "Somebody sent it for confirmation, or it came back unsent and a person has to"
                " decide."
            ),
            needs=CONFIRM,
        ),
        Kind(
            name=REMINDER,
            label="An order still waits for a person",
            help=(
                "Nobody confirmed it or checked its outcome for hours. Repeated ever more rarely,"
                " five times at most."
            ),
            needs=CONFIRM,
            superusers=AT_ONCE,
        ),
        Kind(
            name=BACK,
            label="My order came back to me",
            help="A confirmer sent it back or cancelled it, or nobody confirmed it in time.",
            needs=DRAFT,
            to=DRAFTER,
            superusers=AT_ONCE,
        ),
        Kind(
            name=UNKNOWN,
            label="An outcome is unknown",
            help="The vendor may have charged for it. Somebody has to look there.",
            needs=SETTLE,
            superusers=AT_ONCE,
            is_urgent=True,
        ),
        Kind(
            name=REFUSED,
            label="My order was refused",
            help="The vendor refused it and nothing was bought.",
            needs=DRAFT,
            to=DRAFTER,
            superusers=AT_ONCE,
        ),
        Kind(
            name=DELIVERED,
            label="My order was delivered",
            help="All of it, or what the vendor could deliver.",
            needs=DRAFT,
            to=DRAFTER,
            default=DIGEST,
            superusers=DIGEST,
        ),
        Kind(
            name=LIMIT,
            label="A limit or the balance holds an order",
            help="A confirmed order waits for room in a limit, or for funds at the vendor.",
            needs=OPERATE,
        ),
        Kind(
            name=STOPPED,
            label="Sending was stopped",
            help="To one vendor account, by a person or by MailOps itself, or to all of them.",
            needs=OPERATE,
            superusers=AT_ONCE,
            is_urgent=True,
        ),
        Kind(
            name=BROKEN,
            label="The history is broken",
            help="Verification found a record that was changed, removed or put in.",
            needs=VERIFY,
            superusers=AT_ONCE,
            is_urgent=True,
        ),
        Kind(
            name=OUTSIDE,
            label="Something was changed outside MailOps",
            help="A row was changed in the database itself, past every page and rule.",
            needs=VERIFY,
            superusers=AT_ONCE,
        ),
        Kind(
            name=MENTION,
            label="Somebody mentioned me",
            help="In a comment on an order.",
            needs=SEE,
            to=MENTIONED,
            superusers=AT_ONCE,
        ),
        Kind(
            name=PROPOSAL,
            label="A proposal waits",
            help=(
                "Somebody proposed a change of limits, roles, keys or rules that a second person"
                " has to approve."
            ),
            needs="proposals.approve_proposal",
            superusers=AT_ONCE,
        ),
    )
}

BY_ACTION = {
    "attempt.late_answer": UNKNOWN,
    "order.confirmation_given": WAITING,
    "order.confirmation_expired": WAITING,
    "order.review_expired": BACK,
    "order.held": LIMIT,
    "order.commented": MENTION,
    "vendor.stopped": STOPPED,
    "sending.held": STOPPED,
    "history.found_broken": BROKEN,
    "outside.changed": OUTSIDE,
    "proposal.made": PROPOSAL,
}
BY_STATE = {
    "review": WAITING,
    "unknown": UNKNOWN,
    "draft": BACK,
    "cancelled": BACK,
    "refused": REFUSED,
    "delivered": DELIVERED,
    "partly": DELIVERED,
}
ORDER = "orders.order"


def after(event: Event, name: str) -> Any:
    """What the event left behind in this field: the second of [before, after]."""
    value = event.changes.get(name)
    return value[1] if isinstance(value, list) and len(value) == 2 else value


def new_state(event: Event) -> str:
    """The state that an order came into by this event; empty where it stayed where it was."""
    return str(after(event, "state") or "") if event.subject_type == ORDER else ""


def kind_of(event: Event) -> Kind | None:
    """What the event is told as; None where nobody is told."""
    name = BY_STATE.get(new_state(event)) or BY_ACTION.get(event.action)
    return KINDS[name] if name else None
