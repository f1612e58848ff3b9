"""Rules that say why a change of a value loosens a safeguard.

Each returns the reason in words; an empty text means that the new value is as tight or tighter.
Values are as JSON keeps them: amounts as text, None if nothing is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

Value = str | int | bool | list[str] | None
Rule = Callable[[Value, Value], str]


def limit(before: Value, after: Value) -> str:
    # no limit at all is the loosest
    if after is not None and (before is None or amount(after) <= amount(before)):
        return ""
    return "More could be spent than before."


def tolerance(before: Value, after: Value) -> str:
    # no tolerance is the tightest
    if amount(after or 0) <= amount(before or 0):
        return ""
    return "A price could rise further without being confirmed anew."


def floor(before: Value, after: Value) -> str:
    # no floor is the loosest
    if amount(after or 0) >= amount(before or 0):
        return ""
    return "Orders could go out with less money left at the vendor."


def pause(before: Value, after: Value) -> str:
    if amount(after) >= amount(before):
        return ""
    return "There would be less time to stop an order."


def stays_on(before: Value, after: Value) -> str:
    return "One person alone could spend money." if before and not after else ""


def stays_off(before: Value, after: Value) -> str:
    return "It gives somebody more rights." if after and not before else ""


def stays_practice(before: Value, after: Value) -> str:
    return "Orders would cost real money." if after == "live" and before != "live" else ""


def no_more(before: Value, after: Value) -> str:
    assert isinstance(before, list)
    assert isinstance(after, list)
    # an item less is tighter, an item more is looser
    return "It gives somebody more rights." if set(after) - set(before) else ""


def never(why: str) -> Rule:
    """A rule for values that can't be compared: every change loosens."""
    return lambda before, after: why if before != after else ""


def in_both(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """The items that may hold at once: those of both lists."""
    return sorted(set(before) & set(after))


def amount(value: Value) -> Decimal:
    """The number of a value; 0 if nothing is set."""
    assert not isinstance(value, list)
    return Decimal(str(value or 0))
