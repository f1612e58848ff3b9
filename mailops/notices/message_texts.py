"""Subjects and texts of notices: what happened, what it means for money, what to do next."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from mailops.core.money import Totals
from mailops.history.models import Event
from mailops.notices.kinds import BY_STATE, NOTICE_KINDS, after, new_state
from mailops.notices.models import NoticeSettings

# A link only opens a page. No link in a message may change anything: mail scanners follow links.
SIGN_IN = "Opening it needs a sign-in. Nothing can be confirmed from a message."


# Kind of a wait: its words in a reminder
WAITS = {"unknown": "has an unknown outcome", "created": "waits to be processed at the vendor"}


def plain(text: Any, *, limit: int = 500) -> str:
    """People's words on one line, without control characters, markup, links and mentions of all."""
    kept = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in str(text))
    # chat services turn these into links, markup and calls to everybody in a channel
    kept = kept.replace("://", ":// ").replace("<", "‹").replace(">", "›").replace("](", "] (")
    kept = re.sub(r"@(?=(everyone|here|channel|all)\b)", "@ ", kept, flags=re.IGNORECASE)
    kept = " ".join(kept.split())
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


def subject_and_text(event: Event) -> tuple[str, str]:
    # the action first: some actions lead to one state and need different words
    write = BY_ACTION.get(event.action) or BY_KIND[BY_STATE.get(new_state(event)) or ""]
    subject, *paragraphs = write(event)
    return plain(subject, limit=150), "\n\n".join(filter(None, paragraphs))


def reminder(event: Event, kind: str, hours: int) -> tuple[str, str]:
    """Subject and text for an order that has waited so many hours since the event."""
    _subject, text = subject_and_text(event)
    waits = WAITS.get(kind, "waits for confirmation")
    lasting = f"{hours} hours" if hours < 48 else f"{hours // 24} days"
    return plain(f"Still open: {_name(event)} {waits} for {lasting}", limit=150), text


def path(event: Event) -> str:
    """The page of the event's subject, else the list of its kind, else Today."""
    page = event.subject_type.replace(".", "_")
    for name, args in (
        (f"admin:{page}_change", [event.subject_id]),
        (f"admin:{page}_changelist", []),
    ):
        try:
            return reverse(name, args=args)
        except NoReverseMatch:
            continue
    return reverse("admin:index")


def link(where: str) -> str:
    if not settings.MAILOPS_URL:
        return (
            "There is no link, since MailOps was not told its own address. Sign in to MailOps and"
            " look there."
        )
    return f"{settings.MAILOPS_URL}{where}\n{SIGN_IN}"


def footer(kind: str, person: NoticeSettings | None) -> str:
    """Why somebody gets this message, and where to change that.

    `kind` is empty for the digest, `person` None for a shared address.
    """
    if person is None:
        return (
            "You get this because an Operator entered this address in MailOps for urgent notices."
        )
    page = f" ({settings.MAILOPS_URL}{reverse('own_notices')})" if settings.MAILOPS_URL else ""
    said = f"“{NOTICE_KINDS[kind].label}”" if kind else "the daily digest"
    return (
        f"You get this because your settings ask for {said}. Change them in MailOps under"
        f" Notices{page}."
    )


def _name(event: Event) -> str:
    return plain(event.subject, limit=80)


def _who(event: Event) -> str:
    return plain(event.who) or "MailOps"


def _reason(event: Event) -> str:
    return f"Reason: {plain(event.reason)}" if event.reason else ""


def _cost(event: Event) -> str:
    """The plan's cost in a sentence; empty if the event has no plan."""
    plan = after(event, "plan")
    cost = plan.get("cost", {}) if isinstance(plan, dict) else {}
    now, later = (Totals.from_dict(cost.get(name, {})) for name in ("due_now", "due_later"))
    due = [f"{now} now" if now else "", f"{later} when it is processed" if later else ""]
    return f"It costs {' and '.join(filter(None, due))}." if now or later else ""


