"""Contents of a pack: a record with its hashes, an order with all its rows. No secrets."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q

from mailops.history.models import Event
from orders.models import Attempt, Departure, Order
from vendors.apis.order_details import Detail, details

TRIES = 5  # to read an order that changes at the same time
# Columns that go into a pack. All others stay out, such as sealed secrets.
ATTEMPT = (
    "number", "stage", "worker", "digest", "body_sha256", "claimed_at", "sent_at", "ended_at",
    "why", "reply_status", "reply_body", "reference", "due_now", "counted_at", "rise",
    "moved_cost", "before", "before_at", "processed_at", "processed_by", "evidence", "evidence_at",
    "settled_at", "settled_by_name", "settled_reason", "late_answer", "news_at",
)  # fmt: skip
ORDER = (
    "state", "state_since", "reason", "forward_to", "options", "note", "why_again",
    "drafted_by_name", "created_at", "confirmed_by_name", "confirmed_at", "digest", "snapshot",
    "cost", "looks_processed_at", "planned_for", "hold_until", "reference", "problems", "asked_at",
    "confirmers_needed",
)  # fmt: skip
REFUND = (
    "state", "amount", "currency", "kind", "on", "reference", "note", "by_name", "at",
    "departure_id",
)  # fmt: skip
DEPARTURE = ("id", "reason", "on", "note", "by_name", "at")
CONFIRMATION = ("name", "for_name", "at", "digest", "round", "planned_for")
DOMAIN = (
    "name",
    "state",
    "years",
    "forward_to",
    "first_name",
    "last_name",
    "picture",
    "ordered_at",
    "ready_at",
)
MAILBOX = ("address", "state", "first_name", "last_name", "picture", "ordered_at", "ready_at")


class Moving(Exception):
    """The order changed at every try to read it."""


def as_json(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(
        value, cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True, indent=indent
    )


def record_as_dict(event: Event) -> dict[str, Any]:
    """Every field in the form in which it was hashed, and the hash."""
    fields = {field.attname: getattr(event, field.attname) for field in event._meta.concrete_fields}
    return fields | {"at": event.at.isoformat(timespec="microseconds")}


def order_as_dict(pk: int) -> dict[str, Any]:
    """A consistent snapshot of the order. Raises `Moving`."""
    # Each change writes a record, so a new record means that the rows may not fit together.
    for _ in range(TRIES):
        before = _last_record(pk)
        order = Order.objects.select_related("vendor", "client", "contact", "copy_of").get(pk=pk)
        content = _order(order)
        if _last_record(pk) == before:
            return content | {"last_record": before}
    raise Moving(f"{order} changes all the time just now. Try again in a minute.")


def _last_record(pk: int) -> int | None:
    found = Event.objects.filter(subject_type="orders.order", subject_id=str(pk)).order_by(
        "-number"
    )
    return found.values_list("number", flat=True).first()


def _order(order: Order) -> dict[str, Any]:
    vendor = order.vendor
    return {
        "order": str(order),
        "id": order.pk,
        "state_shown": order.get_state_display(),
        "account": vendor.name,
        "vendor": vendor.adapter.label,
        "mode": vendor.mode,
        "two_person_rule": vendor.two_person_rule,
        "product": order.product_spec.label,
        "client": str(order.client),
        "contact": str(order.contact or ""),
        "copy_of": str(order.copy_of or ""),
        "edited_by": sorted(set(order.editors.values_list("name", flat=True))),
        "confirmations": list(order.confirmations.order_by("pk").values(*CONFIRMATION)),
        "secrets": sorted(order.secret_names),
        **{name: getattr(order, name) for name in ORDER},
        "in_words": _in_words(order),
        "contents": _contents(order),
        "attempts": [_attempt(attempt) for attempt in order.attempts.order_by("number")],
        "departures": _departures(order),
        "refunds": list(order.refunds.order_by("pk").values(*REFUND)),
    }


def _in_words(order: Order) -> list[dict[str, str]]:
    """The order in the words that were confirmed; before that, as it is."""
    kept = (order.snapshot or {}).get("details")
    found = (
        [Detail.from_dict(one) for one in kept]
        if kept
        else details(order.vendor.adapter, order, labels=order.vendor.price_labels())
    )
    return [{"label": one.full_label, "words": one.words, "more": one.more} for one in found]


def _departures(order: Order) -> list[dict[str, Any]]:
    """Why parts of the order are gone, each with the names that it is about."""
    own = Q(domains__order=order) | Q(mailboxes__order=order) | Q(refunds__order=order)
    found = Departure.objects.filter(own).order_by("pk").distinct()
    return [
        {
            **{name: getattr(departure, name) for name in DEPARTURE},
            "reason_shown": departure.get_reason_display(),
            "domains": sorted(
                order.domains.filter(departure=departure).values_list("name", flat=True)
            ),
            "mailboxes": sorted(
                order.mailboxes.filter(departure=departure).values_list("address", flat=True)
            ),
        }
        for departure in found
    ]


def _contents(order: Order) -> list[dict[str, Any]]:
    # A domain that was at the vendor before belongs to no order, so only its name is known here.
    domains: dict[str, dict[str, Any]] = {}
    for domain in order.domains.order_by("row", "pk").values(*DOMAIN):
        domains[domain["name"]] = {**domain, "mailboxes": []}
    for mailbox in order.mailboxes.order_by("row", "pk").values(*MAILBOX, "domain__name"):
        name = mailbox.pop("domain__name")
        domains.setdefault(name, {"name": name, "mailboxes": []})["mailboxes"].append(mailbox)
    return list(domains.values())


def _attempt(attempt: Attempt) -> dict[str, Any]:
    fields = {name: getattr(attempt, name) for name in ATTEMPT}
    return {"id": attempt.pk, "stage_shown": attempt.get_stage_display(), **fields}
