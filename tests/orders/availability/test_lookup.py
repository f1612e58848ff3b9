"""Whether an order's names are free: asked in the vendor's pace, kept with its age, never trusted
silently.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.history.verify import verify
from orders import tasks
from orders.availability import known_answers, lookup
from orders.drafting import drafts
from orders.models import Asking, Availability, NotAllowed, Order, State
from orders.outcomes import sweeper
from orders.plan import plan
from tests.conftest import OrderFactory, fresh
from vendors.models import Vendor
from vendors.practice.server import Practice

NEW = ("smartsenders", "domains")
HELD = ("scaledmail", "package")


def draft(factory: OrderFactory, *names: str, **more: Any) -> Order:
    rows = "\n".join(f"{name}, Dana Reyes, dana" for name in names)
    return factory.draft(*NEW, rows=rows, **more)


def ask(factory: OrderFactory, order: Order, **more: Any) -> Asking:
    made = lookup.begin(order.pk, by=factory.people.drafter, **more)
    assert made is not None
    return made


def told(order: Order) -> dict[str, str]:
    return {name: row.state for name, row in known_answers.newest_answers(fresh(order)).items()}


def aged(minutes: int) -> None:
    Availability.objects.update(asked_at=timezone.now() - timedelta(minutes=minutes))


def asked(order: Order) -> list[Event]:
    return list(Event.objects.filter(action="order.asked_for_names", subject_id=str(order.pk)))


def levels(order: Order) -> list[tuple[str, int | None]]:
    return [(problem.level, problem.row) for problem in known_answers.problems(fresh(order))]


def queued() -> list[Any]:
    return [task.pk for task in OrmQ.objects.all() if task.func() == lookup.ASK]


def many(count: int, *first: str) -> list[str]:
    return [*first, *(f"name-{number}.com" for number in range(count - len(first)))]


# A few, while the person waits


def test_a_few_names_are_answered_at_once_and_recorded_once(factory: OrderFactory) -> None:
    order = draft(factory, "acme.com", "taken-acme.com", "unsaid-acme.com")
    made = ask(factory, order)
    assert (made.why, made.left, made.ended_at is not None) == ("", 0, True)
    assert told(order) == {
        "acme.com": "free",
        "taken-acme.com": "taken",
        "unsaid-acme.com": "unsaid",
    }
    (event,) = asked(order)
    assert event.changes == {"free": [None, 1], "taken": [None, 1], "unsaid": [None, 1]}
    assert event.who == "drafter"
    assert queued() == []
    assert verify().is_unbroken


def test_names_with_a_fresh_answer_are_not_asked_for_twice_unless_wanted(
    factory: OrderFactory, practice: Practice
) -> None:
    order = draft(factory, "acme.com", "acme-b.com")
    ask(factory, order)
    assert lookup.begin(order.pk, by=factory.people.drafter) is None
    assert ask(factory, order, everything=True).total == 2
    Availability.objects.filter(name="acme.com").update(
        asked_at=timezone.now() - timedelta(hours=2)
    )
    assert ask(factory, order).total == 1


def test_another_supplier_is_another_question(factory: OrderFactory) -> None:
    order = draft(factory, "acme.com")
    ask(factory, order)
    Order.objects.filter(pk=order.pk).update(options={"vendor_id": "1"})
    assert told(order) == {}


def test_the_price_told_is_kept_beside_the_answer_and_changes_no_cost(
    factory: OrderFactory,
) -> None:
    order = factory.draft(*HELD, word="premium")
    before = plan(fresh(order))
    ask(factory, order)
    after = plan(fresh(order))
    row = known_answers.newest_answers(fresh(order))["premium.net"]
    assert (row.state, row.price, row.currency, row.price_shown) == (
        "free",
        Decimal("2400.00"),
        "USD",
        "$2,400.00",
    )
    assert (after.digest, after.cost.due_now) == (before.digest, before.cost.due_now)


@pytest.mark.parametrize("word", ["search-error", "search-rubbish", "search-busy", "search-silent"])
def test_a_bad_answer_saves_nothing_and_says_why(factory: OrderFactory, word: str) -> None:
    order = draft(factory, f"{word}-acme.com")
    made = ask(factory, order)
    assert made.why.startswith("The vendor ")
    assert made.ended_at
    assert told(order) == {}
    assert not Availability.objects.exists()
    (event,) = asked(order)
    assert event.reason == made.why
    assert event.changes == {"not_asked": [None, 1]}


def test_a_failed_second_question_keeps_the_older_answer_with_its_age(
    factory: OrderFactory, practice: Practice
) -> None:
    order = draft(factory, "acme.com")
    ask(factory, order)
    aged(90)
    practice.stop()
    assert ask(factory, order).why
    row = known_answers.newest_answers(fresh(order))["acme.com"]
    assert (row.state, row.asking_id, row.is_fresh(timezone.now())) == ("free", None, False)


def test_without_a_key_nobody_is_asked(factory: OrderFactory, settings: Any) -> None:
    order = draft(factory, "acme.com")
    Vendor.objects.update(sealed="")
    assert "No key is stored" in ask(factory, order).why
    assert told(order) == {}


@pytest.mark.parametrize("state", [State.CONFIRMED, State.CANCELLED])
def test_only_what_can_still_be_changed_is_asked_for(
    unguarded: None, factory: OrderFactory, state: str
) -> None:
    order = draft(factory, "acme.com")
    Order.objects.filter(pk=order.pk).update(state=state, digest="x")
    with pytest.raises(NotAllowed):
        ask(factory, order)


def test_a_vendor_that_documents_no_such_question_is_not_asked(factory: OrderFactory) -> None:
    order = factory.draft("coldmailreseller", "domains")
    with pytest.raises(NotAllowed):
        ask(factory, order)
    assert [check["kind"] for check in known_answers.told(order)] == ["none"]


# Many, by the queue


def test_many_names_are_asked_for_by_the_queue_and_counted(factory: OrderFactory) -> None:
    order = draft(factory, *many(40, "taken-acme.com"))
    made = ask(factory, order)
    assert (made.ended_at, made.left, made.answered, len(queued())) == (None, 40, 0, 1)
    assert told(order) == {}
    assert tasks.ask_names(made.pk) == "all asked"
    made.refresh_from_db()
    assert (made.left, made.answered, made.ended_at is not None) == (0, 40, True)
    assert list(told(order).values()).count("free") == 39
    assert len(asked(order)) == 1
    assert tasks.ask_names(made.pk) == "nothing to ask"


def test_a_second_press_does_not_start_a_second_asking(factory: OrderFactory) -> None:
    order = draft(factory, *many(40))
    assert ask(factory, order).pk == ask(factory, order).pk
    assert (Asking.objects.count(), len(queued())) == (1, 1)


def test_ten_names_go_in_one_question(factory: OrderFactory) -> None:
    rows = "\n".join(f"{name}, Dana Reyes" for name in many(40))
    order = factory.draft(*HELD, rows=rows)
    vendor = order.vendor
    assert lookup.takes_a_moment(vendor, 10)
    assert lookup.takes_a_moment(vendor, 50)
    assert not lookup.takes_a_moment(vendor, 51)


def test_searches_keep_to_the_vendors_own_limit(factory: OrderFactory, settings: Any) -> None:
    settings.VENDOR_PACE = 1
    order = factory.draft(*HELD)
    before = timezone.now()
    ask(factory, order)
    vendor = Vendor.objects.get(pk=order.vendor_id)
    assert vendor.next_search_at and vendor.next_turn_at
    assert vendor.next_search_at >= before + timedelta(seconds=4)
    assert vendor.next_turn_at < vendor.next_search_at  # an order need not wait for the next search
    assert not lookup.takes_a_moment(vendor, 30)


def test_an_account_that_is_searched_too_fast_puts_the_rest_off(factory: OrderFactory) -> None:
    order = draft(factory, *many(40))
    made = ask(factory, order)
    Vendor.objects.filter(pk=order.vendor_id).update(
        next_turn_at=timezone.now() + timedelta(minutes=5)
    )
    OrmQ.objects.all().delete()
    assert tasks.ask_names(made.pk) == "account busy"
    made.refresh_from_db()
    assert (made.failures, made.left, made.ended_at) == (0, 40, None)
    assert sweeper.run()["names"] == 1
    assert sweeper.run()["names"] == 0
    assert len(queued()) == 1


def test_a_worker_killed_in_the_middle_loses_no_name(
    factory: OrderFactory, settings: Any, practice: Practice
) -> None:
    settings.QUEUE_TIMEOUT = 0  # a task asks once, then hands on
    order = draft(factory, *many(40))
    made = ask(factory, order)
    assert tasks.ask_names(made.pk) == "goes on"
    assert tasks.ask_names(made.pk) == "goes on"
    OrmQ.objects.all().delete()  # the worker dies and takes its task with it
    assert (made.left, made.answered) == (38, 2)
    assert sweeper.run()["names"] == 0
    assert sweeper.run(timezone.now() + timedelta(minutes=10))["names"] == 1
    settings.QUEUE_TIMEOUT = 600
    assert tasks.ask_names(made.pk) == "all asked"
    assert set(told(order).values()) == {"free"}
    assert asked(order)[0].changes == {"free": [None, 40]}


def test_it_gives_up_after_three_failures_with_the_vendors_words(factory: OrderFactory) -> None:
    order = draft(factory, *many(40, "acme.com", "search-error.com"))
    made = ask(factory, order)
    assert [tasks.ask_names(made.pk) for _ in range(3)] == ["no answer", "no answer", "gave up"]
    made.refresh_from_db()
    assert "answered 500" in made.why
    assert made.ended_at
    assert told(order) == {"acme.com": "free"}
    (event,) = asked(order)
    assert event.changes == {"free": [None, 1], "not_asked": [None, 39]}
    assert Availability.objects.count() == 1


def test_a_failure_in_between_does_not_count_towards_giving_up(factory: OrderFactory) -> None:
    order = draft(factory, *many(40))
    made = ask(factory, order)
    Asking.objects.filter(pk=made.pk).update(failures=2, why="The vendor answered 500.")
    assert tasks.ask_names(made.pk) == "all asked"
    made.refresh_from_db()
    assert (made.failures, made.why) == (0, "")


def test_a_name_on_two_orders_is_answered_for_both(factory: OrderFactory) -> None:
    first, second = draft(factory, *many(40)), draft(factory, *many(41))
    one, other = ask(factory, first), ask(factory, second)
    assert tasks.ask_names(one.pk) == "all asked"
    assert tasks.ask_names(other.pk) == "all asked"
    assert set(told(first).values()) == set(told(second).values()) == {"free"}
    assert verify().is_unbroken


def test_a_draft_that_is_cancelled_meanwhile_stops_no_worker(factory: OrderFactory) -> None:
    order = draft(factory, *many(40))
    made = ask(factory, order)
    order.cancel(by=factory.people.drafter, reason="Not wanted.")
    assert tasks.ask_names(made.pk) == "all asked"
    assert verify().is_unbroken


# What it means for the order


def test_a_taken_name_stops_the_draft_while_the_answer_is_fresh(factory: OrderFactory) -> None:
    order = draft(factory, "acme.com", "taken-acme.com")
    assert levels(order) == []
    ask(factory, order)
    assert levels(order) == [("stop", 2)]
    with pytest.raises(
        NotAllowed, match=r"taken-acme\.com is taken: Smartlead SmartSenders said so just now"
    ):
        drafts.send_for_confirmation(order.pk, by=factory.people.drafter)


def test_an_old_answer_only_warns_and_a_confirmer_sees_it_as_a_warning(
    factory: OrderFactory,
) -> None:
    order = draft(factory, "taken-acme.com")
    ask(factory, order)
    aged(90)
    assert levels(order) == [("warn", 1)]
    drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    ask(factory, order, everything=True)
    assert levels(order) == [("warn", 1)]
    assert factory.confirm(order).state == State.CONFIRMED
    assert levels(order) == []


def test_an_answer_from_the_future_counts_as_old(factory: OrderFactory) -> None:
    order = draft(factory, "taken-acme.com")
    ask(factory, order)
    aged(-90)
    assert levels(order) == [("warn", 1)]


def test_names_that_must_be_held_already_are_asked_about_when_nobody_holds_them(
    factory: OrderFactory,
) -> None:
    order = factory.draft(*HELD, word="free")
    ask(factory, order)
    (problem,) = [p for p in known_answers.problems(fresh(order)) if p.row == 1]
    assert problem.level == "warn"
    assert "free.net is not registered by anybody" in problem.message
    assert told(factory.draft(*HELD, word="other")) == {}


def test_the_confirmer_sees_every_name_accounted_for_with_its_age(factory: OrderFactory) -> None:
    order = draft(factory, "acme.com", "acme-b.com", "unsaid.com")
    assert known_answers.told(order) == [
        {"kind": "none", "text": "Smartlead SmartSenders about the domains: 3 not asked"}
    ]
    ask(factory, order)
    Availability.objects.filter(name="acme-b.com").update(
        asked_at=timezone.now() - timedelta(minutes=90)
    )
    assert known_answers.told(fresh(order)) == [
        {
            "kind": "warn",
            "text": (
                "Smartlead SmartSenders about the domains: 1 free (asked just now); 1 free (asked"
                " 1\xa0hour ago); 1 left open by the vendor (asked just now)"
            ),
        }
    ]


@pytest.mark.parametrize(
    ("names", "asks", "kind", "says"),
    [
        (("acme.com", "acme-b.com"), True, "ok", "2 free (asked just now)"),
        (("acme.com",), False, "none", "1 not asked"),
        (("taken-acme.com",), True, "warn", "1 taken (asked just now)"),
        (("unsaid.com",), True, "warn", "1 left open by the vendor (asked just now)"),
    ],
)
def test_only_what_was_asked_and_answered_is_good(
    factory: OrderFactory, names: tuple[str, ...], asks: bool, kind: str, says: str
) -> None:
    order = draft(factory, *names)
    if asks:
        ask(factory, order)
    (check,) = known_answers.told(fresh(order))
    assert check == {"kind": kind, "text": f"Smartlead SmartSenders about the domains: {says}"}


def test_registered_by_anybody_is_not_held_in_the_account(factory: OrderFactory) -> None:
    order = factory.draft(*HELD, word="acme")
    ask(factory, order)
    (check,) = known_answers.told(fresh(order))
    assert check == {
        "kind": "none",
        "text": "ScaledMail about the domains: 4 registered, by whom it does not say (asked just"
        " now)",
    }


def test_a_vendor_that_can_not_be_asked_leaves_it_open(factory: OrderFactory) -> None:
    order = factory.draft("coldmailreseller", "domains")
    (check,) = known_answers.told(order)
    assert check["kind"] == "none" and "MailOps can't ask ColdMailReseller" in check["text"]
    assert known_answers.told(factory.draft("coldmailreseller", "mailboxes", word="other")) == []


def test_what_is_known_takes_one_question_to_the_database(factory: OrderFactory) -> None:
    order = draft(factory, *many(200))
    ask(factory, order)
    order = fresh(order)
    assert order.contents
    with CaptureQueriesContext(connection) as queries:
        known_answers.problems(order)
        known_answers.told(order)
    assert len(queries) == 1
