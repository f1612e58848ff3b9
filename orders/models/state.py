"""The states of an order, and the table of every move between them."""

from __future__ import annotations

from django.db import models


class State(models.TextChoices):
    """The states of an order, with the words that people read."""

    DRAFT = "draft", "Draft"
    REVIEW = "review", "Waiting for confirmation"
    CONFIRMED = "confirmed", "Confirmed"
    SENDING = "sending", "Being sent"
    UNKNOWN = "unknown", "Outcome unknown: check the vendor"
    REFUSED = "refused", "Refused, nothing was bought"
    ACCEPTED = "accepted", "Accepted, being set up"
    CREATED = "created", "Created at the vendor, not processed"
    PARTLY = "partly", "Partly delivered"
    UNDELIVERED = "undelivered", "Not delivered"
    DELIVERED = "delivered", "Delivered"
    CANCELLED = "cancelled", "Cancelled"


NEXT: dict[str, frozenset[str]] = {
    State.DRAFT: frozenset({State.REVIEW, State.CANCELLED}),
    State.REVIEW: frozenset(
        {State.CONFIRMED, State.DRAFT, State.CANCELLED, State.ACCEPTED, State.CREATED}
    ),
    State.CONFIRMED: frozenset({State.SENDING, State.REVIEW, State.CANCELLED}),
    State.SENDING: frozenset(
        {
            State.ACCEPTED,
            State.CREATED,
            State.UNDELIVERED,
            State.REFUSED,
            State.UNKNOWN,
            State.CONFIRMED,
            State.REVIEW,
        }
    ),
    State.UNKNOWN: frozenset(
        {State.ACCEPTED, State.CREATED, State.UNDELIVERED, State.REFUSED, State.REVIEW}
    ),
    State.REFUSED: frozenset(),
    State.ACCEPTED: frozenset({State.DELIVERED, State.PARTLY, State.UNDELIVERED, State.REVIEW}),
    State.CREATED: frozenset({State.ACCEPTED, State.CANCELLED, State.REVIEW}),
    State.PARTLY: frozenset({State.DELIVERED}),
    State.UNDELIVERED: frozenset({State.PARTLY, State.DELIVERED}),
    State.DELIVERED: frozenset(),
    State.CANCELLED: frozenset({State.ACCEPTED, State.CREATED}),
}
# Moves that only a person makes: a revised verdict, or what a person saw at the vendor.
BY_A_PERSON = {
    (State.REVIEW, State.ACCEPTED),
    (State.REVIEW, State.CREATED),
    (State.CANCELLED, State.ACCEPTED),
    (State.CANCELLED, State.CREATED),
    (State.ACCEPTED, State.REVIEW),
    (State.CREATED, State.ACCEPTED),
    (State.CREATED, State.CANCELLED),
    (State.CREATED, State.REVIEW),
    (State.PARTLY, State.DELIVERED),
    (State.UNDELIVERED, State.PARTLY),
    (State.UNDELIVERED, State.DELIVERED),
}

# Nothing more is to come, unless a person revises a verdict.
FINISHED = (State.DELIVERED, State.PARTLY, State.UNDELIVERED, State.REFUSED, State.CANCELLED)
# The vendor took the order and charges for what it did not leave out.
PURCHASED = (State.ACCEPTED, State.PARTLY, State.UNDELIVERED, State.DELIVERED)
# Nothing is bought yet, as far as anybody knows, and may be soon.
PURCHASE_PENDING = (State.REVIEW, State.CONFIRMED, State.SENDING, State.UNKNOWN, State.CREATED)
PURCHASE_POSSIBLE = (*PURCHASE_PENDING, *PURCHASED)

ACTS_NEXT = {
    State.DRAFT: "The drafter",
    State.REVIEW: "A confirmer",
    State.CONFIRMED: "MailOps",
    State.SENDING: "MailOps",
    State.UNKNOWN: "A confirmer",
    State.REFUSED: "The drafter",
    State.ACCEPTED: "The vendor",
    State.CREATED: "A confirmer",
    State.PARTLY: "The drafter",
    State.UNDELIVERED: "The drafter",
    State.DELIVERED: "Nobody",
    State.CANCELLED: "Nobody",
}
