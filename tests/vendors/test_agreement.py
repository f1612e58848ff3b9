"""What the check of an order lets through, the practice vendor takes: arbitrary orders, good and
broken.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.models import State
from orders.plan import plan
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.vendors.orders import StubContact, StubOrder, domain, mailbox
from tests.vendors.practised import sent
from tests.vendors.refusals import (
    CMR_DOMAINS,
    CMR_MAILBOXES,
    GOOD,
    PRICE_LIST,
    SCALEDMAIL,
    SMARTSENDERS,
    WOODPECKER,
)
from tests.vendors.refusals_scaledmail import LOGIN, TOOL
from vendors.apis import REGISTRY
from vendors.practice.server import Practice
from vendors.verdicts import Accepted


@pytest.mark.parametrize(("api", "product"), sorted(OPTIONS))
def test_a_good_order_of_each_product_has_no_stop_and_is_taken(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.draft(api, product)
    assert [each for each in plan(fresh(order)).problems if each.level == "stop"] == []
    sent_order = factory.sent(api, product, word="other")
    assert sent_order.state in (State.ACCEPTED, State.DELIVERED), sent_order.state_reason


def mostly(*good: Any, odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Now and then something odd, so that many whole orders are good and many are broken in one
    place.
    """
    return st.integers(0, 24).flatmap(lambda die: odd if die == 24 else st.sampled_from(good))


USERNAMES = mostly(
    "dana", "sam.ito", "Lee_W", "a-b", "x" * 64, "o'hara", "a+b", "7", "e.f", "g",
    odd=st.text("abzAZ09.-_+'@ é", max_size=5) | st.just("x" * 65),
)  # fmt: skip
DOMAINS = mostly(
    "a.com", "b-c.co.uk", "ACME.org", "xn--bcher-kva.com", "x.y.z.info", f"{'l' * 63}.net", "9.io", "e.xn--p1ai",
    odd=st.text("abz09-. ", max_size=6)
    | st.sampled_from(["a.c", "a.x1", "-a.com", "a-.com", f"{'l' * 64}.net", "bücher.com"]),
)  # fmt: skip
NAMES = mostly("Dana", "Zoë", "O'Hara", "D", odd=st.sampled_from(["", " "]))
PICTURES = mostly(
    "",
    "https://x.com/a.png",
    "HTTP://x.com",
    odd=st.sampled_from(["a.png", "https://", "ftp://x.com/a"]),
)


@st.composite
def lines(draw: st.DrawFn, *, number: int, named: bool) -> Any:
    name = draw(DOMAINS)
    count = 0 if named else draw(mostly(1, 2, odd=st.just(0)))
    boxes = []
    for place in range(count):
        who = f"{draw(NAMES)} {draw(NAMES)}"
        boxes.append(
            mailbox(
                f"{draw(USERNAMES)}@{name}",
                name=who,
                picture=draw(PICTURES),
                row=number * 10 + place,
            )
        )
    about = {"first_name": draw(NAMES), "last_name": draw(NAMES)} if named else {}
    years = draw(mostly(1, 2, 10, odd=st.just(0)))
    return domain(name, *boxes, **about, picture=draw(PICTURES), years=years, row=number)


ODD_OPTIONS: dict[tuple[str, str], list[dict[str, Any]]] = {
    CMR_DOMAINS: [
        {"service_provider": ""}, {"service_provider": "MICROSOFT"}, {"google_client_id": ""}, {"confirm": None},
        {"service_provider": "MICROSOFT", "microsoft_oauth_route": "https://login.example"}, {"confirm": False},
        {"auto_renew": False},
    ],
    CMR_MAILBOXES: [
        {"subscription_id": ""}, {"domain_id": "dom-1"}, {"subscription_id": "", "domain_id": "dom-1"},
        {"auto_renew": True}, {"google_client_id": ""}, {"confirm": False},
    ],
    SCALEDMAIL: [
        LOGIN, LOGIN | {"hosting_username": ""}, {"hosting_provider": "Porkbun"}, TOOL, {"sequencer_username": "ada"},
        {"provider": "both"}, {"coupon": "SPRING"}, {"price_id": ""}, {"quantity": "2"},
    ],
    SMARTSENDERS: [{"vendor_id": 1}, {"vendor_id": "9"}, {"vendor_id": None}, {"vendor_id": "nine"}],
    WOODPECKER: [{"provider": ""}, {"provider": "MICROSOFT"}],
}  # fmt: skip


@st.composite
def orders(draw: st.DrawFn, key: tuple[str, str], form: str) -> StubOrder:
    """The good order of a product with lines of its own and, half the time, one more thing changed."""
    good, named = GOOD[key], key == SCALEDMAIL and draw(st.booleans())
    contents = [
        draw(lines(number=place + 1, named=named)) for place in range(draw(st.integers(1, 3)))
    ]
    fitting = {"quantity": len(contents)} if key == SCALEDMAIL else {}
    changed = draw(st.sampled_from([{}, {}, {}, *ODD_OPTIONS[key]]))
    passwords = [
        f"{kind}_password" for kind in ("hosting", "sequencer") if f"{kind}_username" in changed
    ]
    contact = mostly(
        StubContact(), odd=st.sampled_from([StubContact(state=""), StubContact(last_name=""), None])
    )
    return good.but(
        options=fitting | changed,
        contents=tuple(contents[: draw(mostly(3, odd=st.integers(0, 2)))]),
        secret_names=frozenset(draw(mostly(passwords, odd=st.just([])))),
        forward_to=draw(
            mostly("example.com", odd=st.sampled_from(["example", "-.com", "example.x1", ""]))
        ),
        contact=draw(contact),
        settings=good.settings | ({"body_form": form} if form else {}),
    )


FORMS = [*((key, "") for key in GOOD), (SMARTSENDERS, "objects")]


@pytest.mark.parametrize(("key", "form"), FORMS)
def test_what_the_check_lets_through_the_practice_vendor_takes(
    practice: Practice, key: tuple[str, str], form: str
) -> None:
    taken: Counter[bool] = Counter()

    @settings(max_examples=250, derandomize=True)
    @given(order=orders(key, form))
    def agree(order: StubOrder) -> None:
        stops = [each for each in REGISTRY[key[0]].check(order, PRICE_LIST) if each.level == "stop"]
        taken[not stops] += 1
        assert all(each.message and each.fix and each.field for each in stops)
        if not stops:
            answer = sent(practice, key[0], order)
            assert isinstance(REGISTRY[key[0]].read_reply(order, answer), Accepted), (
                answer.body,
                order,
            )

    agree()
    assert min(taken[True], taken[False]) >= 10, taken


@pytest.mark.parametrize("key", GOOD)
def test_five_thousand_wrong_lines_are_named_fifty_at_a_time(key: tuple[str, str]) -> None:
    boxes = [mailbox(f"a b{place}@alpha.com", name="", row=place + 1) for place in range(5000)]
    found = REGISTRY[key[0]].check(
        GOOD[key].but(contents=(domain("alpha.com", *boxes, row=1),)), PRICE_LIST
    )
    of_address = [each for each in found if each.field == "address" and each.level == "stop"]
    assert [each.row for each in of_address] == list(range(1, 52))
    assert "4,949 more lines" in of_address[-1].message
    assert len(found) < 300
