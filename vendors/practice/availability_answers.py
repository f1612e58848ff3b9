"""The availability of names at practice vendors, and the names that ask for a certain answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from vendors.practice.behaviours import BROKEN, BUSY_SECONDS, RUBBISH, TOO_MANY
from vendors.practice.wire_types import Answer, Call, Manner

FREE, TAKEN, UNKNOWN, PREMIUM = "free", "taken", "unsaid", "premium"
VALUES = {
    "taken": "It is taken.",
    "free": "It is free, at the usual price where the vendor tells one.",
    "premium": "It is free, for far more than the usual price where the vendor tells one.",
    "unsaid": "The vendor leaves it out of its answer.",
    "search-error": "The vendor answers the whole question with an error of its own (500).",
    "search-rubbish": "The vendor answers the whole question with a web page.",
    "search-busy": "The vendor asks to come back in 2 seconds, every time.",
    "search-silent": "The vendor never answers the question.",
}
# The price of a name, and of a premium name.
USUAL, DEAR = "13.00", "2400.00"
LIKE = ("get{}", "try{}", "{}-mail", "{}hq", "hello{}", "{}-team")


def value_of(domain: str) -> str:
    """The longest value that is the domain's first label, or begins it before a hyphen."""
    label = domain.lower().partition(".")[0]
    return max(
        (name for name in VALUES if label == name or label.startswith(f"{name}-")),
        key=len,
        default="",
    )


def state_of(call: Call, domain: str, *, usually: str) -> str:
    # A domain that the account bought here is taken, whatever its name asks for.
    if call.charges(domain=domain):
        return TAKEN
    value = value_of(domain)
    return value if value in (FREE, TAKEN, UNKNOWN, PREMIUM) else usually


def price_of(state: str) -> str | None:
    return {FREE: USUAL, PREMIUM: DEAR}.get(state)


def trouble(error: Callable[[int, str], Answer], domains: Iterable[str]) -> Answer | None:
    """The failure that a name asks for, by the first such name; None where there is none."""
    for value in map(value_of, domains):
        match value:
            case "search-error":
                return error(500, BROKEN)
            case "search-rubbish":
                return Answer(body=RUBBISH, headers={"Content-Type": "text/html; charset=utf-8"})
            case "search-busy":
                answer = error(429, TOO_MANY)
                return replace(answer, headers={**answer.headers, "Retry-After": str(BUSY_SECONDS)})
            case "search-silent":
                return Answer(manner=Manner.SILENCE)
    return None


def like(domain: str, *, endings: Iterable[str] = ("com",)) -> list[str]:
    # Which names the vendors suggest is not documented.
    word = domain.lower().partition(".")[0]
    for value in VALUES:
        word = word.removeprefix(f"{value}-")
    return [f"{shape.format(word)}.{ending.lstrip('.')}" for ending in endings for shape in LIKE]
