"""An order in words: whatever its request holds stands there, and no secret does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.vendors.orders import PRODUCTS, SOUND, StubContact, StubOrder, case, domain, mailbox
from tests.vendors.test_golden_requests import SCALEDMAIL
from tests.vendors.test_words import FULL_CONTENTS, full_orders
from vendors.apis import REGISTRY
from vendors.apis.coldmailreseller import ColdMailReseller
from vendors.apis.order_details import CONTACT_WORDS, Detail, details
from vendors.apis.values import ContactLike
from vendors.http import Request, Secret

CMR, SMART = ("coldmailreseller", "domains"), ("smartsenders", "domains")
# The columns of the table of domains and mailboxes, which stands on the same pages.
IN_ROWS = {
    "domain", "domain_name", "years", "forwardTo", "redirect", "mailbox", "email", "alias",
    "username", "firstName", "lastName", "first_name", "last_name", "profilePicture",
    "profile_picture", "profile_pic",
}  # fmt: skip
LABELS = {
    "package.price_1": "Outlook, 25 mailboxes",
    "mailbox.GOOGLE": "Google mailbox",
    "domain.9": "Zapmail domain",
}


def in_words(api: str, order: StubOrder) -> dict[str, Detail]:
    found = details(REGISTRY[api], order, labels=LABELS)
    assert len({one.full_label for one in found}) == len(found)
    return {one.full_label: one for one in found}


def leaves(api: str, request: Request) -> Iterator[tuple[str, Any]]:
    """Each value outside of the rows, with its name. Written anew, apart from the adapter's words."""
    lists = REGISTRY[api].row_words

    def walk(value: Any, place: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            for name, inner in value.items():
                if name not in lists:
                    yield from walk(inner, f"{place}.{name}")
        elif value not in ("", None):
            yield place, value

    yield from ((f"query.{name}", value) for name, value in request.query if value)
    yield from walk(request.body, "body")


def row_names(value: Any, lists: Any, *, inside: bool = False) -> Iterator[str]:
    if isinstance(value, list):
        for row in value:
            yield from row_names(row, lists, inside=True)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if inside and name not in lists:
                yield name
            by_domain = name in lists and isinstance(inner, dict)
            yield from row_names(
                [*inner.values()] if by_domain else inner, lists, inside=inside or name in lists
            )


@pytest.mark.parametrize("key", PRODUCTS)
def test_whatever_is_sent_stands_on_the_card_in_words(key: tuple[str, str]) -> None:
    api, _ = case(key)
    for order in [*full_orders(key), SOUND[key]]:
        request = api.order_request(order)
        by_place = {place: one for one in in_words(key[0], order).values() for place in one.sent_as}
        for place, value in leaves(key[0], request):
            if isinstance(value, Secret) and value.name in api.secrets:
                continue  # the account's key
            said = by_place[place].words
            is_choice = said in {
                str(label)
                for form in (api.products[key[1]].OptionsForm(), api.AccountForm())
                for field in form.fields.values()
                for _, label in getattr(field, "choices", ())
            }
            assert (
                is_choice
                or said in ("Yes", "No", "Given", "Not given", *LABELS.values())
                or said in str(value)  # a first name within "first last"
                or value in api.fixed_words.get(place.rpartition(".")[2], {})
            ), (place, value, said)
        if order.options.get("price_id"):
            assert by_place["path"].label == "Package"


@pytest.mark.parametrize("key", PRODUCTS)
def test_what_the_rows_hold_stands_in_the_table_below(key: tuple[str, str]) -> None:
    api, _ = case(key)
    for order in full_orders(key):
        assert set(row_names(api.order_request(order).body, api.row_words)) <= IN_ROWS


def test_an_option_that_the_form_does_not_know_keeps_its_raw_name() -> None:
    order = SOUND[CMR].but(options={"warm_up": "fast"})
    found = in_words(CMR[0], order)["warm_up"]
    assert (found.words, found.more) == ("fast", "Not sent to the vendor.")


def test_what_an_adapter_sends_beside_all_options_stands_there_by_its_raw_name() -> None:
    class Hasty(ColdMailReseller):
        def order_request(self, order: Any) -> Request:
            made = super().order_request(order)
            body = {**made.body, "priority": "high", "google": {"scope": "all"}}
            return replace(made, body=body)

    found = {one.label: one.words for one in details(Hasty(), SOUND[CMR], labels={})}
    assert (found["Priority"], found["Scope"]) == ("high", "all")


def test_a_secret_is_only_given_or_not_given() -> None:
    found = in_words("scaledmail", SCALEDMAIL)
    assert found["Password there"].words == "Given"
    assert "secret" not in str(found)
    without = in_words("scaledmail", replace(SCALEDMAIL, secret_names=frozenset()))
    assert without["Password there"].words == "Not given"


def test_what_is_typed_but_not_sent_says_so() -> None:
    other = {"service_provider": "MICROSOFT", "microsoft_oauth_route": "https://login.example"}
    found = in_words(CMR[0], SOUND[CMR].but(options=other))
    assert found["Mailboxes from"].words == "Microsoft"
    assert found["Microsoft sign-in address"].sent_as
    assert found["Google client ID"].more == "Not sent to the vendor."
    assert "Google app name" not in found  # empty, and it would not be sent
    provider = in_words("woodpecker", SOUND["woodpecker", "mailboxes"])["Provider of the mailboxes"]
    assert (provider.words, provider.more) == (
        "Google mailbox",
        "Only for the cost. It is not sent.",
    )


def test_create_only_and_no_renewal_are_said_with_what_they_mean() -> None:
    found = in_words(CMR[0], SOUND[CMR].but(options={"confirm": False, "auto_renew": False}))
    assert found["When it arrives"].words == "Create only, processed later at the vendor"
    assert "Nothing is bought until" in found["When it arrives"].more
    assert found["Renew the mailboxes automatically"].words == "No"


def test_an_empty_option_says_what_happens_then() -> None:
    found = in_words("scaledmail", SOUND["scaledmail", "package"])
    assert found["Package"].words == "Outlook, 25 mailboxes"
    assert found["Coupon"].words == "None"
    assert found["Number of packages"].words == "1"
    assert "Where the domains are held" not in found
    nothing = in_words("scaledmail", SOUND["scaledmail", "package"].but(options={"price_id": ""}))
    assert nothing["Package"].words == "Not chosen yet"


def test_the_contact_has_all_that_is_sent_and_nothing_else() -> None:
    assert CONTACT_WORDS.keys() == {
        name for name in vars(ContactLike) if isinstance(vars(ContactLike)[name], property)
    }
    short = in_words(SMART[0], SOUND[SMART])
    assert {label for label in short if label.startswith("Registrant")} == {
        "Registrant contact, first name", "Registrant contact, last name",
    }  # fmt: skip
    whole = SOUND[SMART].but(
        settings={"body_form": "objects"},
        contact=StubContact(company="Acme", address_line_two="Floor 2"),
    )
    sent = [one for one in in_words(SMART[0], whole).values() if one.group == "Registrant contact"]
    assert len(sent) == len(CONTACT_WORDS)
    assert in_words(SMART[0], SOUND[SMART].but(contact=None))["Registrant contact"].words == (
        "Not chosen yet"
    )
    assert in_words(CMR[0], SOUND[CMR])["Registrant contact"].words == "Not asked by this vendor"


def lines(*places: str) -> Any:
    return tuple(
        domain(f"d{n}.com", mailbox(f"a@d{n}.com"), forward_to=place)
        for n, place in enumerate(places)
    )


@pytest.mark.parametrize(
    ("places", "words", "more"),
    [
        (["acme.com/a", "acme.com/a"], "acme.com/a", "All 2 domains"),
        (["", ""], "Nowhere", "All 2 domains"),
        (["a.com", "b.com", "a.com"], "a.com (d0.com, d2.com); b.com (d1.com)", ""),
        (["a.com", "", "", "", ""], "a.com (d0.com); Nowhere (4 domains)", ""),
        ([f"{n}.com" for n in range(6)], "0.com (d0.com); 1.com (d1.com); 2.com (d2.com); 3.com (d3.com)",
         "And 2 destinations more, each beside its domain."),
    ],
)  # fmt: skip
def test_forwarding_is_said_per_domain_where_it_differs(
    places: list[str], words: str, more: str
) -> None:
    found = in_words(CMR[0], SOUND[CMR].but(contents=lines(*places)))["Domains forward to"]
    assert (found.words, found.more) == (words, more)


def test_one_destination_for_all_says_which_lines_are_not_sent() -> None:
    order = SOUND[SMART].but(contents=lines("example.com", "other.com"))
    found = in_words(SMART[0], order)["Domains forward to"]
    assert found.words == "example.com"
    assert found.more == "1 line says another destination, which is not sent."
    assert found.sent_as == ("body.forwarding_domain",)


def test_years_mailboxes_and_pictures_are_counted() -> None:
    found = in_words(CMR[0], SOUND[CMR].but(contents=FULL_CONTENTS))
    assert found["Domains paid for"].words == "1 year for 1 domain, 2 years for 1 domain"
    assert found["Mailboxes"].words == "1, 1 each on 1 domain, none on 1"
    assert found["Pictures"].words == "1 of 2 given"
    unsent = in_words(SMART[0], SOUND[SMART].but(contents=FULL_CONTENTS[:1]))["Pictures"]
    assert (unsent.words, unsent.more) == ("All given", "Not sent to the vendor.")


def test_details_are_stored_as_json_and_read_back() -> None:
    for one in in_words(CMR[0], SOUND[CMR]).values():
        assert Detail.from_dict(one.as_dict()) == one
