"""The panel of the draft page that makes addresses: asked for, shown as a preview, and put into the
paste box.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import QueryDict

from orders.drafting.address_maker import (
    EVERY,
    LINES,
    MODES,
    Made,
    Making,
    TooMany,
    Wish,
    make,
    patterns_from,
)
from orders.drafting.address_patterns import (
    LONGEST_OWN_PATTERNS,
    PATTERNS,
    Person,
    read_patterns,
    read_people,
)
from orders.drafting.intake import MOST_LINES, BadCell, BadLine, Reading, Row, read
from orders.models import Mailbox, Order
from orders.models.inventory import LIVE
from orders.models.state import PURCHASE_PENDING
from vendors.apis.values import Product
from vendors.models import Vendor

PREFIX = "make"
SHOWN = 100  # lines on a page of the preview
MOST_PER_DOMAIN = 100
PLAIN, GERMAN = "plain", "german"
ANY = Product(label="", help="", OptionsForm=forms.Form, buys_domains=True, names_per_domain=True)


def _lines(label: str, help_text: str, placeholder: str) -> forms.CharField:
    attrs = {"rows": 4, "spellcheck": "false", "autocapitalize": "off", "placeholder": placeholder}
    return forms.CharField(label=label, help_text=help_text, required=False, strip=False,
                           widget=forms.Textarea(attrs=attrs))  # fmt: skip


class MakeForm(forms.Form):
    """Whose addresses, on which domains, in which form."""

    names = _lines(
        "Names",
        "One person a line. Leave empty for the names in the lines above.",
        "Dana Reyes\nLudwig van der Berg",
    )
    domains = _lines(
        "On these domains",
        "One a line. Leave empty for the domains in the lines above.",
        "acme-reach.com\ntryacme.com",
    )
    mode = forms.ChoiceField(label="Who gets one where", choices=list(MODES.items()), initial=EVERY)
    per_domain = forms.IntegerField(
        label="Mailboxes on each domain",
        required=False,
        min_value=1,
        max_value=MOST_PER_DOMAIN,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=(
            "What stands there already counts. Who gets a second one gets it in the next form."
            " Leave empty for one a person."
        ),
        error_messages={
            "invalid": "Write a whole number, for example 3.",
            "min_value": "Write 1 or more, or leave it empty.",
            "max_value": f"Write {MOST_PER_DOMAIN} or less.",
        },
    )
    pattern = forms.ChoiceField(
        label="Form of the address",
        choices=list(PATTERNS.items()),
        initial="{first}.{last}",
        help_text=(
            "As it is for Dana Reyes. Where it is taken, the next form is tried, then a number is"
            " added."
        ),
    )
    own = forms.CharField(
        label="Own form",
        required=False,
        max_length=LONGEST_OWN_PATTERNS,
        help_text=(
            "Used instead of the one above. For example {first}.{l} or {f}{last}{n}: {f} and {l}"
            " are the first letters, {n} counts up. Several with commas between them are tried in"
            " their order."
        ),
    )
    umlauts = forms.ChoiceField(
        label="Letters with dots",
        choices=[(PLAIN, "ü becomes u: Müller, muller"), (GERMAN, "ü becomes ue: Müller, mueller")],
        initial=PLAIN,
        help_text="Other accents go: é becomes e, ł becomes l, ß becomes ss.",
    )

    def clean_names(self) -> list[Person]:
        try:
            people = list(read_people(self.cleaned_data["names"]))
        except BadCell as bad:
            raise forms.ValidationError(_said(bad)) from None
        return list({person.key: person for person in reversed(people)}.values())[::-1]

    def clean_domains(self) -> list[str]:
        found: dict[str, None] = {}
        for number, line in enumerate(self.cleaned_data["domains"].splitlines(), 1):
            for name in re.split(r"[\s,;]+", line.strip()):
                reading = read(name, ANY)  # as the paste box reads it; a heading gives neither
                if reading.bad:
                    raise forms.ValidationError(f"Line {number}: {_said(reading.bad[0])}")
                found |= dict.fromkeys(row.domain for row in reading.rows)
        return list(found)

    def clean_own(self) -> str:
        own: str = self.cleaned_data["own"]
        try:
            read_patterns(own)
        except BadCell as bad:
            raise forms.ValidationError(_said(bad)) from None
        return own

    def wish(self, rows: list[Row]) -> Wish:
        """What was asked for; what was left empty is taken from the lines of the paste box.

        Adds errors to the form.
        """
        typed = dict(self.cleaned_data)
        named = {_person(row).key: _person(row) for row in reversed(rows) if str(_person(row))}
        people = typed["names"] or list(named.values())[::-1]
        domains = typed["domains"] or list(dict.fromkeys(row.domain for row in rows))
        if typed["mode"] == LINES:
            if not any(str(_person(row)) and not row.username for row in rows):
                self.add_error(
                    "mode",
                    "No line has a name and no address. Choose another way, or add such lines.",
                )
        elif not people:
            self.add_error(
                "names", "There are no names yet. Write them here, or into the lines above."
            )
        elif not domains:
            self.add_error(
                "domains", "There are no domains yet. Write them here, or into the lines above."
            )
        return Wish(
            mode=typed["mode"],
            people=tuple(people),
            domains=tuple(domains),
            patterns=patterns_from(typed["own"] or typed["pattern"]),
            per_domain=typed["per_domain"],
            umlauts=typed["umlauts"] == GERMAN,
        )


def _said(bad: BadCell | BadLine) -> str:
    return f"{bad.message} {bad.fix}".strip()


def _person(row: Row) -> Person:
    return Person(first=row.first_name, last=row.last_name, picture=row.picture)


class Panel:
    """One look at the panel. `text` is what the paste box shall hold from now on, where the preview
    was accepted.

    `reading` is how the paste box was read, to see which lines lack an address. `wanted` is the
    query of the page's address: what a sending volume asked for. The page saves nothing while the
    panel `is_asked`.
    """

    def __init__(
        self,
        post: QueryDict | None,
        reading: Reading,
        what: Product,
        vendor: Vendor,
        *,
        wanted: Mapping[str, Any] | None = None,
    ) -> None:
        self.what, self.vendor = what, vendor
        self.error = self.done = ""
        self.text: str | None = None
        self.making: Making | None = None
        self.shown: Page[Made] | None = None
        self.domains_wanted, self.mailboxes_wanted = (
            _number(wanted, name) for name in ("domains", "mailboxes")
        )
        self.is_asked = post is not None and (PREFIX in post or f"{PREFIX}-accept" in post)
        typed = post is not None and any(
            post.get(f"{PREFIX}-{name}", "").strip() for name in ("names", "domains")
        )
        self.gaps = (
            0
            if self.is_asked or post is None or what.names_per_domain
            else _gaps(post, reading, what)
        )
        self.is_open = self.is_asked or typed or bool(self.gaps or self.domains_wanted)
        self.form = MakeForm(initial=self._initial(post), prefix=PREFIX)
        if post is not None and self.is_asked:
            self.form = MakeForm(post, prefix=PREFIX)
            self._make(post)

    def _initial(self, post: QueryDict | None) -> dict[str, Any]:
        """What was typed stays, also when another button was pressed; lines that lack an address
        are offered one.
        """
        gaps = {"mode": LINES} if self.gaps else {}
        if post is not None and f"{PREFIX}-mode" in post:
            typed = {name: post.get(f"{PREFIX}-{name}") for name in MakeForm.base_fields}
            return typed if typed["names"] else typed | gaps
        if self.domains_wanted and self.mailboxes_wanted:
            each = -(-self.mailboxes_wanted // self.domains_wanted)
            return {"per_domain": min(each, MOST_PER_DOMAIN)}
        return gaps

    def _make(self, post: QueryDict) -> None:
        rows, bad = loosely(post.get("rows", ""), self.what)
        if bad:
            more = f" So do {len(bad) - 1} more." if len(bad) > 1 else ""
            self.error = (
                f"Line {bad[0].number} needs a change first. {bad[0].message} {bad[0].fix}{more}"
            )
            return
        wish = self.form.wish(rows) if self.form.is_valid() else None
        if wish is None or self.form.errors:
            return
        names = {*wish.domains, *(row.domain for row in rows)}
        try:
            making = make(wish, rows=rows, taken=taken_at(names))
        except TooMany:
            self.error = (
                f"That would be more than {MOST_LINES:,} lines, the most that one order takes. Make"
                " fewer."
            )
            return
        if not making.made:
            self.error = " ".join(
                [*making.notes, "Nothing is left to make: everybody has an address already."][:2]
            )
            return
        self.making = making
        if f"{PREFIX}-accept" in post and post.get(f"{PREFIX}-seen") == self.seen:
            self._accept(making)
            return
        if f"{PREFIX}-accept" in post:
            self.error = (
                "Something has changed since the preview was shown. Look at it again, then take it"
                " over."
            )
        self.shown = Paginator(making.made, SHOWN).get_page(post.get(PREFIX))

    def _accept(self, making: Making) -> None:
        self.text, self.making = making.text, None
        self.done = f"{_count(len(making.made), 'address is', 'addresses are')} in the lines now."
        kept = ("mode", "pattern", "own", "umlauts", "per_domain")
        self.form = MakeForm(
            initial={name: self.form[name].value() for name in kept}, prefix=PREFIX
        )

    def with_text(self, post: QueryDict) -> QueryDict:
        """What was posted, with the accepted lines in the paste box."""
        if self.text is None:
            return post
        changed = post.copy()
        changed["rows"] = self.text
        return changed

    @property
    def seen(self) -> str:
        """A fingerprint of the preview: what is taken over is what was shown."""
        return hashlib.sha256(self.making.text.encode()).hexdigest()[:16] if self.making else ""

    @property
    def counts(self) -> str:
        assert self.making
        made, domains = len(self.making.made), self.making.domains
        return f"{_count(made, 'mailbox', 'mailboxes')} on {_count(domains, 'domain', 'domains')}"

    @property
    def notes(self) -> list[str]:
        """What the drafter should know of the preview."""
        assert self.making
        return [*self.making.notes, *_against_the_vendor(self.making.rows, self.what, self.vendor)]

    @property
    def documented(self) -> str:
        """The vendor's own numbers of mailboxes a domain, in words; empty where it documents none."""
        numbers = self.what.mailboxes_per_domain
        return ", ".join(f"{count} for {kind}" for kind, count in numbers.items())