def _waiting(event: Event) -> list[str]:
    cost = f"{_cost(event)} Nothing is bought before somebody confirms it.".strip()
    if event.action == "order.sent_for_confirmation":
        note = f"Note: {plain(event.reason)}" if event.reason else ""
        asks = f"{_who(event)} sent {_name(event)} for confirmation."
        return [
            f"{_name(event)} waits for confirmation",
            asks,
            note,
            cost,
            "Open it, look, confirm or send it back.",
        ]
    back = f"{_name(event)} came back and needs a fresh confirmation."
    return [
        f"{_name(event)} waits for a fresh confirmation",
        back,
        _reason(event),
        cost,
        "Open it and decide.",
    ]


def _second(event: Event) -> list[str]:
    given = f"{_who(event)} gave the first of two confirmations of {_name(event)}."
    return [
        f"{_name(event)} waits for a second confirmation",
        given,
        "Nothing is bought before the second.",
        "Open it.",
    ]


def _back(event: Event) -> list[str]:
    return [
        f"{_name(event)} was sent back to you",
        f"{_who(event)} sent {_name(event)} back. It is a draft again.",
        _reason(event),
        "Nothing was bought. Change it, and send it for confirmation again.",
    ]


def _review_expired(event: Event) -> list[str]:
    expired = f"Nobody confirmed {_name(event)} in time."
    next_step = (
        "Nothing was bought. Look whether it is still right, and send it for confirmation again."
    )
    return [f"{_name(event)} was not confirmed in time", expired, _reason(event), next_step]


def _cancelled(event: Event) -> list[str]:
    gone = f"{_who(event)} cancelled {_name(event)}."
    bought = "It was not sent, so nothing was bought. Copy it if it is still needed."
    return [f"{_name(event)} was cancelled", gone, _reason(event), bought]


def _created(event: Event) -> list[str]:
    return [
        f"{_name(event)} waits to be processed at the vendor",
        f"{_name(event)} was created at the vendor. Nothing is bought yet.",
        _reason(event),
        "Process it in the vendor's dashboard, then open it here and say so; or leave it.",
    ]


def _left(event: Event) -> list[str]:
    return [
        f"{_name(event)} was left unprocessed",
        f"{_who(event)} left {_name(event)}: it was created at the vendor and not processed.",
        _reason(event),
        (
            "Nothing was bought. It still stands at the vendor, and would be bought if somebody"
            " processed it there. Copy it if it is still needed."
        ),
    ]


def _unknown(event: Event) -> list[str]:
    return [
        f"Outcome unknown: {_name(event)} may have been bought",
        f"{_name(event)} was sent, and nobody knows what the vendor made of it.",
        _reason(event),
        "The vendor may have charged for it. MailOps does not send it again.",
        "Look at the vendor for this order, then open it here and say what you found.",
    ]


def _late(event: Event) -> list[str]:
    return [
        f"The vendor answered late about {_name(event)}",
        (
            f"The vendor said something about {_name(event)} after a person had decided. The"
            " decision stands."
        ),
        _reason(event),
        (
            "It may have been charged otherwise than it was settled. Open it, and look whether the"
            " decision was right."
        ),
    ]


def _refused(event: Event) -> list[str]:
    says = f"The vendor refused {_name(event)}. Nothing was bought."
    return [
        f"{_name(event)} was refused, nothing was bought",
        says,
        _reason(event),
        "Open it, then copy it and mend it.",
    ]


def _delivered(event: Event) -> list[str]:
    return [
        f"{_name(event)} was delivered",
        f"Everything of {_name(event)} is there.",
        "It is paid for; nothing is left to do.",
    ]


def _partly(event: Event) -> list[str]:
    return [
        f"{_name(event)} was delivered in part",
        f"The vendor delivered only a part of {_name(event)}.",
        _reason(event),
        (
            "Look at the vendor's invoice whether the rest was charged. Open the order, and copy"
            " what is missing."
        ),
    ]


