"""Maps events to notice kinds, recipients and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mailops.history.models import Event

OFF, AT_ONCE, DIGEST = "off", "now", "digest"
WHEN = [(OFF, "Not at all"), (AT_ONCE, "At once"), (DIGEST, "In the daily digest")]
EMAIL, ADDRESS, BOTH = "email", "address", "both"
BY = [(EMAIL, "By e-mail"), (ADDRESS, "To my other address"), (BOTH, "Both")]

# recipients of a kind; without one of these, everybody with the permission in `needs`
DRAFTER, MENTIONED = "the drafter", "whoever is mentioned"
LOOKS_AFTER = "the drafter, and all who settle outcomes"
SEE, DRAFT = "orders.view_order", "orders.add_order"
CONFIRM, SETTLE = "orders.confirm_order", "orders.settle_order"
PROCESS = "orders.process_order"
ARRIVE = "orders.arrive_asset"
OPERATE, VERIFY = "vendors.change_vendor", "history.verify_event"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of notice.

    `needs` is a permission. A person who lost it before the message goes out gets no message.
    """

    name: str
    label: str
    help: str
    needs: str
    to: str = ""
    default: str = AT_ONCE
    # the default of superusers without a role: they may do everything, and do little of it
    superusers: str = OFF
    # goes to the shared addresses too, and through the quiet hours of people who allow that
    is_urgent: bool = False


WAITING, REMINDER, BACK, UNKNOWN = "waiting", "reminder", "back", "unknown"
REFUSED, DELIVERED, LIMIT, STOPPED = "refused", "delivered", "limit", "stopped"
CREATED, OVERDUE = "created", "overdue"
BROKEN, OUTSIDE, MENTION, PROPOSAL = "broken", "outside", "mention", "proposal"

# Their order is that of the rows on the page “Notices”.
NOTICE_KINDS = {
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
            name=CREATED,
            label="An order waits to be processed at the vendor",
            help=(
                "The vendor only created it and buys nothing until somebody processes it in its"
                " dashboard."
            ),
            needs=PROCESS,
            superusers=AT_ONCE,
        ),
        Kind(
            name=REFUSED,
            label="My order was refused or never came",
            help=(
                "The vendor refused it and nothing was bought, or took it and nothing of it came."
            ),
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
            name=OVERDUE,
            label="An order is overdue",
            help=(
                "A vendor has it for longer than its account allows, and something is missing."
                " Again every seven days while nothing changes."
            ),
            needs=ARRIVE,
            to=LOOKS_AFTER,
            superusers=AT_ONCE,
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
            help=(
                "To one vendor account, by a person or by MailOps itself, or to all of them. Or an"
                " account has no funds, so that its orders wait."
            ),
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

# An event that changes an order's state counts by the new state first, then by its action.
BY_ACTION = {
    "attempt.late_answer": UNKNOWN,
    "order.confirmation_given": WAITING,
    "order.confirmation_expired": WAITING,
    "order.review_expired": BACK,
    "order.held": LIMIT,
    "order.overdue": OVERDUE,
    "order.commented": MENTION,
    "vendor.stopped": STOPPED,
    "vendor.no_funds": STOPPED,
    "sending.held": STOPPED,
    "history.found_broken": BROKEN,
    "outside.changed": OUTSIDE,
    "proposal.made": PROPOSAL,
}
BY_STATE = {
    "review": WAITING,
    "unknown": UNKNOWN,
    "created": CREATED,
    "draft": BACK,
    "cancelled": BACK,
    "refused": REFUSED,
    "undelivered": REFUSED,
    "delivered": DELIVERED,
    "partly": DELIVERED,
}
ORDER = "orders.order"


def after(event: Event, name: str) -> Any:
    """The field's value after the event: the second of [before, after]."""
    value = event.changes.get(name)
    return value[1] if isinstance(value, list) and len(value) == 2 else value


def new_state(event: Event) -> str:
    """The order's state after this event; empty if the event did not change the state."""
    return str(after(event, "state") or "") if event.subject_type == ORDER else ""


def kind_of(event: Event) -> Kind | None:
    """None if nobody gets a notice of the event."""
    name = BY_STATE.get(new_state(event)) or BY_ACTION.get(event.action)
    return NOTICE_KINDS[name] if name else None
