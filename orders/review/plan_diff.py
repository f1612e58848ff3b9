"""What changed between two plans, as sentences for people who never saw the request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from mailops.core.money import Totals, show
from vendors.cost import UNITS

PRICED = (
    ("quantity", "number"), ("unit_price", "price"), ("renewal", "renewal price"), ("currency", "currency"),
    ("unit", "period"),
)  # fmt: skip
AT_MOST = 20
ITEMS = {
    "mailboxes": "mailbox", "mailbox_details": "mailbox", "aliases": "mailbox", "domains": "domain",
}  # fmt: skip
GROUPS = {
    "user_details": "registrant", "google": "Google", "hosting": "login where the domains are held",
    "sequencer": "login at the sequencer",
}  # fmt: skip
# Names that say nothing or something else to people; all others are only split into words.
WORDS = {
    "email": "address", "mailbox": "address", "username": "name before the @", "alias": "name before the @",
    "domain": "domain", "domain_name": "domain", "forwardTo": "forwards to", "redirect": "forwards to",
    "forwarding_domain": "domains forward to", "profile_pic": "picture", "profile_picture": "picture",
    "profilePicture": "picture", "autoRenew": "renew automatically", "confirm": "bought when it arrives",
    "serviceProvider": "mailboxes from", "microsoftOauthRoute": "Microsoft sign-in address",
    "googleOauthRoute": "sign-in address", "clientId": "client ID", "vendor_id": "supplier",
    "phoneCc": "phone, country code", "languagePreference": "language", "postalCode": "postal code",
    "addressLineOne": "address", "addressLineTwo": "address, second line", "subscriptionId": "subscription",
    "domainId": "domain ID", "userId": "user ID of the account", "organization_id": "organization ID of the account",
    "quantity": "number of packages",
}  # fmt: skip
IN_GROUP = {("hosting", "username"): "user name", ("sequencer", "username"): "user name"}
IN_QUERY = {"provider": "domains bought at"}
IDENTITY = ("email", "mailbox", "username", "alias", "domain", "domain_name")


@dataclass(frozen=True, kw_only=True)
class Moved:
    """Something that was so and is so now, each in words; empty where there was or is nothing."""

    what: str
    before: str
    after: str


def prices(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Moved]:
    """How two cost sheets differ: each line with its number and price, then the totals."""
    lines = [
        {(line["item"], line["multiplier"]): line for line in cost.get("lines", [])}
        for cost in (before, after)
    ]
    old, new = lines
    found = [
        Moved(what=(new.get(item) or old[item])["label"], before=was, after=now)
        for item in dict.fromkeys([*old, *new])
        if (was := _priced(old.get(item))) != (now := _priced(new.get(item)))
    ]
    for key, word in (
        ("due_now", "Total now"),
        ("per_month", "Then a month"),
        ("per_year", "Then a year"),
    ):
        sums = [Totals.from_dict(cost.get(key, {})) for cost in (before, after)]
        if sums[0] != sums[1]:
            found.append(Moved(what=word, before=str(sums[0]), after=str(sums[1])))
    return found


def _priced(line: Mapping[str, Any] | None) -> str:
    """ "60 × $6.00 a month", with the renewal where it is another one."""
    if line is None:
        return ""
    if line["unit_price"] is None:
        return f"{line['quantity']} × price missing"
    times = f" × {line['multiplier']}" if line["multiplier"] > 1 else ""
    unit = dict(UNITS).get(line["unit"], "")
    renewal = (
        f", then {show(Decimal(line['renewal']), line['currency'])}" if line["renewal"] else ""
    )
    return (
        f"{line['quantity']}{times} × {show(Decimal(line['unit_price']), line['currency'])}"
        f" {unit}{renewal}".strip()
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What changed between two plans' snapshots, as sentences; of what is ordered at most twenty."""
    changes = _cost_changes(before.get("cost", {}), after.get("cost", {}))
    old, new = before.get("request", {}), after.get("request", {})
    if old.get("path") != new.get("path"):
        changes.append("It goes to another address at the vendor, as for another package.")
    changes += _query_changes(dict(old.get("query") or ()), dict(new.get("query") or ()))
    if old.get("headers") != new.get("headers"):
        changes.append("What MailOps tells the vendor about itself changed.")
    changes += _body_changes(old.get("body") or {}, new.get("body") or {})
    if before.get("secrets") != after.get("secrets"):
        changes.append("A key or password was entered again.")
    if before.get("host") != after.get("host"):
        changes.append("The account was switched between practice and live.")
    if before.get("may_rise") != after.get("may_rise"):
        changes.append("How much its prices may rise until it is sent was changed.")
    return changes


