"""What the vendors' read endpoints are asked, and how far their answers are believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.vendors.orders import EARLIER, LATER, SENT_AT, SOUND, Answers, StubOrder, reply
from vendors.apis import REGISTRY
from vendors.apis.values import Evidence, Progress
from vendors.http import ReadFailed

CMR = "/api/v1/integration"
SCALEDMAIL = "/api/v1"
SMARTSENDERS = "/api/v1/smart-senders"


def evidence(
    order: StubOrder, api: str, answers: dict[str, Any], *, before: Sequence[str] = ()
) -> list[Evidence]:
    return REGISTRY[api].look_for(order, Answers(answers), since=SENT_AT, before=before)


def placed(found: list[Evidence]) -> list[str]:
    return [item.reference for item in found if item.points_to == "placed"]


def warns(found: list[Evidence]) -> bool:
    return "no proof" in found[-1].text


# ColdMailReseller

CMR_DOMAINS = SOUND["coldmailreseller", "domains"].but(
    contents=SOUND["coldmailreseller", "domains"].contents[:1]
)


def subscription(**changes: Any) -> dict[str, Any]:
    row = {
        "subscriptionId": "sub-1",
        "domain": "alpha.com",
        "userId": "user-1",
        "totalMailboxQuantity": 2,
    }
    return {
        f"{CMR}/subscriptions": {
            "status": 200,
            "data": {"subscriptions": [{**row, "periodStart": LATER, **changes}]},
        }
    }


def test_coldmailreseller_is_asked_for_each_domain_with_the_key_in_the_header() -> None:
    vendor = Answers({f"{CMR}/subscriptions": {"status": 200, "data": {"subscriptions": []}}})
    found = REGISTRY["coldmailreseller"].look_for(
        SOUND["coldmailreseller", "domains"], vendor, since=SENT_AT
    )
    assert [request.query for request in vendor.asked] == [
        (("domain", "alpha.com"),),
        (("domain", "beta.org"),),
    ]
    assert vendor.asked[0].prepare("", {"api_key": "k"}).headers == {"cmr-x-api-key": "k"}
    assert warns(found)


def test_coldmailreseller_new_subscription_of_the_same_size_speaks_for_the_order() -> None:
    found = evidence(CMR_DOMAINS, "coldmailreseller", subscription())
    assert placed(found) == [""]
    assert not warns(found)


@pytest.mark.parametrize(
    "changes",
    [
        {"periodStart": EARLIER},
        {"periodStart": None},
        {"totalMailboxQuantity": 3},
        {"totalMailboxQuantity": "2"},
        {"userId": "user-2"},
        {"subscriptionStatus": "CANCELLED"},
        {"subscriptionStatus": "EXPIRED"},
        {"status": "FAILED"},
    ],
)
def test_coldmailreseller_subscription_that_does_not_fit_says_nothing(
    changes: dict[str, Any],
) -> None:
    found = evidence(CMR_DOMAINS, "coldmailreseller", subscription(**changes))
    assert placed(found) == []
    assert "alpha.com" in found[0].text
    assert warns(found)


def test_coldmailreseller_subscription_of_another_domain_is_not_shown() -> None:
    found = evidence(CMR_DOMAINS, "coldmailreseller", subscription(domain="xalpha.com"))
    assert len(found) == 1
    assert warns(found)


def test_coldmailreseller_growing_subscription_is_left_to_the_person() -> None:
    found = evidence(SOUND["coldmailreseller", "mailboxes"], "coldmailreseller", subscription())
    assert placed(found) == []
    assert "This order adds 2" in found[0].text


def test_coldmailreseller_order_that_was_only_created_leaves_no_trace() -> None:
    found = evidence(
        CMR_DOMAINS.but(options={"confirm": False}),
        "coldmailreseller",
        subscription(domain="x.com"),
    )
    assert any("Search the dashboard by domain" in item.text for item in found)


def test_coldmailreseller_stops_asking_once_it_does_not_answer() -> None:
    vendor = Answers(
        {
            f"{CMR}/subscriptions": ReadFailed(
                "The vendor could not be asked: no answer came in time."
            )
        }
    )
    REGISTRY["coldmailreseller"].look_for(
        SOUND["coldmailreseller", "domains"], vendor, since=SENT_AT
    )
    assert len(vendor.asked) == 1


def test_coldmailreseller_key_is_tested_on_one_subscription() -> None:
    vendor = Answers({f"{CMR}/subscriptions": {"status": 200, "data": {"subscriptions": []}}})
    assert "works" in REGISTRY["coldmailreseller"].test({"user_id": "user-1"}, vendor)
    assert vendor.asked[0].query == (("limit", "1"),)


def test_coldmailreseller_error_in_the_envelope_fails_the_test() -> None:
    vendor = Answers(
        {f"{CMR}/subscriptions": {"status": 403, "message": "Not yours", "data": None}}
    )
    with pytest.raises(ReadFailed, match="Not yours"):
        REGISTRY["coldmailreseller"].test({}, vendor)


# ScaledMail

PACKAGE = SOUND["scaledmail", "package"]


def scaledmail_orders(*orders: tuple[str, Any, list[str]]) -> dict[str, Any]:
    """The list of orders and each order's details, from (id, created, domains)."""
    answers: dict[str, Any] = {
        f"{SCALEDMAIL}/orders": {
            "total": len(orders),
            "payments": [
                {"id": number, "created_at": made, "status": "Active"} for number, made, _ in orders
            ],
        }
    }
    for number, made, names in orders:
        half = len(names) // 2
        packages = [
            {"domains": [{"name": name} for name in part]} for part in (names[:half], names[half:])
        ]
        answers[f"{SCALEDMAIL}/orders/{number}"] = {
            "id": number,
            "created_at": made,
            "packages": packages,
        }
    return answers


