"""The paid requests: documented successes, documented refusals, and what goes into the books."""

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


def words_of(answer) -> str:
    """What is wrong, wherever this vendor's error body says it."""
    body = answer.json()
    if body.get("fields"):
        return f"{body['fields'][0]['field']} {body['fields'][0]['issue']}"
    return body.get("error") or body.get("details") or body["message"]


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


BOX = {"username": "ann", "firstName": "Ann", "lastName": "Lee"}
ALIAS = {"first_name": "Ann", "last_name": "Lee", "alias": "ann"}
NAMES = {"first_name": "Ann", "last_name": "Lee"}
LOGIN = {"provider": "p", "username": "u", "password": "w"}
D, M = ("domains", 0), ("mailboxes", 0)
FLAWS = [
    ("cmr domains", ("domains",), GONE, "domains is required"),
    ("cmr domains", ("domains",), [], "domains must contain at least 1 items"),
    ("cmr domains", (*D, "domain"), "acme", "domains[0].domain must contain a valid domain name"),
    ("cmr domains", (*D, "years"), "1", "domains[0].years must be an integer"),
    ("cmr domains", (*D, "years"), True, "domains[0].years must be an integer"),
    ("cmr domains", (*D, "years"), 0, "domains[0].years must be greater than or equal to 1"),
    ("cmr domains", (*D, "forwardTo"), "", "domains[0].forwardTo is not allowed to be empty"),
    (
        "cmr domains",
        ("domains",),
        [{"domain": "acme.com", "years": 1}] * 2,
        "domains[1] contains a duplicate value",
    ),
    (
        "cmr domains",
        ("mailboxes", "acme.com"),
        [BOX] * 2,
        "mailboxes.acme.com[1] contains a duplicate value: ann",
    ),
    (
        "cmr domains",
        ("mailboxes", "acme.com"),
        [{**BOX, "username": "a b"}],
        "mailboxes.acme.com[0].username must be",
    ),
    (
        "cmr domains",
        ("mailboxes", "beta.com"),
        [BOX],
        "mailboxes.beta.com is not one of the domains of this order",
    ),
    (
        "cmr domains",
        ("mailboxes", "ACME.com"),
        [BOX],
        "mailboxes.acme.com contains a duplicate value",
    ),
    ("cmr domains", ("billingCycle",), "YEARLY", "billingCycle must be one of [MONTHLY]"),
    ("cmr domains", ("confirm",), "true", "confirm must be a boolean"),
    ("cmr domains", ("confirm",), GONE, "confirm is required"),
    ("cmr domains", ("google",), GONE, "google is required for GOOGLE"),
    ("cmr domains", ("google", "clientId"), 5, "google.clientId must be a string"),
    (
        "cmr domains",
        ("serviceProvider",),
        "MICROSOFT",
        "microsoftOauthRoute is required for MICROSOFT",
    ),
    (
        "cmr domains",
        ("serviceProvider",),
        "google",
        "serviceProvider must be one of [GOOGLE, MICROSOFT]",
    ),
    (
        "cmr mailboxes",
        ("domainId",),
        "DOM-1",
        "subscriptionId or domainId is required, and not both",
    ),
    (
        "cmr mailboxes",
        ("subscriptionId",),
        GONE,
        "subscriptionId or domainId is required, and not both",
    ),
    ("cmr mailboxes", ("subscriptionId",), "", "subscriptionId is not allowed to be empty"),
    ("cmr mailboxes", ("mailboxes",), {}, "mailboxes must name a domain"),
    ("cmr mailboxes", ("confirm",), GONE, "confirm is required"),
    ("cmr mailboxes", ("serviceProvider",), "GOOGLE", "serviceProvider is not allowed"),
    ("scaledmail", ("quantity",), 2, "This package requires exactly 2 domains, 1 given"),
    ("scaledmail", ("quantity",), "1", "quantity must be an integer"),
    (
        "scaledmail",
        ("hosting",),
        LOGIN,
        "hosting is required when provider is other, and only then",
    ),
    ("scaledmail", ("sequencer",), {"provider": "p"}, "sequencer.username is required"),
    (
        "scaledmail",
        (*D, "last_name"),
        GONE,
        "domains[0].aliases or first_name and last_name is required",
    ),
    (
        "scaledmail",
        (*D, "aliases"),
        [ALIAS],
        "domains[0].aliases can't be combined with first_name and last_name",
    ),
    (
        "scaledmail",
        D,
        {"domain": "acme.com", "aliases": [ALIAS] * 2},
        "domains[0].aliases[1] contains a duplicate",
    ),
    (
        "scaledmail",
        D,
        {"domain": "acme.com", "aliases": []},
        "domains[0].aliases must contain at least 1 items",
    ),
    (
        "scaledmail",
        D,
        {"domain": "a_b.com", **NAMES},
        "domains[0].domain must contain a valid domain name",
    ),
    ("scaledmail", ("providers",), {}, "providers is not allowed"),
    ("woodpecker", ("mailboxes",), GONE, "mailboxes is required"),
    ("woodpecker", ("mailboxes",), {}, "mailboxes must be an array"),
    ("woodpecker", (*M, "first_name"), " ", "mailboxes[0].first_name is not allowed to be empty"),
    ("woodpecker", (*M, "email"), "ann@acme", "mailboxes[0].email must be a valid email"),
    ("woodpecker", (*M, "email"), None, "mailboxes[0].email must be a string"),
    ("woodpecker", (*M, "provider"), "GOOGLE", "mailboxes[0].provider is not allowed"),
    ("smartsenders", ("vendor_id",), "9", '"vendor_id" must be one of [1, 9]'),
    ("smartsenders", ("vendor_id",), True, '"vendor_id" must be one of [1, 9]'),
    ("smartsenders", ("forwarding_domain",), GONE, '"forwarding_domain" is required'),
    (
        "smartsenders",
        ("forwarding_domain",),
        "https://agency.com",
        '"forwarding_domain" must contain a valid domain',
    ),
    ("smartsenders", ("user_details",), GONE, '"user_details" is required'),
    (
        "smartsenders",
        ("user_details", "phone"),
        "",
        '"user_details.phone" is not allowed to be empty',
    ),
    ("smartsenders", ("user_details", "phone"), 512, '"user_details.phone" must be a string'),
    ("smartsenders", ("user_details", "name"), "Ann", '"user_details.name" is not allowed'),
    (
        "smartsenders",
        (*D, "domain_name"),
        "-a.com",
        '"domains[0].domain_name" must contain a valid domain name',
    ),
    ("smartsenders", (*D, "mailboxes"), ["ann@acme.com"], '"domains[0].mailboxes" is not allowed'),
    (
        "smartsenders",
        (*D, "mailbox_details", 0, "mailbox"),
        "ann@beta.com",
        '"domains[0].mailbox_details[0]" must be a mailbox of acme.com',
    ),
    (
        "smartsenders",
        (*D, "mailbox_details", 0, "last_name"),
        GONE,
        '"domains[0].mailbox_details[0].last_name" is req',
    ),
    (
        "smartsenders by address",
        (*D, "mailboxes"),
        [{"email": "x"}],
        '"domains[0].mailboxes[0]" must be a string',
    ),
    (
        "smartsenders by address",
        (*D, "mailboxes"),
        ["a@acme.com"] * 2,
        '"domains[0].mailboxes[1]" contains a dupl',
    ),
    ("smartsenders by address", (*D, "mailboxes"), GONE, '"domains[0].mailboxes" is required'),
]


