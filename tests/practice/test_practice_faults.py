"""Each practice value does to an order what its words say, at every vendor."""

from __future__ import annotations

import socket
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests

from tests.practice.conftest import woodpecker_order
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
        ("busy-date.com", "busy-date"),
        ("busy-dates.com", "busy"),
        ("unavailable-after-acme.com", "unavailable-after"),
        ("redirect-301-acme.com", "redirect-301"),
        ("redirect-303.com", "redirect"),
        ("truncated-headers.com", "truncated-headers"),
    ],
)
def test_the_beginning_of_a_domain_decides(domain, fault):
    assert fault_of(domain) == fault


def test_every_practice_value_is_its_own():
    assert [fault_of(f"{name}.com") for name in FAULTS] == list(FAULTS)
    assert [fault_of(f"{name}-acme.com") for name in FAULTS] == list(FAULTS)


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
    assert (status, body) == (
        400,
        {"error": "Domain refused-field-acme.com is used or unavailable"},
    )
    assert charges(vendors) == 0


def test_refused_field_points_at_the_right_row(vendors, new_body):
    body = new_body("woodpecker", "acme.com")
    body["mailboxes"] += new_body("woodpecker", "refused-field.com")["mailboxes"]
    assert (
        vendors.order("woodpecker", body=body).json()["fields"][0]["field"] == "mailboxes[1].email"
    )
    body = new_body("smartsenders", "acme.com")
    body["domains"] += new_body("smartsenders", "refused-field.com")["domains"]
    assert (
        vendors.order("smartsenders", body=body)
        .json()["message"]
        .startswith('"domains[1].domain_name"')
    )


def test_refused_field_names_a_domain_that_has_no_mailboxes(vendors, new_body):
    body = {**new_body("cmr domains", "refused-field.com"), "mailboxes": {}}
    message = vendors.order("cmr domains", body=body).json()["message"]
    assert message == "Domain refused-field.com is not valid: it holds a restricted phrase"


def test_no_funds_is_refused_in_the_vendors_way(vendors, kind, new_body):
    answer = vendors.order(kind, "no-funds.com")
    expected = {"woodpecker": 422, "cmr": 422, "scaledmail": 400, "smartsenders": 400}
    assert answer.status_code == expected[kind.split()[0]]
    if kind == "woodpecker":
        assert (answer.json()["code"], answer.json()["fields"]) == ("insufficient_funds", None)
    assert charges(vendors) == 0


def test_no_funds_does_not_stop_an_order_that_is_only_created(vendors, new_body):
    assert vendors.order(
        "cmr domains", body={**new_body("cmr domains", "no-funds.com"), "confirm": False}
    ).ok
    assert len(vendors.ledger.created()) == 1


STATUSES = [
    ("bad-key", 401, 0),
    ("slow", None, 1),
    ("error-before", 500, 0),
    ("error-after", 500, 1),
    ("unavailable", 503, 0),
    ("unavailable-after", 503, 1),
    ("bad-gateway-before", 502, 0),
    ("bad-gateway-after", 502, 1),
    ("gateway-timeout-before", 504, 0),
    ("gateway-timeout-after", 504, 1),
    ("no-content", 204, 1),
    ("odd-accepted", 202, 1),
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


@pytest.mark.parametrize(
    "fault",
    [
        "unavailable-after",
        "bad-gateway-before",
        "bad-gateway-after",
        "gateway-timeout-before",
        "gateway-timeout-after",
    ],
)
def test_a_proxy_answers_with_a_web_page(vendors, kind, fault):
    answer = vendors.order(kind, f"{fault}.com")
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith(f"<html><head><title>{answer.status_code} ")


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


@pytest.mark.parametrize(
    ("fault", "charged"), [("cut-before", 0), ("cut-after", 1), ("cut-headers", 1)]
)
def test_cuts_the_connection(vendors, kind, fault, charged):
    with pytest.raises(requests.ConnectionError) as caught:
        vendors.order(kind, f"{fault}.com")
    assert ConnectionResetError in map(
        type, causes(caught.value)
    )  # a polite end would be a subclass of it
    assert charges(vendors) == charged


def test_busy_takes_the_same_order_the_second_time(vendors, kind):
    first, second = vendors.order(kind, "busy.com"), vendors.order(kind, "busy.com")
    assert (first.status_code, first.headers["Retry-After"]) == (429, "2")
    assert second.ok
    assert charges(vendors) == 1
    assert vendors.order(kind, "busy-other.com").status_code == 429


def test_busy_date_names_a_time(vendors, kind):
    first, second = vendors.order(kind, "busy-date.com"), vendors.order(kind, "busy-date.com")
    assert first.status_code == 429
    wait = parsedate_to_datetime(first.headers["Retry-After"]) - parsedate_to_datetime(
        first.headers["Date"]
    )
    assert timedelta(seconds=1) <= wait <= timedelta(seconds=2)
    assert second.ok
    assert charges(vendors) == 1


def test_busy_always_never_charges(vendors, kind):
    answers = [vendors.order(kind, "busy-always.com") for _ in range(3)]
    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [
        (429, "2")
    ] * 3
    assert charges(vendors) == 0


REDIRECTS = [("redirect", 307), ("redirect-301", 301), ("redirect-302", 302), ("redirect-308", 308)]


@pytest.mark.parametrize(("fault", "status"), REDIRECTS)
def test_redirect_charges_only_who_follows(vendors, kind, fault, status):
    answers = [vendors.order(kind, f"{fault}.com") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status, status]
    assert charges(vendors) == 0
    followed = vendors.order(kind, f"{fault}.com", allow_redirects=True)
    assert followed.ok
    assert followed.request.method == ("GET" if status in (301, 302) else "POST")
    assert charges(vendors) == 1


def test_following_a_redirect_with_the_order_itself_charges_too(vendors):
    place = vendors.order("woodpecker", "redirect-301.com").headers["Location"]
    assert vendors.order("woodpecker", "redirect-301.com", path=place).ok
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
    assert vendors.order("cmr domains", "partial.com").json()["data"]["unavailableDomains"] == [
        "partial.com"
    ]
    assert charges(vendors) == 0


HERE = {"organization_id": "rec"}
LISTS = [
    (
        "cmr mailboxes",
        "coldmailreseller/api/v1/integration/subscriptions",
        {},
        ("data", "subscriptions"),
        0,
    ),
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
    mailboxes = vendors.read(
        "woodpecker", "woodpecker/rest/v2/domains/never-delivered.com/mailboxes"
    ).json()
    assert mailboxes["mailboxes"][0]["status"] == "ORDERED"
    assert vendors.read("scaledmail", "scaledmail/api/v1/domains", **HERE).json()["domains"][0][
        "status"
    ] == ("In Progress")
    path = "smartsenders/api/v1/smart-senders/get-domain-list"
    assert vendors.read("smartsenders", path).json()[0]["is_active"] is False


def test_partial_never_completes_a_smartsenders_order(vendors):
    number = vendors.order("smartsenders", "partial.com").json()["order_id"]
    path = "smartsenders/api/v1/smart-senders/order-details"
    assert (
        vendors.read("smartsenders", path, order_id=number).json()["data"]["status"]
        == "Payment Pending"
    )


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
