"""Whether a name is free: what each vendor is asked, its documented answers, and answers that are
none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.vendors.orders import Answers, reply
from vendors.apis import REGISTRY
from vendors.apis.values import Offered
from vendors.http import ReadFailed

PATHS = {
    "woodpecker": "/rest/v2/domains/availability",
    "scaledmail": "/api/v1/search-domains",
    "smartsenders": "/api/v1/smart-senders/search-domain",
}
SUGGESTIONS = "/api/v1/suggest-domains"
WITH = {"woodpecker": "GOOGLE", "scaledmail": "", "smartsenders": "9"}
TELLING = sorted(PATHS)


def told(api: str, answer: Any, *names: str) -> list[Offered]:
    vendor = Answers({PATHS[api]: answer})
    found = REGISTRY[api].availability(
        names, vendor, settings={"organization_id": "recOrg"}, asked_with=WITH[api]
    )
    assert len(vendor.asked) == (len(names) if api == "smartsenders" else 1)
    return found


def states(found: list[Offered]) -> dict[str, str]:
    return {offered.name: offered.state for offered in found}


def test_only_vendors_that_document_it_can_tell() -> None:
    assert sorted(name for name, api in REGISTRY.items() if api.can_tell_availability) == TELLING
    assert sorted(name for name, api in REGISTRY.items() if api.can_suggest) == [
        "scaledmail",
        "smartsenders",
    ]


@pytest.mark.parametrize("api", TELLING)
def test_the_option_that_a_question_carries_is_one_of_every_product(api: str) -> None:
    option = REGISTRY[api].availability_option
    assert all(
        not option or option in product.OptionsForm.base_fields
        for product in REGISTRY[api].products.values()
    )


# Woodpecker


def test_woodpecker_is_asked_with_the_provider_and_the_names() -> None:
    vendor = Answers({PATHS["woodpecker"]: {"provider": "GOOGLE", "domains": []}})
    REGISTRY["woodpecker"].availability(
        ["a.com", "b.com"], vendor, settings={}, asked_with="GOOGLE"
    )
    (request,) = vendor.asked
    assert (request.method, request.query) == ("POST", (("provider", "GOOGLE"),))
    assert request.prepare("", {"api_key": "k"}).body == b'{"domains":["a.com","b.com"]}'
    assert request.prepare("", {"api_key": "k"}).headers == {
        "x-api-key": "k",
        "Content-Type": "application/json",
    }


def test_woodpecker_tells_free_names_with_their_price_and_taken_ones_without() -> None:
    answer = {
        "provider": "GOOGLE",
        "domains": [
            {"domain": "A.com", "available": True, "price": {"amount": "13.00", "currency": "USD"}},
            {"domain": "b.com", "available": False, "price": None},
        ],
    }
    assert told("woodpecker", answer, "a.com", "b.com") == [
        Offered(name="a.com", state="free", price=Decimal("13.00"), currency="USD"),
        Offered(name="b.com", state="taken"),
    ]


@pytest.mark.parametrize(
    "price", [None, "13.00", {"amount": "x", "currency": "USD"}, {"amount": "13.00"}]
)
def test_woodpecker_price_that_cannot_be_read_is_no_price(price: Any) -> None:
    (found,) = told(
        "woodpecker", {"domains": [{"domain": "a.com", "available": True, "price": price}]}, "a.com"
    )
    assert (found.state, found.price, found.currency) == ("free", None, "")


# ScaledMail


def test_scaledmail_is_searched_in_the_organization() -> None:
    vendor = Answers({PATHS["scaledmail"]: []})
    REGISTRY["scaledmail"].availability(
        ["a.com"], vendor, settings={"organization_id": "recOrg"}, asked_with=""
    )
    (request,) = vendor.asked
    assert (request.method, request.query) == ("POST", (("organization_id", "recOrg"),))
    assert request.prepare("", {"api_key": "k"}).body == b'{"domains":["a.com"]}'
    assert request.prepare("", {"api_key": "k"}).headers["Authorization"] == "Bearer k"


def test_scaledmail_tells_free_and_taken_and_block_lists() -> None:
    answer = [
        {"domain": "a.com", "status": "available", "price": 12.5, "renewPrice": 15},
        {"domain": "b.com", "status": "taken", "price": None, "renewPrice": None},
        {"domain": "c.com", "status": "available", "price": None, "blacklisted": ["spamhaus", 7]},
        {"domain": "d.com", "status": "error"},
    ]
    found = told("scaledmail", answer, "a.com", "b.com", "c.com", "d.com")
    assert states(found) == {"a.com": "free", "b.com": "taken", "c.com": "free", "d.com": "unsaid"}
    assert (found[0].price, found[0].currency) == (Decimal("12.5"), "USD")
    assert (found[2].price, found[2].currency) == (None, "")
    assert "spamhaus, 7" in found[2].says


def test_scaledmail_suggests_free_names_only() -> None:
    answer = {
        "total": 4,
        "page": 1,
        "limit": 20,
        "total_pages": 1,
        "domains": [
            {"domain": "getacme.com", "status": "available", "price": 11.0, "renewPrice": 15},
            {"domain": "tryacme.com", "status": "taken", "price": None, "renewPrice": None},
            {"domain": "acme.io", "status": "error", "price": None, "renewPrice": None},
            {"status": "available"},
        ],
    }
    vendor = Answers({SUGGESTIONS: answer})
    found = REGISTRY["scaledmail"].suggest(
        "acme.com", vendor, settings={"organization_id": "recOrg"}, asked_with=""
    )
    assert found == [
        Offered(name="getacme.com", state="free", price=Decimal("11.0"), currency="USD")
    ]
    (request,) = vendor.asked
    assert request.query == (("organization_id", "recOrg"), ("page", "1"), ("limit", "20"))
    assert request.prepare("", {"api_key": "k"}).body == b'{"domain":"acme.com"}'


# SmartSenders

FREE = {
    "domain": "techbuildemo.com",
    "available": True,
    "suggestions": [{"domain": "Techbuildemo.net"}, {"x": 1}],
}


def test_smartsenders_is_searched_name_by_name_with_the_supplier() -> None:
    vendor = Answers({PATHS["smartsenders"]: FREE})
    REGISTRY["smartsenders"].availability(["techbuildemo.com"], vendor, settings={}, asked_with="9")
    (request,) = vendor.asked
    assert (request.method, request.body) == ("GET", None)
    assert request.query[1:] == (("domain_name", "techbuildemo.com"), ("vendor_id", "9"))


@pytest.mark.parametrize("answer", [FREE, {"ok": True, "data": FREE}])
def test_smartsenders_tells_free_names_without_a_price(answer: Any) -> None:
    assert told("smartsenders", answer, "techbuildemo.com") == [
        Offered(name="techbuildemo.com", state="free")
    ]


def test_smartsenders_name_that_it_does_not_offer_may_only_be_too_dear() -> None:
    (found,) = told(
        "smartsenders", {"domain": "a.com", "available": False, "suggestions": []}, "a.com"
    )
    assert found.state == "taken"
    assert "15 dollars" in found.says


@pytest.mark.parametrize(
    "answer", [{"ok": True, "data": []}, [], {"domain": "a.com", "available": "yes"}]
)
def test_smartsenders_answer_that_says_nothing_says_nothing(answer: Any) -> None:
    assert states(told("smartsenders", answer, "a.com")) == {"a.com": "unsaid"}


def test_smartsenders_answer_about_another_name_is_not_taken_for_this_one() -> None:
    (found,) = told("smartsenders", FREE, "techbuildemo.io")
    assert (found.state, found.name) == ("unsaid", "techbuildemo.io")
    assert "techbuildemo.com" in found.says


def test_smartsenders_suggestions_are_not_called_free() -> None:
    vendor = Answers({PATHS["smartsenders"]: FREE})
    found = REGISTRY["smartsenders"].suggest(
        "techbuildemo.com", vendor, settings={}, asked_with="9"
    )
    assert found == [Offered(name="techbuildemo.net", state="unsaid")]


def test_smartsenders_error_in_the_body_of_a_200_fails() -> None:
    answer = {
        "status": "error",
        "message": '"domain_name" is required',
        "context": "Error searching domain",
    }
    with pytest.raises(ReadFailed, match="domain_name"):
        told("smartsenders", answer, "a.com")


# All of them


def row(api: str, name: str, *, free: bool) -> dict[str, Any]:
    if api == "woodpecker":
        return {"domain": name, "available": free, "price": None}
    return {"domain": name, "status": "available" if free else "taken", "price": None}


@pytest.mark.parametrize("api", ["woodpecker", "scaledmail"])
def test_names_that_are_left_out_or_made_up_are_seen(api: str) -> None:
    rows = [
        row(api, "other.com", free=True),
        row(api, "b.com", free=True),
        row(api, "c.com", free=True),
    ]
    rows.append(row(api, "c.com", free=False))
    answer = rows if api == "scaledmail" else {"domains": rows}
    found = told(api, answer, "a.com", "b.com", "c.com")
    assert states(found) == {"a.com": "unsaid", "b.com": "free", "c.com": "unsaid"}


@pytest.mark.parametrize("api", TELLING)
@pytest.mark.parametrize(
    "answer",
    [
        reply(
            500, {"error": "Down", "title": "x", "status": 500, "details": "Down", "timestamp": ""}
        ),
        reply(200, b"<html>We will be back</html>"),
        reply(200, b""),
        reply(200, "free"),
        reply(429, {"message": "slow", "retryAfter": 1}),
        reply(401, {"message": "Unauthorized"}),
        ReadFailed("The vendor could not be asked: no answer came in time."),
    ],
)
def test_an_answer_that_is_none_fails_in_a_sentence(api: str, answer: Any) -> None:
    with pytest.raises(ReadFailed) as failed:
        told(api, answer, "a.com")
    assert str(failed.value).startswith("The vendor ")


@pytest.mark.parametrize(
    "body",
    [{"error": "Invalid domain"}, {"message": "Invalid domain"}, {"details": "Invalid domain"}],
)
def test_the_vendors_own_words_are_told(body: dict[str, str]) -> None:
    with pytest.raises(ReadFailed, match="It says: “Invalid domain”"):
        told("scaledmail", reply(400, body), "a.com")


@pytest.mark.parametrize(
    "junk", [None, 7, "x", [], {"domain": 7}, {"domain": None, "status": []}, {"available": {}}]
)
@pytest.mark.parametrize("api", ["woodpecker", "scaledmail"])
def test_junk_among_the_rows_never_makes_a_name_free(api: str, junk: Any) -> None:
    answer = [junk] if api == "scaledmail" else {"domains": [junk]}
    assert states(told(api, answer, "a.com")) == {"a.com": "unsaid"}