@pytest.mark.parametrize(("kind", "path", "value", "words"), FLAWS)
def test_a_flaw_is_refused_and_named(vendors, new_body, kind, path, value, words):
    answer = vendors.order(kind, body=changed(new_body(kind, "acme.com"), path, value))
    assert answer.status_code == (422 if kind == "woodpecker" else 400)
    assert words_of(answer).startswith(words)
    assert vendors.ledger.charges() == []
    assert len(vendors.ledger.requests()) == 1


def test_two_domains_may_not_use_different_forms(vendors, new_body):
    body = new_body("smartsenders", "acme.com")
    body["domains"].append({"domain_name": "beta.com", "mailboxes": ["ann@beta.com"]})
    answer = vendors.order("smartsenders", body=body)
    assert answer.json()["message"] == '"domains[1].mailbox_details" is required'


def test_woodpecker_names_every_flaw_with_its_value(vendors, new_body):
    body = new_body("woodpecker", "acme.com")
    body["mailboxes"] += [{"first_name": "Bo", "email": "bo@x"}]
    refusal = vendors.order("woodpecker", body=body).json()
    assert refusal.pop("request_id")
    assert refusal == {
        "type": "validation_error",
        "message": "Invalid field(s)",
        "code": "invalid_fields",
        "fields": [
            {"field": "mailboxes[1].last_name", "issue": "is required", "value": None},
            {"field": "mailboxes[1].email", "issue": "must be a valid email", "value": "bo@x"},
        ],
    }


def test_smartsenders_refuses_in_its_documented_shape(vendors, new_body):
    body = changed(new_body("smartsenders", "acme.com"), ("domains", 0, "domain_name"), "acme")
    assert vendors.order("smartsenders", body=body).json() == {
        "status": "error",
        "message": '"domains[0].domain_name" must contain a valid domain name',
        "context": "Error creating domain",
    }


def test_hosting_is_required_for_domains_hosted_elsewhere(vendors, valid_query):
    answer = vendors.order("scaledmail", query={**valid_query("scaledmail"), "provider": "other"})
    assert answer.json() == {"error": "hosting is required when provider is other, and only then"}


def test_an_unknown_package_is_refused(vendors):
    answer = vendors.order("scaledmail", path="/scaledmail/api/v1/create-order/price_live_4")
    assert (answer.status_code, answer.json()) == (404, {"error": "Package not found"})


def test_a_package_wants_exactly_its_domains_times_the_quantity(vendors, new_body):
    def domains(number: int) -> list[dict[str, str]]:
        return [{"domain": f"acme{place}.com", **NAMES} for place in range(number)]

    path = "/scaledmail/api/v1/create-order/price_practice_google_4"
    answers = [
        vendors.order("scaledmail", path=path, body={"quantity": 2, "domains": domains(number)})
        for number in (7, 9, 8)
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 200]
    assert len(vendors.ledger.charges()[0].mailboxes) == 16


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
