"""Names that are one typing slip apart, found by keys instead of comparing all pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from django.db.models import Q

from mailops.core.text import chunks, plural
from orders.models import Domain, Order
from orders.models.inventory import LIVE
from orders.models.state import PURCHASE_POSSIBLE
from vendors.verdicts import Problem

# Values in one IN (…): SQLite takes 32,766 parameters a statement, PostgreSQL 65,535.
MOST_VALUES = 10_000
MOST_WARNINGS = 10  # warnings of one kind; the others are counted
SERIES = 3  # a name with so many neighbours belongs to a series: acme-a, acme-b, acme-c …
Pairs = dict[str, list[str]]


def slip(one: str, other: str) -> tuple[str, str] | None:
    """The letters that differ, if one was added, left out, replaced, or swapped with the next."""
    if one == other or abs(len(one) - len(other)) > 1:
        return None
    shorter = min(len(one), len(other))
    start = next((i for i in range(shorter) if one[i] != other[i]), shorter)
    left = shorter - start
    end = next((i for i in range(left) if one[-1 - i] != other[-1 - i]), left)
    here, there = one[start : len(one) - end], other[start : len(other) - end]
    is_swapped = len(here) == len(there) == 2 and here == there[::-1]
    return (here, there) if is_swapped or max(len(here), len(there)) == 1 else None


def is_near(one: str, other: str) -> bool:
    """One slip apart under the same ending: acme.com and acem.com, not acme.com and acme.co."""
    return _split(one)[1] == _split(other)[1] and slip(one, other) is not None


def pairs(names: Iterable[str], others: Iterable[str]) -> Pairs:
    """Each of `names` that has near ones among `others`, in linear time."""
    # Two near names have a spelling in common once each has lost at most one letter.
    by_spelling: defaultdict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        for spelling in _spellings(name):
            by_spelling[spelling].append(name)
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    known = by_spelling.keys()
    for other in dict.fromkeys(others):
        spellings = _spellings(other)
        if known.isdisjoint(spellings):  # true for nearly all names, and quick to find out
            continue
        for spelling in spellings:
            for name in by_spelling.get(spelling, ()):
                if name != other and is_near(name, other):
                    found[name][other] = None
    return {name: list(near) for name, near in found.items()}


def earlier(names: Collection[str], order: Order) -> Pairs:
    # Only domains that share a half with one of the names are read, by an index.
    heads, tails = keys(names)
    found: set[str] = set()
    for column, wanted in (("head", heads), ("tail", tails)):
        for some in chunks(sorted(wanted), MOST_VALUES):
            rows = (
                Domain.objects.order_by()
                .exclude(order=order.pk or 0)
                .filter(**{f"{column}__in": some})
            )
            found.update(rows.values_list("name", flat=True))
    return pairs(names, sorted(found))


def keys(names: Iterable[str]) -> tuple[set[str], set[str]]:
    """Values of `Domain.head` and `Domain.tail`, one of which every near domain has."""
    # A slip falls into one half of the other name, which may be a letter longer or shorter, and
    # leaves the other half as it was. Only two letters swapped across the middle change both, so
    # they are swapped back.
    heads, tails = set(), set()
    for name in names:
        label, ending = _split(name)
        for length in range(max(1, len(label) - 1), len(label) + 2):
            middle = length // 2
            heads.add(label[:middle] + ending)
            tails.add(label[len(label) - (length - middle) :] + ending)
        if middle := len(label) // 2:
            heads.add(label[: middle - 1] + label[middle] + ending)
    return heads, tails


def of_main_domain(rows: Mapping[str, int | None], main: str, whose: str) -> list[Problem]:
    """Warnings about names one slip from the client's own domain, its ending included."""
    problems = [
        Problem(
            message=f"{name} is one letter away from {main}, the main domain of {whose}.",
            fix="Check the spelling. Leave it if it is meant.",
            field="spelling",
            row=row,
            level="warn",
        )
        for name, row in rows.items()
        if slip(name, main)
    ]
    return shortened(problems, lambda n: f"And {lines(n)} one letter away from {main}.")


