"""ColdMailReseller's subscriptions and renewal prices: what they say of an order, and what not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.vendors.orders import EARLIER, LATER, SOUND, Answers, StubOrder, domain, reply
from vendors.apis import REGISTRY
from vendors.apis.values import Progress
from vendors.http import ReadFailed

BASE = "/api/v1/integration"
ORDER = SOUND["coldmailreseller", "domains"].but(
    contents=SOUND["coldmailreseller", "domains"].contents[:1]
)
JOINING = SOUND["coldmailreseller", "mailboxes"]
NEW = JOINING.but(options={"subscription_id": "", "domain_id": "dom-1"})
BARE = ORDER.but(contents=(domain("alpha.com"), domain("beta.org")))
AHEAD = (datetime.now(UTC) + timedelta(days=300)).isoformat()


def row(**changes: Any) -> dict[str, Any]:
    found = {
        "subscriptionId": "sub-1", "subscriptionStatus": "ACTIVE", "totalMailboxQuantity": 2,
        "periodStart": LATER, "userId": "user-1", "domain": "alpha.com",
    }  # fmt: skip
    found |= changes
    return {name: value for name, value in found.items() if value is not ...}


def asked(*rows: Any, order: StubOrder = ORDER) -> Progress:
    body = {"status": 200, "data": {"subscriptions": [*rows]}}
    return REGISTRY["coldmailreseller"].progress(order, Answers({f"{BASE}/subscriptions": body}))


def renewals(*rows: Any, order: StubOrder = BARE) -> tuple[Progress, Answers]:
    body = {"status": 200, "message": "", "data": [*rows]}
    vendor = Answers({f"{BASE}/domains/renewal-price": body})
    return REGISTRY["coldmailreseller"].progress(order, vendor), vendor


def test_a_subscription_of_the_ordered_size_makes_the_domain_and_its_mailboxes_ready() -> None:
    assert asked(row(domain="Alpha.com")) == Progress(
        domains={"alpha.com": "ready"},
        mailboxes={"ada@alpha.com": "ready", "bob@alpha.com": "ready"},
        counts={"alpha.com": 2},
        by_count=frozenset({"alpha.com"}),
        ids={"alpha.com": {"subscriptionId": "sub-1"}},
        against={"alpha.com": ""},
        bought={"alpha.com": "alpha.com has a subscription since 4 Mar 2026."},
    )


def test_fewer_mailboxes_than_ordered_leave_all_of_the_domain_on_its_way() -> None:
    found = asked(row(totalMailboxQuantity=1))
    assert set(found.domains.values()) | set(found.mailboxes.values()) == {"ordered"}
    assert found.counts == {"alpha.com": 1}
    assert found.bought, "it was paid for all the same"


def test_more_mailboxes_than_ordered_and_a_row_without_a_user_are_enough() -> None:
    assert asked(row(totalMailboxQuantity=3)).domains == {"alpha.com": "ready"}
    assert asked(row(userId=...)).domains == {"alpha.com": "ready"}
    assert asked(row(subscriptionStatus="renewing")).domains == {"alpha.com": "ready"}


@pytest.mark.parametrize(
    "changes",
    [
        {"userId": "user-2"},
        {"userId": 7},
        {"periodStart": EARLIER},
        {"periodStart": None},
        {"periodStart": "soon"},
        {"periodStart": ...},
        {"domain": "xalpha.com"},
        {"domain": None},
        {"totalMailboxQuantity": "2"},
        {"totalMailboxQuantity": 2.0},
        {"totalMailboxQuantity": True},
        {"totalMailboxQuantity": -1},
        {"totalMailboxQuantity": ...},
        {"subscriptionStatus": "PAST_DUE"},
        {"subscriptionStatus": "PENDING"},
        {"subscriptionStatus": None},
        {"subscriptionStatus": ...},
    ],
)
def test_a_row_that_does_not_fit_says_nothing(changes: dict[str, Any]) -> None:
    assert asked(row(**changes)) == Progress()


@pytest.mark.parametrize("status", ["CANCELLED", "Expired"])
def test_a_status_against_it_makes_nothing_ready_and_is_said(status: str) -> None:
    found = asked(row(subscriptionStatus=status))
    assert (found.domains, found.mailboxes, found.counts) == ({}, {}, {})
    assert found.against == {
        "alpha.com": f"Subscription sub-1 reads {status.upper()}, in a form that is not documented."
    }
    assert found.bought, "a subscription that began after the order was paid for"


def test_a_running_subscription_counts_beside_an_ended_one() -> None:
    ended = row(subscriptionId="sub-0", subscriptionStatus="CANCELLED")
    found = asked(ended, row(), ended)
    assert (found.domains, found.against) == ({"alpha.com": "ready"}, {"alpha.com": ""})


@pytest.mark.parametrize(
    "body",
    [
        {"status": 403, "message": "Not yours", "data": None},
        {"status": 200, "data": {"subscriptions": None}},
        {"status": 200, "data": "none"},
        [],
    ],
)
def test_an_answer_of_another_form_is_no_answer(body: Any) -> None:
    for path in ("subscriptions", "domains/renewal-price"):
        for order in (ORDER, BARE):
            with pytest.raises(ReadFailed):
                REGISTRY["coldmailreseller"].progress(order, Answers({f"{BASE}/{path}": body}))


def test_an_order_that_was_never_sent_is_not_asked_about() -> None:
    vendor = Answers({})
    unsent = ORDER.but(request_sent_at=None)
    assert REGISTRY["coldmailreseller"].progress(unsent, vendor) == Progress()
    assert vendor.asked == []


# Mailboxes on a domain of the account


def test_a_new_subscription_of_a_held_domain_is_read_like_one_of_a_new_domain() -> None:
    found = asked(row(), order=NEW)
    assert (found.domains, set(found.mailboxes.values())) == ({}, {"ready"})
    assert asked(row(periodStart=EARLIER), order=NEW) == Progress()


def test_a_subscription_that_grew_by_the_ordered_number_is_whole() -> None:
    order = JOINING.but(counts_before={"alpha.com": 3})
    found = asked(row(totalMailboxQuantity=5, periodStart=EARLIER), order=order)
    assert (found.domains, set(found.mailboxes.values())) == ({}, {"ready"})
    assert found.bought == {
        "alpha.com": "The subscription of alpha.com has 5 mailboxes. It had 3 before."
    }
    found = asked(row(totalMailboxQuantity=4, periodStart=EARLIER), order=order)
    assert (set(found.mailboxes.values()), found.bought) == ({"ordered"}, {})


def test_without_the_count_before_nobody_guesses() -> None:
    found = asked(row(totalMailboxQuantity=50), order=JOINING)
    assert (found.mailboxes, found.bought, found.by_count) == ({}, {}, frozenset())
    assert found.counts == {"alpha.com": 50}


def test_only_the_subscription_that_was_joined_counts() -> None:
    order = JOINING.but(counts_before={"alpha.com": 0})
    assert asked(row(subscriptionId="sub-2"), order=order) == Progress()
    ended = asked(row(subscriptionStatus="CANCELLED", periodStart=EARLIER), order=order)
    assert (ended.bought, bool(ended.against["alpha.com"])) == ({}, True)


# Domains without mailboxes


def test_a_domain_without_mailboxes_is_ready_once_it_has_a_day_of_renewal_ahead() -> None:
    found, vendor = renewals({"domainName": "Alpha.com", "domainId": "dom-9", "expireOn": AHEAD})
    assert (found.domains, found.by_count) == ({"alpha.com": "ready"}, frozenset())
    assert found.ids == {"alpha.com": {"domainId": "dom-9"}}
    assert found.bought["alpha.com"].startswith("alpha.com is there until ")
    [question] = vendor.asked
    assert (question.method, question.body) == (
        "POST",
        {"userId": "user-1", "domains": ["alpha.com", "beta.org"]},
    )


@pytest.mark.parametrize("ends", [EARLIER, None, "", "next year", 2027, ...])
def test_a_domain_without_such_a_day_says_nothing(ends: Any) -> None:
    listed = {"domainName": "alpha.com", "domainId": "dom-9", "expireOn": ends}
    found, _ = renewals({name: value for name, value in listed.items() if value is not ...})
    assert found == Progress()


def test_other_names_in_the_answer_say_nothing() -> None:
    assert renewals({"domainName": "other.com", "expireOn": AHEAD})[0] == Progress()


def test_twenty_names_are_asked_at_once() -> None:
    many = BARE.but(contents=tuple(domain(f"d{n}.com") for n in range(21)))
    _, vendor = renewals(order=many)
    assert [len(request.body["domains"]) for request in vendor.asked] == [20, 1]


def test_a_failed_question_is_no_answer_about_the_others() -> None:
    body = {"status": 200, "data": {"subscriptions": [row()]}}
    both = ORDER.but(contents=(*ORDER.contents, domain("beta.org")))
    answers = {f"{BASE}/subscriptions": body, f"{BASE}/domains/renewal-price": reply(500)}
    with pytest.raises(ReadFailed):
        REGISTRY["coldmailreseller"].progress(both, Answers(answers))


def test_nothing_but_questions_is_sent() -> None:
    vendor = Answers({})
    for order in (ORDER, JOINING, NEW, BARE):
        with pytest.raises(ReadFailed):
            REGISTRY["coldmailreseller"].progress(order, vendor)
    paths = {(request.method, request.path) for request in vendor.asked}
    assert paths == {("GET", f"{BASE}/subscriptions"), ("POST", f"{BASE}/domains/renewal-price")}
    assert vendor.asked[0].prepare("", {"api_key": "k"}).headers == {"cmr-x-api-key": "k"}
