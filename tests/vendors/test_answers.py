"""What each answer to a paid request means. Where the vendor may hold a charge the verdict is *unknown*."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import PRODUCTS, SOUND, case, reply
from vendors.apis import REGISTRY
from vendors.http import Reply
from vendors.verdicts import Accepted, NotSent, Problem, Refused, Unknown, Verdict

CMR_PRODUCTS = [key for key in PRODUCTS if key[0] == "coldmailreseller"]
ORDERED = "Order created and queued for processing, make sure to have enough balance in your wallet!"
ORDER_ID = "RJK7NR2W194HAGHGTX75D391P3NB"


def verdict(key: tuple[str, str], answer: Reply) -> Verdict:
    api, order = case(key)
    return api.read_reply(order, answer)


def read(api: str, status: int, body: Any, **changes: Any) -> Verdict:
    """The verdict over an answer to a vendor's only product."""
    [product] = REGISTRY[api].products
    return REGISTRY[api].read_reply(SOUND[api, product].but(**changes), reply(status, body))


def problem(found: Verdict) -> Problem:
    assert isinstance(found, Refused), found
    [only] = found.problems
    assert "Nothing was" in only.message
    assert only.fix
    return only


def cmr(status: int, message: str = "Something is wrong", **more: Any) -> Reply:
    return reply(status, {"status": status, "message": message, "data": None, **more})


# -- every product, answers that no vendor documents ------------------------------------------------------------------


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize(
    "status", [100, 204, 205, 226, 300, 301, 302, 303, 307, 308, 402, 408, 409, 410, 418, 423, 425]
)
def test_a_status_that_nobody_documents_is_unknown(key: tuple[str, str], status: int) -> None:
    for body in (b"", {"message": "no", "error": "no"}, {"title": "No", "status": status, "details": "no"}):
        assert isinstance(verdict(key, reply(status, body)), Unknown)


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 599])
def test_a_broken_vendor_is_unknown_even_in_its_own_error_shape(key: tuple[str, str], status: int) -> None:
    for body in (
        b"",
        {"title": "Internal Server Error", "status": status, "details": "error details"},
        {"status": status, "message": "broken", "data": None},
        {"error": "broken"},
    ):
        assert isinstance(verdict(key, reply(status, body)), Unknown)


UNREADABLE = {
    "html": b"<html><body>Welcome</body></html>",
    "truncated": b'{"status": 200, "data": {"orderId": "RJK7',
    "not utf-8": b'{"ok": true, "x": "\xff"}',
    "nested without end": b"[" * 100_000,
    "list": [],
    "list of objects": [{"ok": True, "orderId": "1"}],
    "number": 7,
    "null": None,
    "true": True,
    "text": "OK",
}
FOREIGN = {**UNREADABLE, "empty": b"", "empty object": {}, "foreign error": {"errors": [{"detail": "no"}]}}


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("status", [200, 202])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_success_that_cannot_be_read_is_unknown(key: tuple[str, str], status: int, body: Any) -> None:
    assert isinstance(verdict(key, reply(status, body)), Unknown)


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422])
@pytest.mark.parametrize("body", FOREIGN.values(), ids=FOREIGN)
def test_a_refusal_that_is_not_the_vendors_own_is_unknown(key: tuple[str, str], status: int, body: Any) -> None:
    """A proxy, a firewall or a captive portal can answer in the vendor's place, after the order went through."""
    assert isinstance(verdict(key, reply(status, body)), Unknown)


@pytest.mark.parametrize("key", PRODUCTS)
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry-After": "9" * 30}, 24 * 3600),
        ({"Retry-After": "9" * 5000}, None),
        ({"Retry-After": "²"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-7"}, None),
    ],
)
def test_429_was_not_placed_and_tells_how_long_to_wait(key: Any, headers: dict[str, str], seconds: int | None) -> None:
    found = verdict(key, reply(429, b"", headers))
    assert isinstance(found, NotSent)
    assert found.retry_after == seconds


