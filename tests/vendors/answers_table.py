"""Answers to a paid request: vendor, status, body, did the vendor charge, and the right verdict.

A charged order must never read *refused* or *not sent*; one that the vendor did not take must never
read *accepted*. Where the body does not say it plainly, the right verdict is *unknown*.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from vendors.verdicts import Accepted, NotSent, Refused, Unknown

CMR, SCALED, PECKER, SENDERS = "coldmailreseller", "scaledmail", "woodpecker", "smartsenders"
ALL = (CMR, SCALED, PECKER, SENDERS)
BOM = b"\xef\xbb\xbf"
TEXT = "Order created and queued for processing, make sure to have enough balance in your wallet!"
NUMBER = "RJK7NR2W194HAGHGTX75D391P3NB"


@dataclass(frozen=True)
class Row:
    """`charged`: "yes", "no", or "maybe" where the answer is given in both cases."""

    api: str
    status: int
    body: Any
    charged: str
    verdict: type
    headers: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()

    @property
    def name(self) -> str:
        return f"{self.api} {self.status} {self.raw[:70].decode('latin-1')}"


def taken(api: str, *bodies: Any, status: int = 200, number: str = "") -> list[Row]:
    return [Row(api, status, body, "yes", Accepted, reference=number) for body in bodies]


def doubt(api: str, status: int, charged: str, *bodies: Any) -> list[Row]:
    return [Row(api, status, body, charged, Unknown) for body in bodies]


def refused(api: str, status: int, *bodies: Any) -> list[Row]:
    return [Row(api, status, body, "no", Refused) for body in bodies]


def slowed(api: str, *bodies: Any, headers: dict[str, str] | None = None) -> list[Row]:
    return [Row(api, 429, body, "no", NotSent, headers or {}) for body in bodies]


# ColdMailReseller


def cmr(data: Any = None, status: Any = 200, message: Any = TEXT, **more: Any) -> dict[str, Any]:
    return {"status": status, "message": message, "data": data, **more}


def cmr_no(status: int, message: Any = "Please provide a userId", **more: Any) -> dict[str, Any]:
    return {"status": status, "message": message, "data": None, **more}


ORDER = {"orderId": NUMBER}
LEFT = "unavailableDomains"
COLDMAILRESELLER = [
    *taken(
        CMR, cmr(ORDER), cmr(ORDER, actionId="ACT_1"), cmr(ORDER | {LEFT: []}), {"status": 200, "data": ORDER},
        cmr(ORDER | {LEFT: None}), cmr(ORDER, **{LEFT: []}), BOM + json.dumps(cmr(ORDER)).encode(),
        number=NUMBER,
    ),
    *taken(CMR, cmr(ORDER), status=201, number=NUMBER),
    *taken(CMR, cmr(ORDER), status=202, number=NUMBER),
    *taken(CMR, cmr({"orderId": 4711}), number="4711"),
    Row(CMR, 200, cmr(ORDER | {LEFT: ["beta.org"]}), "yes", Accepted, {}, NUMBER, ("beta.org",)),
    Row(CMR, 200, cmr(ORDER, **{LEFT: ["BETA.org "]}), "yes", Accepted, {}, NUMBER, ("beta.org",)),
    Row(CMR, 200, cmr(ORDER | {LEFT: ["alpha.com", "beta.org"]}), "maybe", Accepted, {}, NUMBER, ("alpha.com", "beta.org")),
    Row(CMR, 200, cmr(ORDER, **{LEFT: ["alpha.com", "beta.org"]}), "maybe", Accepted, {}, NUMBER, ("alpha.com", "beta.org")),
    Row(
        CMR, 200, cmr(ORDER | {LEFT: ["beta.org"]}, **{LEFT: ["alpha.com"]}), "maybe", Accepted, {}, NUMBER,
        ("alpha.com", "beta.org"),
    ),
    *doubt(
        CMR, 200, "maybe", cmr(ORDER | {LEFT: "beta.org"}), cmr(ORDER | {LEFT: {}}),
        cmr(ORDER | {LEFT: [{"domain": "beta.org"}]}), cmr(ORDER | {LEFT: ["elsewhere.com"]}), cmr(ORDER | {LEFT: False}),
        cmr([ORDER]), cmr(ORDER, "200"), cmr(ORDER, 200.0), cmr(ORDER, True), cmr(ORDER, 201), cmr(ORDER, None),
        cmr({"orderID": NUMBER}), cmr({"orderid": NUMBER}), {"Status": 200, "Data": ORDER}, {"data": ORDER}, ORDER,
        cmr(ORDER, message=["Order created"]), cmr(ORDER | {"total": 12.5}), cmr(ORDER | {"status": "queued"}),
        cmr(ORDER | {"failedDomains": ["beta.org"]}), cmr(ORDER, message="Partially created"),
        json.dumps(cmr(ORDER)).encode()[:-4], json.dumps(cmr(ORDER)).encode("utf-16"), b"<html>OK</html>", b"OK", b"",
        b'{"status":200,"data":{"orderId":"A1","orderId":"B2"}}', gzip.compress(json.dumps(cmr(ORDER)).encode(), mtime=0),
    ),
    *doubt(
        CMR, 200, "no",
        cmr(ORDER, 500), cmr(ORDER, 400, "Insufficient balance"), cmr(None, 200, "Insufficient balance in your wallet"),
        cmr({"orderId": ""}), cmr({"orderId": None}), cmr({"orderId": "undefined"}), cmr({"orderId": "null"}),
        cmr({"orderId": "None"}), cmr({"orderId": 0}), cmr({"orderId": False}), cmr({"orderId": "failed"}),
        cmr({"orderId": " "}), cmr({"orderId": -1}), cmr({"orderId": "N/A"}), cmr({}), cmr(None), cmr([]),
        cmr(ORDER, error="Insufficient balance"), cmr(ORDER, ok=False), cmr(ORDER, success=False), cmr(ORDER, code=402),
        cmr(ORDER | {"success": False}), cmr(ORDER | {"status": "failed"}), cmr(ORDER | {"error": {"code": 500}}),
        cmr(ORDER, message="Order creation failed"), cmr(ORDER, message="Order was not created"),
        cmr(ORDER, message="Order rejected"), cmr(ORDER, message="Insufficient balance in your wallet"),
        cmr(ORDER, message="The order requires action"), cmr(ORDER, errors=["no"]), cmr_no(400), {"message": TEXT},
    ),
    *doubt(CMR, 204, "maybe", b""), *doubt(CMR, 206, "maybe", cmr(ORDER)), *doubt(CMR, 207, "maybe", cmr(ORDER)),
    *refused(CMR, 400, cmr_no(400), cmr_no(400, "The requested user does not exist."),),
    *refused(CMR, 401, cmr_no(401, "Invalid API key"), cmr_no(401, "Authentication failed"), cmr_no(401, "Unauthorized")),
    *refused(CMR, 403, cmr_no(403, "You are not authorized")), *refused(CMR, 404, cmr_no(404, "User not found")),
    *refused(CMR, 422, cmr_no(422, "Insufficient balance in your wallet"), cmr_no(422, "beta.org is not allowed")),
    *doubt(
        CMR, 400, "yes",
        cmr(ORDER, 400, "Something went wrong"), cmr_no(400, "Order created, but we could not send the mail"),
        cmr_no(400, "Your wallet was debited"), cmr_no(400, "You were billed"), cmr_no(400, "Card charged, answer lost"),
        cmr_no(400, "Order saved; processing continues"), cmr_no(400, "This order is already queued"),
        cmr_no(400, "Order partially placed"), cmr_no(400, f"See order {NUMBER}"), cmr_no(400, orderId=NUMBER),
        cmr_no(400, order_id=7), cmr_no(400, **{"Order-Number": "A1"}), cmr_no(400, reference="A1"),
        cmr_no(400, meta={"deep": [{"subscriptionId": "s1"}]}), cmr(["A1"], 400, "No"), cmr({"id": 5}, 400, "No"),
        cmr_no(400, "Duplicate order"), cmr_no(400, "Invoice 17 was issued"), cmr_no(400, '{"orderId":"A1"}'),
        cmr_no(400, "Amount 12.50 taken from wallet"), cmr_no(400, "We took the money, contact support"),
        cmr_no(400, "Your wallet balance was reduced"), cmr_no(400, "We will finish setting it up shortly"),
        cmr_no(400, "Draft stored"), cmr_no(400, "beta.org exists in your account"), cmr_no(400, "Order in review"),
        cmr_no(400, "Awaiting confirmation"), cmr_no(400, "Please complete payment"), cmr_no(400, "Verify your card"),
        cmr_no(400, "3‑D Secure needed"), cmr_no(400, "requires_action"), cmr_no(400, "Domain registered, mailboxes not"),
    ),
    *doubt(
        CMR, 400, "maybe",
        {"message": "No"}, {"status": 400, "message": "No"}, cmr_no(400, ""), cmr_no(400, ["No"]), cmr_no(400, None),
        cmr_no(422), cmr_no(200), {"error": "No"}, {"errors": [{"detail": "No"}]}, b"<html>400</html>", b"", [], 7,
        cmr_no(400, actionId="ACT_1"), {"status": "400", "message": "No", "data": None}, cmr([], 400, "No"),
        b'{"status":400,"message":"No","data":{"orderId":"A1"},"data":null}',
    ),
    *doubt(CMR, 409, "maybe", cmr_no(409, "Workspace exists")), *doubt(CMR, 402, "maybe", cmr_no(402, "Pay first")),
    *doubt(CMR, 500, "maybe", cmr_no(500), b""), *doubt(CMR, 503, "maybe", cmr_no(503)),
    *slowed(CMR, cmr_no(429, "Too many requests")),
    *doubt(CMR, 429, "yes", cmr(ORDER, 429, "Slow down"), cmr_no(429, "Order placed. Slow down."), cmr_no(429, orderId="A1")),
    *doubt(CMR, 429, "maybe", b"", b"<html>429 Too Many Requests</html>", {"message": "Too many requests"}, cmr_no(400)),
]  # fmt: skip

# ScaledMail

SCALEDMAIL = [
    *taken(SCALED, {}, b" {} ", BOM + b"{}", {"success": True}, {"success": True, "message": "Order placed"}),
    *taken(SCALED, {"id": "rec1"}, {"order_id": "rec1"}, {"payment_id": "rec1", "success": True}, number="rec1"),
    *taken(SCALED, {"id": 17}, {"order_id": 17, "message": "Thank you"}, number="17"),
    *taken(SCALED, {}, {"success": True}, status=201), *taken(SCALED, {}, status=202),
    *doubt(
        SCALED, 200, "maybe",
        b"", [], [{}], None, 7, "OK", b"<html></html>", b"{", b'{"success":', {"message": "Order placed"}, {"ok": True},
        {"success": "true"}, {"success": 1}, {"Success": True}, {"success": True, "status": 200}, {"data": {}},
        {"success": True, "data": {"id": "rec1"}}, {"orderId": "rec1"}, {"ID": "rec1"}, {"id": "rec1", "amount": 80},
        {"id": ["rec1"]}, {"success": True, "warning": "late"}, b"{}{}", b'{"success":false,"success":true}', b"\x00",
    ),
    *doubt(
        SCALED, 200, "no",
        {"success": False}, {"success": "false"}, {"success": None}, {"success": "no"}, {"error": "no"}, {"error": {}},
        {"id": "undefined"}, {"id": "null"}, {"id": ""}, {"id": None}, {"id": 0}, {"id": "rec1", "order_id": ""},
        {"id": "rec1", "error": "charge failed"}, {"id": "rec1", "status": "failed"}, {"success": True, "error": "no"},
        {"success": True, "message": "Payment failed"}, {"success": True, "message": "The card was declined"},
        {"success": True, "message": "3-D Secure is needed"}, {"success": True, "message": "Could not be charged"},
        {"id": "rec1", "message": "Subscription rejected"}, {"data": {"success": False}}, {"message": "Unauthorized"},
        {"success": True, "ok": False}, {"success": True, "code": 500}, {"success": True, "result": {"status": "error"}},
    ),
    *doubt(SCALED, 204, "maybe", b""), *doubt(SCALED, 206, "maybe", {}),
    *refused(SCALED, 400, {"error": "quantity is required"}, {"message": "beta.org is unavailable"}, {"error": "Invalid domain"}),
    *refused(SCALED, 401, {"message": "Unauthorized"}, {"message": "Token expired"}), *refused(SCALED, 404, {"error": "Package not found"}),
    *doubt(
        SCALED, 400, "yes",
        {"error": "The subscription was created but could not be charged"}, {"message": "Card charged, try later"},
        {"error": "beta.org is already used"}, {"error": "Invoice sent"}, {"error": "no", "id": "rec1"},
        {"error": "no", "order_number": 5}, {"error": "no", "data": {"orderNo": "A1"}}, {"error": "Payment requires action"},
        {"error": "Authenticate with your bank"}, {"error": "Your order is processing"}, {"message": "Placed in part"},
        {"error": "3DS required"}, {"error": "Order 1234 exists"}, {"error": "no", "success": True},
    ),
    *doubt(
        SCALED, 400, "maybe",
        {"error": ""}, {"error": None}, {"error": {"message": "no"}}, {"error": ["no"]}, {"error": "no", "message": "no"},
        {"error": "no", "requested": {}}, {"detail": "no"}, {}, [], b"", b"Bad Request", {"Error": "no"},
        {"error": "No payment method connected"}, {"error": "Your card was declined"}, {"error": "no", "charged": True},
    ),
    *doubt(SCALED, 422, "maybe", {"error": "no"}), *doubt(SCALED, 500, "maybe", {"error": "no"}),
    *slowed(SCALED, {"message": "Too many requests", "retryAfter": 2, "limit": "15 requests per minute"}, {"message": "Slow down"}),
    *doubt(SCALED, 429, "maybe", b"", {}, b"<html>429</html>", {"error": "Too many requests"}, {"message": ""}),
    *doubt(SCALED, 429, "yes", {"message": "Slow down", "id": "rec1"}, {"message": "Order created. Slow down."}),
]  # fmt: skip

# Woodpecker


def title(status: int, **more: Any) -> dict[str, Any]:
    stamp = "2026-05-06T12:00:00Z"
    return {
        "title": "Title",
        "status": status,
        "details": "error details",
        "timestamp": stamp,
        **more,
    }


def invalid(code: str = "invalid_fields", **more: Any) -> dict[str, Any]:
    body = {"type": "validation_error", "message": "Invalid field(s)", "code": code}
    return {**body, "request_id": None, "fields": None, **more}


FIELD = {
    "field": "mailboxes[0].email",
    "issue": "Email domain must exist in order domains",
    "value": None,
}
WOODPECKER = [
    *taken(PECKER, b"", b"\r\n", {}, BOM, status=202),
    *doubt(PECKER, 200, "maybe", b"", {}, {"ok": True}), *doubt(PECKER, 201, "maybe", b"", {}), *doubt(PECKER, 204, "maybe", b""),
    *doubt(PECKER, 203, "maybe", b""), *doubt(PECKER, 206, "maybe", b""),
    *doubt(
        PECKER, 202, "maybe",
        [], None, "", 0, {"request_id": "1"}, {"status": 202}, {"id": 7}, b"<html></html>", b"Accepted", b"{", {"ok": True},
    ),
    *doubt(
        PECKER, 202, "no",
        {"error": "no"}, {"errors": []}, {"success": False}, {"status": "rejected"}, title(400), invalid(),
        {"code": "insufficient_funds"}, {"message": "Insufficient funds"}, {"data": {"ok": False}},
    ),
    *refused(PECKER, 400, title(400)), *refused(PECKER, 401, title(401, details="Authentication failed")), *refused(PECKER, 403, title(403)),
    *refused(
        PECKER, 422,
        invalid(), invalid("insufficient_funds"), invalid("payment_failed"), invalid("domain_owner_required"),
        invalid(fields=[FIELD]), invalid(fields=[]), invalid(request_id="dc4faa0f-78bf"),
        {"type": "validation_error", "message": "No", "code": "invalid_fields"},
    ),
    *doubt(
        PECKER, 422, "yes",
        invalid(message="The funds were debited"), invalid(order_id="1"), invalid(fields=[FIELD | {"orderId": "1"}]),
        invalid(fields=[FIELD | {"issue": "Mailbox was already ordered"}]), invalid("payment_failed", message="Charged twice"),
        invalid("already_ordered"), invalid(message="Saved as draft"), invalid(subscription={"id": 5}),
    ),
    *doubt(
        PECKER, 422, "maybe",
        title(422), invalid("new_code"), invalid(""), invalid(fields={}), invalid(fields=["x"]), invalid(fields=[{"field": "x"}]),
        {"message": "No"}, {"message": "No", "code": "invalid_fields"}, invalid(type=None), invalid(extra=1), b"", [],
        invalid(fields=[FIELD | {"value": 7}]), invalid(request_id=7), b"<html>422</html>", invalid("INVALID_FIELDS"),
    ),
    *doubt(
        PECKER, 400, "maybe",
        title(500), title("400"), title(400, details={"a": 1}), title(400, details=""), title(400, id="x"), {"title": "No"},
        {"title": "No", "status": 400, "details": "no"}, {"message": "no"}, b"", title(400.0), title(400, timestamp=None),
    ),
    *doubt(PECKER, 400, "yes", title(400, details="Mailboxes were ordered"), title(400, orderNumber=5), title(400, title="Accepted")),
    *doubt(PECKER, 401, "yes", title(401, details="The payment has to be authenticated")),
    *doubt(PECKER, 404, "maybe", title(404)), *doubt(PECKER, 500, "maybe", title(500)), *doubt(PECKER, 503, "maybe", title(503)),
    *slowed(PECKER, title(429)),
    *doubt(PECKER, 429, "maybe", b"", {}, b"<html>429</html>", title(400), {"message": "Too many requests"}),
    *doubt(PECKER, 429, "yes", title(429, details="Your order was accepted"), title(429, order_id="1")),
]  # fmt: skip

# SmartSenders


def joi(message: str = '"vendor_id" must be a number', **more: Any) -> dict[str, Any]:
    return {"status": "error", "message": message, "context": "Error creating domain", **more}


def limited(**more: Any) -> dict[str, Any]:
    return {"error": {"code": "RATE_LIMIT_EXCEEDED", "message": "Too many requests", **more}}


SMARTSENDERS = [
    *taken(SENDERS, {"ok": True, "data": []}, {"ok": True}, {"success": True, "data": {}}, {"status": "success", "message": "Thanks"}),
    *taken(SENDERS, {"status": "success", "order_id": "895641"}, {"ok": True, "data": {"order_id": 895641}},
           {"success": True, "order_id": 895641, "data": {"order_id": "895641"}}, number="895641"),
    *taken(SENDERS, {"ok": True, "data": []}, status=201), *taken(SENDERS, {"ok": True, "data": []}, status=202),
    *doubt(
        SENDERS, 200, "maybe",
        {}, {"data": []}, {"order_id": "1"}, {"ok": "true"}, {"ok": 1}, {"OK": True}, {"Status": "success"}, {"status": "SUCCESS"},
        {"status": 200}, {"status": "ok"}, [{"ok": True}], b"", b"<html>OK</html>", b'{"ok": tr', {"ok": True, "id": "1"},
        {"ok": True, "data": [{"order_id": "1"}]}, {"ok": True, "data": "1"}, {"ok": True, "message": {"a": 1}}, {"message": "Placed"},
        {"ok": True, "data": {"order_id": "1", "domains": []}}, {"ok": True, "data": {"order_id": "1", "status": "Payment Pending"}},
        {"ok": True, "order_id": "1", "data": {"order_id": "2"}}, {"ok": True, "data": False}, {"ok": True, "data": 0},
    ),
    *doubt(
        SENDERS, 200, "no",
        {"ok": False}, {"ok": False, "data": []}, {"ok": True, "error": "no"}, {"ok": True, "status": "error"}, joi(),
        {"ok": True, "success": False}, {"ok": True, "success": "false"}, {"ok": True, "data": {"success": False}},
        {"ok": True, "data": [{"status": "failed"}]}, {"ok": True, "data": {"status": "Failed"}}, {"ok": True, "code": 402},
        {"ok": True, "data": {"status": "Cancelled"}}, {"ok": True, "message": "Payment declined"}, {"ok": True, "errors": ["x"]},
        {"ok": True, "data": {"errors": {"a": {"b": "x"}}}}, {"ok": True, "order_id": "undefined"}, {"ok": True, "order_id": None},
        {"ok": True, "data": {"order_id": "null"}}, {"ok": True, "message": "Order not placed"}, {"ok": True, "detail": "no"},
        {"ok": True, "data": {"message": "Order rejected"}}, {"status": "failed"}, {"ok": True, "order_id": "error"},
        {"ok": True, "message": "No domains were available"}, {"ok": True, "data": {"code": "400"}}, {"ok": True, "accepted": False},
    ),
    *doubt(SENDERS, 204, "maybe", b""), *doubt(SENDERS, 207, "maybe", {"ok": True, "data": []}),
    *refused(SENDERS, 400, joi(), joi('"domains[0].mailboxes[1]" must be a valid email'), {"message": "Bad Request"}),
    *refused(SENDERS, 401, {"message": "Invalid API Key"}), *refused(SENDERS, 403, {"message": "Forbidden"}),
    *doubt(
        SENDERS, 400, "yes",
        joi("Card charged, but the supplier failed"), joi("Order saved, payment pending"), joi(order_id="1"), joi(data={"orderId": 1}),
        {"message": "Order placed partially"}, {"message": "no", "order_id": "1"}, {"message": "no", "orderId": "SS-1"},
        {"message": "Your card needs verification"} | {"paymentId": "p1"}, joi("beta.org was purchased"), joi("Payment requires authentication"),
        joi("already_exists"), joi("Transaction completed"), {"ok": True, "message": "no"}, joi("See invoice", context="Billed"),
    ),
    *doubt(
        SENDERS, 400, "maybe",
        {"status": "error", "message": "no"}, joi(extra=1), joi(""), joi(context=None), {"message": ""}, {"message": ["no"]}, {"error": "no"},
        {"success": False, "error": {"code": "X", "message": "no"}}, {"error": {"message": "no"}}, {"status": "failed", "message": "no", "context": "x"},
        {}, [], b"", b"<html>400</html>", {"Message": "no"}, {"status": 400, "message": "no", "context": "x"},
    ),
    *doubt(SENDERS, 404, "maybe", joi()), *doubt(SENDERS, 422, "maybe", joi()), *doubt(SENDERS, 500, "maybe", joi(), b""),
    *slowed(SENDERS, limited(), limited(retry_after=2)), *slowed(SENDERS, limited(), headers={"Retry-After": "2"}),
    *doubt(SENDERS, 429, "maybe", b"", b"<html>429</html>", {"message": "Too many"}, {"error": {"code": "X", "message": "no"}}, limited(a=1)),
    *doubt(SENDERS, 429, "yes", limited(order_id="1"), limited() | {"order_id": "1"}, limited(message="Your order was placed")),
]  # fmt: skip

# What no vendor documents

STATUSES = (
    *(
        100,
        101,
        300,
        301,
        302,
        303,
        307,
        308,
        402,
        405,
        408,
        409,
        410,
        413,
        415,
        418,
        423,
        425,
        451,
    ),
    *(499, 501, 502, 504, 520, 522, 524, 599, 999),
)
FOREIGN = [
    Row(api, status, body, "maybe", Unknown)
    for api in ALL
    for status in STATUSES
    for body in ({"message": "no"}, {"ok": True})
]
TABLE = [*COLDMAILRESELLER, *SCALEDMAIL, *WOODPECKER, *SMARTSENDERS, *FOREIGN]