def test_scaledmail_later_order_with_all_domains_speaks_for_the_order() -> None:
    answers = scaledmail_orders(
        ("rec1", LATER, ["other.com"]), ("rec2", LATER, ["Beta.org", "alpha.com"])
    )
    found = evidence(PACKAGE, "scaledmail", answers)
    assert placed(found) == ["rec2"]
    assert len(found) == 1


def test_scaledmail_order_with_some_of_the_domains_is_shown_and_says_nothing() -> None:
    found = evidence(
        PACKAGE, "scaledmail", scaledmail_orders(("rec1", LATER, ["alpha.com", "x.com"]))
    )
    assert placed(found) == []
    assert "1 of the 2 domains" in found[0].text
    assert warns(found)


@pytest.mark.parametrize("place", ["list", "details"])
def test_scaledmail_cancelled_order_says_nothing(place: str) -> None:
    answers = scaledmail_orders(("rec1", LATER, ["alpha.com", "beta.org"]))
    listed = answers[f"{SCALEDMAIL}/orders"]["payments"][0]
    row = listed if place == "list" else answers[f"{SCALEDMAIL}/orders/rec1"]
    row["status"] = "Cancelled"
    found = evidence(PACKAGE, "scaledmail", answers)
    assert placed(found) == []
    assert "It reads Cancelled" in found[0].text
    assert warns(found)


@pytest.mark.parametrize(
    ("made", "note"), [("2026-03-05T10:00:00", "no time zone"), ("2026-03-05T10:00:00Z", "")]
)
def test_a_time_without_a_zone_says_so(made: str, note: str) -> None:
    found = evidence(
        PACKAGE, "scaledmail", scaledmail_orders(("rec1", made, ["alpha.com", "beta.org"]))
    )
    assert placed(found) == ["rec1"]
    assert ("no time zone" in found[0].text) == bool(note)


def test_scaledmail_order_without_a_readable_date_says_nothing() -> None:
    found = evidence(
        PACKAGE, "scaledmail", scaledmail_orders(("rec1", "last week", ["alpha.com", "beta.org"]))
    )
    assert placed(found) == []
    assert warns(found)


def test_scaledmail_earlier_orders_are_not_looked_at() -> None:
    vendor = Answers(scaledmail_orders(("rec1", EARLIER, ["alpha.com", "beta.org"])))
    found = REGISTRY["scaledmail"].look_for(PACKAGE, vendor, since=SENT_AT)
    assert [request.path for request in vendor.asked] == [f"{SCALEDMAIL}/orders"]
    assert warns(found)


def test_scaledmail_looks_at_the_newest_ten_and_says_so() -> None:
    orders = [(f"rec{number:02}", f"2026-03-05T10:00:{number:02}Z", []) for number in range(12)]
    vendor = Answers(scaledmail_orders(*orders))
    found = REGISTRY["scaledmail"].look_for(PACKAGE, vendor, since=SENT_AT)
    assert [request.path[-5:] for request in vendor.asked[1:]] == [
        f"rec{number:02}" for number in range(11, 1, -1)
    ]
    assert "newest 10 of 12" in found[0].text


