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
    PARTLY = "partly", "Partly delivered"
    DELIVERED = "delivered", "Delivered"
    CANCELLED = "cancelled", "Cancelled"


NEXT: dict[str, frozenset[str]] = {
    State.DRAFT: frozenset({State.REVIEW, State.CANCELLED}),
    State.REVIEW: frozenset({State.CONFIRMED, State.DRAFT, State.CANCELLED, State.ACCEPTED}),
    State.CONFIRMED: frozenset({State.SENDING, State.REVIEW, State.CANCELLED}),
    State.SENDING: frozenset(
        {State.ACCEPTED, State.REFUSED, State.UNKNOWN, State.CONFIRMED, State.REVIEW}
    ),
    State.UNKNOWN: frozenset({State.ACCEPTED, State.REFUSED, State.REVIEW}),
    State.REFUSED: frozenset(),
    State.ACCEPTED: frozenset({State.DELIVERED, State.PARTLY, State.REVIEW}),
    State.PARTLY: frozenset(),
    State.DELIVERED: frozenset(),
    State.CANCELLED: frozenset({State.ACCEPTED}),
}
# Moves that only a person's revised verdict makes: the vendor has the order after all, or has not.
REVISED = {
    (State.REVIEW, State.ACCEPTED),
    (State.CANCELLED, State.ACCEPTED),
    (State.ACCEPTED, State.REVIEW),
}

# Nothing more is to come, unless a person revises a verdict.
FINISHED = (State.DELIVERED, State.PARTLY, State.REFUSED, State.CANCELLED)
# The vendor has the order and charges for it.
PURCHASED = (State.ACCEPTED, State.PARTLY, State.DELIVERED)
# Nothing is bought yet, as far as anybody knows, and may be soon.
PURCHASE_PENDING = (State.REVIEW, State.CONFIRMED, State.SENDING, State.UNKNOWN)
PURCHASE_POSSIBLE = (*PURCHASE_PENDING, *PURCHASED)

ACTS_NEXT = {
    State.DRAFT: "The drafter",
    State.REVIEW: "A confirmer",
    State.CONFIRMED: "MailOps",
    State.SENDING: "MailOps",
    State.UNKNOWN: "A confirmer",
    State.REFUSED: "The drafter",
    State.ACCEPTED: "The vendor",
    State.PARTLY: "The drafter",
    State.DELIVERED: "Nobody",
    State.CANCELLED: "Nobody",
}
