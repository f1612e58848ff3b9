"""A small copy of an order, whose request shows what depends on which option.

The adapter is asked for the request of the copy once as it is, and once with one other value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django import forms

from vendors.apis.base import Api
from vendors.apis.values import ContactLike, DomainLine, MailboxLine, OrderLike
from vendors.http import Request

EMPTY: tuple[Any, ...] = (None, "", {}, [])


@dataclass(frozen=True, kw_only=True)
class SmallOrder:
    """The order with one made-up domain and mailbox in place of its contents."""

    product: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    secret_names: frozenset[str]
    contact: ContactLike | None
    forward_to: str
    contents: tuple[DomainLine, ...] = field(
        default_factory=lambda: (
            DomainLine(
                name="example.com",
                mailboxes=(MailboxLine(username="a", domain="example.com"),),
            ),
        )
    )
    references: tuple[str, ...] = ()

    @classmethod
    def of(cls, order: OrderLike) -> SmallOrder:
        copied = ("product", "settings", "options", "secret_names", "contact", "forward_to")
        return cls(**{name: getattr(order, name) for name in copied})

    def option(self, name: str, value: Any) -> SmallOrder:
        return replace(self, options={**self.options, name: value})

    def setting(self, name: str, value: Any) -> SmallOrder:
        return replace(self, settings={**self.settings, name: value})


def places(adapter: Api, request: Request) -> dict[str, Any]:
    """Each value of the request by its place, such as "query.coupon"; rows are left out."""
    found: dict[str, Any] = {"path": request.path}
    found |= {f"query.{name}": value for name, value in request.query}

    def walk(value: Any, place: str) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in adapter.row_words:
                    walk(inner, f"{place}.{name}")
        else:
            found[place] = value

    walk(request.body, "body")
    return found


def differ(adapter: Api, order: SmallOrder, other: SmallOrder) -> tuple[bool, tuple[str, ...]]:
    """True where the two requests differ, and the places that both have with another value."""
    one, two = (adapter.order_request(each) for each in (order, other))
    was, now = places(adapter, one), places(adapter, two)
    changed = tuple(name for name, value in was.items() if name in now and now[name] != value)
    return one.as_dict() != two.as_dict(), changed


def another(field: forms.Field | None, value: Any) -> Any:
    """A value other than this one."""
    if isinstance(field, forms.BooleanField) or isinstance(value, bool):
        return not value
    if isinstance(value, int) or isinstance(field, forms.IntegerField):
        return (value or 0) + 1
    keys = [key for key, _ in choices(field) if key not in ("", value)]
    return keys[0] if keys else f"{value or ''}x"


def choices(field: forms.Field | None) -> list[tuple[Any, Any]]:
    offered = getattr(field, "choices", ())
    return [(key, label) for key, label in offered if not isinstance(label, list)]
