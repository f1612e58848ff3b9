"""The paid requests: documented successes, the ledger, and the vendors' own samples."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GONE = object()
ALIAS = {"first_name": "Ann", "last_name": "Lee", "alias": "ann"}
BOX = {"username": "ann", "firstName": "Ann", "lastName": "Lee"}
PAGES = Path(__file__).resolve().parents[1] / "vendors" / "pages"


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with one value replaced, or taken out where the value is GONE."""
    place = body
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return body


def words_of(answer) -> str:
    """The error text, from whichever field of the body this vendor puts it in."""
    body = answer.json()
    if body.get("fields"):
        return f"{body['fields'][0]['field']} {body['fields'][0]['issue']}"
    return body.get("error") or body.get("details") or body["message"]


def test_coldmailreseller_answers_with_an_order_number(vendors):
    for kind in ("cmr domains", "cmr mailboxes"):
        answer = vendors.order(kind)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == {
            "status": 200,
            "message": (
                "Order created and queued for processing, make sure to have enough balance in your"
                " wallet!"
            ),
            "data": {"orderId": vendors.ledger.charges()[0].reference},
        }
        assert re.fullmatch("[A-Z0-9]{28}", answer.json()["data"]["orderId"])


def test_scaledmail_answers_with_an_empty_object(vendors, valid_headers):
    answer = vendors.order("scaledmail")
    assert (answer.status_code, answer.json()) == (200, {})
    as_json = {**valid_headers("scaledmail"), "Content-Type": "application/json; charset=utf-8"}
    assert vendors.order("scaledmail", "other.com", headers=as_json).status_code == 200


def test_woodpecker_answers_202_without_a_body(vendors):
    answer = vendors.order("woodpecker")
    assert (answer.status_code, answer.content) == (202, b"")


def test_smartsenders_answers_each_form_as_its_source_shows(vendors):
    by_details, by_address = (
        vendors.order("smartsenders"),
        vendors.order("smartsenders by address", "beta.com"),
    )
    assert by_details.status_code == by_address.status_code == 200
    assert by_details.json() == {
        "status": "success",
        "order_id": vendors.ledger.charges()[1].reference,
    }
    assert by_address.json() == {"ok": True, "data": []}


def test_a_charge_is_in_the_books_once_with_the_digest_of_the_bytes_sent(vendors, kind, new_body):
    body = json.dumps(new_body(kind, "Acme.com"), indent=1).encode()
    assert vendors.order(kind, body=body).ok
    (charge,) = vendors.ledger.charges()
    assert charge.body_sha256 == hashlib.sha256(body).hexdigest()
    assert charge.domains == ["acme.com"]
    assert charge.mailboxes[0] in ("ann@acme.com", "ann.lee@acme.com")
    assert (charge.status, charge.fault) == ("charged", "")
    (arrival,) = vendors.ledger.requests()
    assert (arrival.outcome, arrival.body_sha256) == ("charged", charge.body_sha256)
    assert "?" not in arrival.path


def test_the_same_order_twice_is_charged_twice_unless_the_vendor_documents_otherwise(vendors, kind):
    first, second = vendors.order(kind), vendors.order(kind)
    assert first.ok
    if kind == "scaledmail":
        assert second.status_code == 400
        assert second.json() == {"error": "Domain acme.com is already used or unavailable"}
        assert len(vendors.ledger.charges()) == 1
    else:
        assert second.ok
        assert len(vendors.ledger.charges(domain="acme.com")) == 2
    assert len(vendors.ledger.requests()) == 2


def test_accounts_are_told_apart_by_their_keys_which_the_books_never_hold(vendors, tmp_path):
    for key in ("practice-one", "practice-two"):
        assert vendors.order("scaledmail", key=key).ok
    first, second = vendors.ledger.charges()
    assert first.account != second.account
    vendors.order("scaledmail", key="live-secret-one")
    books = b"".join(path.read_bytes() for path in tmp_path.glob("practice.sqlite3*"))
    for key in (b"practice-one", b"practice-two", b"live-secret-one"):
        assert key not in books


def test_hosting_and_sequencer_logins_are_never_in_the_books(
    vendors, new_body, valid_query, tmp_path
):
    login = {"provider": "Porkbun", "username": "ann-user", "password": "hunter2-hunter2"}
    body = {**new_body("scaledmail", "acme.com"), "hosting": login, "sequencer": login}
    assert vendors.order(
        "scaledmail", body=body, query={**valid_query("scaledmail"), "provider": "other"}
    ).ok
    books = b"".join(path.read_bytes() for path in tmp_path.glob("practice.sqlite3*"))
    assert b"hunter2" not in books
    assert b"ann-user" not in books


