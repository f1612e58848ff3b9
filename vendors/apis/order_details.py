"""An order in words: a label and words for each option, setting and detail that its request holds.

The words come from the adapter's forms. Whether an option reaches the request is found out by
asking the adapter for the request of a small order, once as it is and once with another value.
So a new adapter has nothing to declare, and nothing that is sent can be missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from django import forms

from mailops.core.text import plural
from vendors.apis.base import Api
from vendors.apis.forms import OptionsForm
from vendors.apis.small_order import EMPTY, SmallOrder, another, choices, differ, places
from vendors.apis.values import OrderLike
from vendors.http import Secret

CONTENTS, CONTACT, ACCOUNT = "contents", "Registrant contact", "account"
CONTACT_WORDS = {
    "first_name": "First name",
    "last_name": "Last name",
    "company": "Company",
    "email": "E-mail",
    "phone_country_code": "Phone, country code",
    "phone": "Phone",
    "address_line_one": "Address",
    "address_line_two": "Address, second line",
    "postal_code": "Postal code",
    "city": "City",
    "state": "State or region",
    "country": "Country",
}
FORWARDS = "Domains forward to"
NOT_SENT = "Not sent to the vendor."
MOST_DESTINATIONS = 4  # that are named one by one
NAMED = 3  # domains of one destination that are named


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One line of an order in words.

    `name` is the option's, where it is one. `sent_as` are the places in the request that hold it,
    such as "body.confirm"; empty for what is not sent.
    """

    label: str
    words: str
    more: str = ""
    group: str = ""  # empty for an option; else CONTENTS, CONTACT or ACCOUNT
    name: str = ""
    sent_as: tuple[str, ...] = ()

    @property
    def full_label(self) -> str:
        """The label as it stands alone: "Registrant contact, phone"."""
        if self.group == CONTACT and self.label != CONTACT:
            return f"{CONTACT}, {self.label[:1].lower()}{self.label[1:]}"
        return self.label

    def as_dict(self) -> dict[str, Any]:
        filled = {"more": self.more, "group": self.group, "name": self.name}
        return {"label": self.label, "words": self.words, "sent_as": list(self.sent_as)} | {
            key: value for key, value in filled.items() if value
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Detail:
        return cls(**{**stored, "sent_as": tuple(stored.get("sent_as", ()))})


def details(adapter: Api, order: OrderLike, *, labels: Mapping[str, str]) -> tuple[Detail, ...]:
    """The whole order in words. `labels` has the label of each item on the account's price list."""
    return (
        *_contents(adapter, order),
        *_forwarding(adapter, order),
        *terms(adapter, order, labels),
    )


def terms(adapter: Api, order: OrderLike, labels: Mapping[str, str]) -> tuple[Detail, ...]:
    """The options, the contact and the account's settings, without a look at the contents."""
    small = SmallOrder.of(order)
    found = [
        *_options(adapter, small, labels),
        *_contact(adapter, small),
        *_settings(adapter, small),
    ]
    return (*found, *_others(adapter, small, found))


# Options


def _options(adapter: Api, small: SmallOrder, labels: Mapping[str, str]) -> Iterator[Detail]:
    form = adapter.products[small.product].OptionsForm()
    if isinstance(form, OptionsForm):
        form.offer({item: label or item for item, label in labels.items()})
    for name in dict.fromkeys([*form.fields, *small.options]):
        if name in adapter.secret_options:
            yield from _secret(adapter, small, name, form.fields.get(name))
        else:
            yield from _option(adapter, small, name, form)


def _secret(
    adapter: Api, small: SmallOrder, name: str, field: forms.Field | None
) -> Iterator[Detail]:
    found = places(adapter, adapter.order_request(small))
    sent = [
        place for place, value in found.items() if isinstance(value, Secret) and value.name == name
    ]
    is_given = name in small.secret_names
    if sent or is_given:
        yield Detail(
            label=_label(name, field),
            words="Given" if is_given else "Not given",
            more="" if sent else NOT_SENT,
            name=name,
            sent_as=tuple(sent),
        )


def _option(adapter: Api, small: SmallOrder, name: str, form: forms.Form) -> Iterator[Detail]:
    field, value = form.fields.get(name), small.options.get(name)
    if isinstance(field, forms.BooleanField):
        value = bool(value)
    is_used, sent_as = differ(adapter, small, small.option(name, another(field, value)))
    is_empty = value in EMPTY and not isinstance(value, bool)
    label, more = _label(name, field), _meaning(form, name, value)
    if not is_used and (is_empty or value is False) and not (field and field.required):
        return
    if is_empty:
        words = getattr(form, "empty_words", {}).get(name, "None")
        yield Detail(
            label=label,
            words="Not chosen yet" if field and field.required else words,
            more=more,
            name=name,
        )
        return
    if not is_used:
        more = more or NOT_SENT
    yield Detail(label=label, words=_words(field, value), more=more, name=name, sent_as=sent_as)


def _label(name: str, field: forms.Field | None) -> str:
    # An option that the form does not know keeps its raw name, so that it is not overlooked.
    return str(field.label or name.replace("_", " ").capitalize()) if field else name


def _meaning(form: forms.Form, name: str, value: Any) -> str:
    known = getattr(form, "meanings", {}).get(name, {})
    return str(known.get(value, known.get("*", "")))


def _words(field: forms.Field | None, value: Any) -> str:
    labels = {str(key): str(label) for key, label in choices(field)}
    if str(value) in labels:
        return labels[str(value)]
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value)