# -- ColdMailReseller -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CMR_PRODUCTS)
def test_coldmailreseller_accepts_with_an_order_id(key: tuple[str, str]) -> None:
    found = verdict(key, reply(200, {"status": 200, "message": ORDERED, "data": {"orderId": ORDER_ID}}))
    assert found == Accepted(reference=ORDER_ID, details={"vendor_says": ORDERED})


@pytest.mark.parametrize("unavailable", [[], None])
def test_coldmailreseller_accepts_whole_where_no_domain_is_unavailable(unavailable: Any) -> None:
    body = {"status": 200, "message": ORDERED, "data": {"orderId": ORDER_ID, "unavailableDomains": unavailable}}
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
        {"status": 200, "message": ORDERED, "data": {"orderId": 7}},
        {"status": 200, "message": ORDERED, "data": [{"orderId": ORDER_ID}]},
        {"status": 200, "message": ORDERED, "orderId": ORDER_ID},
        {"status": 200, "message": ORDERED, "data": {"orderId": ORDER_ID, "unavailableDomains": "beta.org"}},
        {"status": 200, "message": ORDERED, "data": {"orderId": ORDER_ID, "unavailableDomains": [{"d": "beta.org"}]}},
        {},
    ],
)
def test_coldmailreseller_success_of_another_shape_is_unknown(body: Any) -> None:
    assert isinstance(verdict(CMR_PRODUCTS[0], reply(200, body)), Unknown)


def test_coldmailreseller_order_with_an_unreadable_part_keeps_its_number_before_the_person() -> None:
    data = {"orderId": ORDER_ID, "unavailableDomains": "beta.org"}
    found = verdict(CMR_PRODUCTS[0], reply(200, {"status": 200, "message": ORDERED, "data": data}))
    assert isinstance(found, Unknown)
    assert ORDER_ID in found.why


@pytest.mark.parametrize("status", [201, 202])
def test_coldmailreseller_documents_200_only(status: int) -> None:
    body = {"status": status, "message": ORDERED, "data": {"orderId": ORDER_ID}}
    assert isinstance(verdict(CMR_PRODUCTS[0], reply(status, body)), Unknown)


@pytest.mark.parametrize("key", CMR_PRODUCTS)
@pytest.mark.parametrize("status", [400, 404, 405, 413, 415, 422])
def test_coldmailreseller_refuses_in_its_envelope(key: tuple[str, str], status: int) -> None:
    found = problem(verdict(key, cmr(status, "Please  provide a\nuserId")))
    assert found.vendor_says == "Please provide a userId"
    assert found.row is None


@pytest.mark.parametrize("status", [401, 403])
def test_coldmailreseller_does_not_know_the_key(status: int) -> None:
    assert problem(verdict(CMR_PRODUCTS[0], cmr(status))).message.startswith("The vendor did not accept the key.")


def test_coldmailreseller_refusal_without_a_status_in_the_body_counts() -> None:
    assert problem(verdict(CMR_PRODUCTS[0], reply(400, {"message": "No"}))).vendor_says == "No"


@pytest.mark.parametrize(
    ("message", "field", "row"),
    [
        ("Mailbox bob@alpha.com is not allowed", "address", 12),
        ("The domain BETA.ORG is taken", "domain", 2),
        ("The domain xbeta.org is taken", "", None),
        ("The domain beta.org.uk is taken", "", None),
        ("Look at beta.org.", "domain", 2),
    ],
)
def test_a_line_that_the_vendor_names_gets_the_problem(message: str, field: str, row: int | None) -> None:
    found = problem(verdict(("coldmailreseller", "domains"), cmr(422, message)))
    assert (found.field, found.row) == (field, row)


@pytest.mark.parametrize(
    "answer",
    [
        reply(400, {"status": 200, "message": "No", "data": None}),
        reply(400, {"status": 400, "message": "", "data": None}),
        reply(400, {"status": 400, "message": ["No"], "data": None}),
        reply(400, {"status": 400, "error": "No", "data": None}),
        reply(400, {"status": 400, "message": "No", "data": {"orderId": ORDER_ID}}),
    ],
)
def test_coldmailreseller_refusal_of_another_shape_is_unknown(answer: Reply) -> None:
    assert isinstance(verdict(CMR_PRODUCTS[0], answer), Unknown)


