"""Drafts with given names, and what the checks find wrong with them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from orders.models import Client, Order
from orders.validation import order_checks
from tests.conftest import OrderFactory, fresh
from vendors.verdicts import Problem

BOUGHT = ("coldmailreseller", "domains")


def said(order: Order, level: str = "warn") -> list[Problem]:
    return [problem for problem in order_checks.contents(fresh(order)) if problem.level == level]


def messages(order: Order, level: str = "warn") -> list[str]:
    return [problem.message for problem in said(order, level)]


def lines(*names: str) -> str:
    return "\n".join(f"{name}, Dana Reyes, dana" for name in names)


def draft(factory: OrderFactory, *names: str) -> Order:
    return factory.draft(*BOUGHT, rows=lines(*names))


def owned(factory: OrderFactory, *names: str, client: str = "Northwind") -> Order:
    order = draft(factory, *names)
    order.domains.update(state="ready", client=Client.objects.get(name=client))
    order.mailboxes.update(state="ready")
    Order.objects.filter(pk=order.pk).update(
        state="delivered", digest="d", created_at=timezone.now() - timedelta(days=90)
    )
    return order