def _undelivered(event: Event) -> list[str]:
    before = (event.changes.get("state") or [""])[0]
    if before != "accepted":  # the vendor's answer left everything out
        return [
            f"{_name(event)} was not delivered, nothing should be charged",
            _reason(event),
            "Look whether the vendor's bill agrees. Open the order to copy it and mend it.",
        ]
    return [
        f"{_name(event)} was not delivered",
        f"The vendor took {_name(event)}, and nothing of it came.",
        _reason(event),
        (
            "It may have been charged, and may still arrive. Look at the vendor's invoice. Open the"
            " order to copy what is missing."
        ),
    ]


def _overdue(event: Event) -> list[str]:
    return [
        f"{_name(event)} is overdue",
        f"{_name(event)}: {plain(event.reason)}",
        "The vendor has the order and may have charged for it. MailOps does not order it again.",
        "Ask the vendor's support. Then open the order, and say what is there or when it will be.",
    ]


def _held(event: Event) -> list[str]:
    return [
        f"{_name(event)} is held by a limit or the balance",
        plain(event.reason),
        (
            "Nothing was bought yet, and the order is not lost. It goes on by itself when there is"
            " room."
        ),
        "Raise the limit or add funds at the vendor and note the balance, if it should go sooner.",
    ]


def _no_funds(event: Event) -> list[str]:
    return [
        f"{_name(event)} has no funds",
        f"{_name(event)} has no money for orders, as the vendor says.",
        _reason(event),
        "The account's other confirmed orders wait; nothing more is bought there.",
        (
            "Add funds at the vendor, then note the new balance on the account's page, or let"
            " sending go on there."
        ),
    ]


def _stopped(event: Event) -> list[str]:
    what = (
        "All sending is held"
        if event.action == "sending.held"
        else f"Sending to {_name(event)} is stopped"
    )
    return [
        what,
        f"{what}, by {_who(event)}.",
        _reason(event),
        (
            "Confirmed orders wait; nothing more is bought. What had already left may still be"
            " charged."
        ),
        "An Operator finds out what is wrong, and opens sending again.",
    ]


def _broken(event: Event) -> list[str]:
    return [
        "The history of MailOps is broken",
        "Verification found a record that does not fit.",
        _reason(event),
        "Nobody can rely on what the history says from there on. No money moved because of it.",
        "Keep the database as it is, make a copy, and find out who could write to it.",
    ]


def _outside(event: Event) -> list[str]:
    return [
        f"Changed outside MailOps: {_name(event)}",
        f"A row was changed in the database itself: {plain(event.subject_type)} {_name(event)}.",
        _reason(event),
        (
            "No page and no rule saw it. If it is an order or a limit, money may be spent otherwise"
            " than was confirmed."
        ),
        "Ask who did it. The history has the record.",
    ]


def _mentioned(event: Event) -> list[str]:
    subject = f"{_who(event)} mentioned you on {_name(event)}"
    return [
        subject,
        f"{_who(event)} wrote: {plain(after(event, 'comment'))}",
        "Open the order to answer.",
    ]


def _proposed(event: Event) -> list[str]:
    what = after(event, "what") or event.subject
    return [
        f"A proposal waits: {plain(what, limit=100)}",
        f"{_who(event)} proposes: {plain(what)}.",
        _reason(event),
        "Nothing changes before a second person approves it.",
        "Open it, and approve or decline it.",
    ]


# Each function returns the subject and then the paragraphs; empty paragraphs are left out.
BY_KIND: dict[str, Callable[[Event], list[str]]] = {
    "waiting": _waiting,
    "back": _back,
    "unknown": _unknown,
    "created": _created,
    "refused": _refused,
    "delivered": _delivered,
}
BY_ACTION: dict[str, Callable[[Event], list[str]]] = {
    "order.confirmation_given": _second,
    "order.confirmation_expired": _waiting,
    "order.review_expired": _review_expired,
    "order.cancelled": _cancelled,
    "order.left": _left,
    "order.partly_delivered": _partly,
    "order.undelivered": _undelivered,
    "order.overdue": _overdue,
    "attempt.late_answer": _late,
    "order.held": _held,
    "vendor.stopped": _stopped,
    "vendor.no_funds": _no_funds,
    "sending.held": _stopped,
    "history.found_broken": _broken,
    "outside.changed": _outside,
    "order.commented": _mentioned,
    "proposal.made": _proposed,
}
