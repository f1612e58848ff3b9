"""The practice dashboard: what a person does there, what the reads say afterwards, and the books."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.practice.conftest import Client

SUBSCRIPTIONS = "coldmailreseller/api/v1/integration/subscriptions"
RENEWAL = "coldmailreseller/api/v1/integration/domains/renewal-price"
HERE = {"organization_id": "recOrg"}


def act(vendors: Client, **asked: Any) -> requests.Response:
    return requests.post(f"{vendors.server.url}/acts", json=asked, timeout=30)


def done(vendors: Client, **asked: Any) -> str:
    answer = act(vendors, **asked)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["done"])


def subscriptions(vendors: Client, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = vendors.read("cmr", SUBSCRIPTIONS, **query).json()["data"][
        "subscriptions"
    ]
    return found


def renewal_prices(vendors: Client, *names: str, user: str = "user-1") -> list[dict[str, Any]]:
    body = {"userId": user, "domains": list(names)}
    answer = vendors.order("cmr domains", path=f"/{RENEWAL}", query={}, body=body)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def created(vendors: Client, new_body: Any, domain: str = "acme.com") -> None:
    body = {**new_body("cmr domains", domain), "confirm": False}
    assert vendors.order("cmr domains", body=body).ok


def make_older(vendors: Client, **by: float) -> None:
    """Move every order in the books back in time, as a test has none."""
    at = (datetime.now(UTC) - timedelta(**by)).isoformat()
    with sqlite3.connect(vendors.ledger.path) as db:
        db.execute("UPDATE charges SET at = ?", (at,))
    db.close()


def test_a_created_order_is_charged_once_it_is_processed(vendors, new_body):
    created(vendors, new_body)
    assert (vendors.ledger.charges(), subscriptions(vendors)) == ([], [])
    assert "16.00 USD charged" in done(vendors, act="process", domain="acme.com")
    (charge,) = vendors.ledger.charges()
    assert (charge.amount, vendors.ledger.created()) == ("16.00", [])
    (row,) = subscriptions(vendors)
    assert row["totalMailboxQuantity"] == 1
    (written,) = vendors.ledger.acts()
    assert (written.act, written.charge, written.domains) == ("process", charge.id, ["acme.com"])
    assert written.details == {"amount": "16.00", "currency": "USD"}
    again = act(vendors, act="process", domain="acme.com")
    assert (again.status_code, again.json()["error"]) == (400, "That order was processed already.")
    assert (len(vendors.ledger.charges()), len(vendors.ledger.acts())) == (1, 1)


def test_processing_is_no_paid_request(vendors, new_body):
    created(vendors, new_body)
    done(vendors, act="process", domain="acme.com")
    assert len(vendors.ledger.requests()) == 1


def test_a_subscription_begins_when_its_order_is_processed(vendors, new_body):
    created(vendors, new_body)
    make_older(vendors, days=9)
    done(vendors, act="process", domain="acme.com")
    start = datetime.fromisoformat(subscriptions(vendors)[0]["periodStart"])
    assert datetime.now(UTC) - start < timedelta(minutes=5)


@pytest.mark.parametrize("domain", ["acme.com", "never-delivered.com", "few-mailboxes.com"])
def test_deliver_now_delivers_whole_whatever_the_name_says(run, domain):
    slow = run(delivery=3600)
    slow.order("cmr domains", domain)
    assert subscriptions(slow) == []
    done(slow, act="deliver", domain=domain)
    assert subscriptions(slow)[0]["totalMailboxQuantity"] == 1


def test_one_domain_is_delivered_without_the_other(run, new_body):
    slow, body = run(delivery=3600), new_body("woodpecker", "acme.com")
    body["mailboxes"].append({**body["mailboxes"][0], "email": "ann@beta.com"})
    slow.order("woodpecker", body=body)
    done(slow, act="deliver", domain="acme.com")
    state = {
        name: slow.read("woodpecker", f"woodpecker/rest/v2/domains/{name}/mailboxes").json()[
            "mailboxes"
        ][0]["status"]
        for name in ("acme.com", "beta.com")
    }
    assert state == {"acme.com": "PAID", "beta.com": "ORDERED"}


def test_a_cancelled_subscription_says_so_and_stays_listed(vendors):
    vendors.order("cmr domains")
    done(vendors, act="cancel", domain="acme.com")
    assert subscriptions(vendors)[0]["subscriptionStatus"] == "CANCELLED"
    assert renewal_prices(vendors, "acme.com") == []


def test_a_cancelled_scaledmail_order_says_so_and_keeps_its_domains(vendors):
    vendors.order("scaledmail")
    number = vendors.ledger.charges()[0].reference
    done(vendors, act="cancel", order=number)
    listed = vendors.read("scaledmail", "scaledmail/api/v1/orders", **HERE).json()
    assert [row["status"] for row in listed["payments"]] == ["Cancelled"]
    one = vendors.read("scaledmail", f"scaledmail/api/v1/orders/{number}", **HERE).json()
    assert one["status"] == "Cancelled"
    assert vendors.read("scaledmail", "scaledmail/api/v1/domains", **HERE).json()["total"] == 1


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("woodpecker", "woodpecker/rest/v2/domains"),
        ("smartsenders", "smartsenders/api/v1/smart-senders/get-domain-list"),
    ],
)
def test_a_cancelled_domain_leaves_the_other_lists(vendors, kind, path):
    vendors.order(kind)
    assert "acme.com" in vendors.read(kind, path).text
    done(vendors, act="cancel", domain="acme.com")
    assert "acme.com" not in vendors.read(kind, path).text


def test_money_comes_back_as_credit_and_never_more_than_was_paid(vendors):
    vendors.order("woodpecker")
    done(vendors, act="refund", domain="acme.com", amount="2.50", kind="credit")
    (refund,) = vendors.ledger.refunds()
    assert (refund.amount, refund.currency, refund.kind) == ("2.50", "EUR", "credit")
    over = act(vendors, act="refund", domain="acme.com", amount="3.51")
    assert (over.status_code, "3.50 EUR can come back" in over.json()["error"]) == (400, True)
    assert len(vendors.ledger.acts()) == 1


@pytest.mark.parametrize("mode", ["fail", "rubbish"])
def test_reads_of_one_vendor_go_wrong_until_they_are_well_again(vendors, mode):
    done(vendors, act="reads", vendor="woodpecker", mode=mode)
    broken = vendors.read("woodpecker", "woodpecker/rest/v2/domains")
    assert (broken.status_code == 500) if mode == "fail" else broken.text.startswith("<!doctype")
    assert vendors.order("woodpecker").status_code == 202, "orders are taken all the same"
    assert vendors.read("scaledmail", "scaledmail/api/v1/packages").ok
    done(vendors, act="reads", vendor="woodpecker", mode="ok")
    assert vendors.read("woodpecker", "woodpecker/rest/v2/domains").json()["domains"]


def test_reads_that_hang_are_never_answered(run):
    vendors = run(silence=0.3)
    done(vendors, act="reads", vendor="woodpecker", mode="hang")
    with pytest.raises(requests.ConnectionError):
        vendors.read("woodpecker", "woodpecker/rest/v2/domains")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "There are the acts"),
        ({"act": "burn"}, "There are the acts"),
        ({"act": "process"}, "no such order"),
        ({"act": "process", "domain": "other.com"}, "no such order"),
        ({"act": "deliver", "domain": "acme.com"}, "Process it first"),
        ({"act": "cancel", "domain": "acme.com"}, "Process it first"),
        ({"act": "refund", "domain": "acme.com", "amount": "1"}, "Nothing was charged"),
        ({"act": "refund", "domain": "acme.com", "amount": "some"}, "Say how much"),
        ({"act": "reads", "vendor": "nobody", "mode": "ok"}, "Reads are of"),
        ({"act": "reads", "vendor": "scaledmail", "mode": "slow"}, "Reads are of"),
    ],
)
def test_an_act_that_makes_no_sense_changes_nothing(vendors, new_body, asked, words):
    created(vendors, new_body)
    answer = act(vendors, **asked)
    assert (answer.status_code, words in answer.json()["error"]) == (400, True), answer.text
    assert (vendors.ledger.acts(), vendors.ledger.charges()) == ([], [])


def test_a_domain_of_two_orders_is_not_guessed(vendors):
    for _ in range(2):
        vendors.order("woodpecker")
    assert "Several orders" in act(vendors, act="deliver", domain="acme.com").json()["error"]
    first = vendors.ledger.charges()[-1]
    assert done(vendors, act="deliver", domain="acme.com", order=first.id)


def test_the_page_shows_orders_and_its_buttons_work(vendors, new_body):
    created(vendors, new_body)
    url = vendors.server.url
    page = requests.get(f"{url}/dashboard", timeout=30)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert all(word in page.text for word in ("acme.com", "created, not charged", ">Process<"))
    number = vendors.ledger.created()[0].id
    form = {"act": "process", "order": str(number)}
    after = requests.post(f"{url}/acts", data=form, headers={"Origin": url}, timeout=30)
    assert after.status_code == 200
    assert "16.00 USD charged" in after.text
    assert ">Process<" not in after.text
    assert len(vendors.ledger.charges()) == 1
    again = requests.post(f"{url}/acts", data=form, timeout=30)
    assert (again.status_code, "processed already" in again.text) == (400, True)
    done(vendors, act="cancel", order=number)
    shown = requests.get(f"{url}/dashboard", timeout=30).text
    assert '<span class="mark">Cancelled</span>' in shown


def test_names_and_numbers_are_shown_as_text(vendors):
    vendors.ledger.record_charge(
        vendor="woodpecker", account="a", request="mailboxes", reference="<b>1</b>",
        domains=["<script>x</script>"], mailboxes=[], details={}, body_sha256="", status="charged",
        fault="", amount=Decimal(1), currency="EUR",
    )  # fmt: skip
    shown = requests.get(f"{vendors.server.url}/dashboard", timeout=30).text
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>1</b>" not in shown


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}]
)
@pytest.mark.parametrize("path", ["dashboard", "acts"])
def test_nobody_but_this_machine_uses_the_dashboard(vendors, new_body, headers, path):
    created(vendors, new_body)
    send = requests.get if path == "dashboard" else requests.post
    asked = {} if path == "dashboard" else {"json": {"act": "process", "domain": "acme.com"}}
    answer = send(f"{vendors.server.url}/{path}", headers=headers, timeout=30, **asked)
    assert (answer.status_code, vendors.ledger.charges()) == (403, [])


def test_a_body_that_is_no_object_is_refused(vendors):
    for body in (b"", b"[]", b"{"):
        answer = requests.post(f"{vendors.server.url}/acts", data=body, timeout=30)
        assert (answer.status_code, answer.json()) == (
            400,
            {"error": "The body must be a JSON object."},
        )


# Practice values of lists


def test_late_takes_three_times_as_long(run):
    vendors = run(delivery=100)
    vendors.order("cmr domains", "late.com")
    make_older(vendors, seconds=200)
    assert subscriptions(vendors) == []
    make_older(vendors, seconds=301)
    assert len(subscriptions(vendors)) == 1


@pytest.mark.parametrize(
    ("kind", "path", "query"),
    [
        ("cmr domains", SUBSCRIPTIONS, {}),
        ("scaledmail", "scaledmail/api/v1/domains", HERE),
        ("woodpecker", "woodpecker/rest/v2/domains", {}),
        ("smartsenders", "smartsenders/api/v1/smart-senders/get-domain-list", {}),
    ],
)
def test_cancelled_later_leaves_the_list_half_a_minute_after_the_delivery(run, kind, path, query):
    vendors = run(delivery=100)
    vendors.order(kind, "cancelled-later.com")
    make_older(vendors, seconds=101)
    assert "cancelled-later.com" in vendors.read(kind.split()[0], path, **query).text
    make_older(vendors, seconds=131)
    assert "cancelled-later.com" not in vendors.read(kind.split()[0], path, **query).text


def test_another_users_subscription_stands_in_the_same_list(vendors):
    vendors.order("cmr domains", "other-user.com")
    vendors.order("cmr domains", "acme.com")
    assert [row["userId"] for row in subscriptions(vendors)] == ["other-than-user-1", "user-1"]


def test_few_mailboxes_lists_one_too_few_until_it_is_delivered(vendors):
    path = "/scaledmail/api/v1/create-order/price_practice_outlook_1"
    vendors.order("scaledmail", "few-mailboxes.com", path=path)

    def counts() -> tuple[int, int]:
        (row,) = vendors.read("scaledmail", "scaledmail/api/v1/domains", **HERE).json()["domains"]
        return len(row["mailbox"]), row["total_mailboxes"]

    assert counts() == (24, 25)
    done(vendors, act="deliver", domain="few-mailboxes.com")
    assert counts() == (25, 25)


# New reads


def test_a_new_subscription_of_a_domain_ends_the_previous_one(vendors, new_body):
    vendors.order("cmr domains")
    body = new_body("cmr mailboxes", "acme.com")
    del body["subscriptionId"]
    vendors.order("cmr mailboxes", body={**body, "domainId": "DOM1X0", "autoRenew": False})
    assert [row["subscriptionStatus"] for row in subscriptions(vendors)] == ["CANCELLED", "ACTIVE"]


def test_the_renewal_price_knows_the_domains_of_the_user(vendors, new_body):
    vendors.order("cmr domains")
    created(vendors, new_body, "created.com")
    (row,) = renewal_prices(vendors, "acme.com", "created.com", "never.com")
    assert (row["domainName"], row["years"], row["renewalPrice"]) == ("acme.com", 1, "13.00")
    assert datetime.fromisoformat(row["expireOn"]) > datetime.now(UTC) + timedelta(days=360)
    assert renewal_prices(vendors, "acme.com", user="user-2") == []
    assert len(vendors.ledger.requests()) == 2, "a question is no paid request"


def test_scaledmail_lists_the_mailboxes_of_a_domain_without_passwords(vendors):
    vendors.order("scaledmail")
    (row,) = vendors.read("scaledmail", "scaledmail/api/v1/domains", **HERE).json()["domains"]
    path = f"scaledmail/api/v1/mailboxes/{row['id']}"
    answer = vendors.read("scaledmail", path, **HERE).json()
    assert [box["email"] for box in answer["mailboxes"]] == ["ann.lee@acme.com", "annlee@acme.com"]
    assert not any("password" in key for box in answer["mailboxes"] for key in box)
    assert vendors.read("scaledmail", path, password="true", **HERE).status_code == 400
    other = vendors.read("scaledmail", path, key="practice-two", **HERE).json()
    assert other == {"total": 0, "mailboxes": None}