def of_earlier_domains(rows: Mapping[str, int | None], order: Order) -> list[Problem]:
    """Warnings about names one slip from a domain that is owned or ordered."""
    near = _alone(
        {name: _unnumbered(name, others) for name, others in earlier(rows, order).items()}
    )
    known = _bought({other for others in near.values() for other in others}, order)
    problems = []
    for name, others in near.items():
        if other := next((known[other] for other in others if other in known), None):
            whose = f", which {other.client} has" if other.client else ", which is held at a vendor"
            where = f" ({other.order})" if other.order else ""
            problem = Problem(
                message=f"{name} is one letter away from {other.name}{where}{whose}.",
                fix="Check the spelling. Leave it if it is meant.",
                field="spelling",
                row=rows[name],
                level="warn",
                order_id=other.order_id,
            )
            problems.append(problem)
    return shortened(
        problems, lambda n: f"And {lines(n)} one letter away from a domain bought earlier."
    )


def within(rows: Mapping[str, int | None]) -> list[Problem]:
    """Warnings about two names of one order that are one slip apart."""
    # Numbers, hyphens and series are meant, so they raise no warning.
    near = _alone(
        {name: _unnumbered(name, others, spare="-") for name, others in pairs(rows, rows).items()}
    )
    places = {name: (row or 0, i) for i, (name, row) in enumerate(rows.items())}
    problems = []
    for name, others in near.items():
        other = min(others, key=places.__getitem__)
        # One warning a pair, on its later line.
        if places[other] < places[name] and other in near:
            line = f" on line {rows[other]}" if rows[other] else ""
            problem = Problem(
                message=f"{name} is one letter away from {other}{line}.",
                fix="One of them may be misspelt. Leave both if they are meant.",
                field="spelling",
                row=rows[name],
                level="warn",
            )
            problems.append(problem)
    return shortened(problems, lambda n: f"And {lines(n)} one letter away from another line.")


def shortened(problems: list[Problem], more: Callable[[int], str]) -> list[Problem]:
    if len(problems) <= MOST_WARNINGS + 1:
        return problems
    rest = len(problems) - MOST_WARNINGS
    return [
        *problems[:MOST_WARNINGS],
        Problem(message=more(rest), field=problems[0].field, level="warn"),
    ]


def lines(count: int) -> str:
    return plural(count, "more line")


def _split(name: str) -> tuple[str, str]:
    label, dot, ending = name.partition(".")
    return label, dot + ending


def _spellings(name: str) -> list[str]:
    return [name, *[name[:i] + name[i + 1 :] for i in range(len(_split(name)[0]))]]


def _unnumbered(name: str, others: Iterable[str], spare: str = "") -> list[str]:
    # acme1 and acme2 are meant, and so are names that differ in a letter of `spare`.
    found = ((other, slip(name, other)) for other in others)
    return [
        other
        for other, letters in found
        if letters and not all(c.isdigit() or c in spare for c in "".join(letters))
    ]


def _alone(near: Pairs) -> Pairs:
    # A name with several neighbours is a member of a series, and meant.
    return {name: others for name, others in near.items() if 0 < len(others) < SERIES}


def _bought(names: Iterable[str], order: Order) -> dict[str, Domain]:
    """Those that are owned, or on another order that was not refused or cancelled."""
    found = {}
    columns = ("name", "order_id", "client__name", "order__state")
    for some in chunks(sorted(names), MOST_VALUES):
        rows = Domain.objects.order_by("pk").exclude(order=order.pk or 0).filter(name__in=some)
        rows = rows.filter(
            Q(state__in=LIVE) | Q(order__state__in=PURCHASE_POSSIBLE, state="planned")
        )
        for domain in rows.select_related("client", "order").only(*columns):
            found[domain.name] = domain
    return found
