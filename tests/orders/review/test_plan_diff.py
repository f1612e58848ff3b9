"""Every change between two plans is described in words, whatever a vendor calls its fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.review.plan_diff import differences


def said(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return differences({"request": {"body": before}}, {"request": {"body": after}})


def box(name: str, address: str) -> dict[str, str]:
    return {"first_name": name, "last_name": "Ito", "email": address}


SAM, DANA = box("Sam", "sam@acme.com"), box("Dana", "dana@acme.com")


@pytest.mark.parametrize(
    ("before", "after", "sentences"),
    [
        (
            {"mailboxes": [SAM]},
            {"mailboxes": [SAM | {"first_name": "Mallory"}]},
            ["Mailbox 1, first name: “Sam” became “Mallory”."],
        ),
        ({"mailboxes": [SAM, DANA]}, {"mailboxes": [DANA]}, ["Mailbox 1 was taken out: Sam, Ito, sam@acme.com."]),
        ({"mailboxes": [DANA]}, {"mailboxes": [SAM, DANA]}, ["Mailbox 1 was added: Sam, Ito, sam@acme.com."]),
        (
            {"mailboxes": [SAM, DANA]},
            {"mailboxes": [DANA, SAM]},
            ["The order of the mailbox lines: “sam@acme.com” became “dana@acme.com”."],
        ),
        (
            {"mailboxes": {"acme.com": [{"username": "sam", "firstName": "Sam"}]}},
            {"mailboxes": {"acme.com": [{"username": "sam", "firstName": "Samuel"}]}},
            ["Mailbox 1 on acme.com, first name: “Sam” became “Samuel”."],
        ),
        (
            {"domains": [{"domain_name": "a.com", "mailbox_details": [{"mailbox": "x@a.com", "profile_pic": "1"}]}]},
            {"domains": [{"domain_name": "a.com", "mailbox_details": [{"mailbox": "x@a.com"}]}]},
            ["Domain 1, mailbox 1, picture: “1” before, now empty."],
        ),
        (
            {"domains": [{"domain_name": "a.com", "mailboxes": ["x@a.com", "y@a.com"]}]},
            {"domains": [{"domain_name": "a.com", "mailboxes": ["x@a.com"]}]},
            ["Domain 1, mailbox 2: “y@a.com” before, now empty."],
        ),
        (
            {"domains": [{"domain": "a.com", "forwardTo": "b.com"}]},
            {"domains": [{"domain": "a.com", "forwardTo": "evil.com"}]},
            ["Domain 1, forwards to: “b.com” became “evil.com”."],
        ),
        (
            {"hosting": {"username": "me"}, "google": {"clientId": "1"}},
            {"hosting": {"username": "you"}, "google": {"clientId": "2"}},
            [
                "Login where the domains are held, user name: “me” became “you”.",
                "Google, client ID: “1” became “2”.",
            ],
        ),
        ({"confirm": True, "billingCycle": "MONTHLY"}, {"confirm": False, "billingCycle": "YEARLY"}, [
            "Bought when it arrives: yes became no.", "Billing cycle: “MONTHLY” became “YEARLY”."]),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words(
    before: dict[str, Any], after: dict[str, Any], sentences: list[str]
) -> None:
    assert said(before, after) == sentences


def test_lines_that_look_alike_are_compared_by_their_place() -> None:
    assert said({"mailboxes": [SAM, SAM]}, {"mailboxes": [SAM, SAM | {"last_name": "Lee"}]}) == [
        "Mailbox 2, last name: “Ito” became “Lee”."
    ]


names = st.sampled_from(
    ["mailboxes", "domains", "aliases", "email", "domain", "google", "firstName", "confirm", "odd"]
)
bodies = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "a", "b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(names, bodies, max_size=3), st.dictionaries(names, bodies, max_size=3))
def test_whatever_the_body_holds_a_change_never_goes_unsaid(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert bool(said(before, after)) is (before != after)
