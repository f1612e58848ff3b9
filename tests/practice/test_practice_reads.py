"""The read endpoints: documented shapes, and how an order moves from charged to delivered."""

from __future__ import annotations

import pytest
import requests

READS = [
    ("cmr", "coldmailreseller/api/v1/integration/subscriptions", {}),
    ("scaledmail", "scaledmail/api/v1/organizations", {}),
    ("scaledmail", "scaledmail/api/v1/packages", {}),
    ("scaledmail", "scaledmail/api/v1/orders", {"organization_id": "rec"}),
    ("scaledmail", "scaledmail/api/v1/domains", {"organization_id": "rec"}),
    ("woodpecker", "woodpecker/rest/v1/me", {}),
    ("woodpecker", "woodpecker/rest/v2/domains", {}),
    ("woodpecker", "woodpecker/rest/v2/domains/providers", {}),
    ("woodpecker", "woodpecker/rest/v2/domains/acme.com/mailboxes", {}),
    ("smartsenders", "smartsenders/api/v1/smart-senders/get-vendors", {}),
    ("smartsenders", "smartsenders/api/v1/smart-senders/get-domain-list", {}),
]


@pytest.mark.parametrize(("kind", "path", "query"), READS)
def test_a_read_works_on_an_empty_account_and_wants_a_good_key(vendors, kind, path, query):
    assert vendors.read(kind, path, **query).status_code == 200
    assert vendors.read(kind, path, key="live-key", **query).status_code == 401
    assert vendors.read(kind, path, surprise="1", **query).status_code == 400
    assert vendors.ledger.requests() == []


def test_coldmailreseller_lists_a_subscription_once_delivered(run, new_body):
    pending = run(delivery=3600)
    assert pending.order("cmr domains").ok
    path = "coldmailreseller/api/v1/integration/subscriptions"
    assert pending.read("cmr", path).json()["data"]["subscriptions"] == []
    done = run(delivery=0)
    answer = done.read("cmr", path, domain="ACME.com", status="ACTIVE").json()
    (row,) = answer["data"]["subscriptions"]
    assert (row["domain"], row["totalMailboxQuantity"], row["userId"]) == ("acme.com", 1, "user-1")
    assert (row["subscriptionStatus"], row["billingCycle"], row["pricePerMailbox"]) == (
        "ACTIVE",
        "MONTHLY",
        3,
    )
    assert answer["data"]["pagination"] == {
        "totalSearchedCount": 1,
        "currentPage": 1,
        "nextPage": 2,
        "totalPages": 1,
    }
    assert done.read("cmr", path, status="CANCELLED").json()["data"]["subscriptions"] == []
    assert done.read("cmr", path, domain="other.com").json()["data"]["subscriptions"] == []


def test_coldmailreseller_pages_its_subscriptions(vendors):
    for place in range(3):
        vendors.order("cmr domains", f"acme{place}.com")
    path = "coldmailreseller/api/v1/integration/subscriptions"
    data = vendors.read("cmr", path, limit="2", page="2").json()["data"]
    assert [row["domain"] for row in data["subscriptions"]] == ["acme2.com"]
    assert (data["pagination"]["totalPages"], data["pagination"]["totalSearchedCount"]) == (2, 3)
    assert vendors.read("cmr", path, page="0").status_code == 400


def test_coldmailreseller_adds_mailboxes_to_the_named_subscription(vendors):
    for _ in range(2):
        vendors.order("cmr mailboxes")
    (row,) = vendors.read("cmr", "coldmailreseller/api/v1/integration/subscriptions").json()[
        "data"
    ]["subscriptions"]
    assert (row["subscriptionId"], row["totalMailboxQuantity"]) == ("SUB-1", 2)


def test_coldmailreseller_shows_nothing_of_an_unconfirmed_order(vendors, new_body):
    vendors.order("cmr domains", body={**new_body("cmr domains", "acme.com"), "confirm": False})
    answer = vendors.read("cmr", "coldmailreseller/api/v1/integration/subscriptions").json()
    assert answer["data"]["subscriptions"] == []


def test_scaledmail_lists_packages_with_their_price_and_domains(vendors):
    answer = vendors.read("scaledmail", "scaledmail/api/v1/packages").json()
    packages = {package["id"]: package for package in answer["packages"]}
    assert answer["total"] == len(packages)
    assert packages["price_practice_google_4"]["domains"] == 4
    assert packages["price_practice_google_35"]["google"] == {"mailbox": 70}
    assert packages["price_practice_outlook_2"]["microsoft"] == {"mailbox": 50, "domains": 2}
    assert {package["mode"] for package in packages.values()} == {"subscription"}


def test_scaledmail_shows_an_order_in_progress_then_active(run):
    pending, here = run(delivery=3600), {"organization_id": "recOrg"}
    assert pending.order("scaledmail").ok
    listed = pending.read("scaledmail", "scaledmail/api/v1/orders", **here).json()
    assert listed["total"] == 1
    payment = listed["payments"][0]
    assert (payment["status"], payment["amount"]) == ("Active", 7)
    order = pending.read("scaledmail", f"scaledmail/api/v1/orders/{payment['id']}", **here).json()
    assert [domain["name"] for domain in order["packages"][0]["domains"]] == ["acme.com"]
    (row,) = pending.read("scaledmail", "scaledmail/api/v1/domains", **here).json()["domains"]
    assert (row["status"], row["payment_id"], row["total_mailboxes"]) == (
        "In Progress",
        payment["id"],
        2,
    )
    (row,) = (
        run(delivery=0).read("scaledmail", "scaledmail/api/v1/domains", **here).json()["domains"]
    )
    assert row["status"] == "Active"
    assert row["mailbox"][0] == {"first_name": "Ann", "last_name": "Lee", "alias": "ann.lee"}


