"""The links of the sidebar, and which of them a person may open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.urls import reverse

# section: (label, model, page); a label is also the heading of the page that it opens
SECTIONS: dict[str, list[tuple[str, str, str]]] = {
    "Work": [("Orders", "orders.order", "changelist"), ("New order", "orders.order", "add")],
    "Inventory": [
        ("Domains", "orders.domain", "changelist"),
        ("Mailboxes", "orders.mailbox", "changelist"),
        ("Clients", "orders.client", "changelist"),
        ("Never-buy list", "orders.neverbuy", "changelist"),
    ],
    "Vendors": [
        ("Vendor accounts", "vendors.vendor", "changelist"),
        ("Price list", "vendors.price", "changelist"),
        ("Price changes", "vendors.priceversion", "changelist"),
        ("Exchange rates", "vendors.rate", "changelist"),
        ("Contacts", "vendors.contact", "changelist"),
    ],
    "Records": [
        ("History", "history.event", "changelist"),
        ("Evidence", "orders.order", "evidence"),
        ("Control report", "orders.order", "control"),
        ("Month-end match", "orders.match", "changelist"),
    ],
    "People": [
        ("Users", "auth.user", "changelist"),
        ("Roles", "auth.group", "changelist"),
        ("Proposals", "proposals.proposal", "changelist"),
        ("Delegations", "orders.delegation", "changelist"),
        ("Confirmation rules", "orders.confirmationrule", "changelist"),
        ("Second factors", "doors.authenticator", "changelist"),
        ("Failed sign-ins", "axes.accessattempt", "changelist"),
        ("Shared addresses", "notices.sharedaddress", "changelist"),
    ],
}
# permission to open a page that is not one of Django's own
NEEDS = {"evidence": "history.export_event", "control": "history.export_event"}


@dataclass(frozen=True)
class Link:
    """A link of the sidebar. `count`: how many things behind it wait for this person."""

    label: str
    url: str
    count: int = 0
    current: bool = False


@dataclass(frozen=True)
class Section:
    """A group of links under a title, never empty."""

    title: str
    links: list[Link]


def sections(
    request: HttpRequest, registry: Mapping[str, ModelAdmin[Any]], *, waiting: int
) -> list[Section]:
    """The sidebar for this person and page. `registry` maps labels of models to their admins."""
    today = Link("Today", reverse("admin:index"), count=waiting)
    found = [
        Section(title, ([today] if title == "Work" else []) + _links(request, registry, rows))
        for title, rows in SECTIONS.items()
    ]
    here = _here(request.path, [link.url for section in found for link in section.links])
    return [
        Section(section.title, [replace(link, current=link.url == here) for link in section.links])
        for section in found
        if section.links
    ]


def current(found: list[Section]) -> Link | None:
    return next((link for section in found for link in section.links if link.current), None)


def find(found: list[Section], label: str) -> Link | None:
    return next((link for section in found for link in section.links if link.label == label), None)


def _links(
    request: HttpRequest, registry: Mapping[str, ModelAdmin[Any]], rows: list[tuple[str, str, str]]
) -> list[Link]:
    return [
        Link(label, reverse(f"admin:{model.replace('.', '_')}_{page}"))
        for label, model, page in rows
        if (admin := registry.get(model)) and _may_open(request, admin, page)
    ]


def _may_open(request: HttpRequest, admin: ModelAdmin[Any], page: str) -> bool:
    # the same permissions that the page itself asks for: no link leads to a refusal
    if page in NEEDS:
        return request.user.has_perm(NEEDS[page])
    return (
        admin.has_add_permission(request)
        if page == "add"
        else admin.has_view_or_change_permission(request)
    )


def _here(path: str, urls: list[str]) -> str:
    """The longest of the addresses that the path begins with."""
    # every path begins with the address of Today, so that one has to be equal
    today, *others = urls
    return max(
        (url for url in others if path.startswith(url)),
        key=len,
        default=today if path == today else "",
    )
