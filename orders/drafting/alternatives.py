"""The same order at other accounts: whether they can take it, what it loses, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db import models

from mailops.core.text import plural
from orders.drafting import client_defaults, drafts
from orders.drafting.drafts import Draft
from orders.models import Domain, Order
from orders.models.inventory import LIVE, Asset
from vendors.apis.forms import OptionsForm
from vendors.apis.values import ContactLike, DomainLine, Product
from vendors.cost import CostSheet
from vendors.models import Price, Vendor, account_settings
from vendors.verdicts import Problem

CHOICES = 2  # packages or suppliers of one product that are worked out in full, for each currency
# Beside an order: how many are named, and for how many domains the comparison is quick enough.
MOST_AT_A_GLANCE, MOST_DOMAINS = 3, 1000
FILLED_BY_HAND = {"contact": "Registrant contact", "forward_to": "Domains forward to"}


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """The order as one product of another account; `options` are those it was worked out with."""

    vendor: Vendor
    product: str
    what: Product
    choice: str  # which package or supplier, in words
    key: str
    options: Mapping[str, Any]
    cost: CostSheet
    cannot: tuple[str, ...]
    loses: tuple[str, ...]
    to_fill: tuple[str, ...]
    more: int = 0  # packages or suppliers that are not shown

    @property
    def can(self) -> bool:
        return not self.cannot


@dataclass(frozen=True, kw_only=True)
class MovedOrder:
    """Implements `OrderLike` for an order that does not exist, so that adapters can check it."""

    product: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    contact: ContactLike | None
    forward_to: str
    contents: tuple[DomainLine, ...]
    secret_names: frozenset[str] = frozenset()
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Choice:
    """A package or supplier; `distance` is how many domains it holds too many or too few."""

    options: Mapping[str, Any]
    label: str
    value: str
    distance: int
    cost: CostSheet

    @property
    def currency(self) -> str:
        return min(self.cost.due, default="")

    @property
    def rank(self) -> tuple[int, int, Decimal]:
        return (
            self.distance,
            len(self.cost.missing),
            self.cost.in_year(1).get(self.currency, Decimal(0)),
        )


def compare(order: Order) -> list[Alternative]:
    """Every other product of accounts in the same mode, possible ones first; five queries."""
    vendors = list(Vendor.objects.filter(mode=order.vendor.mode))
    prices: dict[int, dict[str, Price]] = {vendor.pk: {} for vendor in vendors}
    for price in Price.objects.filter(vendor__in=vendors).order_by("item"):
        # A package that costs 0 in a list would be the cheapest of all.
        if not price.doubt:
            prices[price.vendor_id][price.item] = price
    # Bought domains are held by nobody yet.
    held = {} if order.product_spec.buys_domains else _held(order)
    found = [
        alternative
        for vendor in vendors
        for product in vendor.adapter.products
        if (vendor.pk, product) != (order.vendor_id, order.product)
        for alternative in _at(order, vendor, product, prices[vendor.pk], held.get(vendor.pk, 0))
    ]
    return sorted(found, key=lambda one: (not one.can, bool(one.cost.missing), one.vendor.name))


def at_a_glance(order: Order) -> list[Alternative] | None:
    """The first few products that could take the order; None for a large order.

    Finding out takes too long then for a page that shows something else.
    """
    if len(order.contents) > MOST_DOMAINS:
        return None
    best: dict[tuple[int, str], Alternative] = {}
    for found in compare(order):
        if found.can and not found.cost.missing and found.cost.lines:
            best.setdefault((found.vendor.pk, found.product), found)
    return list(best.values())[:MOST_AT_A_GLANCE]


def copy_to(order: Order, alternative: Alternative, *, by: User) -> Order:
    # Cells that the product has no place for would make the new draft unsaveable, so they go.
    what = alternative.what
    rows = [
        replace(
            row,
            picture=row.picture if what.has_pictures else "",
            years=row.years if what.has_years else 1,
            forward_to=row.forward_to if what.forwards else "",
        )
        for row in drafts.rows_of(order)
    ]
    draft = Draft(
        vendor=alternative.vendor,
        product=alternative.product,
        client=order.client,
        contact=client_defaults.carried_contact(order, what),
        forward_to=client_defaults.carried_forward_to(order, what),
        note=order.note,
        options=alternative.options,
        rows=rows,
    )
    return drafts.create(draft, by=by, copy_of=order)


def _held(order: Order) -> dict[int, int]:
    known = models.Q(state__in=LIVE) | models.Q(order=None, state=Asset.PLANNED)
    rows = Domain.objects.filter(known, name__in=[line.name for line in order.contents]).order_by()
    return dict(rows.values_list("vendor").annotate(models.Count("name", distinct=True)))


# One product


def _at(
    order: Order, vendor: Vendor, product: str, prices: Mapping[str, Price], held: int
) -> Iterator[Alternative]:
    what = vendor.adapter.products[product]
    form = what.OptionsForm()
    if isinstance(form, OptionsForm):
        form.offer({item: price.label or item for item, price in prices.items()})
    bare = MovedOrder(
        product=product,
        settings=account_settings(vendor),
        options=_options(order, vendor, form),
        contact=client_defaults.carried_contact(order, what),
        forward_to=client_defaults.carried_forward_to(order, what),
        contents=(),
    )
    bare = replace(bare, contents=_contents(order, what, bare.forward_to))
    choices = list(_choices(bare, vendor, form, prices))
    shown = _best(choices)
    flaws = [*_cannot(order, what, held)]
    for number, choice in enumerate(shown, start=1):
        problems = vendor.adapter.check(replace(bare, options=choice.options), prices)
        known, to_fill = _sorted(order, vendor, what, form, problems)
        yield Alternative(
            vendor=vendor,
            product=product,
            what=what,
            choice=choice.label,
            key=f"{vendor.pk}:{product}:{choice.value}",
            options=choice.options,
            cost=choice.cost,
            cannot=(*flaws, *_grouped(problem for problem in known if problem.level == "stop")),
            loses=(
                *_loses(order, vendor, what, choice.cost),
                *_grouped(problem for problem in known if problem.level == "warn"),
            ),
            to_fill=tuple(to_fill),
            more=len(choices) - len(shown) if number == len(shown) else 0,
        )


def _options(order: Order, vendor: Vendor, form: forms.Form) -> dict[str, Any]:
    # A new draft starts with the form's initial values. The same vendor's options fit at its other
    # account.
    empty = {
        name: field.initial if field.initial is not None else _nothing(field)
        for name, field in form.fields.items()
        if name not in vendor.adapter.secret_options
    }
    if order.vendor.api != vendor.api:
        return empty
    return empty | {name: value for name, value in order.options.items() if name in empty}


def _nothing(field: forms.Field) -> Any:
    if isinstance(field, forms.BooleanField):
        return False
    return None if isinstance(field, forms.IntegerField) else ""


def _contents(order: Order, what: Product, forward_to: str) -> tuple[DomainLine, ...]:
    # Cells without a place are left out here and mentioned once, instead of one problem a row.
    def moved(line: DomainLine) -> DomainLine:
        boxes = line.mailboxes
        if not what.has_pictures and any(box.picture for box in boxes):
            boxes = tuple(replace(box, picture="") for box in boxes)
        return replace(
            line,
            mailboxes=boxes,
            picture=line.picture if what.has_pictures else "",
            years=line.years if what.has_years else 1,
            forward_to=(line.forward_to or forward_to) if what.forwards else "",
        )

    return tuple(moved(line) for line in order.contents)


def _choices(
    bare: MovedOrder, vendor: Vendor, form: forms.Form, prices: Mapping[str, Price]
) -> Iterator[_Choice]:
    """One for each package or supplier on the price list; one if there is nothing to choose."""
    offered = getattr(form, "price_choices", {})
    field = next((name for name in offered if name in form.fields), None)
    values = (
        [choice for choice in getattr(form.fields[field], "choices", ()) if choice[0]]
        if field
        else []
    )
    if field is None or not values or bare.options.get(field):
        label = dict(values).get(bare.options.get(field), "") if field else ""
        cost = vendor.adapter.cost(bare, prices)
        yield _Choice(options=bare.options, label=str(label), value="", distance=0, cost=cost)
        return
    # A package has a fixed number of domains, so the nearest number of packages is priced.
    for value, label in values:
        price, has = prices.get(f"{offered[field]}{value}"), len(bare.contents)
        packages = max(1, round(has / price.domains)) if price and price.domains else 1
        options = {**bare.options, field: form.fields[field].clean(value)}
        if packages > 1 and "quantity" in form.fields:
            options["quantity"] = packages
        yield _Choice(
            options=options,
            label=str(label),
            value=str(value),
            distance=abs(packages * price.domains - has) if price and price.domains else 0,
            cost=vendor.adapter.cost(replace(bare, options=options), prices),
        )


def _best(choices: list[_Choice]) -> list[_Choice]:
    # Amounts in two currencies can't be compared, so each currency has its cheapest.
    best: list[_Choice] = []
    for currency in sorted({choice.currency for choice in choices}):
        own = sorted(
            (choice for choice in choices if choice.currency == currency),
            key=lambda choice: choice.rank,
        )
        fitting = [choice for choice in own if choice.distance == 0]
        best += (fitting or own[:1])[:CHOICES]
    fits = [choice for choice in best if choice.distance == 0]
    return fits or best[:1]


# What it can and can't do


def _some(count: int, one: str, many: str) -> str:
    return f"this {one}" if count == 1 else f"these {count:,} {many}"


def _cannot(order: Order, what: Product, held: int) -> Iterator[str]:
    """Obstacles that no option removes."""
    count = len(order.contents)
    them = _some(count, "domain", "domains")
    if order.product_spec.buys_domains and not what.buys_domains:
        yield f"It does not buy domains: {them} would have to be held there already."
    elif what.buys_domains and not order.product_spec.buys_domains:
        yield f"It is for new domains, and {them} {'is' if count == 1 else 'are'} held already."
    elif not what.buys_domains and held < count:
        not_there = (
            f"{them} {'is' if count == 1 else 'are'} not"
            if not held
            else f"{count - held:,} of {them} are not"
        )
        yield (
            "It puts mailboxes on domains that are held there, and as far as MailOps knows"
            f" {not_there}."
        )
    bare = sum(not line.mailboxes for line in order.contents)
    if bare and not what.names_per_domain:
        have = plural(bare, "domain has", "domains have")
        yield f"It makes no addresses from a name alone, and {have} nothing else here."


def _loses(order: Order, vendor: Vendor, what: Product, cost: CostSheet) -> Iterator[str]:
    pictures = sum(
        bool(line.picture) + sum(bool(box.picture) for box in line.mailboxes)
        for line in order.contents
    )
    if pictures and not what.has_pictures:
        yield f"No pictures: {_some(pictures, 'picture', 'pictures')} would be left out."
    longer = sum(line.years > 1 for line in order.contents)
    if what.buys_domains and longer and not what.has_years:
        here = plural(longer, "domain here is", "domains here are")
        yield f"No choice of years: {here} for several."
    if what.buys_domains and not what.forwards and any(line.forward_to for line in order.contents):
        yield "The domains would not forward anywhere."
    if (
        what.buys_domains
        and cost.lines
        and not any(line.item.startswith("domain.") for line in cost.lines)
    ):
        yield "The cost has no line for the domains themselves, so look where they come from there."
    if vendor.is_stopped:
        yield f"Sending to {vendor.name} is stopped at the moment."
    elif vendor.lacks_funds:
        yield f"{vendor.name} has no funds at the moment, as its vendor says."


def _sorted(
    order: Order, vendor: Vendor, what: Product, form: forms.Form, problems: Iterable[Problem]
) -> tuple[list[Problem], list[str]]:
    """The problems that count, and the labels of fields that only have to be filled in."""
    # `_cannot` mentions these lines once, so the adapter's problem on each of them is dropped.
    said_already = {
        line.row for line in order.contents if not line.mailboxes and not what.names_per_domain
    }
    found, to_fill = [], []
    labels = {
        name: str(field.label or name) for name, field in form.fields.items()
    } | FILLED_BY_HAND
    for problem in problems:
        if problem.field in labels and problem.level == "stop":
            to_fill.append(labels[problem.field])
        elif not (
            problem.field == "domain" and problem.row is not None and problem.row in said_already
        ):
            found.append(problem)
    return found, list(dict.fromkeys(to_fill))


def _grouped(problems: Iterable[Problem]) -> list[str]:
    # Rows with the same trouble get one sentence.
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.field, problem.fix), []).append(problem)
    return [
        found[0].message + (f" And {len(found) - 1:,} more like it." if len(found) > 1 else "")
        for found in groups.values()
    ]