def test_scaledmail_does_not_know_another_accounts_order(vendors):
    vendors.order("scaledmail", key="practice-one")
    number = vendors.ledger.charges()[0].reference
    path, here = f"scaledmail/api/v1/orders/{number}", {"organization_id": "rec"}
    assert vendors.read("scaledmail", path, key="practice-one", **here).status_code == 200
    answer = vendors.read("scaledmail", path, key="practice-two", **here)
    assert (answer.status_code, answer.json()) == (404, {"error": "Order not found"})


def test_scaledmail_wants_the_organization(vendors):
    answer = vendors.read("scaledmail", "scaledmail/api/v1/orders")
    assert (answer.status_code, answer.json()) == (400, {"error": "organization_id is required"})


def test_woodpecker_mailboxes_are_ordered_then_paid(run):
    pending, path = run(delivery=3600), "woodpecker/rest/v2/domains/acme.com/mailboxes"
    assert pending.order("woodpecker").ok
    (row,) = pending.read("woodpecker", path).json()["mailboxes"]
    assert row == {
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@acme.com",
        "provider": "GOOGLE",
        "status": "ORDERED",
    }
    done = run(delivery=0)
    assert done.read("woodpecker", path).json()["mailboxes"][0]["status"] == "PAID"
    (domain,) = done.read("woodpecker", "woodpecker/rest/v2/domains").json()["domains"]
    assert (domain["domain"], domain["mailboxes_count"], domain["is_ready"]) == (
        "acme.com",
        1,
        True,
    )
    assert done.read("woodpecker", path, key="practice-two").json() == {"mailboxes": []}


def test_woodpecker_tells_each_providers_price_with_its_currency(vendors):
    providers = vendors.read("woodpecker", "woodpecker/rest/v2/domains/providers").json()[
        "providers"
    ]
    assert [(row["name"], row["email_account_price"], row["currency"]) for row in providers] == [
        ("MAILDOSO", 4.0, "EUR"),
        ("MAILFORGE", 4.0, "USD"),
        ("GOOGLE", 6.0, "EUR"),
        ("MICROSOFT", 6.0, "EUR"),
    ]


def test_smartsenders_domains_become_active_and_their_order_completed(run):
    pending, base = run(delivery=3600), "smartsenders/api/v1/smart-senders"
    number = pending.order("smartsenders").json()["order_id"]
    (row,) = pending.read("smartsenders", f"{base}/get-domain-list").json()
    assert (row["domain_name"], row["vendor_id"], row["is_active"]) == ("acme.com", 9, False)
    assert (row["forwarding_domain"], row["order_id"]) == ("agency.com", number)
    details = pending.read("smartsenders", f"{base}/order-details", order_id=number).json()
    assert (details["status"], details["data"]["status"]) == ("success", "Payment Pending")
    done = run(delivery=0)
    assert done.read("smartsenders", f"{base}/get-domain-list").json()[0]["is_active"] is True
    details = done.read("smartsenders", f"{base}/order-details", order_id=number).json()
    assert details["data"]["status"] == "Completed"


def test_smartsenders_does_not_know_other_orders(vendors):
    path = "smartsenders/api/v1/smart-senders/order-details"
    assert vendors.read("smartsenders", path, order_id="1").status_code == 400
    assert vendors.read("smartsenders", path).json()["message"] == '"order_id" is required'


def test_smartsenders_vendors_have_prices_as_text(vendors):
    answer = vendors.read("smartsenders", "smartsenders/api/v1/smart-senders/get-vendors").json()
    assert [row["id"] for row in answer["data"]] == [1, 9]
    assert answer["data"][1]["pricing"] == {
        "domain_price": "13.00",
        "mailbox_price": "4.50",
        "currency": "USD",
    }


def test_the_books_can_be_read_over_http(vendors):
    vendors.order("woodpecker", "acme.com")
    vendors.order("woodpecker", "beta.com")
    vendors.order("woodpecker", "refused-field.com")
    books = requests.get(f"{vendors.server.url}/ledger.json", timeout=30).json()
    assert [row["domains"] for row in books["charges"]] == [["beta.com"], ["acme.com"]]
    assert [row["outcome"] for row in books["requests"]] == [
        "answered 422, not charged",
        "charged",
        "charged",
    ]
    books = requests.get(
        f"{vendors.server.url}/ledger.json", params={"domain": "Acme.com"}, timeout=30
    ).json()
    assert [row["domains"] for row in books["charges"]] == [["acme.com"]]
    assert len(books["requests"]) == 1
    assert books["created"] == []


def test_an_unknown_vendor_or_path_is_not_found(vendors):
    assert requests.get(f"{vendors.server.url}/nobody/x", timeout=30).status_code == 404
    assert vendors.read("woodpecker", "woodpecker/rest/v2/nothing").status_code == 404
