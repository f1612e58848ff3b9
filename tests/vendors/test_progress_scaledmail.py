"""ScaledMail's lists, in the form that others have seen: what they say of an order, and what not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.vendors.orders import SOUND, Answers, StubOrder, domain, reply
from vendors.apis import REGISTRY
from vendors.apis.values import MailboxLine, Progress
from vendors.http import ReadFailed

BASE = "/api/v1"
PACKAGE = SOUND["scaledmail", "package"]
NAMED = PACKAGE.but(
    contents=(domain("alpha.com", first_name="Ada", last_name="Example"), *PACKAGE.contents[1:])
)
ADA = {"first_name": "Ada", "last_name": "Example"}


def row(name: str, status: str = "Active", *aliases: str, **more: Any) -> dict[str, Any]:
    listed = [{**ADA, "alias": alias} for alias in aliases]
    return {
        "id": f"rec-{name}", "domain": name, "status": status, "payment_id": "rec2",
        "total_mailboxes": len(listed), "mailbox": listed,
    } | more  # fmt: skip


def asked(
    *rows: Any, order: StubOrder = PACKAGE, status: Any = "Active", **answers: Any
) -> tuple[Progress, Answers]:
    vendor = Answers(
        {
            f"{BASE}/domains": {"total": len(rows), "domains": [*rows]},
            f"{BASE}/orders": {"total": 1, "payments": [{"id": "rec2", "status": status}]},
            **{f"{BASE}/mailboxes/rec-{name}.com": answer for name, answer in answers.items()},
        }
    )
    return REGISTRY["scaledmail"].progress(order, vendor), vendor


def test_a_domain_goes_by_its_status_and_a_mailbox_by_the_list_of_its_domain() -> None:
    found, vendor = asked(
        row("Alpha.com", "Active", "ADA", "bob"),
        row("beta.org", "In Progress", "cy"),
        row("other.com", "Active", "zed", payment_id="rec1"),
    )
    assert found == Progress(
        domains={"alpha.com": "ready", "beta.org": "ordered"},
        mailboxes={"ada@alpha.com": "ready", "bob@alpha.com": "ready", "cy@beta.org": "ordered"},
        reference="rec2",
        counts={"alpha.com": 2, "beta.org": 1},
        ids={
            "alpha.com": {"domain_id": "rec-Alpha.com"},
            "beta.org": {"domain_id": "rec-beta.org"},
        },
        against={"alpha.com": "", "beta.org": ""},
    )
    assert [request.path for request in vendor.asked] == [f"{BASE}/domains", f"{BASE}/orders"]
    assert {request.query for request in vendor.asked} == {(("organization_id", "recOrg"),)}


def test_a_mailbox_that_is_not_listed_is_still_on_its_way() -> None:
    found, _ = asked(row("alpha.com", "Active", "ada"))
    assert found.mailboxes == {"ada@alpha.com": "ready", "bob@alpha.com": "ordered"}


@pytest.mark.parametrize(
    "status", ["Suspended", "Cancelled", "active!", "", None, 7, True, ["Active"]]
)
def test_a_status_that_nobody_has_seen_says_nothing(status: Any) -> None:
    found, _ = asked(row("alpha.com", status, "ada", "bob"))
    assert (found.domains, found.mailboxes, found.made) == ({}, {}, {})


def test_a_domain_with_two_rows_says_nothing() -> None:
    found, _ = asked(row("alpha.com", "Active", "ada"), row("ALPHA.com", "In Progress", "ada"))
    assert (found.domains, found.mailboxes, found.counts) == ({}, {}, {})


@pytest.mark.parametrize("rows", [["alpha.com"], [None], [{}], [[]], [{"name": "alpha.com"}]])
def test_rows_of_another_form_say_nothing(rows: list[Any]) -> None:
    assert asked(*rows)[0] == Progress()


@pytest.mark.parametrize("answer", [{}, {"domains": {}}, {"domains": None}, [], {"data": []}])
def test_a_list_of_another_form_is_no_answer(answer: Any) -> None:
    with pytest.raises(ReadFailed):
        REGISTRY["scaledmail"].progress(PACKAGE, Answers({f"{BASE}/domains": answer}))


# Mailboxes that the vendor made of one name


def test_the_mailboxes_of_a_domain_that_was_ordered_by_one_name_are_listed() -> None:
    found, _ = asked(row("alpha.com", "Active", "ada", "A.Example"), order=NAMED)
    names = {"first_name": "Ada", "last_name": "Example"}
    assert found.made == {
        "alpha.com": (
            MailboxLine(username="ada", domain="alpha.com", **names),
            MailboxLine(username="a.example", domain="alpha.com", **names),
        )
    }
    assert found.mailboxes == {}


def test_a_domain_in_work_has_no_mailboxes_yet() -> None:
    found, _ = asked(row("alpha.com", "In Progress", "ada"), order=NAMED)
    assert found.made == {}


@pytest.mark.parametrize("listed", [None, [], {}, "ada", 3])
def test_without_a_list_beside_the_domain_its_own_is_read_and_never_the_passwords(
    listed: Any,
) -> None:
    boxes = [{**ADA, "alias": "x", "email": "Ada@Alpha.com"}, {**ADA, "alias": "bob"}]
    found, vendor = asked(
        row("alpha.com", mailbox=listed, total_mailboxes=2),
        order=NAMED,
        alpha={"total": 2, "mailboxes": boxes},
    )
    assert [box.address for box in found.made["alpha.com"]] == ["ada@alpha.com", "bob@alpha.com"]
    assert vendor.asked[-1].path == f"{BASE}/mailboxes/rec-alpha.com"
    assert vendor.asked[-1].query == (("organization_id", "recOrg"),)


@pytest.mark.parametrize(
    "answer", [{"total": 2, "mailboxes": None}, {"mailboxes": "ada"}, {"mailboxes": [{"a": 1}]}, reply(500)]
)  # fmt: skip
def test_a_list_that_cannot_be_read_leaves_the_mailboxes_as_they_are(answer: Any) -> None:
    found, _ = asked(row("alpha.com", mailbox=None), order=NAMED, alpha=answer)
    assert (found.domains, found.made) == ({"alpha.com": "ready"}, {})
    found, _ = asked(row("alpha.com", mailbox=None), alpha=answer)
    assert (found.domains, found.mailboxes) == ({"alpha.com": "ready"}, {})


def test_after_one_list_that_failed_no_other_is_asked_for() -> None:
    order = NAMED.but(contents=tuple(domain(f"d{n}.com", first_name="Ada") for n in range(3)))
    _, vendor = asked(*(row(f"d{n}.com", mailbox=None) for n in range(3)), order=order)
    assert sum("/mailboxes/" in request.path for request in vendor.asked) == 1


def test_entries_that_are_no_address_of_the_domain_are_left_out() -> None:
    entries = [
        "ada", None, 7, {}, {"alias": ""}, {"alias": 7}, {"alias": "no space"}, {"alias": "a" * 65},
        {"email": "ada@other.com"}, {"email": "ada@alpha.com@x"}, {"alias": "ada"}, {"alias": "ADA"},
    ]  # fmt: skip
    found, _ = asked(row("alpha.com", mailbox=entries), order=NAMED)
    assert [box.address for box in found.made["alpha.com"]] == ["ada@alpha.com"]
    found, _ = asked(row("alpha.com", mailbox=entries[:4]), order=NAMED)
    assert found.made == {}, "a list of nothing that can be read is another form"


@pytest.mark.parametrize("count", ["25", 25.0, True, -1, None, 10**9])
def test_a_count_of_another_form_is_no_count(count: Any) -> None:
    found, _ = asked(row("alpha.com", "Active", "ada", total_mailboxes=count))
    assert found.counts == {}


# The status of the order


def test_a_cancelled_order_makes_nothing_ready_and_says_so() -> None:
    found, _ = asked(row("alpha.com", "Active", "ada", "bob"), status="Cancelled", order=NAMED)
    assert (found.domains, found.mailboxes, found.made) == ({}, {}, {})
    assert found.against == {"alpha.com": "Order rec2 reads Cancelled."}


def test_a_cancelled_order_is_known_by_its_number_where_its_domains_left_the_list() -> None:
    found, _ = asked(order=PACKAGE.but(references=("rec2",)), status="Cancelled")
    assert set(found.against) == {"alpha.com", "beta.org"}


@pytest.mark.parametrize("status", [None, "", 7, "cancelled", "Ended"])
def test_an_order_with_another_status_or_none_says_nothing_against_its_domains(status: Any) -> None:
    found, _ = asked(row("alpha.com", "Active", "ada"), status=status)
    assert (found.domains, found.against.get("alpha.com", "")) == ({"alpha.com": "ready"}, "")


def test_orders_that_cannot_be_read_are_no_answer() -> None:
    answers = {f"{BASE}/domains": {"domains": [row("alpha.com")]}, f"{BASE}/orders": reply(500)}
    with pytest.raises(ReadFailed):
        REGISTRY["scaledmail"].progress(PACKAGE, Answers(answers))


def test_it_says_that_the_form_is_not_documented() -> None:
    says = "ScaledMail says, in a form it does not document"
    assert REGISTRY["scaledmail"].progress_source == says
    assert REGISTRY["woodpecker"].progress_source == "Woodpecker says"
