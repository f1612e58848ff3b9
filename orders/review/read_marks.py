"""Read marks: how a waiting order differs from what a person last saw of it.

A read mark is no change of the order: it makes nobody an editor and is no event of the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from orders.availability import known_answers
from orders.models import Look, Order
from orders.plan import Plan, digest_of
from orders.review.plan_diff import Moved, details, prices, unexplained
from orders.spending import limits
from vendors.apis.order_details import CONTENTS, FORWARDS, Detail

SITTING = timedelta(minutes=30)  # several views of an order's pages within it are one reading
MOST_LISTED = 12  # changes of a kind that a page lists
MOST_CHECKS = 200
CELLS = ("name", "picture", "forwards to", "years")
ANSWER_WORDS = {"free": "free", "taken": "taken", "unsaid": "left open by the vendor"}
AGEING = ("limits", "balance")  # problems whose amounts or ages change by themselves


# The picture of an order


def picture(order: Order, current: Plan, uses: Iterable[limits.Use]) -> dict[str, Any]:
    """The order as it is now, as plain JSON without secrets, for later comparison."""
    plan = current.as_dict()
    request = plan["request"]
    answers = known_answers.newest_answers(order)
    # Each name's answer is compared below, so these problems would report a change twice.
    ageing = {problem.message for problem in known_answers.problems(order)}
    return {
        "plan": plan | {"request": request | {"body": digest_of({"body": request["body"]})}},
        "fields": _fields(order),
        "details": [detail.as_dict() for detail in _compared(order, current)],
        "labels": current.snapshot()["labels"],
        "rows": _rows(order),
        "limits": [
            [use.words, use.money(use.used), use.is_over(current.cost.due_now)] for use in uses
        ],
        "told": [[name, answer.state] for name, answer in sorted(answers.items())],
        "checks": [
            f"{problem.level} {problem.message}"
            for problem in current.problems
            if problem.field not in AGEING and problem.message not in ageing
        ][:MOST_CHECKS],
    }


def _compared(order: Order, current: Plan) -> list[Detail]:
    # What is in the lines is compared line by line.
    found = [detail for detail in current.details if detail.group != CONTENTS]
    if all(detail.label != FORWARDS for detail in found):
        found.append(Detail(label=FORWARDS, words=order.forward_to))
    return found


def _fields(order: Order) -> list[list[str]]:
    return [
        ["Client", str(order.client)],
        ["Note", order.note],
        ["Why it is ordered again", order.why_again],
    ]


def _rows(order: Order) -> list[list[str]]:
    """A line for each bought domain and each mailbox: its name, then the `CELLS`."""
    found = []
    for line in order.contents:
        name = f"{line.first_name} {line.last_name}".strip()
        if order.product_spec.buys_domains or not line.mailboxes:
            found.append([line.name, name, line.picture, line.forward_to, str(line.years)])
        for box in line.mailboxes:
            found.append(
                [box.address, f"{box.first_name} {box.last_name}".strip(), box.picture, "", ""]
            )
    return found


# Reading


@dataclass(frozen=True, kw_only=True)
class Since:
    """Changes since this person last read the order."""

    at: datetime | None  # None where they never read it
    fields: Sequence[Moved] = ()
    added: Sequence[str] = ()
    taken_out: Sequence[str] = ()
    altered: Sequence[Moved] = ()
    prices: Sequence[Moved] = ()
    around: Sequence[str] = ()  # limits, availability, checks
    request: Sequence[str] = ()  # changes of the request that no line above explains
    more: Mapping[str, int] = field(default_factory=dict)  # how many are not listed, by list

    @property
    def count(self) -> int:
        shown = (
            self.fields,
            self.added,
            self.taken_out,
            self.altered,
            self.prices,
            self.around,
            self.request,
        )
        return sum(map(len, shown)) + sum(self.more.values())

    @property
    def of_the_order(self) -> int:
        return self.count - len(self.around) - self.more.get("around", 0)


def note(order: Order, *, by: User, now_is: Mapping[str, Any]) -> Since:
    """Store that a person reads the order now. Returns the changes since they read it before."""
    now, digest = timezone.now(), digest_of(now_is)
    fields = {"picture": now_is, "digest": digest, "since": order.state_since, "at": now}
    with transaction.atomic():
        look, is_first = Look.objects.select_for_update(of=("self",)).get_or_create(
            order=order, user=by, defaults=fields
        )
        if is_first:
            return Since(at=None)
        # Within one sitting the comparison stays the same, or a second view would show no changes.
        is_same = look.digest == digest
        if is_same and look.since == order.state_since and now - look.at < SITTING:
            Look.objects.filter(pk=look.pk).update(at=now)
        else:
            look.earlier, look.earlier_at = None if is_same else look.picture, look.at
            fields |= {"earlier": look.earlier, "earlier_at": look.earlier_at}
            Look.objects.filter(pk=look.pk).update(**fields)
    if look.earlier is None:
        return Since(at=look.earlier_at)
    return compare(look.earlier, now_is, at=look.earlier_at)


def last(order: Order, *, by: User, now_is: Mapping[str, Any]) -> Since:
    # A page that shows too little of the order only compares and stores no mark.
    look = Look.objects.filter(order=order, user=by).first()
    if look is None:
        return Since(at=None)
    if look.digest == digest_of(now_is):
        return Since(at=look.at)
    return compare(look.picture, now_is, at=look.at)


def compare(before: Mapping[str, Any], after: Mapping[str, Any], *, at: datetime | None) -> Since:
    """Differences of two pictures: of each kind `MOST_LISTED` in words, the others counted."""
    found: dict[str, list[Any]] = {
        "fields": _field_changes(before, after),
        **_row_changes(before["rows"], after["rows"]),
        "prices": prices(before["plan"]["cost"], after["plan"]["cost"], after.get("labels", {})),
        "around": _around(before, after),
        "request": _request(before, after),
    }
    is_explained = any(items for name, items in found.items() if name != "around")
    # A changed plan must never look unchanged, even if no comparison above knows the place.
    if not is_explained and before["plan"] != after["plan"]:
        found["request"] = ["What is sent to the vendor changed. Read it below."]
    shown = {name: items[:MOST_LISTED] for name, items in found.items()}
    left_out = {name: len(items) - MOST_LISTED for name, items in found.items()}
    more = {name: count for name, count in left_out.items() if count > 0}
    return Since(at=at, more=more, **shown)


def _field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Moved]:
    if "details" in before:
        moved = _moved(before["fields"], after["fields"])
        return moved + details(before["details"], after["details"])
    # A picture of an earlier version words the options otherwise, which is no change.
    names = {name for name, _ in after["fields"]}
    return _moved([row for row in before["fields"] if row[0] in names], after["fields"])


def _moved(before: Iterable[Sequence[str]], after: Iterable[Sequence[str]]) -> list[Moved]:
    old, new = {row[0]: row[1] for row in before}, {row[0]: row[1] for row in after}
    return [
        Moved(what=name, before=old.get(name, ""), after=new.get(name, ""))
        for name in dict.fromkeys([*old, *new])
        if old.get(name, "") != new.get(name, "")
    ]


def _row_changes(before: list[list[str]], after: list[list[str]]) -> dict[str, list[Any]]:
    old, new = {row[0]: row[1:] for row in before}, {row[0]: row[1:] for row in after}
    altered = [
        Moved(what=f"{name}, {cell}", before=was, after=now)
        for name, cells in new.items()
        if name in old and old[name] != cells
        for cell, was, now in zip(CELLS, old[name], cells, strict=True)
        if was != now
    ]
    both = [name for name in old if name in new]
    if both != [name for name in new if name in old]:
        altered.append(Moved(what="The order of the lines", before="", after="another one"))
    return {
        "added": [_line(name, cells) for name, cells in new.items() if name not in old],
        "taken_out": [_line(name, cells) for name, cells in old.items() if name not in new],
        "altered": altered,
    }


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name}, {cells[0]}" if cells[0] else name


def _around(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    # Others than the drafter change these: room in limits, the vendor's answers, checks.
    found = []
    was = {words: (used, over) for words, used, over in before["limits"]}
    for words, used, over in after["limits"]:
        had = was.pop(words, None)
        if had is None:
            found.append(f"New: {words}; {used} of it is used.")
        elif had != (used, over):
            over_now = " This order would go over it." if over else ""
            found.append(f"Of {words}, {used} is used now; it was {had[0]}.{over_now}")
    found += [f"Gone: {words}." for words in was]
    answers = dict(before["told"])
    for name, state in after["told"]:
        if (earlier := answers.get(name)) != state:
            was_word = ANSWER_WORDS[earlier] if earlier else "not asked for yet"
            found.append(f"{name} is {ANSWER_WORDS[state]} now; it was {was_word}.")
    for mark, one, other in (("New", after, before), ("No longer", before, after)):
        gone = set(other["checks"])
        found += [
            f"{mark}: {text.partition(' ')[2]}"
            for text in dict.fromkeys(one["checks"])
            if text not in gone
        ]
    return found


def _request(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    # Cost, contents and details are compared above; account, keys and mode remain.
    old, new = ({**one["plan"], "details": one.get("details", ())} for one in (before, after))
    old["request"], new["request"] = ({**one["request"], "body": {}} for one in (old, new))
    return unexplained(old, new)
