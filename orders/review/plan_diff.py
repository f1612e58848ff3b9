"""Differences between two plans, as sentences for people who never saw the request."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from mailops.core.money import Totals, show
from vendors.apis import REGISTRY
from vendors.apis.order_details import CONTENTS, Detail
from vendors.cost import UNITS, with_price_label

# The fields of a cost line that a change is shown for, in words.
PRICED = {
    "quantity": "number",
    "unit_price": "price",
    "renewal": "renewal price",
    "currency": "currency",
    "unit": "period",
}
MOST_DIFFERENCES = 20

# The adapters name the parts of their requests. A test keeps them from contradicting one another.
WORDS = {name: word for api in REGISTRY.values() for name, word in api.words.items()}
ROW_WORDS = {name: word for api in REGISTRY.values() for name, word in api.row_words.items()}
ROW_KEYS = tuple(dict.fromkeys(key for api in REGISTRY.values() for key in api.row_keys))


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A changed thing in words, with its text before and after; empty where there is nothing."""

    what: str
    before: str
    after: str


def prices(
    before: Mapping[str, Any], after: Mapping[str, Any], labels: Mapping[str, str]
) -> list[Moved]:
    """Differences of two stored cost sheets: each line with its number and price, then totals."""
    old, new = _lines(before), _lines(after)
    found = [
        Moved(what=_named(new.get(item) or old[item], labels), before=was, after=now)
        for item in dict.fromkeys([*old, *new])
        if (was := _priced(old.get(item))) != (now := _priced(new.get(item)))
    ]
    for key, word in (
        ("due_now", "Total now"),
        ("due_later", "Total when it is processed"),
        ("per_month", "Then a month"),
        ("per_year", "Then a year"),
    ):
        sums = [Totals.from_dict(cost.get(key, {})) for cost in (before, after)]
        if sums[0] != sums[1]:
            found.append(Moved(what=word, before=str(sums[0]), after=str(sums[1])))
    return found


def _lines(cost: Mapping[str, Any]) -> dict[tuple[str, int], Mapping[str, Any]]:
    # Domains of one ending stand on one line for each number of years.
    return {(line["item"], line["multiplier"]): line for line in cost.get("lines", [])}


