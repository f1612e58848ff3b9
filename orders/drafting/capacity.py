"""Capacity: from e-mails a day to mailboxes, domains and their cost at each account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mailops.core.money import Totals
from mailops.core.text import plural
from vendors.apis.forms import OptionsForm
from vendors.apis.values import ContactLike, DomainLine, MailboxLine, Product
from vendors.cost import UNSTATED, CostLine, CostSheet, PriceLike
from vendors.models import Vendor, account_settings

MONTHS = 12


@dataclass(frozen=True, kw_only=True)
class Capacity:
    """The wanted sending capacity.

    `emails` are a month's if `working_days` is set, else a day's. `warming` and `spare` are in
    percent of the mailboxes that send.
    """

    emails: int
    working_days: int | None = None
    per_mailbox: int = 30
    per_domain: int = 3
    warming: int = 0
    spare: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the arithmetic: a label, the sum in words, its result."""

    label: str
    sum: str
    result: int

    @property
    def shown(self) -> str:
        return f"{self.result:,}"


@dataclass(frozen=True, kw_only=True)
class Needed:
    """The mailboxes and domains needed, and the steps that led to them."""

    steps: tuple[Step, ...]
    mailboxes: int
    domains: int

    def __str__(self) -> str:
        return (
            f"{plural(self.mailboxes, 'mailbox', 'mailboxes')} on"
            f" {plural(self.domains, 'domain', 'domains')}"
        )

    @property
    def each(self) -> list[int]:
        """The number of mailboxes on each domain, as even as possible."""
        fewest, more = divmod(self.mailboxes, self.domains)
        return [fewest + 1] * more + [fewest] * (self.domains - more)

    @property
    def spread(self) -> str:
        """For example "10 domains with 3 mailboxes, 2 with 2"."""
        counts = {
            number: self.each.count(number) for number in sorted(set(self.each), reverse=True)
        }
        (first, domains), *others = counts.items()
        text = (
            f"{plural(domains, 'domain', 'domains')} with {plural(first, 'mailbox', 'mailboxes')}"
        )
        return text + "".join(f", {domains:,} with {number:,}" for number, domains in others)


def work_out(wanted: Capacity) -> Needed:
    # Every step is rounded up: half a mailbox sends nothing.
    a_day, steps = wanted.emails, []
    if wanted.working_days:
        a_day, step = _divided(
            "E-mails a day", wanted.emails, "e-mails a month", wanted.working_days, "working days"
        )
        steps.append(step)
    sending, step = _divided(
        "Mailboxes that send", a_day, "e-mails a day", wanted.per_mailbox, "from each mailbox"
    )
    steps.append(step)
    mailboxes = sending
    for label, percent in (("Still warming up", wanted.warming), ("In reserve", wanted.spare)):
        if percent:
            more = _up(sending * percent, 100)
            steps.append(
                Step(
                    label=label,
                    sum=_shown(f"{percent}% of {sending:,}", sending * percent, 100),
                    result=more,
                )
            )
            mailboxes += more
    if mailboxes != sending:
        added = " + ".join(f"{step.result:,}" for step in steps if step.label != "E-mails a day")
        steps.append(Step(label="Mailboxes in all", sum=added, result=mailboxes))
    domains, step = _divided("Domains", mailboxes, "mailboxes", wanted.per_domain, "on each domain")
    return Needed(steps=(*steps, step), mailboxes=mailboxes, domains=domains)


def _divided(label: str, total: int, of_what: str, by: int, words: str) -> tuple[int, Step]:
    result = _up(total, by)
    return result, Step(
        label=label, sum=_shown(f"{total:,} {of_what} ÷ {by:,} {words}", total, by), result=result
    )