# -- ScaledMail -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ({}, ""),
        ({"success": True}, ""),
        ({"success": True, "message": "Order placed"}, ""),
        ({"id": "rec1"}, "rec1"),
        ({"order_id": "rec2", "message": "Order placed"}, "rec2"),
        ({"payment_id": "rec3"}, "rec3"),
        ({"id": 7, "payment_id": "rec3"}, "rec3"),
        ({"id": None, "error": None}, ""),
    ],
)
def test_scaledmail_accepts_with_or_without_a_number(body: dict[str, Any], reference: str) -> None:
    found = read("scaledmail", 200, body)
    assert isinstance(found, Accepted)
    assert found.reference == reference


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no"},
        {"error": {"message": "no"}},
        {"message": "Unauthorized"},
        {"message": {}},
        {"success": False},
        {"success": "no"},
        {"status": "error"},
        {"id": "rec1", "message": "Subscription created but the payment failed"},
        {"id": "rec1", "error": "charge failed"},
    ],
)
def test_scaledmail_success_that_speaks_of_an_error_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("scaledmail", 200, body), Unknown)


@pytest.mark.parametrize("status", [201, 202])
def test_scaledmail_documents_200_only(status: int) -> None:
    assert isinstance(read("scaledmail", status, {}), Unknown)


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize("body", [{"error": "quantity is required"}, {"message": "quantity is required"}])
def test_scaledmail_refuses_with_error_or_message(status: int, body: dict[str, str]) -> None:
    assert problem(read("scaledmail", status, body)).vendor_says == "quantity is required"


def test_scaledmail_shows_both_of_its_words() -> None:
    found = problem(read("scaledmail", 400, {"error": "Too low", "message": "Order more", "requested": {}}))
    assert found.vendor_says == "Too low Order more"


def test_scaledmail_names_the_domain() -> None:
    found = problem(read("scaledmail", 400, {"error": "beta.org is already used"}))
    assert (found.field, found.row) == ("domain", 2)


def test_scaledmail_does_not_know_the_key() -> None:
    assert problem(read("scaledmail", 401, {"message": "Unauthorized"})).message.startswith(
        "The vendor did not accept the key."
    )


@pytest.mark.parametrize("key", ["error", "message"])
@pytest.mark.parametrize(
    "words",
    [
        "Subscription created but could not be charged",
        "The charge failed",
        "Payment failed",
        "Your card was declined",
        "The invoice is not paid",
    ],
)
def test_scaledmail_refusal_about_money_is_unknown(key: str, words: str) -> None:
    """Such a 400 has been seen for an order whose subscription existed afterwards."""
    found = read("scaledmail", 400, {key: words})
    assert isinstance(found, Unknown)
    assert words in found.why


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no", "id": "rec1"},
        {"error": "no", "payment_id": "rec1"},
        {"error": "no", "success": True},
        {"error": {"message": "no"}},
        {"error": "no", "message": ["no"]},
        {"detail": "no"},
    ],
)
def test_scaledmail_refusal_of_another_shape_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("scaledmail", 400, body), Unknown)


# -- Woodpecker -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b" \r\n", {}, {"request_id": "1"}])
def test_woodpecker_accepts_with_202(body: Any) -> None:
    assert read("woodpecker", 202, body) == Accepted()


@pytest.mark.parametrize(
    "body",
    [
        {"error": "no"},
        {"errors": []},
        {"title": "Bad Request", "status": 400, "details": "no"},
        {"type": "validation_error", "message": "no", "code": "invalid_fields", "fields": []},
    ],
)
def test_woodpecker_202_with_an_error_in_it_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("woodpecker", 202, body), Unknown)


@pytest.mark.parametrize("status", [200, 201, 203])
def test_woodpecker_documents_202_only(status: int) -> None:
    assert isinstance(read("woodpecker", status, b""), Unknown)
    assert isinstance(read("woodpecker", status, {}), Unknown)


