"""Flaws in a paid request's body: each is refused in the vendor's documented words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.practice.bodies import BOX, GONE, changed, words_of

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