# Contact and account


def _contact(adapter: Api, small: SmallOrder) -> Iterator[Detail]:
    if not adapter.products[small.product].needs_contact:
        yield Detail(label=CONTACT, words="Not asked by this vendor", group=CONTACT)
        return
    if small.contact is None:
        yield Detail(label=CONTACT, words="Not chosen yet", group=CONTACT)
        return
    typed = {name: getattr(small.contact, name) or "" for name in CONTACT_WORDS}
    for name, label in CONTACT_WORDS.items():
        other = SimpleNamespace(**{**typed, name: f"{typed[name]}x"})
        is_used, sent_as = differ(adapter, small, replace(small, contact=other))
        if is_used and typed[name]:
            yield Detail(
                label=label, words=str(typed[name]), group=CONTACT, name=name, sent_as=sent_as
            )


def _settings(adapter: Api, small: SmallOrder) -> Iterator[Detail]:
    known = adapter.AccountForm().fields
    for name in dict.fromkeys([*known, *small.settings]):
        field, value = known.get(name), small.settings.get(name)
        is_used, sent_as = differ(adapter, small, small.setting(name, another(field, value)))
        if is_used:
            yield Detail(
                label=_label(name, field),
                words="Not given" if value in EMPTY else _words(field, value),
                more="As the vendor account has it",
                group=ACCOUNT,
                name=name,
                sent_as=sent_as,
            )


def _others(adapter: Api, small: SmallOrder, found: list[Detail]) -> Iterator[Detail]:
    """All that the request holds and no detail explains, such as what is the same on each order."""
    explained = {place for detail in found for place in detail.sent_as} | {"path"}
    explained |= set(_order_forwarding(adapter, small))
    for place, value in places(adapter, adapter.order_request(small)).items():
        is_key = isinstance(value, Secret) and value.name in adapter.secrets
        if place in explained or value in EMPTY or is_key:
            continue
        _, under, name = f".{place}".rsplit(".", 2)
        words = adapter.words.get(f"{under}.{name}", adapter.words.get(name, name))
        known = adapter.fixed_words.get(name, {})
        yield Detail(
            label=words[:1].upper() + words[1:],
            words=known.get(value) or _words(None, value),
            more="The same on each order",
            sent_as=(place,),
        )


# Contents


