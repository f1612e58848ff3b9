"""The paid requests: documented successes, refused keys and methods, and the ledger's records."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.practice.bodies import BOX, changed, words_of

PAGES = Path(__file__).resolve().parents[1] / "vendors" / "pages"


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
        assert second.json() == {"error": "Domain acme.com is used or unavailable"}
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


BAD_KEYS = {
    "cmr": {"status": 401, "message": "Invalid API key", "data": None},
    "scaledmail": {"message": "Unauthorized"},
    "smartsenders": {"message": "Invalid API Key"},
}


def test_a_wrong_key_is_refused_in_the_vendors_words(vendors, kind):
    answer = vendors.order(kind, key="live-key")
    assert answer.status_code == 401
    if kind == "woodpecker":
        stamp = answer.json().pop("timestamp")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)
        assert answer.json().items() >= {"title": "Unauthorized", "status": 401}.items()
    else:
        assert answer.json() == BAD_KEYS[kind.split()[0]]
    assert vendors.ledger.charges() == []
    assert [row.outcome for row in vendors.ledger.requests()] == ["answered 401, not charged"]


def test_a_missing_key_is_refused(vendors, kind, valid_query):
    query = {name: value for name, value in valid_query(kind).items() if name != "api_key"}
    headers = {"Content-Type": "text/plain" if kind == "scaledmail" else "application/json"}
    assert vendors.order(kind, headers=headers, query=query).status_code == 401


def test_another_content_type_is_refused(vendors, kind, valid_headers):
    headers = {**valid_headers(kind), "Content-Type": "application/x-www-form-urlencoded"}
    answer = vendors.order(kind, headers=headers)
    assert answer.status_code == 400
    assert "Content-Type" in words_of(answer)
    if kind != "scaledmail":
        assert (
            vendors.order(kind, headers={**headers, "Content-Type": "text/plain"}).status_code
            == 400
        )
    assert vendors.ledger.charges() == []


def test_another_method_is_refused(vendors, kind):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert vendors.order(kind, method=method).status_code == 405
    assert vendors.ledger.charges() == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b'{"a": 1, "a": 2}', b"\xff", b"[" * 9000]
)
def test_a_body_that_is_no_json_object_is_refused(vendors, kind, body):
    answer = vendors.order(kind, body=body)
    assert (answer.status_code, words_of(answer)) == (400, "The body must be a JSON object")


QUERIES = [
    ("cmr domains", {}, "Please provide a userId."),
    ("cmr mailboxes", {"userId": " "}, "Please provide a userId."),
    ("cmr domains", {"userId": "1", "user": "2"}, '"user" is not allowed'),
    ("scaledmail", {"organization_id": "rec"}, "provider is required"),
    ("scaledmail", {"provider": "other"}, "organization_id is required"),
    (
        "scaledmail",
        {"organization_id": "rec", "provider": "buy"},
        "provider must be scaledmail or other",
    ),
    ("woodpecker", {"dry_run": "1"}, '"dry_run" is not allowed'),
    ("smartsenders", {"api_key": "practice-key", "vendor": "1"}, '"vendor" is not allowed'),
    ("cmr domains", {"userId": ["1", "1"]}, "A query name was given twice"),
]


@pytest.mark.parametrize(("kind", "query", "words"), QUERIES)
def test_a_wrong_query_is_refused(vendors, kind, query, words):
    answer = vendors.order(kind, query=query)
    assert (answer.status_code, words_of(answer)) == (400, words)
    assert vendors.ledger.charges() == []


def test_a_coupon_may_be_given(vendors, valid_query):
    assert vendors.order("scaledmail", query={**valid_query("scaledmail"), "coupon": "SPRING"}).ok


def test_an_unknown_field_is_refused(vendors, kind, new_body):
    answer = vendors.order(kind, body={**new_body(kind, "acme.com"), "reference": "x"})
    assert answer.status_code == (422 if kind == "woodpecker" else 400)
    assert "reference" in words_of(answer)
    assert "is not allowed" in words_of(answer)
    assert vendors.ledger.charges() == []


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
