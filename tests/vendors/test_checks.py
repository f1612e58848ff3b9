"""What is said of a draft before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.vendors.orders import (
    PRICES,
    SOUND,
    TWO_DOMAINS,
    StubContact,
    case,
    domain,
    mailbox,
)
from vendors.apis import REGISTRY
from vendors.verdicts import Problem

CMR_DOMAINS = ("coldmailreseller", "domains")
CMR_MAILBOXES = ("coldmailreseller", "mailboxes")
SCALEDMAIL = ("scaledmail", "package")
WOODPECKER = ("woodpecker", "mailboxes")
SMARTSENDERS = ("smartsenders", "domains")
NAMED = (
    domain("alpha.com", first_name="Ada", last_name="Example", row=1),
    domain("beta.org", first_name="Cy", last_name="Example", row=2),
)


def found(key: tuple[str, str], prices: Any = PRICES, **changes: Any) -> list[Problem]:
    api, order = case(key)
    problems = api.check(order.but(**changes), prices)
    assert all(problem.message and problem.fix and problem.field for problem in problems)
    return problems


def only(
    key: tuple[str, str], level: str = "stop", prices: Any = PRICES, **changes: Any
) -> Problem:
    [problem] = found(key, prices, **changes)
    assert problem.level == level
    return problem


# rules that several vendors share


@pytest.mark.parametrize("key", [CMR_DOMAINS, CMR_MAILBOXES, WOODPECKER])
def test_a_mailbox_without_a_name_is_found_in_its_row(key: tuple[str, str]) -> None:
    contents = (domain("alpha.com", mailbox("ada@alpha.com", name="Ada", row=11), row=1),)
    problem = only(key, contents=contents)
    assert (problem.field, problem.row) == ("last_name", 11)


@pytest.mark.parametrize("key", [CMR_MAILBOXES, WOODPECKER, SMARTSENDERS])
def test_a_domain_without_a_mailbox_stops_where_the_request_needs_one(key: tuple[str, str]) -> None:
    problem = only(key, contents=(domain("alpha.com", row=1),))
    assert (problem.field, problem.row) == ("domain", 1)


def test_coldmailreseller_can_buy_a_domain_without_a_mailbox_but_says_so() -> None:
    contents = (domain("alpha.com", row=1), TWO_DOMAINS[1])
    assert only(CMR_DOMAINS, level="warn", contents=contents).row == 1


def test_coldmailreseller_takes_no_order_without_any_mailbox() -> None:
    contents = (domain("alpha.com", row=1), domain("beta.org", row=2))
    problem = only(CMR_DOMAINS, contents=contents)
    assert problem.field == "rows" and "No domain of this order has a mailbox" in problem.message


@pytest.mark.parametrize("key", [CMR_DOMAINS, CMR_MAILBOXES])
@pytest.mark.parametrize(
    "picture",
    ["ada.jpg", "ftp://example.com/ada.jpg", "https://", "javascript:alert(1)", "http:// x"],
)
def test_a_picture_must_have_a_web_address(key: tuple[str, str], picture: str) -> None:
    contents = (domain("alpha.com", mailbox("ada@alpha.com", picture=picture, row=11), row=1),)
    problem = only(key, contents=contents)
    assert (problem.field, problem.row) == ("picture", 11)


@pytest.mark.parametrize("key", [CMR_DOMAINS, CMR_MAILBOXES])
def test_a_picture_with_a_web_address_is_fine(key: tuple[str, str]) -> None:
    box = mailbox("ada@alpha.com", picture="HTTPS://example.com/ada.jpg?size=2")
    assert found(key, contents=(domain("alpha.com", box),)) == []


@pytest.mark.parametrize(
    ("key", "setting"),
    [(CMR_DOMAINS, "user_id"), (CMR_MAILBOXES, "user_id"), (SCALEDMAIL, "organization_id")],
)
def test_a_missing_account_setting_is_named(key: tuple[str, str], setting: str) -> None:
    assert only(key, settings={}).field == setting


@pytest.mark.parametrize(
    ("username", "fix"),
    [
        ("dana reyes", "Use dana.reyes instead."),
        ("Zoë", "Use zoe instead."),
        (".dana", "Use dana instead."),
        ("", "Use ada.example instead."),
        ("ad a", "Use ad.a instead."),
        ("bob ", "Use bob2 instead."),
        ("@", "Use ada.example instead."),
    ],
)
@pytest.mark.parametrize("key", [CMR_MAILBOXES, WOODPECKER, SMARTSENDERS, SCALEDMAIL])
def test_a_wrong_address_gets_a_name_that_is_free(
    key: tuple[str, str], username: str, fix: str
) -> None:
    boxes = (replace(TWO_DOMAINS[0].mailboxes[0], username=username), TWO_DOMAINS[0].mailboxes[1])
    contents = (
        replace(TWO_DOMAINS[0], mailboxes=boxes),
        *(TWO_DOMAINS[1:] if key == SCALEDMAIL else ()),
    )
    problem = only(key, contents=contents)
    assert (problem.field, problem.row, problem.fix) == ("address", 11, fix)


@pytest.mark.parametrize("username", ["dana+sales", "o'hara", "a/b"])
def test_a_sign_that_is_seldom_allowed_is_a_warning(username: str) -> None:
    contents = (domain("alpha.com", mailbox(f"{username}@alpha.com", row=11), row=1),)
    assert only(WOODPECKER, level="warn", contents=contents).field == "address"


@pytest.mark.parametrize("name", ["https://beta.org/", "beta.org.", "beta .org", "BETA.org/a"])
def test_a_wrong_domain_gets_the_right_one(name: str) -> None:
    contents = (TWO_DOMAINS[0], domain(name, mailbox(f"cy@{name}", row=13), row=2))
    problem = only(CMR_DOMAINS, contents=contents)
    assert (problem.field, problem.row, problem.fix) == ("domain", 2, "Use beta.org instead.")


def test_an_address_under_another_domain_is_found() -> None:
    contents = (TWO_DOMAINS[0], domain("beta.org", mailbox("cy@gamma.org", row=13), row=2))
    problem = only(WOODPECKER, contents=contents)
    assert (problem.field, problem.row) == ("address", 13)


@pytest.mark.parametrize(
    ("key", "line", "field"),
    [
        (SCALEDMAIL, {"years": 3}, "years"),
        (SMARTSENDERS, {"years": 2}, "years"),
        (WOODPECKER, {}, "picture"),
    ],
)
def test_what_the_order_has_no_place_for_is_said(
    key: tuple[str, str], line: dict[str, Any], field: str
) -> None:
    box = mailbox("cy@beta.org", row=13, picture="" if line else "https://example.com/cy.png")
    assert (
        only(
            key, level="warn", contents=(TWO_DOMAINS[0], domain("beta.org", box, row=2, **line))
        ).field
        == field
    )


def test_a_domain_held_already_keeps_its_years_and_its_forwarding() -> None:
    line = replace(TWO_DOMAINS[0], years=3, forward_to="example.com")
    assert found(CMR_MAILBOXES, contents=(line,)) == []


def test_a_picture_over_plain_http_is_a_warning_with_the_safe_address() -> None:
    contents = (
        domain(
            "alpha.com", mailbox("ada@alpha.com", picture="http://example.com/a.png", row=11), row=1
        ),
    )
    assert "https://example.com/a.png" in only(CMR_DOMAINS, level="warn", contents=contents).fix


# ColdMailReseller


@pytest.mark.parametrize("key", [CMR_DOMAINS, CMR_MAILBOXES])
@pytest.mark.parametrize("confirm", [None, "", "True"])
def test_coldmailreseller_has_to_be_told_whether_to_process(
    key: tuple[str, str], confirm: Any
) -> None:
    assert only(key, options={"confirm": confirm}).field == "confirm"


@pytest.mark.parametrize("years", [0, -1])
def test_coldmailreseller_sells_whole_years(years: int) -> None:
    problem = only(
        CMR_DOMAINS, contents=(domain("alpha.com", mailbox("ada@alpha.com"), years=years, row=1),)
    )
    assert (problem.field, problem.row) == ("years", 1)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"service_provider": ""}, "service_provider"),
        ({"service_provider": "YAHOO"}, "service_provider"),
        ({"google_client_id": ""}, "google_oauth_route"),
        ({"service_provider": "MICROSOFT", "google_client_id": ""}, "microsoft_oauth_route"),
    ],
)
def test_coldmailreseller_needs_the_providers_own_details(
    options: dict[str, str], field: str
) -> None:
    assert only(CMR_DOMAINS, options=options).field == field


@pytest.mark.parametrize(
    "options",
    [
        {"microsoft_oauth_route": "https://login.example"},
        {"service_provider": "MICROSOFT", "microsoft_oauth_route": "https://login.example"},
    ],
)
def test_coldmailreseller_says_which_details_will_not_be_sent(options: dict[str, str]) -> None:
    assert only(CMR_DOMAINS, level="warn", options=options).field == "service_provider"


@pytest.mark.parametrize("options", [{"subscription_id": ""}, {"domain_id": "dom-1"}])
def test_coldmailreseller_takes_one_of_two_ids(options: dict[str, str]) -> None:
    assert only(CMR_MAILBOXES, options=options).field in ("subscription_id", "domain_id")


@pytest.mark.parametrize("options", [{}, {"subscription_id": "", "domain_id": "dom-1"}])
def test_coldmailreseller_id_belongs_to_one_domain(options: dict[str, str]) -> None:
    problem = only(CMR_MAILBOXES, options=options, contents=TWO_DOMAINS)
    assert "one domain" in problem.message and problem.field in ("subscription_id", "domain_id")


def test_coldmailreseller_subscription_keeps_its_renewal() -> None:
    assert only(CMR_MAILBOXES, level="warn", options={"auto_renew": True}).field == "auto_renew"
    assert (
        found(
            CMR_MAILBOXES, options={"auto_renew": True, "subscription_id": "", "domain_id": "dom-1"}
        )
        == []
    )


@pytest.mark.parametrize("field", ["google_oauth_route", "microsoft_oauth_route"])
def test_coldmailreseller_sign_in_address_is_a_web_address(field: str) -> None:
    options = {
        field: "accounts.google.com",
        "service_provider": field.partition("_")[0].upper(),
        "google_client_id": "",
    }
    assert only(CMR_DOMAINS, level="warn", options=options).field == field


def test_coldmailreseller_more_than_ten_years_is_a_warning() -> None:
    contents = (domain("alpha.com", mailbox("ada@alpha.com"), years=11, row=1),)
    assert only(CMR_DOMAINS, level="warn", contents=contents).row == 1


def test_coldmailreseller_mailboxes_without_google_details_get_a_warning() -> None:
    assert (
        only(CMR_MAILBOXES, level="warn", options={"google_client_id": ""}).field
        == "google_oauth_route"
    )


# Woodpecker


def test_woodpecker_cost_needs_a_provider() -> None:
    assert only(WOODPECKER, options={"provider": ""}).field == "provider"
    assert (
        REGISTRY["woodpecker"].cost(SOUND[WOODPECKER].but(options={"provider": ""}), PRICES).lines
        == ()
    )


def test_woodpecker_provider_is_on_the_price_list() -> None:
    assert only(WOODPECKER, level="warn", options={"provider": "GONE"}).field == "provider"
    assert found(WOODPECKER, {}, options={"provider": "GONE"}) == []


# SmartSenders


@pytest.mark.parametrize(
    "forward_to", ["", "example", "https://example.com", "example.com/path", "a b.com"]
)
def test_smartsenders_needs_a_domain_to_forward_to(forward_to: str) -> None:
    assert only(SMARTSENDERS, forward_to=forward_to).field == "forward_to"


def test_smartsenders_forwards_an_order_to_one_place() -> None:
    lines = (
        domain("alpha.com", mailbox("ada@alpha.com"), forward_to="other.com", row=1),
        TWO_DOMAINS[1],
    )
    problem = only(SMARTSENDERS, level="warn", contents=lines)
    assert (problem.field, problem.row) == ("forward_to", 1)


@pytest.mark.parametrize("number", [None, "", "nine", -1, 1.5, True])
def test_smartsenders_needs_a_supplier(number: Any) -> None:
    assert only(SMARTSENDERS, options={"vendor_id": number}).field == "vendor_id"


def test_smartsenders_supplier_is_on_the_price_list() -> None:
    assert only(SMARTSENDERS, level="warn", options={"vendor_id": 77}).field == "vendor_id"
    assert found(SMARTSENDERS, {}, options={"vendor_id": 77}) == []


def test_smartsenders_needs_a_contact() -> None:
    assert only(SMARTSENDERS, contact=None).field == "contact"
    assert only(SMARTSENDERS, contact=None, settings={"body_form": "objects"}).field == "contact"


def test_smartsenders_asks_for_the_name_only_in_the_first_form() -> None:
    assert found(SMARTSENDERS, contact=StubContact(city="", phone="")) == []
    assert "first name" in only(SMARTSENDERS, contact=StubContact(first_name=" ")).message


def test_smartsenders_names_every_missing_field_in_the_later_form() -> None:
    contact = StubContact(city="", state="", phone="", company="", address_line_two="")
    messages = [
        problem.message
        for problem in found(SMARTSENDERS, contact=contact, settings={"body_form": "objects"})
    ]
    assert messages == [
        "The contact has no city.",
        "The contact has no state.",
        "The contact has no phone.",
    ]


def test_smartsenders_asks_for_names_and_pictures_in_the_later_form_only() -> None:
    contents = (
        domain("alpha.com", mailbox("ada@alpha.com", name="Ada", picture="x", row=11), row=1),
    )
    assert only(SMARTSENDERS, level="warn", contents=contents).field == "picture"
    problems = found(SMARTSENDERS, contents=contents, settings={"body_form": "objects"})
    assert [(problem.level, problem.field, problem.row) for problem in problems] == [
        ("stop", "last_name", 11),
        ("stop", "picture", 11),
    ]
