"""How a queued task about an order ended: a word for the queue's log."""

from enum import StrEnum


class Result(StrEnum):
    """`submission.submit` returns one. Those of an attempt carry the stage's word."""

    NOTHING_TO_DO = "nothing to do"
    READ_FIRST = "the vendor has to be read first"
    ACCOUNT_BUSY = "account busy"
    COULD_NOT_LOOK = "could not look"
    LISTED_ALREADY = "listed already"
    COULD_NOT_READ_PRICES = "could not read prices"
    PRICE_GONE = "price gone"
    QUEUED_AGAIN = "looked, queued again"
    NOT_FRESH = "looked, not fresh any more"
    HELD_BACK = "held back"
    TOO_LATE = "too late"

    NOT_SENT = "not_sent"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"
    LATE = "late"