def _cost_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    old = {(line["item"], line["multiplier"]): line for line in before.get("lines", [])}
    new = {(line["item"], line["multiplier"]): line for line in after.get("lines", [])}
    changes = []
    for item in sorted(old.keys() | new.keys()):
        was, now = old.get(item), new.get(item)
        if was is None and now:
            changes.append(f"{now['label']} was added: {now['quantity']}.")
        elif now is None and was:
            changes.append(f"{was['label']} was taken out.")
        elif was and now:
            changes += [
                f"{now['label']}: the {word} changed from {was[key] or 'missing'} to"
                f" {now[key] or 'missing'}."
                for key, word in PRICED
                if was[key] != now[key]
            ]
    return changes


def _query_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [
        _sentence([IN_QUERY.get(name) or _plain(name)], before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _body_changes(before: Any, after: Any) -> list[str]:
    found = [
        _sentence(place, old, new)
        for place, old, new in islice(_leaves(before, after, [], ""), AT_MOST)
    ]
    return found or (["What is ordered changed."] if before != after else [])


def _leaves(
    before: Any, after: Any, place: list[str], key: str
) -> Iterator[tuple[list[str], Any, Any]]:
    """Where the two differ: the place in words, what was there, what is there."""
    if before == after:
        return
    if key in ITEMS and _are(dict, before, after):  # by domain
        for name in dict.fromkeys([*(before or {}), *(after or {})]):
            yield from _leaves_on(
                name, (before or {}).get(name), (after or {}).get(name), place, key
            )
    elif key in ITEMS and _are(list, before, after):
        yield from _rows(before, after, place, key, "")
    elif isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            word = GROUPS.get(name) or IN_GROUP.get((key, name)) or _plain(name)
            inner = place if name in ITEMS else [*place, word]
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
    """Rows side by side: those with the same address or name belong together, wherever they stand."""
    old, new = list(before or ()), list(after or ())
    names, earlier = [_name(row) for row in new], [_name(row) for row in old]
    if len(set(names)) < len(names) or len(set(earlier)) < len(earlier):
        names, earlier = [str(i) for i in range(len(new))], [str(i) for i in range(len(old))]
    was = dict(zip(earlier, old, strict=True))
    for number, (name, row) in enumerate(zip(names, new, strict=True), 1):
        yield from _leaves(was.pop(name, None), row, [*place, f"{ITEMS[key]} {number}{where}"], "")
    for name, row in was.items():
        yield [*place, f"{ITEMS[key]} {earlier.index(name) + 1}{where}"], row, None
    if set(names) == set(earlier) and names != earlier:
        yield [*place, f"the order of the {ITEMS[key]} lines{where}"], earlier[0], names[0]


def _name(row: Any) -> str:
    if isinstance(row, dict):
        return next(
            (str(row[key]) for key in IDENTITY if row.get(key)), json.dumps(row, sort_keys=True)
        )
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
    """A value as people write it; of a whole row what is filled in."""
    if isinstance(value, dict):
        return ", ".join(
            _leaf(item).strip("“”") for item in value.values() if item not in (None, "", [], {})
        )[:120]
    if isinstance(value, list):
        return ", ".join(_leaf(item).strip("“”") for item in value)[:120]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _plain(name: str) -> str:
    """A vendor's name for a field in words: "first_name" and "firstName" are "first name"."""
    return WORDS.get(name) or re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).lower()