def woodpecker_error(status: int, **more: Any) -> dict[str, Any]:
    return {"title": "Title", "status": status, "details": "error details", "timestamp": "2026-05-06T12:00:00Z", **more}


def test_woodpecker_refuses_a_malformed_request() -> None:
    assert problem(read("woodpecker", 400, woodpecker_error(400))).vendor_says == "error details"


@pytest.mark.parametrize("status", [401, 403])
def test_woodpecker_does_not_know_the_key(status: int) -> None:
    found = problem(read("woodpecker", status, woodpecker_error(status)))
    assert found.message.startswith("The vendor did not accept the key.")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, woodpecker_error(500)),
        (400, {"title": "Title", "status": 400}),
        (400, {"details": "x", "status": 400}),
        (400, woodpecker_error(400, details={"a": 1})),
        (400, {"message": "no"}),
        (422, woodpecker_error(422)),
        (422, {"message": "no", "code": "invalid_fields"}),
        (422, {"type": "validation_error", "message": "no", "code": None}),
        (422, {"type": "validation_error", "message": "no", "code": "x", "fields": {"a": 1}}),
    ],
)
def test_woodpecker_refusal_of_another_shape_is_unknown(status: int, body: dict[str, Any]) -> None:
    assert isinstance(read("woodpecker", status, body), Unknown)


def invalid(*fields: Any, code: str = "invalid_fields", message: str = "Invalid field(s)") -> dict[str, Any]:
    return {
        "type": "validation_error",
        "message": message,
        "code": code,
        "request_id": "dc4faa0f-78bf-54e9-9d5d-ce9538f2eec5",
        "fields": list(fields) or None,
    }


def field(name: Any, issue: Any = "Email domain must exist in order domains or active firm domains") -> dict[str, Any]:
    return {"field": name, "issue": issue, "value": "richard@missing.com"}


@pytest.mark.parametrize(
    ("name", "column", "row"),
    [
        ("mailboxes[0].email", "address", 11),
        ("mailboxes[1].first_name", "first_name", 12),
        ("mailboxes[2].last_name", "last_name", 13),
        ("mailboxes[2]", "", 13),
        ("mailboxes[2].colour", "", 13),
        ("mailboxes[3].email", "", None),
        ("mailboxes[" + "9" * 6000 + "].email", "", None),
        ("mailboxes", "", None),
        (None, "", None),
    ],
)
def test_woodpecker_field_is_tied_to_its_mailbox(name: Any, column: str, row: int | None) -> None:
    found = problem(read("woodpecker", 422, invalid(field(name))))
    assert (found.field, found.row) == (column, row)
    assert found.vendor_says == "Email domain must exist in order domains or active firm domains"


def test_woodpecker_each_field_becomes_a_problem() -> None:
    found = read(
        "woodpecker",
        422,
        invalid(field("mailboxes[0].email"), field("mailboxes[2].email", "Taken"), "x", field("y", None)),
    )
    assert isinstance(found, Refused)
    assert [(problem.row, problem.vendor_says[:5]) for problem in found.problems] == [(11, "Email"), (13, "Taken")]


@pytest.mark.parametrize("fields", [(), ("x",)])
def test_woodpecker_422_without_a_usable_field_shows_the_message(fields: tuple[Any, ...]) -> None:
    assert (
        problem(read("woodpecker", 422, invalid(*fields, code="new_rule", message="A new rule"))).vendor_says
        == "A new rule"
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("insufficient_funds", "Add prepaid funds"),
        ("payment_failed", "Billing"),
        ("domain_owner_required", "domain owner"),
    ],
)
def test_woodpecker_business_refusal_says_what_to_do(code: str, words: str) -> None:
    found = problem(read("woodpecker", 422, invalid(code=code, message="In the vendor's words")))
    assert words in found.fix
    assert found.vendor_says == "In the vendor's words"