def _gaps(post: QueryDict, reading: Reading, what: Product) -> int:
    """How many of the lines that need a change lack nothing but an address."""
    rows = loosely(post.get("rows", ""), what)[0] if reading.bad else []
    return sum(bool(str(_person(row))) and not row.username for row in rows)


def _against_the_vendor(rows: list[Row], what: Product, vendor: Vendor) -> list[str]:
    notes, label = [], vendor.adapter.label
    count: dict[str, int] = {}
    for row in rows:
        count[row.domain] = count.get(row.domain, 0) + bool(row.username)
    bare = [domain for domain, mailboxes in count.items() if not mailboxes]
    if what.names_per_domain and 0 < len(bare) < len(count):
        notes.append(
            f"{_count(len(bare), 'domain has', 'domains have')} no address yet, {bare[0]} for one."
            f" {label} wants the addresses of every domain or of none."
        )
    numbers = what.mailboxes_per_domain
    odd = [
        domain
        for domain, mailboxes in count.items()
        if mailboxes and mailboxes not in numbers.values()
    ]
    if numbers and odd:
        said = ", ".join(f"{number} for {kind}" for kind, number in numbers.items())
        notes.append(
            f"For custom orders {label} names an exact number of mailboxes on a domain: {said}."
            f" {odd[0]} has"
            f" {count[odd[0]]}{f', and {len(odd) - 1} more differ' if len(odd) > 1 else ''}."
        )
    return notes


