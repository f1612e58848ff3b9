"""The documented refusals of paid requests: keys, queries, and every field of the body."""

from __future__ import annotations

import re

import pytest

from tests.practice.test_practice_orders import ALIAS, BOX, GONE, changed, words_of

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