# -- SmartSenders -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        ({"ok": True, "data": []}, ""),
        ({"success": True, "data": {"order_id": "SS-1"}}, "SS-1"),
        ({"status": "success", "order_id": "895641"}, "895641"),
        ({"status": "success", "order_id": 895641}, "895641"),
        ({"ok": True, "order_id": True}, ""),
        ({"ok": True, "data": None, "message": "Thanks"}, ""),
    ],
)
def test_smartsenders_accepts_by_any_of_its_flags(body: dict[str, Any], reference: str) -> None:
    found = read("smartsenders", 200, body)
    assert isinstance(found, Accepted)
    assert found.reference == reference


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"data": []},
        {"ok": "true"},
        {"ok": 1},
        {"ok": False, "data": []},
        {"success": False, "error": {"message": "no"}},
        {"status": "error", "message": "Error creating domain"},
        {"ok": True, "status": "error"},
        {"ok": True, "error": "no"},
        {"status": "Payment Pending"},
        {"message": "Order placed"},
    ],
)
def test_smartsenders_200_without_a_clear_success_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("smartsenders", 200, body), Unknown)


def test_smartsenders_error_under_200_is_shown_in_the_vendors_words() -> None:
    found = read("smartsenders", 200, {"status": "error", "message": "Error creating domain"})
    assert isinstance(found, Unknown)
    assert "Error creating domain" in found.why


@pytest.mark.parametrize("status", [201, 202])
def test_smartsenders_documents_200_only(status: int) -> None:
    assert isinstance(read("smartsenders", status, {"ok": True, "data": []}), Unknown)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "Invalid API Key"},
        {"success": False, "error": {"code": "UNAUTHORIZED", "message": "Invalid API Key"}},
        {"error": "Invalid API Key"},
    ],
)
def test_smartsenders_does_not_know_the_key(body: dict[str, Any]) -> None:
    found = problem(read("smartsenders", 401, body))
    assert found.message.startswith("The vendor did not accept the key.")
    assert found.vendor_says == "Invalid API Key"


def joi(message: str) -> dict[str, str]:
    return {"status": "error", "message": message, "context": "Error creating domain"}


@pytest.mark.parametrize(
    ("message", "column", "row"),
    [
        ('"domains[0].domain_name" must contain a valid domain name', "domain", 1),
        ('"domains[1].domain_name" must contain a valid domain name', "domain", 2),
        ('"domains[0].mailboxes[1]" must be a valid email', "address", 12),
        ('"domains[1].mailbox_details[0].first_name" is not allowed to be empty', "address", 13),
        ('"domains[1].mailboxes[9]" must be a valid email', "domain", 2),
        ('"domains[7].domain_name" must contain a valid domain name', "", None),
        ('"vendor_id" must be a number', "", None),
        ("cy@beta.org is taken", "address", 13),
    ],
)
def test_smartsenders_message_is_tied_to_its_line(message: str, column: str, row: int | None) -> None:
    found = problem(read("smartsenders", 400, joi(message)))
    assert (found.field, found.row, found.vendor_says) == (column, row, message)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("strings", '"domains[0].mailbox_details" is required'),
        ("strings", '"domains[0].mailboxes" is not allowed'),
        ("strings", '"user_details.email" is required'),
        ("objects", '"domains[0].mailboxes" is required'),
        ("objects", '"domains[0].mailbox_details" is not allowed'),
    ],
)
def test_smartsenders_refusal_that_names_the_other_form_says_to_switch(form: str, message: str) -> None:
    found = problem(read("smartsenders", 400, joi(message), settings={"body_form": form}))
    assert "switch" in found.fix


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("objects", '"domains[0].mailbox_details" is required'),
        ("strings", '"domains[0].mailboxes" is required'),
        ("strings", '"user_details.name" is required'),
    ],
)
def test_smartsenders_refusal_about_its_own_form_does_not_say_to_switch(form: str, message: str) -> None:
    assert "switch" not in problem(read("smartsenders", 400, joi(message), settings={"body_form": form})).fix


@pytest.mark.parametrize(
    "body", [{"ok": True, "message": "no"}, {"status": "success", "message": "no"}, {"message": "no", "order_id": "1"}]
)
def test_smartsenders_refusal_with_a_success_in_it_is_unknown(body: dict[str, Any]) -> None:
    assert isinstance(read("smartsenders", 400, body), Unknown)
