"""A vendor's number of a domain, filled into the draft that adds mailboxes to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html

from mailops.core.times import moment
from orders.drafting.intake import read
from orders.models import Domain, Order
from orders.models.inventory import LIVE
from vendors.apis.values import Product
from vendors.models import Vendor

PREFIX = "option"  # of the options' fields in the form


@dataclass(frozen=True, kw_only=True)
class Known:
    """The option that a number fills, and where the number comes from, as a sentence."""

    option: str
    value: str
    source: str


def known(vendor: Vendor, form: type[forms.Form], names: Collection[str]) -> Known | None:
    """The number to order with, where all lines are of one domain of the account."""
    adapter, name = vendor.adapter, next(iter(names), "")
    options = {i: o for i, o in adapter.id_options.items() if o in form.base_fields}
    if not options or {*names} != {name}:
        return None
    domain = Domain.objects.filter(vendor=vendor, name=name, state__in=LIVE).first()
    if domain is None:
        return None
    for number, option in options.items():
        value = domain.vendor_ids.get(number, "")
        # Nothing can join a subscription that ended.
        if value and not (domain.against and number in adapter.ids_that_end):
            at = domain.mailboxes_told_at or domain.looked_at
            read = f", read {moment(at)}" if at else ""
            label = adapter.id_labels[number]
            return Known(
                option=option,
                value=value,
                source=f"Filled in: the {label} of {name} at {vendor.name}{read}.",
            )
    return None


def fill(post: QueryDict, vendor: Vendor, product: Product) -> None:
    """Fill the number in where a page with a draft was posted and no person typed one."""
    # Never unseen: not where entries are only kept, nor where the draft is sent at once.
    if not vendor.adapter.id_options or {"keep", "send"} & post.keys():
        return
    if not _has_any(vendor, {o: post.get(f"{PREFIX}-{o}") for o in _options(vendor)}):
        names = {row.domain for row in read(post.get("rows", ""), product).rows}
        if found := known(vendor, product.OptionsForm, names):
            post[f"{PREFIX}-{found.option}"] = found.value


def options_of(order: Order) -> dict[str, Any]:
    """The draft's options, with the number filled in where it has none."""
    options: dict[str, Any] = order.options
    if not _options(order.vendor) or _has_any(order.vendor, options):
        return options
    names = {line.name for line in order.contents}
    found = known(order.vendor, order.product_spec.OptionsForm, names)
    return options | {found.option: found.value} if found else options


def name_source(options: forms.Form, vendor: Vendor, names: Collection[str]) -> None:
    """Say beside the field where its number comes from, unless a person typed another."""
    found = known(vendor, type(options), names)
    if found and str(options[found.option].value() or "").strip() == found.value:
        field = options[found.option]
        field.help_text = format_html("{} {}", found.source, field.help_text)


def _options(vendor: Vendor) -> list[str]:
    return list(vendor.adapter.id_options.values())


def _has_any(vendor: Vendor, options: Mapping[str, Any]) -> bool:
    return any(str(options.get(option) or "").strip() for option in _options(vendor))
