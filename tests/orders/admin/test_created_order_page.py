"""The pages of an order that is only created: confirming it, its two ends, the lists."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from typing import Any

import pytest

from orders import submission
from orders.admin.detail import steps
from orders.models import ConfirmationRule, Order, State
from orders.plan import digest_of, plan
from orders.review import confirming_rights
from orders.templatetags.order_tags import is_moving
from tests.auth.test_reauthentication import later
from tests.conftest import GOOGLE, OrderFactory, fresh
from tests.orders.outcomes.creating import (
    CMR,
    COSTS,
    CREATE_ONLY,
    created_order,
    leave,
    look_processed,
    posted,
    record_processed,
)
from tests.orders.pages import browser, messages_of, url
from tests.orders.spending.test_limits import account, limit, spent


def waiting(factory: OrderFactory, **kwargs: Any) -> Order:
    return factory.reviewed(*CMR, options=CREATE_ONLY, **({"word": "later"} | kwargs))


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# Confirming


def test_the_confirm_page_says_both_sums_and_that_nothing_is_bought_yet(
    factory: OrderFactory,
) -> None:
    page = text_of(browser(factory.people.confirmer).get(url(waiting(factory), "confirm")))
    assert "Confirm and create ($0.00 now, $19.00 when processed)" in page
    words = re.sub(r"<[^>]+>", "", page)
    assert "$0.00 now $19.00 when it is processed" in " ".join(words.split())
    assert "ColdMailReseller buys nothing until somebody processes the order" in page


def test_an_order_that_buys_at_once_keeps_its_words(factory: OrderFactory) -> None:
    order = factory.reviewed(*CMR, word="now")
    page = text_of(browser(factory.people.confirmer).get(url(order, "confirm")))
    assert "Confirm and buy for $19.00" in page
    assert "when it is processed" not in page


def test_confirming_several_adds_the_two_sums_up_apart(factory: OrderFactory) -> None:
    orders = [waiting(factory), waiting(factory, word="soon"), factory.reviewed(*CMR, word="now")]
    confirmer, vendor = browser(factory.people.confirmer), factory.accounts["coldmailreseller"]
    query = {"vendor": vendor.pk, "order": [order.pk for order in orders]}
    page = text_of(confirmer.get("/orders/order/together/", query))
    assert "Confirm 3: $19.00 now, $38.00 when processed" in page
    query["order"] = [order.pk for order in orders[:2]]
    page = text_of(confirmer.get("/orders/order/together/", query))
    assert "Confirm 2 and create ($0.00 now, $38.00 when processed)" in page


@pytest.mark.parametrize(("amount", "count"), [("15.00", 2), ("19.00", 2), ("19.01", 1)])
def test_create_only_of_19_asks_for_two_persons_where_the_rule_begins_at_15(
    factory: OrderFactory, amount: str, count: int
) -> None:
    ConfirmationRule.objects.create(confirmers=2, from_amount=Decimal(amount), currency="USD")
    order = waiting(factory)
    assert confirming_rights.needed(order, plan(order).cost.due).count == count
    assert confirming_rights.needed(fresh(order)).count == count
    in_database = Order.objects.to_confirm_by(factory.people.confirmer).get(pk=order.pk)
    assert in_database.needs == count  # type: ignore[attr-defined]  # annotated
    factory.confirm(order)
    assert fresh(order).state == (State.REVIEW if count == 2 else State.CONFIRMED)


COSTS_OF: list[dict[str, Any]] = [
    {},
    {"due_now": {}},
    {"due_now": {}, "due_later": {}},
    {"due_now": {}, "due_later": {"USD": "14.99"}},
    {"due_now": {}, "due_later": {"USD": "15.00"}},
    {"due_now": {"USD": "10.10"}, "due_later": {"USD": "4.90"}},
    {"due_now": {"USD": "10.10"}, "due_later": {"USD": "4.89"}},
    {"due_now": {"USD": "15.00"}},
    {"due_now": {"USD": "1.00"}, "due_later": {"EUR": "1.00"}},
    {"due_now": {"EUR": "1.00"}, "due_later": {"USD": "1.00"}},
    {"due_now": {}, "due_later": {"EUR": "1.00", "USD": "1.00"}},
    {"due_now": {}, "due_later": {"EUR": "1.00"}},
]


@pytest.mark.parametrize("cost", COSTS_OF[1:])
@pytest.mark.parametrize("amount", ["0.00", "15.00"])
def test_the_rules_by_amount_count_both_sums_alike_in_the_code_and_in_the_database(
    factory: OrderFactory, cost: dict[str, Any], amount: str
) -> None:
    ConfirmationRule.objects.create(confirmers=2, from_amount=Decimal(amount), currency="USD")
    order = factory.reviewed()
    Order.objects.filter(pk=order.pk).update(cost=cost)
    in_code = confirming_rights.needed(fresh(order)).count
    in_database = Order.objects.to_confirm_by(factory.people.confirmer).get().needs  # type: ignore[attr-defined]
    assert in_code == in_database


PLANNED = ("host", "request", "cost", "secrets")


def as_confirmed_before(order: Order) -> None:
    """The rows of a release that counted such an order as due now."""
    old = fresh(order).snapshot
    for line in old["cost"]["lines"]:
        line["due_now"] = line.pop("due_later")
    old["cost"]["due_now"] = old["cost"].pop("due_later")
    digest = digest_of({name: part for name, part in old.items() if name in PLANNED})
    Order.objects.filter(pk=order.pk).update(snapshot=old, digest=digest)


def test_an_order_confirmed_before_the_sums_were_told_apart_goes_back_with_the_difference(
    unguarded: None, factory: OrderFactory
) -> None:
    order = factory.confirmed(*CMR, options=CREATE_ONLY, word="later")
    as_confirmed_before(order)
    submission.submit(order.pk)
    assert fresh(order).state == State.REVIEW
    assert "Its first payment is due when it is processed at the vendor now." in fresh(order).reason


# The order's page


def test_a_created_order_shows_what_to_look_for_and_its_two_ends(factory: OrderFactory) -> None:
    order = created_order(factory)
    page = text_of(browser(factory.people.confirmer).get(url(order)))
    for words in (
        "Created at the vendor, not processed",
        "nothing is bought yet",
        f'data-copy="{order.reference}"',
        'data-copy="later.com"',
        order.vendor.dashboard_url,
        f"fingerprint {order.digest[:4]}",
        "It was processed",
        "Leave it",
    ):
        assert words in page, words
    assert is_moving(order)  # the page asks for news by itself


@pytest.mark.parametrize(
    ("act", "current"), [(None, "Created"), (record_processed, "Processed"), (leave, "Cancelled")]
)
def test_the_steps_of_a_created_order(factory: OrderFactory, act: Any, current: str) -> None:
    order = created_order(factory)
    if act:
        act(factory, order)
    found = steps(fresh(order))
    assert [step["label"] for step in found if step["is_current"]] == [current]
    if current != "Cancelled":
        assert [step["label"] for step in found][3:] == [
            "Sent",
            "Created",
            "Processed",
            "Delivered",
        ]


def test_what_looks_processed_is_said_on_the_page_by_itself_and_on_today(
    factory: OrderFactory,
) -> None:
    order = created_order(factory)
    confirmer = browser(factory.people.confirmer)
    before = confirmer.get(url(order)).context["version"]
    look_processed(order, says="later.com has a subscription since 3 Dec.")
    response = confirmer.get(url(order))
    assert response.context["version"] != before  # so the open page loads it
    assert "It looks processed:</b> later.com has a subscription since 3 Dec." in text_of(response)
    today = text_of(confirmer.get("/"))
    assert "It looks processed" in today
    assert "later.com has a subscription since 3 Dec." in today


# Its two ends


def test_it_was_processed_is_recorded_once_and_a_second_click_gets_409(
    factory: OrderFactory,
) -> None:
    limit(account(), day_limit=100)
    order = created_order(factory)
    confirmer, form = browser(factory.people.confirmer), posted(order)
    done = confirmer.post(url(order, "processed"), form, follow=True)
    assert "$19.00 counts now" in messages_of(done)
    again = confirmer.post(url(order, "processed"), form)
    assert again.status_code == 409
    assert "Nothing was changed." in again.content.decode()
    assert (fresh(order).state, spent(account())) == (State.ACCEPTED, COSTS["USD"])


def test_an_old_digest_gets_409_and_keeps_the_typed_words(factory: OrderFactory) -> None:
    order = created_order(factory)
    for old in ({"digest": "0" * 64}, {"attempt": "0"}, {"attempt": "²"}, {"digest": ""}):
        form = posted(order, reason="What I saw there.", **old)
        for page in ("processed", "leave"):
            response = browser(factory.people.confirmer).post(url(order, page), form)
            assert response.status_code == 409, old
            assert "What I saw there." in response.content.decode()
    assert fresh(order).state == State.CREATED


@pytest.mark.parametrize("page", ["processed", "leave"])
@pytest.mark.parametrize("who", ["drafter", "operator", "auditor", "both", "boss"])
def test_drafters_operators_and_editors_even_superusers_get_403(
    factory: OrderFactory, who: str, page: str
) -> None:
    person = getattr(factory.people, who)
    by = person if who in ("both", "boss") else factory.people.drafter
    order = created_order(factory, by=by)
    for method in ("get", "post"):
        response = getattr(browser(person), method)(url(order, page), posted(order))
        assert response.status_code == 403, method
    assert fresh(order).state == State.CREATED


def test_a_superuser_who_edited_nothing_may_record_it(factory: OrderFactory) -> None:
    order = created_order(factory)
    browser(factory.people.boss).post(url(order, "processed"), posted(order))
    assert fresh(order).state == State.ACCEPTED


def test_recording_it_asks_for_the_password_first_where_the_sign_in_is_old(
    factory: OrderFactory, settings: Any
) -> None:
    settings.FRESH_SIGN_IN_MINUTES = 15
    order = created_order(factory)
    confirmer = later(browser(factory.people.confirmer))
    for page in ("processed", "leave"):
        response = confirmer.post(url(order, page), posted(order))
        assert "Is it still you?" in response.content.decode()
    assert fresh(order).state == State.CREATED


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"processed_at": "2099-01-01T10:00"}, "This lies ahead."),
        ({"processed_at": "2001-01-01T10:00"}, "It was sent on"),
        ({"processed_at": "yesterday"}, "Enter a valid date/time."),
        ({"paid_USD": "25.00"}, "Say why the wallet paid another sum than was confirmed."),
        ({"paid_USD": "-1"}, "greater than or equal to 0"),
        ({"paid_USD": ""}, "This field is required."),
        ({"processed_by": ""}, "This field is required."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_a_wrong_field_is_said_at_the_field_and_nothing_is_lost(
    factory: OrderFactory, changed: dict[str, str], says: str
) -> None:
    order = created_order(factory)
    form = posted(order, processed_by="Kim of accounting") | changed
    response = browser(factory.people.confirmer).post(url(order, "processed"), form)
    page = response.content.decode()
    assert (response.status_code, says in page) == (400, True)
    assert "Kim of accounting" in page or "processed_by" in changed
    assert fresh(order).state == State.CREATED


def test_going_over_a_limit_warns_and_does_not_stop(factory: OrderFactory) -> None:
    limit(account(), day_limit=10)
    order = created_order(factory)
    confirmer = browser(factory.people.confirmer)
    page = text_of(confirmer.get(url(order, "processed")))
    assert "It goes over a limit." in page
    assert "$19.00 is used with it. Record it all the same: the money is spent." in page
    done = confirmer.post(url(order, "processed"), posted(order), follow=True)
    assert "It goes over the limit of $10.00 a day" in messages_of(done)
    assert (fresh(order).state, spent(account())) == (State.ACCEPTED, COSTS["USD"])


def test_leaving_it_says_that_it_still_stands_there(factory: OrderFactory) -> None:
    order = created_order(factory)
    done = browser(factory.people.confirmer).post(
        url(order, "leave"), posted(order, reason="Not wanted."), follow=True
    )
    still = f"Order {order.reference} still stands at ColdMailReseller."
    assert still in messages_of(done)
    assert "It was processed after all" in done.content.decode()
    assert fresh(order).state == State.CANCELLED


def test_leaving_what_looks_processed_wants_to_know_whose_it_is(factory: OrderFactory) -> None:
    order = created_order(factory)
    look_processed(order)
    confirmer, form = browser(factory.people.confirmer), posted(order, reason="Not wanted.")
    response = confirmer.post(url(order, "leave"), form)
    assert response.status_code == 400
    assert "Why is that subscription another" in response.content.decode()
    confirmer.post(url(order, "leave"), form | {"whose": "Acme bought it itself."})
    assert fresh(order).state == State.CANCELLED


def test_neither_is_offered_for_an_order_that_is_bought(factory: OrderFactory) -> None:
    order = factory.sent(*CMR)
    for page in ("processed", "leave"):
        response = browser(factory.people.confirmer).get(url(order, page), follow=True)
        assert "Nothing is to be said about it here." in messages_of(response)
        response = browser(factory.people.confirmer).post(url(order, page), posted(order))
        assert response.status_code == 409


# Lists


def test_the_list_and_its_csv_tell_both_sums(factory: OrderFactory) -> None:
    created_order(factory)
    page = text_of(browser(factory.people.confirmer).get("/orders/order/"))
    assert "$0.00<br>" in page
    assert "$19.00 when processed" in page
    answer = browser(factory.people.confirmer).post("/orders/order/export/")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    [row] = csv.DictReader(lines)
    assert (row["Due now"], row["Due when processed"], row["Currency"]) == ("", "19.00", "USD")


@pytest.mark.parametrize("page", ["orders/domain", "orders/mailbox"])
def test_nothing_of_a_created_order_is_in_the_lists_of_what_is_owned(
    factory: OrderFactory, page: str
) -> None:
    order = created_order(factory)
    confirmer = browser(factory.people.confirmer)
    assert "later.com" not in confirmer.get(f"/{page}/").content.decode()
    record_processed(factory, order)
    assert "later.com" in confirmer.get(f"/{page}/").content.decode()


def test_confirming_and_sending_it_again_is_no_way_around(factory: OrderFactory) -> None:
    order = created_order(factory)
    assert submission.submit(order.pk)
    assert order.attempts.count() == 1


def test_an_order_that_is_due_at_once_tells_of_nothing_later(factory: OrderFactory) -> None:
    order = factory.sent(*CMR, options=GOOGLE)
    assert fresh(order).due_in_words == "$19.00 now"