def loosely(text: str, what: Product) -> tuple[list[Row], list[BadLine]]:
    """The lines of the paste box where an address may be missing still, also of several people on
    one domain.
    """
    loose = replace(what, buys_domains=True, names_per_domain=True)
    reading = read(text, loose)
    rows, bad = {row.number: row for row in reading.rows}, []
    lines = text.splitlines()
    headings = _headings(lines, loose) if reading.bad else ""
    said: dict[str, Row] = {}
    for good in reading.rows:
        said.setdefault(good.domain, good)
    for line in reading.bad:
        alone = (
            read(headings + lines[line.number - 1], loose).rows if line.number <= len(lines) else []
        )
        row = alone[0] if len(alone) == 1 else None
        if row and _only_lacks_its_address(row, said.get(row.domain)):
            rows[line.number] = replace(row, number=line.number)
        else:
            bad.append(line)
    return [rows[number] for number in sorted(rows)], bad


def _headings(lines: list[str], what: Product) -> str:
    """The line of headings, if the lines begin with one."""
    first = next((line for line in lines if line.strip()), "")
    alone = read(first, what)
    return "" if alone.rows or alone.bad else f"{first}\n"


def _only_lacks_its_address(row: Row, first: Row | None) -> bool:
    """A name without an address, which says nothing else of its domain than the domain's first
    line.
    """
    if row.username or not str(_person(row)):
        return False
    return first is None or (
        row.years in (1, first.years) and row.forward_to in ("", first.forward_to)
    )


def taken_at(domains: Iterable[str]) -> dict[str, str]:
    """Addresses on these domains that are owned, or on an order that waits or may have been bought;
    one query.
    """
    boxes = Mailbox.objects.filter(
        Q(state__in=LIVE) | Q(order__state__in=PURCHASE_PENDING), domain__name__in=list(domains)
    )
    return {
        address: f"on {Order(pk=order)}"
        for address, order in boxes.order_by().values_list("address", "order_id")
    }


def _number(wanted: Mapping[str, Any] | None, name: str) -> int:
    text = str((wanted or {}).get(name, ""))
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
