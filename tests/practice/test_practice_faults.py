"""Each practice value does to an order what its words say, at every vendor."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest
import requests

from vendors.practice.faults import FAULTS, fault_of, first_fault

ROOT = Path(__file__).resolve().parents[2]


def charges(vendors) -> int:
    return len(vendors.ledger.charges())


def outcome(vendors) -> str:
    return vendors.ledger.requests()[0].outcome


def causes(error: BaseException) -> list[BaseException]:
    """The error and everything under it."""
    waiting, seen = [error], []
    while waiting:
        link = waiting.pop()
        if isinstance(link, BaseException) and link not in seen:
            seen.append(link)
            waiting += [link.__cause__, link.__context__, *link.args]
    return seen


def woodpecker_order(domain: str) -> bytes:
    """The bytes of a valid request."""
    body = b'{"mailboxes":[{"first_name":"Ann","last_name":"Lee","email":"ann@%b"}]}' % domain.encode()
    return (
        b"POST /woodpecker/rest/v2/domains/mailboxes/order HTTP/1.1\r\nx-api-key: practice-1\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


@pytest.mark.parametrize(
    ("domain", "fault"),
    [
        ("busy.com", "busy"),
        ("Busy-Bees.example.com", "busy"),
        ("busybees.com", ""),
        ("www.busy.com", ""),
        ("error-after-acme.com", "error-after"),
        ("error.com", ""),
        ("timeout-beforehand.com", ""),
    ],
)
def test_the_beginning_of_a_domain_decides(domain, fault):
    assert fault_of(domain) == fault


def test_the_first_domain_with_a_practice_value_decides():
    assert first_fault(["acme.com", "slow.com", "busy.com"]) == "slow"
    assert first_fault(["acme.com"]) == ""


def test_the_docs_list_every_practice_value_in_its_own_words():
    text = (ROOT / "docs" / "practice.md").read_text(encoding="utf-8")
    section = text.split("## Practice values")[1].split("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert listed == [f"| `{name}` | {fault.words} |" for name, fault in FAULTS.items()]


def test_refused_field_names_what_is_wrong(vendors):
    def refuse(kind: str) -> tuple[int, object]:
        answer = vendors.order(kind, "refused-field-acme.com")
        return answer.status_code, answer.json()

    status, body = refuse("woodpecker")
    assert (status, body["code"]) == (422, "invalid_fields")
    assert body["fields"] == [
        {
            "field": "mailboxes[0].email",
            "issue": "Email domain must exist in order domains or active firm domains",
            "value": "ann@refused-field-acme.com",
        }
    ]
    for form in ("smartsenders", "smartsenders by address"):
        status, body = refuse(form)
        assert (status, body["status"]) == (400, "error")
        assert body["message"] == '"domains[0].domain_name" must contain a valid domain name'
    for form in ("cmr domains", "cmr mailboxes"):
        status, body = refuse(form)
        assert (status, body["status"], body["data"]) == (422, 422, None)
        assert "ann@refused-field-acme.com" in body["message"]
    status, body = refuse("scaledmail")
    assert (status, body) == (400, {"error": "Domain refused-field-acme.com is already used or unavailable"})
    assert charges(vendors) == 0


def test_refused_field_points_at_the_right_row(vendors, new_body):
    body = new_body("woodpecker", "acme.com")
    body["mailboxes"] += new_body("woodpecker", "refused-field.com")["mailboxes"]
    assert vendors.order("woodpecker", body=body).json()["fields"][0]["field"] == "mailboxes[1].email"
    body = new_body("smartsenders", "acme.com")
    body["domains"] += new_body("smartsenders", "refused-field.com")["domains"]
    assert vendors.order("smartsenders", body=body).json()["message"].startswith('"domains[1].domain_name"')


def test_refused_field_names_a_domain_that_has_no_mailboxes(vendors, new_body):
    body = {**new_body("cmr domains", "refused-field.com"), "mailboxes": {}}
    message = vendors.order("cmr domains", body=body).json()["message"]
    assert message == "Domain refused-field.com can't be registered: it holds a restricted phrase"


def test_no_funds_is_refused_in_the_vendors_way(vendors, kind, new_body):
    answer = vendors.order(kind, "no-funds.com")
    expected = {"woodpecker": 422, "cmr": 422, "scaledmail": 400, "smartsenders": 400}
    assert answer.status_code == expected[kind.split()[0]]
    if kind == "woodpecker":
        assert (answer.json()["code"], answer.json()["fields"]) == ("insufficient_funds", None)
    assert charges(vendors) == 0


def test_no_funds_does_not_stop_an_order_that_is_only_created(vendors, new_body):
    assert vendors.order("cmr domains", body={**new_body("cmr domains", "no-funds.com"), "confirm": False}).ok
    assert len(vendors.ledger.created()) == 1


STATUSES = [
    ("bad-key", 401, 0),
    ("slow", None, 1),
    ("error-before", 500, 0),
    ("error-after", 500, 1),
    ("unavailable", 503, 0),
    ("never-delivered", None, 1),
]


@pytest.mark.parametrize(("fault", "status", "charged"), STATUSES)
def test_answers_with_a_status(vendors, kind, fault, status, charged):
    answer = vendors.order(kind, f"{fault}-acme.com")
    assert answer.status_code == status if status else answer.ok
    assert charges(vendors) == charged
    assert outcome(vendors) == ("charged" if charged else f"answered {status}, not charged")
    if charged:
        assert vendors.ledger.charges()[0].fault == fault


@pytest.mark.parametrize(("fault", "charged"), [("timeout-before", 0), ("timeout-after", 1)])
def test_never_answers(vendors, kind, fault, charged):
    with pytest.raises(requests.ReadTimeout):
        vendors.order(kind, f"{fault}.com", timeout=(10, 0.3))
    assert charges(vendors) == charged
    assert outcome(vendors) == ("charged" if charged else "not answered, not charged")


def test_silence_ends_without_an_answer(run):
    vendors = run(silence=0)
    with pytest.raises(requests.ConnectionError):
        vendors.order("woodpecker", "timeout-after.com")
    assert charges(vendors) == 1


def test_stopping_lets_go_of_a_silent_connection(run):
    vendors = run(silence=600)
    with socket.create_connection(vendors.server.server_address[:2], timeout=30) as connection:
        connection.sendall(woodpecker_order("timeout-after.com"))
        deadline = time.monotonic() + 30
        while not charges(vendors) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert charges(vendors) == 1
        vendors.server.stop()
        assert connection.recv(100) == b""


@pytest.mark.parametrize(("fault", "charged"), [("cut-before", 0), ("cut-after", 1)])
def test_cuts_the_connection(vendors, kind, fault, charged):
    with pytest.raises(requests.ConnectionError) as caught:
        vendors.order(kind, f"{fault}.com")
    assert ConnectionResetError in map(type, causes(caught.value))  # a polite end would be a subclass of it
    assert charges(vendors) == charged


def test_busy_takes_the_same_order_the_second_time(vendors, kind):
    first, second = vendors.order(kind, "busy.com"), vendors.order(kind, "busy.com")
    assert (first.status_code, first.headers["Retry-After"]) == (429, "2")
    assert second.ok
    assert charges(vendors) == 1
    assert vendors.order(kind, "busy-other.com").status_code == 429


def test_redirect_charges_only_who_follows(vendors, kind):
    answers = [vendors.order(kind, "redirect.com") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [307, 307]
    assert charges(vendors) == 0
    assert vendors.order(kind, "redirect.com", allow_redirects=True).ok
    assert charges(vendors) == 1


def test_rubbish_is_a_web_page(vendors, kind):
    answer = vendors.order(kind, "rubbish.com")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>")
    assert charges(vendors) == 1


def test_truncated_ends_in_the_middle(vendors, kind):
    if kind == "woodpecker":
        with pytest.raises(requests.RequestException):
            vendors.order(kind, "truncated.com")
    else:
        answer = vendors.order(kind, "truncated.com")
        with pytest.raises(json.JSONDecodeError):
            json.loads(answer.content)
    assert charges(vendors) == 1


def test_wrong_shape_is_a_list(vendors, kind):
    answer = vendors.order(kind, "wrong-shape.com")
    assert answer.ok
    assert answer.json() == ["accepted"]
    assert charges(vendors) == 1


def test_drip_comes_a_byte_at_a_time(run):
    vendors = run(drip=3600)
    with socket.create_connection(vendors.server.server_address[:2], timeout=30) as connection:
        connection.sendall(woodpecker_order("drip.com"))
        assert connection.recv(100) == b"H"
        assert charges(vendors) == 1
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(100)


def test_drip_is_a_good_answer_for_who_waits(vendors, kind):
    assert vendors.order(kind, "drip.com").ok
    assert charges(vendors) == 1


def test_huge_does_not_end_soon(vendors, kind):
    with vendors.order(kind, "huge.com", stream=True) as answer:
        received = 0
        for part in answer.iter_content(64 * 1024):
            received += len(part)
            if received > 2 * 1024 * 1024:
                break
    assert received > 2 * 1024 * 1024
    assert int(answer.headers["Content-Length"]) == 100 * 1024 * 1024
    assert charges(vendors) == 1


def test_partial_names_the_unavailable_domain_where_the_vendor_documents_it(vendors, new_body):
    body = new_body("cmr domains", "acme.com")
    gone = new_body("cmr domains", "partial.com")
    body["domains"] += gone["domains"]
    body["mailboxes"] |= gone["mailboxes"]
    answer = vendors.order("cmr domains", body=body).json()
    assert answer["data"]["unavailableDomains"] == ["partial.com"]
    (charge,) = vendors.ledger.charges()
    assert (charge.domains, charge.mailboxes) == (["acme.com"], ["ann@acme.com"])
    assert answer["data"]["orderId"] == charge.reference


def test_partial_charges_nothing_where_nothing_is_left(vendors):
    assert vendors.order("cmr domains", "partial.com").json()["data"]["unavailableDomains"] == ["partial.com"]
    assert charges(vendors) == 0


HERE = {"organization_id": "rec"}
LISTS = [
    ("cmr mailboxes", "coldmailreseller/api/v1/integration/subscriptions", {}, ("data", "subscriptions"), 0),
    ("scaledmail", "scaledmail/api/v1/domains", HERE, ("domains",), 1),
    ("woodpecker", "woodpecker/rest/v2/domains", {}, ("domains",), 1),
    ("smartsenders", "smartsenders/api/v1/smart-senders/get-domain-list", {}, (), 1),
]


@pytest.mark.parametrize(("kind", "path", "query", "keys", "pending_rows"), LISTS)
def test_undelivered_domains_are_hidden_or_pending(vendors, kind, path, query, keys, pending_rows):
    def listed() -> list:
        answer = vendors.read(kind.split()[0], path, **query).json()
        for key in keys:
            answer = answer[key]
        return answer

    assert vendors.order(kind, "partial-acme.com").ok
    assert listed() == []
    assert vendors.order(kind, "never-delivered.com").ok
    assert len(listed()) == pending_rows
    assert charges(vendors) == 2


def test_never_delivered_stays_at_work(vendors):
    for kind in ("scaledmail", "woodpecker", "smartsenders"):
        vendors.order(kind, "never-delivered.com")
    mailboxes = vendors.read("woodpecker", "woodpecker/rest/v2/domains/never-delivered.com/mailboxes").json()
    assert mailboxes["mailboxes"][0]["status"] == "ORDERED"
    assert vendors.read("scaledmail", "scaledmail/api/v1/domains", **HERE).json()["domains"][0]["status"] == (
        "In Progress"
    )
    path = "smartsenders/api/v1/smart-senders/get-domain-list"
    assert vendors.read("smartsenders", path).json()[0]["is_active"] is False


def test_partial_never_completes_a_smartsenders_order(vendors):
    number = vendors.order("smartsenders", "partial.com").json()["order_id"]
    path = "smartsenders/api/v1/smart-senders/order-details"
    assert vendors.read("smartsenders", path, order_id=number).json()["data"]["status"] == "Payment Pending"


def test_charge_failed_is_scaledmails_400_with_the_subscription_in_the_books(vendors, kind):
    answer = vendors.order(kind, "charge-failed.com")
    if kind == "scaledmail":
        assert answer.status_code == 400
        assert answer.json() == {"error": "The subscription was created but could not be charged"}
    else:
        assert answer.ok
    assert charges(vendors) == 1


def test_an_invalid_order_is_refused_before_any_practice_value_acts(vendors, kind, new_body):
    body = {**new_body(kind, "error-after.com"), "surprise": 1}
    assert vendors.order(kind, body=body).status_code in (400, 422)
    assert charges(vendors) == 0
