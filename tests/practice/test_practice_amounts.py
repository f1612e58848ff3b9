"""The sums in the practice vendors' ledger: what an order costs there, and what comes back."""

from __future__ import annotations

import copy
import sqlite3
from decimal import Decimal

import pytest
import requests

from vendors.practice.ledger import CREDIT, TABLES, Ledger


def amounts(ledger: Ledger) -> list[tuple[str, str]]:
    return [(row.amount, row.currency) for row in ledger.charges()]


@pytest.mark.parametrize(
    ("kind", "costs"),
    [
        ("cmr domains", ("16.00", "USD")),
        ("cmr mailboxes", ("3.00", "USD")),
        ("scaledmail", ("7.00", "USD")),
        ("woodpecker", ("6.00", "EUR")),
        ("smartsenders", ("17.50", "USD")),
        ("smartsenders by address", ("17.50", "USD")),
    ],
)
def test_a_charge_says_its_sum(vendors, kind, costs):
    vendors.order(kind)
    assert amounts(vendors.ledger) == [costs]


def three_domains(new_body, **changed):
    body = new_body("cmr domains", "acme.com")
    body["domains"] = [
        {"domain": "acme.com", "years": 2},
        {"domain": "acme.net", "years": 1},
        {"domain": "partial-acme.org", "years": 1},
    ]
    boxes = body["mailboxes"]["acme.com"]
    body["mailboxes"] = {item["domain"]: copy.deepcopy(boxes) for item in body["domains"]}
    return body | changed


def test_coldmailreseller_charges_years_and_endings_and_nothing_for_what_it_leaves_out(
    vendors, new_body
):
    vendors.order("cmr domains", body=three_domains(new_body))
    assert amounts(vendors.ledger) == [("46.00", "USD")]  # 2 × 13 + 14, and two mailboxes


def test_an_order_that_is_only_created_says_what_it_will_cost(vendors, new_body):
    vendors.order("cmr domains", body=three_domains(new_body, confirm=False))
    (created,) = vendors.ledger.created()
    assert (created.amount, created.currency) == ("46.00", "USD")
    assert vendors.ledger.charges() == []


def test_an_order_of_which_everything_is_left_out_costs_nothing(vendors):
    vendors.order("cmr domains", "partial-acme.com")
    (created,) = vendors.ledger.created()
    assert created.amount == "0.00"


def test_packages_are_charged_by_their_number(vendors, new_body):
    body = new_body("scaledmail", "acme.com")
    body["domains"].append(body["domains"][0] | {"domain": "beta.com"})
    vendors.order("scaledmail", body=body | {"quantity": 2})
    assert amounts(vendors.ledger) == [("14.00", "USD")]


def test_money_comes_back_for_a_charge_and_never_more_than_it_was(vendors):
    vendors.order("woodpecker")
    ledger = vendors.ledger
    (charge,) = ledger.charges()
    ledger.record_refund(charge, amount=Decimal("2.50"), kind=CREDIT)
    for wrong in ("3.51", "0", "-1"):
        with pytest.raises(ValueError, match=r"Of that charge 3\.50 EUR can come back"):
            ledger.record_refund(charge, amount=Decimal(wrong))
    ledger.record_refund(charge, amount=Decimal("3.50"))
    found = [(row.charge, row.amount, row.currency, row.kind) for row in ledger.refunds()]
    assert found == [(charge.id, "3.50", "EUR", "money"), (charge.id, "2.50", "EUR", "credit")]
    shown = requests.get(
        f"{vendors.server.url}/ledger.json", params={"domain": "acme.com"}, timeout=30
    )
    assert [row["amount"] for row in shown.json()["refunds"]] == ["3.50", "2.50"]
    assert ledger.refunds(domain="beta.com") == []


def test_nothing_comes_back_for_what_was_only_created(vendors, new_body):
    vendors.order("cmr domains", body=new_body("cmr domains", "acme.com") | {"confirm": False})
    (created,) = vendors.ledger.created()
    with pytest.raises(ValueError, match="Nothing was charged"):
        vendors.ledger.record_refund(created, amount=Decimal(1))


def test_a_ledger_of_an_earlier_release_is_read_on(tmp_path):
    path = tmp_path / "old.sqlite3"
    db = sqlite3.connect(path)
    with db:
        later = ",\n    amount TEXT NOT NULL DEFAULT '', currency TEXT NOT NULL DEFAULT ''"
        assert later in TABLES
        db.executescript(TABLES.replace(later, ""))
        db.execute(
            "INSERT INTO charges VALUES (1, '2026-01-01', 'woodpecker', 'a', 'mailboxes', '', '[]',"
            " '[]', '{}', '', 'charged', '')"
        )
    db.close()
    ledger = Ledger(path)
    (old,) = ledger.charges()
    assert (old.amount, old.currency) == ("", ""), "a sum that nobody knows is not nothing"
    with pytest.raises(ValueError, match="Nothing was charged"):
        ledger.record_refund(old, amount=Decimal(1))
    ledger.close()