def test_an_unconfirmed_order_is_created_and_not_charged(vendors, new_body):
    for kind in ("cmr domains", "cmr mailboxes"):
        assert vendors.order(kind, body={**new_body(kind, "acme.com"), "confirm": False}).ok
    assert vendors.ledger.charges() == []
    assert {row.status for row in vendors.ledger.created()} == {"created, not charged"}
    assert [row.outcome for row in vendors.ledger.requests()] == ["created, not charged"] * 2


def test_aliases_are_taken_as_given(vendors):
    body = {"domains": [{"domain": "acme.com", "aliases": [ALIAS, {**ALIAS, "alias": "Sales"}]}]}
    assert vendors.order("scaledmail", body=body).ok
    assert vendors.ledger.charges()[0].mailboxes == ["ann@acme.com", "sales@acme.com"]


def test_an_outlook_domain_gets_25_different_addresses(vendors):
    path = "/scaledmail/api/v1/create-order/price_practice_outlook_1"
    body = {"domains": [{"domain": "acme.com", "first_name": "Łukasz", "last_name": "李"}]}
    assert vendors.order("scaledmail", path=path, body=body).ok
    assert len(set(vendors.ledger.charges()[0].mailboxes)) == 25


def test_a_cancelled_subscription_is_started_again_by_its_domain(vendors, new_body):
    body = new_body("cmr mailboxes", "acme.com")
    del body["subscriptionId"]
    body["domainId"] = "DOM-1"
    answer = vendors.order("cmr mailboxes", body=body)
    assert (answer.status_code, words_of(answer)) == (400, "autoRenew is required with domainId")
    assert vendors.order("cmr mailboxes", body={**body, "autoRenew": True}).ok


def test_microsoft_mailboxes_need_their_own_route(vendors, new_body):
    body = new_body("cmr domains", "acme.com")
    del body["google"]
    body |= {
        "serviceProvider": "MICROSOFT",
        "microsoftOauthRoute": "https://login.microsoftonline.com/x",
    }
    assert vendors.order("cmr domains", body=body).ok


def same(body: Any) -> Any:
    return body


SAMPLES = [
    (
        "cmr domains",
        "coldmailreseller-domains",
        lambda body: changed(body, ("mailboxes", "domain.com", 1), BOX),
    ),
    (
        "cmr mailboxes",
        "coldmailreseller-mailboxes",
        lambda body: {**body, "subscriptionId": "SUB-1"},
    ),
    ("scaledmail", "scaledmail-package", same),
    ("woodpecker", "woodpecker-mailboxes", same),
    ("smartsenders", "smartsenders-domains-objects", lambda body: {**body, "vendor_id": 9}),
    ("smartsenders by address", "smartsenders-domains", same),
]


@pytest.mark.parametrize(("kind", "page", "mended"), SAMPLES)
def test_the_vendors_own_samples_are_taken(vendors, kind, page, mended):
    """Mended only where a sample names one mailbox twice, an empty subscription, or a vendor there
    is none of here.
    """
    sample = json.loads((PAGES / f"{page}.json").read_text(encoding="utf-8"))
    path, query = (
        f"/{kind.split()[0].replace('cmr', 'coldmailreseller')}{urlsplit(sample['url']).path}",
        None,
    )
    if kind == "scaledmail":
        path = path.replace("{price_id}", "price_practice_google_4")
        query = {"organization_id": "rec", "provider": "other"}
    answer = vendors.order(
        kind, path=path, body=mended(sample["body"]), **({"query": query} if query else {})
    )
    assert answer.ok, answer.text


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a body a value can be replaced."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [
        place for name, item in items for place in [(*path, name), *places(item, (*path, name))]
    ]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_body_is_taken_or_refused(vendors, kind, new_body, data):
    body = new_body(kind, "acme.com")
    path = data.draw(st.sampled_from(places(body)))
    answer = vendors.order(kind, body=changed(body, path, data.draw(VALUES)))
    assert answer.status_code in (200, 202, 400, 422)
    newest = vendors.ledger.requests()[0].outcome
    assert newest == (
        f"answered {answer.status_code}, not charged" if not answer.ok else "charged"
    ) or (path == ("confirm",) and newest == "created, not charged")