def test_scaledmail_keeps_what_it_found_before_it_could_not_be_asked() -> None:
    answers = scaledmail_orders(
        ("rec2", "2026-03-05T10:00:00Z", ["alpha.com", "beta.org"]), ("rec1", LATER, [])
    )
    answers[f"{SCALEDMAIL}/orders/rec1"] = reply(500)
    found = evidence(PACKAGE, "scaledmail", answers)
    assert placed(found) == ["rec2"]
    assert "could not be looked at" in found[1].text


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"organizations": [{"id": "recOrg", "name": "Acme"}]}, "reaches the organization Acme"),
        ([{"id": "recOrg", "name": "Acme"}], "reaches the organization Acme"),
        (
            {"organizations": [{"id": "rec2", "name": "Other"}]},
            "does not reach the organization “recOrg”",
        ),
        ({}, "did not list your organizations"),
        ({"organizations": 7}, "did not list your organizations"),
    ],
)
def test_scaledmail_test_tells_which_organizations_the_key_reaches(answer: Any, words: str) -> None:
    vendor = Answers({f"{SCALEDMAIL}/organizations": answer})
    assert words in REGISTRY["scaledmail"].test({"organization_id": "recOrg"}, vendor)
    assert vendor.asked[0].prepare("", {"api_key": "k"}).headers == {"Authorization": "Bearer k"}


# Woodpecker

WOODPECKER = SOUND["woodpecker", "mailboxes"]


def woodpecker_lists(**states: str) -> dict[str, Any]:
    """The mailbox lists of both domains; the keys are user names."""
    homes = {"ada": "alpha.com", "bob": "alpha.com", "cy": "beta.org"}
    return {
        f"/rest/v2/domains/{domain}/mailboxes": {
            "mailboxes": [
                {"email": f"{name.title()}@{domain}", "status": state}
                for name, state in states.items()
                if homes[name] == domain
            ]
        }
        for domain in ("alpha.com", "beta.org")
    }


def test_woodpecker_listed_mailboxes_speak_for_the_order() -> None:
    found = evidence(
        WOODPECKER, "woodpecker", woodpecker_lists(ada="ORDERED", bob="PAID", cy="ORDERED")
    )
    assert placed(found) == ["", ""]


def test_woodpecker_mailboxes_that_were_listed_before_sending_say_nothing() -> None:
    before = [box.address for line in WOODPECKER.contents for box in line.mailboxes]
    answers = woodpecker_lists(ada="ORDERED", bob="PAID", cy="ORDERED")
    found = evidence(WOODPECKER, "woodpecker", answers, before=before)
    assert placed(found) == []
    assert warns(found)
    assert any("before this order was sent" in item.text for item in found)


def test_woodpecker_some_of_the_mailboxes_say_nothing() -> None:
    found = evidence(WOODPECKER, "woodpecker", woodpecker_lists(ada="PAID"))
    assert placed(found) == []
    assert "1 of the order's 2 mailboxes" in found[0].text
    assert warns(found)


@pytest.mark.parametrize("state", ["FAILED", "DELETED", "Cancelled"])
def test_woodpecker_mailboxes_that_are_gone_say_nothing(state: str) -> None:
    found = evidence(WOODPECKER, "woodpecker", woodpecker_lists(ada=state, bob="PAID"))
    assert placed(found) == []
    assert state in found[0].text


def test_woodpecker_progress_goes_by_the_mailboxes_status() -> None:
    told = REGISTRY["woodpecker"].progress(
        WOODPECKER, Answers(woodpecker_lists(ada="PAID", bob="ORDERED", cy="NEW"))
    )
    assert told == Progress(mailboxes={"ada@alpha.com": "ready", "bob@alpha.com": "ordered"})


def test_woodpecker_progress_that_cannot_be_asked_is_no_progress() -> None:
    with pytest.raises(ReadFailed):
        REGISTRY["woodpecker"].progress(WOODPECKER, Answers({}))


def test_woodpecker_key_is_tested_on_the_accounts_own_page() -> None:
    vendor = Answers({"/rest/v1/me": {"id": 1}})
    assert "works" in REGISTRY["woodpecker"].test({}, vendor)
    assert vendor.asked[0].prepare("", {"api_key": "k"}).headers == {"x-api-key": "k"}
