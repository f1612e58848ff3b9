"""What changed since somebody last looked at a waiting order: fields, rows, cost, limits,
availability, checks.

A look is a mark of reading and no change of the order: it makes nobody an editor and is no event of
the history.
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
from orders.review.plan_diff import Moved, differences, prices
from orders.spending import limits
from vendors.apis.forms import OptionsForm

SITTING = timedelta(minutes=30)  # going to and fro between an order's pages within it is one look
AT_MOST = 12  # rows of a kind that a page lists
MOST_CHECKS = 200
CELLS = ("name", "picture", "forwards to", "years")
TOLD = {"free": "free", "taken": "taken", "unsaid": "left open by the vendor"}
AGEING = (
    "limits",
    "balance",
)  # problems whose words hold amounts or ages that change by themselves


# How it stands


def picture(order: Order, current: Plan, uses: Iterable[limits.Use]) -> dict[str, Any]:
    """How an order stands now, as plain JSON without secrets, to be compared with how it stands
    later.
    """
    plan = current.as_dict()
    request = plan["request"]
    answers = known_answers.newest_answers(order)
    ageing = {problem.message for problem in known_answers.problems(order)}  # told by name below
    return {
        "plan": plan | {"request": request | {"body": digest_of({"body": request["body"]})}},
        "fields": _fields(order, current),
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


def _fields(order: Order, current: Plan) -> list[list[str]]:
    """What was typed above the rows: label and value in words."""
    found = [["Client", str(order.client)]]
    if contact := order.contact:
        found += [
            [f"Contact, {one.verbose_name}", str(getattr(contact, one.attname))]
            for one in contact._meta.concrete_fields
            if not one.primary_key
        ]
    form = order.product_spec.OptionsForm()
    if isinstance(form, OptionsForm):
        form.offer({line.item: line.label for line in current.cost.lines})
    for name, value in sorted(order.options.items()):
        known = form.fields.get(name)
        label = str(known.label or name.replace("_", " ")) if known else name
        found.append([label[:1].upper() + label[1:], _shown(known, value)])
    found += [["Domains forward to", order.forward_to], ["Note", order.note]]
    return [*found, ["Why it is ordered again", order.why_again]]


def _shown(known: Any, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    choices = {
        str(key): str(label)
        for key, label in getattr(known, "choices", ())
        if not isinstance(label, list)
    }
    return choices.get(str(value), str(value))


def _rows(order: Order) -> list[list[str]]:
    """A line for each domain that is bought and each mailbox: what it is called, then the cells."""
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


# Looking


@dataclass(frozen=True, kw_only=True)
class Since:
    """What changed since this person last looked; `at` is None where they never did."""

    at: datetime | None
    fields: Sequence[Moved] = ()
    added: Sequence[str] = ()
    taken_out: Sequence[str] = ()
    altered: Sequence[Moved] = ()
    prices: Sequence[Moved] = ()
    around: Sequence[str] = ()  # limits, availability, checks
    request: Sequence[str] = ()  # what else of the request no line above explains
    more: Mapping[str, int] = field(
        default_factory=dict
    )  # what is not listed, by the name of its list

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
        """How many of them are changes of the order itself or of its cost, not of what is around
        it.
        """
        return self.count - len(self.around) - self.more.get("around", 0)


def note(order: Order, *, by: User, now_is: Mapping[str, Any]) -> Since:
    """Note that somebody looks at the order as it is now; what changed since they did before."""
    now, digest = timezone.now(), digest_of(now_is)
    fields = {"picture": now_is, "digest": digest, "since": order.state_since, "at": now}
    with transaction.atomic():
        look, is_first = Look.objects.select_for_update(of=("self",)).get_or_create(
            order=order, user=by, defaults=fields
        )
        if is_first:
            return Since(at=None)
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
    """The same for a page that shows too little of the order to count as a look at it."""
    look = Look.objects.filter(order=order, user=by).first()
    if look is None:
        return Since(at=None)
    return (
        Since(at=look.at)
        if look.digest == digest_of(now_is)
        else compare(look.picture, now_is, at=look.at)
    )


def compare(before: Mapping[str, Any], after: Mapping[str, Any], *, at: datetime | None) -> Since:
    """All in which two pictures differ; of each kind at most some are listed, and the others
    counted.
    """
    found: dict[str, list[Any]] = {
        "fields": _moved(before["fields"], after["fields"]),
        **_row_changes(before["rows"], after["rows"]),
        "prices": prices(before["plan"]["cost"], after["plan"]["cost"]),
        "around": _around(before, after),
        "request": _request(before, after),
    }
    told = any(items for name, items in found.items() if name != "around")
    if not told and before["plan"] != after["plan"]:
        found["request"] = ["What is sent to the vendor changed. Read it below."]
    shown = {name: items[:AT_MOST] for name, items in found.items()}
    return Since(
        at=at,
        more={name: len(items) - AT_MOST for name, items in found.items() if len(items) > AT_MOST},
        **shown,
    )


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
    """What others than the drafter changed: room in limits, the vendor's word on names, what was
    checked.
    """
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
    told = dict(before["told"])
    for name, state in after["told"]:
        if (said := told.get(name)) != state:
            found.append(
                f"{name} is {TOLD[state]} now; it was"
                f" {TOLD[said] if said else 'not asked for yet'}."
            )
    for mark, one, other in (("New", after, before), ("No longer", before, after)):
        gone = set(other["checks"])
        found += [
            f"{mark}: {text.partition(' ')[2]}"
            for text in dict.fromkeys(one["checks"])
            if text not in gone
        ]
    return found


def _request(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What differs beside the cost and the contents: package, account, keys, practice or live,
    tolerance.
    """
    old, new = ({**one["plan"], "cost": {}} for one in (before, after))
    old["request"], new["request"] = ({**one["request"], "body": {}} for one in (old, new))
    return differences(old, new)