def _up(total: int, by: int) -> int:
    return -(-total // by)


def _shown(text: str, total: int, by: int) -> str:
    if total % by == 0:
        return text
    exact = f"{total / by:,.2f}"
    return (
        f"{text} = {'just over ' if exact.endswith('.00') else ''}{exact.removesuffix('.00')},"
        " rounded up"
    )


# What it costs


@dataclass(frozen=True, kw_only=True)
class Imagined:
    """Implements `OrderLike` for placeholder domains and mailboxes, to work out their cost."""

    product: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    contents: tuple[DomainLine, ...]
    secret_names: frozenset[str] = frozenset()
    contact: ContactLike | None = None
    forward_to: str = ""
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The cost of one product at one account; `kind` is its package, supplier or provider."""

    vendor: Vendor
    product: str
    what: Product
    kind: str
    domains: int
    cost: CostSheet
    note: str = ""

    @property
    def missing(self) -> tuple[CostLine, ...]:
        return self.cost.missing

    @property
    def first_month(self) -> Totals:
        return self.cost.due

    @property
    def is_open_ended(self) -> bool:
        # The vendor does not state the period of a price, so nobody can tell a year's sum.
        return any(line.price and line.price.unit == UNSTATED for line in self.cost.lines)

    @property
    def a_year(self) -> Totals:
        # Twelve months from the start: the amount due now, and eleven further months.
        later = (
            (currency, amount * (MONTHS - 1)) for currency, amount in self.cost.per_month.items()
        )
        return Totals.of([*self.cost.due.items(), *later])


def offers(
    vendor: Vendor, prices: Mapping[str, PriceLike], needed: Needed, *, ending: str
) -> Iterator[Offer]:
    """The cost of each product of an account, once for each kind that has a price."""
    contents = placeholders(needed, ending=ending)
    for key, what in vendor.adapter.products.items():
        kinds = list(_kinds(what, prices))
        if not kinds:
            note = "The account's price list is empty. An Operator can fetch it or type it."
            yield Offer(
                vendor=vendor,
                product=key,
                what=what,
                kind="",
                domains=needed.domains,
                cost=CostSheet(()),
                note=note,
            )
        for kind, options, price in kinds:
            order = Imagined(
                product=key, settings=account_settings(vendor), options=options, contents=contents
            )
            offer = Offer(
                vendor=vendor,
                product=key,
                what=what,
                kind=kind,
                domains=needed.domains,
                cost=CostSheet(()),
                note=str(needed),
            )
            if what.in_packages:
                order, offer = _packed(order, offer, price)
            yield replace(offer, cost=vendor.adapter.cost(order, prices))


def placeholders(needed: Needed, *, ending: str) -> tuple[DomainLine, ...]:
    names = [f"domain-{number}.{ending}" for number in range(1, needed.domains + 1)]
    return tuple(
        DomainLine(
            name=name,
            mailboxes=tuple(MailboxLine(username=f"name-{i}", domain=name) for i in range(count)),
        )
        for name, count in zip(names, needed.each, strict=True)
    )


def _kinds(
    what: Product, prices: Mapping[str, PriceLike]
) -> Iterator[tuple[str, dict[str, Any], PriceLike | None]]:
    """Label, options and price of each kind; one without a label where nothing is to choose."""
    fields = what.OptionsForm.base_fields
    first = {name: field.initial for name, field in fields.items() if field.initial is not None}
    chosen = what.OptionsForm.price_choices if issubclass(what.OptionsForm, OptionsForm) else {}
    if not chosen:
        yield "", first, None
    for name, prefix in chosen.items():
        coerce = getattr(fields[name], "coerce", str)
        for item in (item for item in prices if item.startswith(prefix)):
            label = getattr(prices[item], "label", "") or item
            yield label, first | {name: coerce(item.removeprefix(prefix))}, prices[item]


def product_notes(what: Product, needed: Needed) -> Iterator[str]:
    if what.in_packages:
        yield "For the packages alone, without the domains."
    elif not what.buys_domains:
        domains = plural(needed.domains, "domain has", "domains have")
        yield f"For the mailboxes alone: the {domains} to be there already."
    if what.mailboxes_per_domain:
        numbers = ", ".join(
            f"{count} for {kind}" for kind, count in what.mailboxes_per_domain.items()
        )
        yield (
            f"Mailboxes on a domain at this vendor: {numbers}, it says of custom orders. Look what"
            " the package holds."
        )


def _packed(order: Imagined, offer: Offer, price: PriceLike | None) -> tuple[Imagined, Offer]:
    # Price lists state how many domains a package holds, but not how many mailboxes.
    if price is None or not price.domains:
        note = "How many domains the package holds is not known, so this is the price of one."
        return order, replace(offer, note=note)
    packages = _up(offer.domains, price.domains)
    exact = packages * price.domains
    note = (
        f"{plural(packages, 'package', 'packages')} of {plural(price.domains, 'domain', 'domains')}"
    )
    if more := exact - offer.domains:
        note += f", {more:,} more than needed: the vendor takes only the exact number"
    order = replace(order, options={**order.options, "quantity": packages})
    return order, replace(offer, domains=exact, note=f"{note}.")
