"""What is read from the vendors' own price lists, and what is left out."""

from __future__ import annotations

from decimal import Decimal

from tests.vendors.orders import Answers
from vendors.apis import REGISTRY
from vendors.cost import MONTH, UNSTATED, FetchedPrice

SCALEDMAIL = "/api/v1"
SMARTSENDERS = "/api/v1/smart-senders"


def test_scaledmail_packages_become_prices() -> None:
    rows = [
        {
            "id": "price_1",
            "name": "SM Google 70%",
            "price": 199,
            "domains": 12,
            "frequency": "/monthly",
        },
        {"id": "price_2", "name": "", "price": "9.90", "domains": "many", "frequency": "/yearly"},
        {"id": "price_1", "name": "Again", "price": 1},
        {"id": "price_3", "price": "cheap"},
        {"id": "price_4", "price": None},
        {"id": "price_5", "price": True},
        {"id": "price_6", "price": -5},
        {"id": "price_7", "price": "NaN"},
        {"id": "price_8", "price": "Infinity"},
        {"price": 5},
        "nonsense",
    ]
    found = REGISTRY["scaledmail"].prices(
        {}, Answers({f"{SCALEDMAIL}/packages": {"packages": rows}})
    )
    assert found == [
        FetchedPrice(
            item="package.price_1",
            label="SM Google 70%, 12 domains",
            unit=MONTH,
            amount=Decimal("199"),
            currency="USD",
            domains=12,
        ),
        FetchedPrice(
            item="package.price_2",
            label="price_2",
            unit=UNSTATED,
            amount=Decimal("9.90"),
            currency="USD",
        ),
    ]


def test_woodpecker_prices_keep_each_providers_currency() -> None:
    rows = [
        {"name": "MAILDOSO", "currency": "EUR", "email_account_price": 4.00},
        {"name": "MAILFORGE", "currency": "USD", "email_account_price": 4.1},
        {"name": "GOOGLE", "currency": "euro", "email_account_price": 6.00},
        {"name": "MICROSOFT", "currency": "EUR"},
        {"currency": "EUR", "email_account_price": 6.00},
        None,
    ]
    found = REGISTRY["woodpecker"].prices(
        {}, Answers({"/rest/v2/domains/providers": {"providers": rows}})
    )
    assert [(price.item, price.unit, str(price.amount), price.currency) for price in found] == [
        ("mailbox.MAILDOSO", "month", "4.0", "EUR"),
        ("mailbox.MAILFORGE", "month", "4.1", "USD"),
    ]


def test_smartsenders_suppliers_become_prices() -> None:
    money = {"domain_price": "13.00", "mailbox_price": "4.50", "currency": "USD"}
    rows = [
        {"id": 9, "vendor_name": "inboxkitGoogle", "pricing": money},
        {"id": "4", "vendor_name": "", "pricing": {**money, "mailbox_price": "free"}},
        {"id": 5, "vendor_name": "x", "pricing": {**money, "currency": None}},
        {"id": 6, "vendor_name": "x", "pricing": None},
        {"id": "six", "vendor_name": "x", "pricing": money},
        [],
    ]
    found = REGISTRY["smartsenders"].prices(
        {}, Answers({f"{SMARTSENDERS}/get-vendors": {"success": True, "data": rows}})
    )
    assert [(price.item, price.label, price.unit, str(price.amount)) for price in found] == [
        ("domain.9", "inboxkitGoogle domain", "unstated", "13.00"),
        ("mailbox.9", "inboxkitGoogle mailbox", "unstated", "4.50"),
        ("domain.4", "4 domain", "unstated", "13.00"),
    ]