def _named(line: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    return with_price_label(line["label"], labels.get(line["item"], ""))


def _priced(line: Mapping[str, Any] | None) -> str:
    """ "60 × $6.00 a month", with the renewal where it is another one."""
    if line is None:
        return ""
    if line["unit_price"] is None:
        return f"{line['quantity']} × price missing"
    times = f" × {line['multiplier']}" if line["multiplier"] > 1 else ""
    unit = dict(UNITS).get(line["unit"], "")
    price, money = show(Decimal(line["unit_price"]), line["currency"]), line["currency"]
    renewal = f", then {show(Decimal(line['renewal']), money)}" if line["renewal"] else ""
    return f"{line['quantity']}{times} × {price} {unit}{renewal}".strip()


def details(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> list[Moved]:
    """Differences of two orders in words; what is in their lines is compared line by line."""
    old, new = _in_full(before), _in_full(after)
    return [
        Moved(what=label, before=old.get(label, ""), after=new.get(label, ""))
        for label in dict.fromkeys([*old, *new])
        if old.get(label, "") != new.get(label, "")
    ]


def _in_full(stored: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found = [Detail.from_dict(one) for one in stored]
    return {one.full_label: one.words for one in found if one.group != CONTENTS}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Sentences on two plans' snapshots, of the request's body at most `MOST_DIFFERENCES`."""
    labels = {**before.get("labels", {}), **after.get("labels", {})}
    changes = _cost_changes(before.get("cost", {}), after.get("cost", {}), labels)
    # Plans of an earlier version hold no details: then the request speaks for itself.
    if before.get("details") and after.get("details"):
        moved = details(before["details"], after["details"])
        changes += [_sentence([item.what], item.before, item.after) for item in moved]
    return changes + unexplained(before, after)


def unexplained(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The differences that neither the cost nor the details name."""
    known = _explained(before.get("details") or (), after.get("details") or ())
    old, new = before.get("request", {}), after.get("request", {})
    changes = []
    if old.get("path") != new.get("path") and "path" not in known:
        changes.append("It goes to another address at the vendor, as for another package.")
    changes += _query_changes(*(_without_query(one.get("query"), known) for one in (old, new)))
    if old.get("headers") != new.get("headers"):
        changes.append("What MailOps tells the vendor about itself changed.")
    changes += _body_changes(
        *(_without(one.get("body") or {}, known, "body") for one in (old, new))
    )
    if before.get("secrets") != after.get("secrets"):
        changes.append("A key or password was entered again.")
    if before.get("host") != after.get("host"):
        changes.append("The account was switched between practice and live.")
    if before.get("may_rise") != after.get("may_rise"):
        changes.append("How much its prices may rise until it is sent was changed.")
    return changes


def _explained(before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> set[str]:
    """The places in the request that a detail holds which reads differently now."""
    old, new = ([Detail.from_dict(one) for one in some] for some in (before, after))
    if not (old and new):
        return set()
    moved = {(one.group, one.label, one.words) for one in old} ^ {
        (one.group, one.label, one.words) for one in new
    }
    both = [one for one in (*old, *new) if (one.group, one.label, one.words) in moved]
    return {place for one in both for place in one.sent_as}


def _without_query(query: Any, known: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in query or () if f"query.{name}" not in known}


def _without(value: Any, known: Collection[str], place: str) -> Any:
    """The body without the places that are explained, and without objects that this empties."""
    if not isinstance(value, dict):
        return value
    found = {}
    for name, inner in value.items():
        here = f"{place}.{name}"
        left = inner if name in ROW_WORDS else _without(inner, known, here)
        if here not in known and not (inner and left == {}):
            found[name] = left
    return found


def _cost_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], labels: Mapping[str, str]
) -> list[str]:
    old, new = _lines(before), _lines(after)
    changes = []
    if ("due_later" in before) != ("due_later" in after):
        when = "when it is processed at the vendor" if "due_later" in after else "at once"
        changes.append(f"Its first payment is due {when} now.")
    for item in sorted(old.keys() | new.keys()):
        was, now = old.get(item), new.get(item)
        if was is None and now:
            changes.append(f"{_named(now, labels)} was added: {now['quantity']}.")
        elif now is None and was:
            changes.append(f"{_named(was, labels)} was taken out.")
        elif was and now:
            changes += [
                f"{_named(now, labels)}: the {word} changed from {was[key] or 'missing'} to"
                f" {now[key] or 'missing'}."
                for key, word in PRICED.items()
                if was[key] != now[key]
            ]
    return changes


def _query_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [
        _sentence([_in_words(name, "query")], before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _body_changes(before: Any, after: Any) -> list[str]:
    found = [
        _sentence(place, old, new)
        for place, old, new in islice(_leaves(before, after, [], "body"), MOST_DIFFERENCES)
    ]
    # A change that leads to no leaf, such as {} against [], must not go unsaid.
    return found or (["What is ordered changed."] if before != after else [])


def _leaves(
    before: Any, after: Any, place: list[str], key: str
) -> Iterator[tuple[list[str], Any, Any]]:
    """Yields each difference as its place in words, the old and the new value.

    `key` is the name that the two values stand under, "mailboxes[]" for a row of the mailboxes.
    """
    if before == after:
        return
    # Some vendors key their mailboxes by domain: {"acme.com": [rows]}.
    if key in ROW_WORDS and _are(dict, before, after):
        for name in dict.fromkeys([*(before or {}), *(after or {})]):
            yield from _leaves_on(
                name, (before or {}).get(name), (after or {}).get(name), place, key
            )
    elif key in ROW_WORDS and _are(list, before, after):
        yield from _rows(before, after, place, key, "")
    elif isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            inner = place if name in ROW_WORDS else [*place, _in_words(name, key)]
            yield from _leaves(before.get(name), after.get(name), inner, name)
    else:
        yield place, before, after


def _are(kind: type, *values: Any) -> bool:
    return all(value is None or isinstance(value, kind) for value in values)


def _leaves_on(
    domain: str, before: Any, after: Any, place: list[str], key: str
) -> Iterator[tuple[list[str], Any, Any]]:
    if _are(list, before, after):
        yield from _rows(before, after, place, key, f" on {domain}")
    else:
        yield [*place, domain], before, after


def _rows(
    before: Any, after: Any, place: list[str], key: str, where: str
) -> Iterator[tuple[list[str], Any, Any]]:
    # Rows are compared by name, wherever they stand. Another order of them is a difference too.
    old, new, word = list(before or ()), list(after or ()), ROW_WORDS[key]
    names, earlier = [_name(row) for row in new], [_name(row) for row in old]
    # Names that occur twice identify nothing, so such rows are compared by their place.
    if len(set(names)) < len(names) or len(set(earlier)) < len(earlier):
        names, earlier = [str(i) for i in range(len(new))], [str(i) for i in range(len(old))]
    unmatched = dict(zip(earlier, old, strict=True))
    for number, (name, row) in enumerate(zip(names, new, strict=True), 1):
        yield from _leaves(
            unmatched.pop(name, None), row, [*place, f"{word} {number}{where}"], f"{key}[]"
        )
    for name, row in unmatched.items():
        yield [*place, f"{word} {earlier.index(name) + 1}{where}"], row, None
    if set(names) == set(earlier) and names != earlier:
        yield [*place, f"the order of the {word} lines{where}"], earlier[0], names[0]


def _name(row: Any) -> str:
    if isinstance(row, dict):
        named = (str(row[key]) for key in ROW_KEYS if row.get(key))
        return next(named, json.dumps(row, sort_keys=True))
    return str(row)


def _sentence(place: list[str], before: Any, after: Any) -> str:
    where = ", ".join(place)
    where = where[:1].upper() + where[1:]
    if isinstance(after, (dict, list)) and not before:
        return f"{where} was added: {_leaf(after)}."
    if isinstance(before, (dict, list)) and not after:
        return f"{where} was taken out: {_leaf(before)}."
    if before in (None, ""):
        return f"{where}: empty before, now {_leaf(after)}."
    if after in (None, ""):
        return f"{where}: {_leaf(before)} before, now empty."
    return f"{where}: {_leaf(before)} became {_leaf(after)}."


def _leaf(value: Any) -> str:
    # Of a whole row only the values that are filled in are shown.
    if isinstance(value, dict):
        return ", ".join(
            _leaf(item).strip("“”") for item in value.values() if item not in (None, "", [], {})
        )[:120]
    if isinstance(value, list):
        return ", ".join(_leaf(item).strip("“”") for item in value)[:120]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _in_words(name: str, under: str) -> str:
    """The adapters' words for a name, else "first name" for "first_name" and "firstName"."""
    # A stored plan may be older than an adapter's words, so a name without words is split.
    split = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
    under = under.removesuffix("[]")
    return WORDS.get(f"{under}.{name}") or WORDS.get(name) or split
