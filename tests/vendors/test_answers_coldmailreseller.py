"""What ColdMailReseller answers to a paid request, and what it means."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import PRODUCTS, case, problem_in, reply
from vendors.http import Reply
from vendors.verdicts import Accepted, Unknown, Verdict

CMR_PRODUCTS = [key for key in PRODUCTS if key[0] == "coldmailreseller"]
ORDERED = (
    "Order created and queued for processing, make sure to have enough balance in your wallet!"
)
ORDER_ID = "RJK7NR2W194HAGHGTX75D391P3NB"


def verdict(key: tuple[str, str], answer: Reply) -> Verdict:
    api, order = case(key)
    return api.read_reply(order, answer)


def cmr(status: int, message: str = "Invalid value", **more: Any) -> Reply:
    return reply(status, {"status": status, "message": message, "data": None, **more})


@pytest.mark.parametrize("key", CMR_PRODUCTS)
def test_coldmailreseller_accepts_with_an_order_id(key: tuple[str, str]) -> None:
    found = verdict(
        key, reply(200, {"status": 200, "message": ORDERED, "data": {"orderId": ORDER_ID}})
    )
    assert found == Accepted(reference=ORDER_ID, details={"vendor_says": ORDERED})


@pytest.mark.parametrize("unavailable", [[], None])
def test_coldmailreseller_accepts_whole_where_no_domain_is_unavailable(unavailable: Any) -> None:
    body = {
        "status": 200,
        "message": ORDERED,
        "data": {"orderId": ORDER_ID, "unavailableDomains": unavailable},
    }
    found = verdict(CMR_PRODUCTS[0], reply(200, body))
    assert isinstance(found, Accepted)
    assert found.refused_domains == ()


def test_coldmailreseller_accepts_in_part() -> None:
    data = {"orderId": ORDER_ID, "unavailableDomains": [" Beta.org "]}
    found = verdict(CMR_PRODUCTS[0], reply(200, {"status": 200, "message": ORDERED, "data": data}))
    assert isinstance(found, Accepted)
    assert found.refused_domains == ("beta.org",)


@pytest.mark.parametrize(
    "body",
    [
        {"status": 500, "message": ORDERED, "data": {"orderId": ORDER_ID}},
        {"status": "200", "message": ORDERED, "data": {"orderId": ORDER_ID}},
        {"status": 200, "message": ORDERED, "data": None},
        {"status": 200, "message": ORDERED, "data": {}},
        {"status": 200, "message": ORDERED, "data": {"orderId": ""}},
        {"status": 200, "message": ORDERED, "data": {"orderId": 7.5}},
        {"status": 200, "message": ORDERED, "data": {"orderId": True}},
        {"status": 200, "message": ORDERED, "data": {"orderId": "undefined"}},
        {"status": 200, "message": ORDERED, "data": [{"orderId": ORDER_ID}]},
        {"status": 200, "message": ORDERED, "orderId": ORDER_ID},
        {
            "status": 200,
            "message": ORDERED,
            "data": {"orderId": ORDER_ID, "unavailableDomains": "beta.org"},
        },
        {
            "status": 200,
            "message": ORDERED,
            "data": {"orderId": ORDER_ID, "unavailableDomains": [{"d": "beta.org"}]},
        },
        {},
    ],
)
def test_coldmailreseller_success_of_another_shape_is_unknown(body: Any) -> None:
    assert isinstance(verdict(CMR_PRODUCTS[0], reply(200, body)), Unknown)


def test_coldmailreseller_order_with_an_unreadable_part_keeps_its_number_before_the_person() -> (
    None
):
    data = {"orderId": ORDER_ID, "unavailableDomains": "beta.org"}
    found = verdict(CMR_PRODUCTS[0], reply(200, {"status": 200, "message": ORDERED, "data": data}))
    assert isinstance(found, Unknown)
    assert ORDER_ID in found.why


@pytest.mark.parametrize("status", [201, 202])
def test_coldmailreseller_accepts_its_whole_success_with_any_2xx(status: int) -> None:
    body = {"status": 200, "message": ORDERED, "data": {"orderId": ORDER_ID}}
    assert isinstance(verdict(CMR_PRODUCTS[0], reply(status, body)), Accepted)


def test_coldmailreseller_accepts_with_a_number() -> None:
    body = {"status": 200, "message": ORDERED, "data": {"orderId": 7}}
    found = verdict(CMR_PRODUCTS[0], reply(200, body))
    assert isinstance(found, Accepted)
    assert found.reference == "7"


@pytest.mark.parametrize("where", ["data", "beside data"])
def test_coldmailreseller_accepts_an_order_of_which_it_left_out_every_domain(where: str) -> None:
    found = _with_left_out(["alpha.com", "BETA.org"], where)
    assert isinstance(found, Accepted)
    assert found.reference == ORDER_ID
    assert set(found.refused_domains) == {"alpha.com", "beta.org"}


@pytest.mark.parametrize("where", ["data", "beside data"])
def test_coldmailreseller_order_less_a_foreign_domain_goes_to_a_person(where: str) -> None:
    found = _with_left_out(["alpha.com", "elsewhere.com"], where)
    assert isinstance(found, Unknown)
    assert ORDER_ID in found.why


def _with_left_out(left_out: list[str], where: str) -> Verdict:
    names, data = {"unavailableDomains": left_out}, {"orderId": ORDER_ID}
    body: dict[str, Any] = {"status": 200, "message": ORDERED}
    body |= {"data": data | names} if where == "data" else {"data": data, **names}
    return verdict(("coldmailreseller", "domains"), reply(200, body))


def test_coldmailreseller_names_a_domain_beside_the_data() -> None:
    body = {"status": 200, "data": {"orderId": ORDER_ID}, "unavailableDomains": ["beta.org"]}
    found = verdict(("coldmailreseller", "domains"), reply(200, body))
    assert isinstance(found, Accepted)
    assert found.refused_domains == ("beta.org",)


@pytest.mark.parametrize("key", CMR_PRODUCTS)
@pytest.mark.parametrize("status", [400, 404, 422])
def test_coldmailreseller_refuses_in_its_envelope(key: tuple[str, str], status: int) -> None:
    found = problem_in(verdict(key, cmr(status, "Please  provide a\nuserId")))
    assert found.vendor_says == "Please provide a userId"
    assert found.row is None


@pytest.mark.parametrize("status", [401, 403])
def test_coldmailreseller_does_not_know_the_key(status: int) -> None:
    assert problem_in(verdict(CMR_PRODUCTS[0], cmr(status))).message.startswith(
        "The vendor did not accept the key."
    )


@pytest.mark.parametrize(
    ("message", "field", "row"),
    [
        ("Mailbox bob@alpha.com is not allowed", "address", 12),
        ("The domain BETA.ORG is taken", "domain", 2),
        ("The domain xbeta.org is taken", "", None),
        ("The domain beta.org.uk is taken", "", None),
        ("beta.org is wrong.", "domain", 2),
    ],
)
def test_a_line_that_the_vendor_names_gets_the_problem(
    message: str, field: str, row: int | None
) -> None:
    found = problem_in(verdict(("coldmailreseller", "domains"), cmr(422, message)))
    assert (found.field, found.row) == (field, row)


@pytest.mark.parametrize(
    "answer",
    [
        reply(400, {"message": "No"}),
        reply(400, {"message": "No", "data": None}),
        reply(400, {"status": 400, "message": "No"}),
        reply(400, {"status": 400, "message": "No", "data": []}),
        reply(400, {"status": 400, "message": "No", "data": None, "actionId": "ACT_1"}),
        reply(405, {"status": 405, "message": "No", "data": None}),
        reply(409, {"status": 409, "message": "No", "data": None}),
        reply(400, {"status": 200, "message": "No", "data": None}),
        reply(400, {"status": 400, "message": "", "data": None}),
        reply(400, {"status": 400, "message": ["No"], "data": None}),
        reply(400, {"status": 400, "error": "No", "data": None}),
        reply(400, {"status": 400, "message": "No", "data": {"orderId": ORDER_ID}}),
    ],
)
def test_coldmailreseller_refusal_of_another_shape_is_unknown(answer: Reply) -> None:
    assert isinstance(verdict(CMR_PRODUCTS[0], answer), Unknown)