def _contents(adapter: Api, order: OrderLike) -> Iterator[Detail]:
    product, lines = adapter.products[order.product], order.contents
    counts = [len(line.mailboxes) for line in lines]
    yield Detail(label="Kind", words=product.label, group=CONTENTS)
    held = "" if product.buys_domains else "Held at the vendor already"
    yield Detail(label="Domains", words=f"{len(lines):,}", more=held, group=CONTENTS)
    yield Detail(label="Mailboxes", words=_mailboxes(counts), group=CONTENTS)
    if product.has_years and lines:
        years = Counter(max(line.years, 1) for line in lines)
        each = [f"{plural(count, 'year')}" for count in years]
        if len(years) > 1:
            each = [
                f"{plural(count, 'year')} for {plural(some, 'domain')}"
                for count, some in sorted(years.items())
            ]
        yield Detail(label="Domains paid for", words=", ".join(each), group=CONTENTS)
    if product.has_pictures:
        yield from _pictures(adapter, order)


def _mailboxes(counts: list[int]) -> str:
    with_some = [count for count in counts if count]
    if not with_some:
        return "Made by the vendor, from one name a domain" if counts else "None"
    total = f"{sum(counts):,}"
    if len(counts) == 1:
        return total
    if len(set(counts)) == 1:
        return f"{total}, {counts[0]} on each domain"
    few, most, bare = min(with_some), max(with_some), len(counts) - len(with_some)
    spread = f"{few} to {most} on a domain"
    if few == most:
        spread = f"{few} each on {plural(len(with_some), 'domain')}"
    return f"{total}, {spread}{f', none on {bare:,}' if bare else ''}"


def _pictures(adapter: Api, order: OrderLike) -> Iterator[Detail]:
    # One for each mailbox, or for a domain whose mailboxes the vendor makes from one name.
    kept = [bool(box.picture) for line in order.contents for box in line.mailboxes]
    named = (line for line in order.contents if line.first_name or line.last_name)
    kept += [bool(line.picture) for line in named if not line.mailboxes]
    if not kept:
        return
    small = SmallOrder.of(order)
    [line] = small.contents
    [box] = line.mailboxes
    shown = replace(line, mailboxes=(replace(box, picture="https://example.com/x.png"),))
    is_used, _ = differ(adapter, small, replace(small, contents=(shown,)))
    given = sum(kept)
    some = "All given" if given == len(kept) else f"{given:,} of {len(kept):,} given"
    more = NOT_SENT if given and not is_used else ""
    words = some if given else "None"
    yield Detail(label="Pictures", words=words, more=more, group=CONTENTS)


# Forwarding


def _order_forwarding(adapter: Api, small: SmallOrder) -> tuple[str, ...]:
    """The places of the one destination that all domains of an order share at some vendors."""
    return differ(adapter, small, replace(small, forward_to=f"{small.forward_to}x"))[1]


def _forwarding(adapter: Api, order: OrderLike) -> Iterator[Detail]:
    product = adapter.products[order.product]
    if not product.forwards or not order.contents:
        return
    small = SmallOrder.of(order)
    if sent_as := _order_forwarding(adapter, small):
        others = sum(line.forward_to not in ("", order.forward_to) for line in order.contents)
        lines = plural(others, "line says", "lines say")
        more = f"{lines} another destination, which is not sent." if others else ""
        words = order.forward_to or "Not given yet"
        yield Detail(label=FORWARDS, words=words, more=more or _all(order), sent_as=sent_as)
        return
    by_place: dict[str, list[str]] = {}
    for line in order.contents:
        by_place.setdefault(line.forward_to, []).append(line.name)
    if len(by_place) == 1:
        [place] = by_place
        yield Detail(label=FORWARDS, words=place or "Nowhere", more=_all(order), group=CONTENTS)
        return
    named = list(by_place.items())[:MOST_DESTINATIONS]
    left = len(by_place) - len(named)
    each = [f"{place or 'Nowhere'} ({_named(names)})" for place, names in named]
    more = f"And {plural(left, 'destination')} more, each beside its domain." if left else ""
    yield Detail(label=FORWARDS, words="; ".join(each), more=more, group=CONTENTS)


def _all(order: OrderLike) -> str:
    return f"All {len(order.contents):,} domains" if len(order.contents) > 1 else ""


def _named(names: list[str]) -> str:
    if len(names) <= NAMED:
        return ", ".join(names)
    return plural(len(names), "domain")
