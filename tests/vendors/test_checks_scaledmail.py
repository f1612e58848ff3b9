"""The rules that ScaledMail's order has of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.vendors.orders import (
    TWO_DOMAINS,
    StubPrice,
    domain,
    mailbox,
)
from tests.vendors.test_checks import found, only
from vendors.apis.scaledmail_rules import PackageOptions

SCALEDMAIL = ("scaledmail", "package")
NAMED = (
    domain("alpha.com", first_name="Ada", last_name="Example", row=1),
    domain("beta.org", first_name="Cy", last_name="Example", row=2),
)


@pytest.mark.parametrize("has", [1, 3])
def test_scaledmail_wants_exactly_the_packages_domains(has: int) -> None:
    contents = tuple(
        domain(f"d{number}.com", mailbox(f"ada@d{number}.com")) for number in range(has)
    )
    problem = only(SCALEDMAIL, contents=contents)
    assert problem.field == "domain"
    assert "exactly 2 domains" in problem.message
    assert problem.fix == ("Add 1." if has == 1 else "Take 1 out.")


def test_scaledmail_counts_domains_of_all_packages() -> None:
    problem = only(SCALEDMAIL, options={"quantity": 2})
    assert "exactly 4 domains" in problem.message
    assert problem.fix == "Add 2, or order 1 of the package."
    assert (
        found(SCALEDMAIL, prices={"package.price_1": StubPrice(domains=1)}, options={"quantity": 2})
        == []
    )


@pytest.mark.parametrize("prices", [{}, {"package.price_1": StubPrice(domains=None)}])
def test_scaledmail_says_when_it_cannot_count(prices: Any) -> None:
    assert only(SCALEDMAIL, level="warn", prices=prices).field == "price_id"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"price_id": ""}, "price_id"),
        ({"provider": ""}, "provider"),
        ({"provider": "porkbun"}, "provider"),
        ({"quantity": -1}, "quantity"),
        ({"quantity": "2"}, "quantity"),
    ],
)
def test_scaledmail_needs_a_package_and_where_the_domains_are(
    options: dict[str, Any], field: str
) -> None:
    assert only(SCALEDMAIL, options=options).field == field


def test_scaledmail_makes_addresses_from_one_name_a_domain() -> None:
    assert found(SCALEDMAIL, contents=NAMED) == []


def test_scaledmail_may_want_one_way_for_all_domains() -> None:
    assert only(SCALEDMAIL, level="warn", contents=(TWO_DOMAINS[0], NAMED[1])).field == "domain"


@pytest.mark.parametrize(
    "names",
    [{}, {"first_name": "Ada"}, {"last_name": "Example"}, {"first_name": " ", "last_name": "x"}],
)
def test_scaledmail_domain_needs_names_or_mailboxes(names: dict[str, str]) -> None:
    problem = only(SCALEDMAIL, contents=(NAMED[0], domain("beta.org", row=2, **names)))
    assert problem.row == 2


@pytest.mark.parametrize("username", ["", "a b", "a@b", "x" * 65])
def test_scaledmail_alias_is_what_stands_before_the_at(username: str) -> None:
    box = mailbox(f"{username}@beta.org", row=13)
    problem = only(SCALEDMAIL, contents=(TWO_DOMAINS[0], domain("beta.org", box)))
    assert (problem.field, problem.row) == ("address", 13)


def test_scaledmail_alias_may_have_64_characters() -> None:
    assert (
        found(
            SCALEDMAIL,
            contents=(TWO_DOMAINS[0], domain("beta.org", mailbox(f"{'x' * 64}@beta.org"))),
        )
        == []
    )


def test_scaledmail_domain_picture_must_have_a_web_address() -> None:
    problem = only(
        SCALEDMAIL,
        contents=(NAMED[0], domain("beta.org", first_name="A", last_name="B", picture="x", row=2)),
    )
    assert (problem.field, problem.row) == ("picture", 2)


@pytest.mark.parametrize("password", ["ab", "a", " b ", "long enough"])
def test_scaledmail_takes_the_password_of_a_registrar_or_a_sending_tool_as_it_is(
    password: str,
) -> None:
    for name in ("hosting_password", "sequencer_password"):
        assert PackageOptions.base_fields[name].clean(password) == password


@dataclass(frozen=True, kw_only=True)
class NamedPrice(StubPrice):
    label: str = ""


@pytest.mark.parametrize(
    ("label", "count", "is_right"),
    [
        ("SM Google 100%, 1 domains", 2, True),
        ("SM Google 100%", 4, True),
        ("SM Google 100%", 1, False),
        ("SM MS 100%", 25, True),
        ("SM MS 100%", 2, False),
        ("SM Google 70% - SM MS 30%", 25, True),
        ("SM Google 70% - SM MS 30%", 3, True),
        ("SM Google 70% - SM MS 30%", 7, False),
        ("SM SMTP", 4, True),
        ("SM SMTP", 3, False),
        ("Big one", 7, True),
    ],
)
def test_scaledmail_counts_the_mailboxes_that_the_kind_of_package_has(
    label: str, count: int, is_right: bool
) -> None:
    boxes = [mailbox(f"ada{number}@alpha.com", row=10 + number) for number in range(count)]
    prices = {"package.price_1": NamedPrice(domains=1, label=label)}
    problems = found(SCALEDMAIL, prices, contents=(domain("alpha.com", *boxes, row=1),))
    assert [(each.level, each.field, each.row) for each in problems] == (
        [] if is_right else [("warn", "address", 1)]
    )


HOSTING = {"provider": "other", "hosting_provider": "Porkbun", "hosting_username": "ada"}


@pytest.mark.parametrize("part", ["provider", "username", "password"])
def test_scaledmail_wants_the_whole_login_for_domains_held_elsewhere(part: str) -> None:
    passwords = frozenset() if part == "password" else frozenset({"hosting_password"})
    options = {**HOSTING, f"hosting_{part}": ""}
    assert only(SCALEDMAIL, options=options, secret_names=passwords).field == f"hosting_{part}"


def test_scaledmail_takes_a_whole_login() -> None:
    assert found(SCALEDMAIL, options=HOSTING, secret_names=frozenset({"hosting_password"})) == []


@pytest.mark.parametrize(
    "changes",
    [{"options": {"hosting_username": "ada"}}, {"secret_names": frozenset({"hosting_password"})}],
)
def test_scaledmail_says_when_a_login_will_not_be_sent(changes: dict[str, Any]) -> None:
    assert only(SCALEDMAIL, level="warn", **changes).field == "provider"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"options": {"sequencer_provider": "Instantly"}}, "sequencer_username"),
        (
            {"options": {"sequencer_provider": "Instantly", "sequencer_username": "ada"}},
            "sequencer_password",
        ),
        ({"options": {"sequencer_username": "ada"}}, "sequencer_provider"),
        ({"secret_names": frozenset({"sequencer_password"})}, "sequencer_provider"),
    ],
)
def test_scaledmail_sending_tool_needs_all_three(changes: dict[str, Any], field: str) -> None:
    assert only(SCALEDMAIL, **changes).field == field
