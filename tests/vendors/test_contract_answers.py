"""The contract of every adapter about answers and reads: nothing breaks them."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.vendors.orders import (
    PRODUCTS,
    SENT_AT,
    SOUND,
    Answers,
    case,
    reply,
)
from tests.vendors.test_contract import APIS, all_secrets
from vendors.apis import REGISTRY
from vendors.apis.values import Evidence, Progress
from vendors.cost import MONTH, ONCE, UNSTATED, YEAR, FetchedPrice
from vendors.http import ReadFailed, Reply, Request
from vendors.verdicts import Accepted, NotSent, Refused, Unknown

# answers


@pytest.mark.parametrize("key", PRODUCTS)
def test_html_in_place_of_a_refusal_is_unknown(key: tuple[str, str]) -> None:
    api, order = case(key)
    for status in api.REFUSALS:
        assert isinstance(
            api.read_reply(order, reply(status, b"<html>403 Forbidden</html>")), Unknown
        )


# fmt: off
WORDS = st.sampled_from([
    "status", "message", "data", "orderId", "unavailableDomains", "error", "id", "success", "ok",
    "order_id", "title", "details", "type", "code", "fields", "field", "issue", "mailboxes", "domain",
    "email", "payments", "packages", "subscriptions", "providers", "name", "pricing", "domain_name",
    "created_at", "organizations", "domains", "periodStart", "totalMailboxQuantity", "userId", "price",
    "frequency", "currency", "email_account_price", "vendor_id", "is_active", "payment_id",
    "domain_price", "mailbox_price", "vendor_name",
])
TELLING = st.sampled_from([
    "success", "error", "alpha.com", "ada@alpha.com", "Active", "PAID", "2026-03-04",
    "2026-03-04T10:00:30Z", "1e999", "-1", "12.50", "USD", "NaN", "/monthly", "mailboxes[0].email",
    '"domains[0].domain_name"',
])
# fmt: on
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | TELLING
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=25,
)
LISTS = [
    "data",
    "subscriptions",
    "payments",
    "packages",
    "domains",
    "mailboxes",
    "providers",
    "organizations",
]
ROWS = st.lists(st.dictionaries(WORDS, JSON, max_size=8) | JSON, max_size=4)
TABLES = st.one_of(
    ROWS, *(ROWS.map(lambda rows, name=name: {name: rows, "data": {name: rows}}) for name in LISTS)
)
STATUS = st.integers(100, 599) | st.sampled_from(
    [200, 202, 400, 401, 403, 404, 405, 413, 415, 422, 429]
)
BODY = st.binary(max_size=200) | (JSON | TABLES).map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "retry-after", "Location"]), st.text(max_size=30), max_size=2
)


@pytest.mark.parametrize("key", PRODUCTS)
@given(status=STATUS, body=BODY, headers=HEADERS)
@example(status=200, body=b"", headers={})
@example(status=500, body=b'{"title": "x", "status": 500, "details": "x"}', headers={})
@example(status=429, body=b"", headers={"Retry-After": "Mon, 01 Jan 9999 00:00:00 +2359"})
def test_no_answer_breaks_the_reading_or_hides_a_charge(
    key: tuple[str, str], status: int, body: bytes, headers: dict[str, str]
) -> None:
    api, order = case(key)
    verdict = api.read_reply(order, Reply(status=status, headers=headers, body=body, seconds=1))
    if isinstance(verdict, Accepted):
        assert 200 <= status < 300
        assert isinstance(verdict.reference, str)
        assert len(verdict.reference) <= 120
        json.dumps(verdict.details)
    elif isinstance(verdict, Refused):
        assert status in api.REFUSALS
        assert verdict.problems
        assert all(problem.message for problem in verdict.problems)
    elif isinstance(verdict, NotSent):
        assert status == 429
        assert verdict.retry_after is None or 0 <= verdict.retry_after <= 24 * 3600
    else:
        assert isinstance(verdict, Unknown)
        assert verdict.why


# reads


class Anything:
    """A vendor that answers every question with the same thing."""

    def __init__(self, answer: Reply | ReadFailed) -> None:
        self.answer = answer

    def __call__(self, request: Request) -> Reply:
        assert request.method == "GET"
        assert {secret.name for secret in all_secrets(request)} == {"api_key"}
        if isinstance(self.answer, ReadFailed):
            raise self.answer
        return self.answer


def assert_reads_hold(key: tuple[str, str], vendor: Anything, since: datetime = SENT_AT) -> None:
    """The reads return what they promise or raise `ReadFailed`, whatever the vendor answers."""
    api, order = case(key)
    found = api.look_for(order, vendor, since=since)
    assert found
    assert all(isinstance(evidence, Evidence) and evidence.text for evidence in found)
    assert all(evidence.points_to in ("", "placed") for evidence in found)
    json.dumps([dataclasses.asdict(evidence) for evidence in found])
    if api.can_tell_progress:
        try:
            told = api.progress(order.but(references=("1",)), vendor)
        except ReadFailed:
            pass
        else:
            assert isinstance(told, Progress)
            assert {*told.domains.values(), *told.mailboxes.values()} <= {
                "ordered",
                "ready",
                "refused",
            }
            assert len(told.reference) <= 120
    if api.can_fetch_prices:
        try:
            prices = api.prices(order.settings, vendor)
        except ReadFailed:
            pass
        else:
            assert_storable(prices)
    try:
        assert api.test(order.settings, vendor).endswith(".")
    except ReadFailed as error:
        assert str(error)


def assert_storable(prices: list[FetchedPrice]) -> None:
    items = [price.item for price in prices]
    assert len(items) == len(set(items))
    for price in prices:
        assert isinstance(price.amount, Decimal)
        assert 0 <= price.amount < 10**10
        assert len(price.currency) == 3
        assert price.unit in (ONCE, MONTH, YEAR, UNSTATED)
        assert 0 < len(price.item) <= 120
        assert 0 < len(price.label) <= 160
        assert price.domains is None or 0 < price.domains <= 32767


@pytest.mark.parametrize("key", PRODUCTS)
@given(status=st.just(200) | STATUS, body=BODY)
def test_no_answer_breaks_the_reads(key: tuple[str, str], status: int, body: bytes) -> None:
    assert_reads_hold(key, Anything(Reply(status=status, headers={}, body=body, seconds=1)))


@pytest.mark.parametrize("key", PRODUCTS)
def test_a_vendor_that_cannot_be_asked_is_said_so_and_proves_nothing(key: tuple[str, str]) -> None:
    api, order = case(key)
    for vendor in (
        Anything(ReadFailed("The vendor could not be asked: no answer came in time.")),
        Anything(reply(500, b"")),
        Anything(reply(401, {"message": "no"})),
        Anything(reply(200, b"<html>")),
        Answers({}),
    ):
        found = api.look_for(order, vendor, since=SENT_AT)
        assert not any(evidence.points_to for evidence in found)
        assert any("could not be looked at" in evidence.text for evidence in found)
        assert any("no proof" in evidence.text for evidence in found)
        with pytest.raises(ReadFailed):
            api.test(order.settings, vendor)


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("status", [201, 202, 206])
def test_a_key_is_proved_by_200_alone(name: str, status: int) -> None:
    answer = {"status": 200, "ok": True, "data": {"subscriptions": []}, "organizations": []}
    with pytest.raises(ReadFailed, match=str(status)):
        REGISTRY[name].test({}, Anything(reply(status, answer)))


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_not_accepted_is_said_in_these_words(name: str, status: int) -> None:
    with pytest.raises(ReadFailed, match=r"^The vendor did not accept this key\."):
        REGISTRY[name].test({}, Anything(reply(status, {"message": "no"})))


def test_these_products_cover_every_vendor() -> None:
    assert {name for name, _ in SOUND} == set(REGISTRY)
