"""Evidence, progress and the key test at Smartlead SmartSenders."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import EARLIER, LATER, SOUND, Answers, reply
from tests.vendors.test_reads import SMARTSENDERS, evidence, placed, warns
from vendors.apis import REGISTRY
from vendors.apis.values import Progress
from vendors.http import ReadFailed

DOMAINS = SOUND["smartsenders", "domains"]


def owned(name: str, **changes: Any) -> dict[str, Any]:
    row = {"id": 58147, "domain_name": name, "vendor_id": 9, "created_at": LATER, "is_active": True}
    return {**row, "order_id": "757915", **changes}


@pytest.mark.parametrize(
    "wrap", [list, lambda rows: {"ok": True, "data": list(rows)}], ids=["bare", "in data"]
)
def test_smartsenders_domain_made_after_the_order_speaks_for_it(wrap: Any) -> None:
    answer = wrap([owned("Alpha.com"), owned("beta.org", created_at=EARLIER), owned("other.com")])
    found = evidence(DOMAINS, "smartsenders", {f"{SMARTSENDERS}/get-domain-list": answer})
    assert placed(found) == ["757915"]
    assert len(found) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": EARLIER},
        {"created_at": None},
        {"vendor_id": 4},
        {"vendor_id": None},
        {"status": "Failed"},
        {"order_status": "DELETED"},
    ],
)
def test_smartsenders_domain_that_does_not_fit_says_nothing(changes: dict[str, Any]) -> None:
    answers = {f"{SMARTSENDERS}/get-domain-list": [owned("alpha.com", **changes)]}
    found = evidence(DOMAINS, "smartsenders", answers)
    assert placed(found) == []
    assert warns(found)


def test_smartsenders_error_under_200_is_an_answer_that_cannot_be_used() -> None:
    answers = {f"{SMARTSENDERS}/get-domain-list": {"status": "error", "message": "Try later"}}
    found = evidence(DOMAINS, "smartsenders", answers)
    assert "Try later" in found[0].text
    assert warns(found)


def progress(details: Any = None, references: tuple[str, ...] = ()) -> tuple[Progress, Answers]:
    rows = [
        owned("alpha.com"),
        owned("beta.org", is_active=False),
        owned("other.com", order_id="1"),
    ]
    vendor = Answers(
        {f"{SMARTSENDERS}/get-domain-list": rows, f"{SMARTSENDERS}/order-details": details}
    )
    return REGISTRY["smartsenders"].progress(DOMAINS.but(references=references), vendor), vendor


def test_smartsenders_progress_goes_by_the_active_domains() -> None:
    told, vendor = progress()
    assert told == Progress(
        domains={"alpha.com": "ready", "beta.org": "ordered"},
        mailboxes={"ada@alpha.com": "ready", "bob@alpha.com": "ready", "cy@beta.org": "ordered"},
        reference="757915",
    )
    assert len(vendor.asked) == 1


def test_smartsenders_mailboxes_wait_while_the_order_is_not_completed() -> None:
    details = {"status": "success", "data": {"order_id": "895641", "status": "Payment Pending"}}
    told, vendor = progress(details, references=("895641",))
    assert set(told.mailboxes.values()) == {"ordered"}
    assert told.domains["alpha.com"] == "ready"
    assert "Payment Pending" in told.note
    assert vendor.asked[1].query[1] == ("order_id", "895641")


@pytest.mark.parametrize(
    "details",
    [
        {"ok": True, "data": {"status": "completed"}},
        {"status": "error", "message": "Order not found"},
        reply(500),
        [],
    ],
)
def test_smartsenders_order_status_that_is_completed_or_cannot_be_had_holds_nothing_up(
    details: Any,
) -> None:
    told, _ = progress(details, references=("895641",))
    assert told.mailboxes["ada@alpha.com"] == "ready"
    assert told.note == ""


def test_smartsenders_never_repeats_a_password_of_the_order_details() -> None:
    accounts = [{"email": "ada@alpha.com", "password": "hunter2"}]
    details = {"ok": True, "data": {"status": "Failed", "email_accounts": accounts}}
    told, _ = progress(details, references=("895641",))
    assert "hunter2" not in repr(told)


def test_smartsenders_key_is_tested_on_the_suppliers() -> None:
    vendor = Answers({f"{SMARTSENDERS}/get-vendors": {"ok": True, "data": []}})
    assert "works" in REGISTRY["smartsenders"].test({}, vendor)
    assert (
        vendor.asked[0].prepare("", {"api_key": "k"}).url == f"{SMARTSENDERS}/get-vendors?api_key=k"
    )


def test_smartsenders_error_under_200_fails_the_test() -> None:
    vendor = Answers(
        {f"{SMARTSENDERS}/get-vendors": {"success": False, "error": {"message": "No access"}}}
    )
    with pytest.raises(ReadFailed, match="No access"):
        REGISTRY["smartsenders"].test({}, vendor)
