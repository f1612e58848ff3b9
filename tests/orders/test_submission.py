"""One confirmation, at most one paid request; nothing called failed while the vendor may hold a
charge.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from mailops.history.models import Event
from mailops.history.verify import verify
from orders import submission
from orders.models import Editor, NotAllowed, Order, State
from orders.models.attempt import Stage
from orders.models.hold import hold_of
from orders.outcomes import sweeper
from orders.plan import plan
from orders.review import shown_plans
from orders.sending import task_queue
from tests.conftest import PRODUCTS, OrderFactory, fresh
from vendors.models import Price, Vendor
from vendors.practice.server import Practice

CHARGED_BUT_LOST = [
    "timeout-after", "cut-after", "cut-headers", "error-after", "unavailable-after", "bad-gateway-after",
    "gateway-timeout-after", "rubbish", "truncated", "truncated-headers", "wrong-shape", "wrong-charset", "no-content",
    "odd-accepted", "drip", "huge",
]  # fmt: skip
NOT_CHARGED_BUT_UNCLEAR = [
    "timeout-before", "cut-before", "error-before", "unavailable", "bad-gateway-before", "gateway-timeout-before",
    "redirect", "redirect-301", "redirect-302", "redirect-308",
]  # fmt: skip
REFUSED = ["refused-field", "no-funds", "bad-key"]


def charges(practice: Practice, order: Order) -> int:
    names = {line.name for line in fresh(order).contents}
    return sum(1 for charge in practice.ledger.charges() if names & set(charge.domains))


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_each_product_is_bought_once_and_accepted(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    order = factory.sent(api, product)
    assert order.state == State.ACCEPTED, order.reason
    assert charges(practice, order) == 1
    attempt = order.attempts.get()
    charge = practice.ledger.charges()[0]
    assert attempt.body_sha256 == charge.body_sha256
    assert attempt.digest == order.digest
    assert order.reference == (
        "" if api == "scaledmail" else charge.reference
    )  # ScaledMail answers {}
    assert verify().is_unbroken


@pytest.mark.parametrize("word", CHARGED_BUT_LOST)
@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_a_charge_without_a_readable_answer_is_unknown_and_never_sent_again(
    factory: OrderFactory, practice: Practice, api: str, product: str, word: str
) -> None:
    order = factory.sent(api, product, word=word)
    assert order.state == State.UNKNOWN, order.reason
    submission.submit(order.pk)
    sweeper.run(timezone.now() + timedelta(hours=2))
    assert fresh(order).state == State.UNKNOWN
    assert charges(practice, order) == 1
    assert order.attempts.count() == 1


@pytest.mark.parametrize("word", NOT_CHARGED_BUT_UNCLEAR)
@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_an_unclear_answer_is_unknown_even_if_nothing_was_charged(
    factory: OrderFactory, practice: Practice, api: str, product: str, word: str
) -> None:
    order = factory.sent(api, product, word=word)
    assert order.state == State.UNKNOWN, order.reason
    sweeper.run(timezone.now() + timedelta(hours=2))
    submission.submit(order.pk)
    assert charges(practice, order) == 0
    assert order.attempts.count() == 1


@pytest.mark.parametrize("word", REFUSED)
@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_a_documented_refusal_buys_nothing_and_says_why(
    factory: OrderFactory, practice: Practice, api: str, product: str, word: str
) -> None:
    order = factory.sent(api, product, word=word)
    if (api, word) == (
        "scaledmail",
        "no-funds",
    ):  # its 400 about payment may hide a subscription that was made
        assert order.state == State.UNKNOWN
        return
    assert order.state == State.REFUSED, order.reason
    assert charges(practice, order) == 0
    assert order.problems and order.problems[0]["message"]
    assert not order.mailboxes.exclude(state="refused").exists()


def test_a_refused_field_names_the_row(factory: OrderFactory) -> None:
    order = factory.sent(rows="fine.com, Ann Lee, ann\nrefused-field.com, Sam Ito, sam")
    assert [problem["row"] for problem in order.problems] == [2]


def test_scaledmails_failed_charge_is_unknown(factory: OrderFactory, practice: Practice) -> None:
    order = factory.sent("scaledmail", "package", word="charge-failed")
    assert order.state == State.UNKNOWN


def test_too_many_requests_waits_and_then_buys_once(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.sent(word="busy")
    assert order.state == State.CONFIRMED
    assert order.next_try_at > timezone.now()
    assert submission.submit(order.pk) == "nothing to do"
    Order.objects.filter(pk=order.pk).update(next_try_at=timezone.now())
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert charges(practice, order) == 1
    assert list(order.attempts.order_by("number").values_list("stage", flat=True)) == [
        "not_sent",
        "accepted",
    ]


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_too_many_requests_until_a_date_waits_and_then_buys_once(
    factory: OrderFactory, practice: Practice, api: str, product: str
) -> None:
    order = factory.sent(api, product, word="busy-date")
    assert order.state == State.CONFIRMED, order.reason
    assert order.next_try_at is not None
    Order.objects.filter(pk=order.pk).update(next_try_at=timezone.now())
    assert submission.submit(order.pk) == Stage.ACCEPTED
    assert charges(practice, order) == 1


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_too_many_requests_every_time_goes_to_a_person_and_buys_nothing(
    factory: OrderFactory, settings: Any, practice: Practice, api: str, product: str
) -> None:
    order = factory.confirmed(api, product, word="busy-always")
    for _ in range(settings.NOT_SENT_TRIES):
        assert fresh(order).state == State.CONFIRMED
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        Vendor.objects.filter(pk=order.vendor_id).update(next_turn_at=None)  # the pauses are over
        submission.submit(order.pk)
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "Nothing was bought" in order.reason
    assert charges(practice, order) == 0
    assert len(practice.ledger.requests()) == settings.NOT_SENT_TRIES


def test_a_closed_port_is_not_sent_and_goes_to_a_person_after_a_few_tries(
    factory: OrderFactory, settings: Any, practice: Practice
) -> None:
    order = factory.confirmed("coldmailreseller", "domains")
    practice.stop()
    for _ in range(settings.NOT_SENT_TRIES):
        Order.objects.filter(pk=order.pk).update(next_try_at=None)
        submission.submit(order.pk)
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "Nothing was bought" in order.reason
    assert order.attempts.count() == settings.NOT_SENT_TRIES
    assert set(order.attempts.values_list("stage", flat=True)) == {"not_sent"}
    assert not order.mailboxes.exclude(state="planned").exists()


def test_a_partial_acceptance_marks_what_was_left_out(
    factory: OrderFactory, practice: Practice
) -> None:
    rows = "partial.com, Ann Lee, ann\nwhole.com, Sam Ito, sam"
    order = factory.sent("coldmailreseller", "domains", rows=rows)
    assert order.state == State.ACCEPTED
    assert order.domains.get(name="partial.com").state == "refused"
    assert order.mailboxes.get(username="ann").state == "refused"
    assert order.domains.get(name="whole.com").state == "ordered"


def test_a_task_delivered_ten_times_buys_once(factory: OrderFactory, practice: Practice) -> None:
    order = factory.confirmed()
    words = [submission.submit(order.pk) for _ in range(10)]
    assert words == [Stage.ACCEPTED] + ["nothing to do"] * 9
    assert charges(practice, order) == 1


def test_the_queue_carries_the_order_number_and_nothing_else(factory: OrderFactory) -> None:
    order = factory.confirmed()
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task.get("kwargs", {})) == (
        task_queue.SUBMIT,
        (order.pk,),
        {},
    )


def test_a_rolled_back_confirmation_leaves_no_task(factory: OrderFactory) -> None:
    order = factory.reviewed()
    with pytest.raises(RuntimeError), transaction.atomic():
        factory.confirm(order)
        raise RuntimeError
    assert not OrmQ.objects.exists()
    assert fresh(order).state == State.REVIEW


def in_threads(count: int, do: Any) -> list[Any]:
    """Run `do` in threads that start together; what each returned or raised."""
    ready, results = threading.Barrier(count), []

    def run() -> None:
        ready.wait(10)
        try:
            results.append(do())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


# What is sent is what was confirmed


def test_an_order_edited_since_the_page_was_opened_is_refused_with_what_changed(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    seen = plan(fresh(order))
    shown_plans.remember(seen)
    Price.objects.filter(vendor=order.vendor, item="mailbox.GOOGLE").update(amount="7.50")
    with pytest.raises(shown_plans.PlanChanged) as refused:
        submission.confirm(order.pk, by=factory.people.confirmer, digest=seen.digest)
    assert any("the price changed from 6.00 to 7.50" in change for change in refused.value.changes)
    assert fresh(order).state == State.REVIEW


def test_a_price_that_moved_after_confirming_sends_nothing_and_asks_again(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    Price.objects.filter(vendor=order.vendor).update(amount="9.99")
    assert submission.submit(order.pk) == "held back"
    order = fresh(order)
    assert order.state == State.REVIEW
    assert "price changed" in order.reason
    assert practice.ledger.requests() == []


def test_rows_changed_behind_the_back_are_not_sent(
    unguarded: None, factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    order.mailboxes.filter(username="sam").update(first_name="Mallory")
    submission.submit(order.pk)
    assert fresh(order).state == State.REVIEW
    assert practice.ledger.requests() == []


def test_a_password_entered_again_needs_a_fresh_confirmation(
    factory: OrderFactory, practice: Practice
) -> None:
    options = {
        "price_id": "price_practice_google_4",
        "provider": "other",
        "hosting_provider": "Porkbun",
        "hosting_username": "me",
    }
    order = factory.confirmed(
        "scaledmail", "package", options=options, secrets={"hosting_password": "hunter2-secret"}
    )
    other = factory.draft(
        "scaledmail",
        "package",
        word="other",
        options=options,
        secrets={"hosting_password": "x-y-z"},
    )
    Order.objects.filter(pk=order.pk).update(sealed=other.sealed)
    submission.submit(order.pk)
    assert fresh(order).state == State.REVIEW
    assert practice.ledger.requests() == []


def test_another_account_key_needs_a_fresh_confirmation(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    vendor = order.vendor
    vendor.sealed = str(vendor.secrets.put({"api_key": "practice-another-account"}))
    vendor.save()
    submission.submit(order.pk)
    assert fresh(order).state == State.REVIEW
    assert "key" in fresh(order).reason
    assert practice.ledger.requests() == []


def test_a_stopped_account_sends_nothing_until_it_is_opened(
    factory: OrderFactory, practice: Practice
) -> None:
    order = factory.confirmed()
    order.vendor.stop(reason="card expired")
    assert submission.submit(order.pk) == "nothing to do"
    assert sweeper.run(timezone.now() + timedelta(hours=1))["rung"] == 0
    assert "card expired" in hold_of(fresh(order)).says
    order.vendor.resume()
    assert sweeper.run(timezone.now() + timedelta(hours=1))["rung"] == 1
    assert submission.submit(order.pk) == Stage.ACCEPTED


def test_a_switch_thrown_between_claim_and_sending_puts_the_order_back(
    factory: OrderFactory, practice: Practice
) -> None:
    attempt = factory.claimed()
    order = attempt.order
    order.vendor.stop(reason="wait")
    assert submission.recheck(attempt) is None
    assert fresh(order).state == State.CONFIRMED
    assert attempt.stage == Stage.NOT_SENT


def test_hold_minutes_keep_an_order_until_they_are_over(factory: OrderFactory) -> None:
    factory.accounts["woodpecker"].hold_minutes = 10
    factory.accounts["woodpecker"].save()
    order = factory.confirmed()
    assert not OrmQ.objects.exists()
    assert submission.submit(order.pk) == "nothing to do"
    assert sweeper.run(timezone.now() + timedelta(minutes=11))["rung"] == 1


# Two persons


@pytest.mark.parametrize("name", ["both", "boss"])
def test_nobody_confirms_their_own_order_superusers_included(
    factory: OrderFactory, name: str
) -> None:
    person = getattr(factory.people, name)
    order = factory.reviewed(by=person)
    with pytest.raises(NotAllowed, match="somebody else has to confirm"):
        factory.confirm(order, by=person)


def test_the_database_refuses_an_editor_as_confirmer(factory: OrderFactory) -> None:
    order = factory.reviewed()
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(confirmed_by=factory.people.drafter)


def test_the_database_refuses_a_confirmer_as_editor(factory: OrderFactory) -> None:
    order = factory.confirmed()
    with pytest.raises(IntegrityError), transaction.atomic():
        Editor.objects.create(order=order, user=factory.people.confirmer)


def test_a_one_person_agency_may_turn_the_rule_off_and_the_history_says_so(
    factory: OrderFactory,
) -> None:
    factory.accounts["woodpecker"].two_person_rule = False
    factory.accounts["woodpecker"].save()
    order = factory.reviewed(by=factory.people.both)
    factory.confirm(order, by=factory.people.both)
    assert "two-person rule is off" in Event.objects.get(action="order.confirmed").reason
