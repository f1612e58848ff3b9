"""Each way around the two-person rule that we could think of, tried on the code and on the
database.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from mailops.auth import roles
from mailops.core.sealed import Sealed
from mailops.history.models import Event
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import rows_of
from orders.models import (
    Client,
    Confirmation,
    ConfirmationRule,
    Delegation,
    NotAllowed,
    Order,
    State,
)
from orders.plan import Plan, plan
from orders.plan import digest_of as digest_of_plan
from orders.review import confirming_rights, delegations, shown_plans
from tests.conftest import PRODUCTS, OrderFactory, fresh
from tests.orders.pages import browser, messages_of, url
from vendors.models import Price
from vendors.practice.server import Practice


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there


@pytest.fixture
def two(factory: OrderFactory) -> ConfirmationRule:
    """Every order needs two persons besides its editors."""
    return ConfirmationRule.objects.create(confirmers=2)


GIVEN_BY_HAND = (
    "INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_name, at)"
    " VALUES (%s, %s, %s, %s, %s, '', '2026-01-01')"
)


def digest_of(order: Order) -> str:
    return plan(fresh(order)).digest


def sql(statement: str, *values: Any) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def refusals() -> list[Event]:
    return list(Event.objects.filter(action="order.self_confirmation_refused"))


def passed_on(by: User, to: User, **about: Any) -> Delegation:
    now = timezone.now()
    about = {"starts_at": now, "ends_at": now + timedelta(days=3), "reason": "On leave."} | about
    return delegations.make(Delegation(to_user=to, **about), by=by)


# One's own order, by every door


def test_a_form_full_of_lies_confirms_nothing_and_the_attempt_is_kept(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed(by=factory.people.both)
    lies = {"by": "confirmer", "user": factory.people.confirmer.pk, "confirmed_by": factory.people.confirmer.pk,
            "confirmers_needed": 0, "two_person_rule": "", "state": "confirmed"}  # fmt: skip
    posted = {"digest": digest_of(order), **lies}
    response = browser(factory.people.both, REMOTE_ADDR="192.0.2.9").post(
        url(order, "confirm"), posted, follow=True
    )
    assert "somebody else has to confirm it" in messages_of(response)
    assert fresh(order).state == State.REVIEW
    (event,) = refusals()
    assert (event.who, event.origin) == ("both", "192.0.2.9")
    assert event.changes == {"digest": [None, posted["digest"]]}
    shown = browser(factory.people.confirmer).get(url(order)).content.decode()
    assert "edited this order and tried to confirm it" in shown


@pytest.mark.parametrize("digest", ["", "0" * 64, "\0" * 100_000])
def test_an_attempt_with_a_stale_digest_is_kept_too(factory: OrderFactory, digest: str) -> None:
    order = factory.reviewed(by=factory.people.boss)
    with pytest.raises(NotAllowed, match="somebody else"):
        submission.confirm(order.pk, by=factory.people.boss, digest=digest)
    assert [event.who for event in refusals()] == ["boss"]


def test_looking_at_ones_own_order_is_no_attempt(factory: OrderFactory) -> None:
    order = factory.reviewed(by=factory.people.both)
    browser(factory.people.both).get(url(order, "confirm"))
    assert refusals() == []


def test_the_digest_of_another_order_confirms_nothing(factory: OrderFactory) -> None:
    order, other = factory.reviewed(), factory.reviewed(word="other")
    with pytest.raises(shown_plans.PlanChanged):
        submission.confirm(order.pk, by=factory.people.confirmer, digest=digest_of(other))


@pytest.mark.parametrize("name", ["drafter", "operator", "auditor"])
def test_whoever_lacks_the_right_confirms_nothing_not_even_from_a_shell(
    factory: OrderFactory, name: str
) -> None:
    order = factory.reviewed(by=factory.people.both)
    person = getattr(factory.people, name)
    assert (
        browser(person).post(url(order, "confirm"), {"digest": digest_of(order)}).status_code == 403
    )
    with pytest.raises(NotAllowed, match="no right to confirm"):
        submission.confirm(order.pk, by=person, digest=digest_of(order))


def test_a_right_that_was_taken_away_meanwhile_is_gone(factory: OrderFactory) -> None:
    order, person = factory.reviewed(), factory.people.confirmer
    assert person.has_perm("orders.confirm_order")
    User.objects.filter(pk=person.pk).update(is_active=False)
    with pytest.raises(NotAllowed, match="no right to confirm"):
        submission.confirm(order.pk, by=person, digest=digest_of(order))


@pytest.mark.parametrize("way", ["edit", "copy", "rest"])
def test_whoever_writes_contents_is_an_editor(factory: OrderFactory, way: str) -> None:
    both = factory.people.both
    if way == "edit":
        order = factory.draft()
        draft = drafts.draft_of(order, rows_of(order))
        made = drafts.save(order.pk, draft, by=both, version=order.version)
    elif way == "copy":
        made = drafts.copy(factory.draft(), by=both)
    else:
        order = factory.sent(word="never-delivered")
        order.mailboxes.filter(username="sam").update(state="refused")
        made = drafts.rest_of(order, by=both)
    assert confirming_rights.was_edited_by(made, both)


def test_whoever_changed_the_contact_meanwhile_touched_the_order(factory: OrderFactory) -> None:
    both = factory.people.both
    order = factory.reviewed("smartsenders", "domains")
    assert confirming_rights.why_not_confirm(order, both) == ""
    change = f"/vendors/contact/{order.contact_id}/change/"
    form = browser(both).get(change).context["adminform"].form
    browser(both).post(change, form.initial | {"city": "Elsewhere"})
    assert fresh(order).contact.city == "Elsewhere"
    with pytest.raises(NotAllowed, match="You changed the contact"):
        factory.confirm(order, by=both)
    passed_on(both, factory.people.operator)
    assert "no right to confirm" in confirming_rights.why_not_confirm(
        fresh(order), User.objects.get(pk=factory.people.operator.pk)
    )
    assert factory.confirm(order).state == State.CONFIRMED


@pytest.mark.parametrize("way", ["renamed", "made again"])
def test_a_new_name_or_a_new_user_does_not_make_another_person(
    factory: OrderFactory, way: str
) -> None:
    person = factory.people.both
    order = factory.reviewed(by=person)
    if way == "renamed":
        person.username = "somebody-else"
        person.save()
    else:
        person.delete()
        person = User.objects.create_user("both", is_staff=True)
        person.groups.set(Group.objects.filter(name=roles.CONFIRMER))
    assert Order.objects.waiting_for(person).count() == 0
    with pytest.raises(NotAllowed, match="You edited this order"):
        factory.confirm(order, by=person)
    with pytest.raises(IntegrityError, match="edited"):
        sql(GIVEN_BY_HAND, order.pk, 1, "d", person.pk, person.username)


# The database itself

BEHIND: dict[str, tuple[str, str]] = {
    "state alone": (
        "UPDATE orders_order SET state = 'confirmed', digest = 'd' WHERE id = {order}",
        "lacks",
    ),
    "on its way at once": (
        "UPDATE orders_order SET state = 'sending', digest = 'd' WHERE id = {order}",
        "lacks",
    ),
    "nobody needed": (
        (
            "UPDATE orders_order SET state = 'confirmed', digest = 'd', confirmers_needed = 0,"
            " confirmed_by_id = {other} WHERE id = {order}"
        ),
        "lacks",
    ),
    "one needed, none given": (
        (
            "UPDATE orders_order SET state = 'confirmed', digest = 'd', confirmers_needed = 1,"
            " confirmed_by_id = {other} WHERE id = {order}"
        ),
        "lacks",
    ),
    "confirmed by its editor": (
        "UPDATE orders_order SET confirmed_by_id = {editor} WHERE id = {order}",
        "edited",
    ),
    "an editor's confirmation": (
        (
            "INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_name, at)"
            " VALUES ({order}, 1, 'd', {editor}, 'x', '', '2026-01-01')"
        ),
        "edited",
    ),
    "an editor's right passed on": (
        (
            "INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_user_id,"
            " for_name, at) VALUES ({order}, 1, 'd', {other}, 'x', {editor}, 'y', '2026-01-01')"
        ),
        "edited",
    ),
    "an editor forgotten": ("DELETE FROM orders_editor WHERE order_id = {order}", "kept for good"),
    "an editor exchanged": (
        "UPDATE orders_editor SET user_id = {other} WHERE order_id = {order}",
        "kept for good",
    ),
    "an editor's name": (
        "UPDATE orders_editor SET name = 'x' WHERE order_id = {order}",
        "kept for good",
    ),
    "an editor moved": ("UPDATE orders_editor SET order_id = order_id + 1", "kept for good"),
    "an older round": ("UPDATE orders_order SET round = 0 WHERE id = {order}", "one round"),
    "a name": (
        "UPDATE orders_mailbox SET first_name = 'Mallory' WHERE order_id = {order}",
        "in a draft alone",
    ),
    "an address": (
        "UPDATE orders_mailbox SET username = 'mallory' WHERE order_id = {order}",
        "in a draft alone",
    ),
    "a row less": ("DELETE FROM orders_mailbox WHERE order_id = {order}", "in a draft alone"),
    "a row moved here": ("UPDATE orders_mailbox SET order_id = {order}", "in a draft alone"),
    "a domain": ("UPDATE orders_domain SET name = 'mallory.com'", "in a draft alone"),
    "options": ("UPDATE orders_order SET options = '{{}}' WHERE id = {order}", "in a draft alone"),
    "the account": (
        "UPDATE orders_order SET vendor_id = vendor_id + 1 WHERE id = {order}",
        "in a draft alone",
    ),
    "the client": (
        "UPDATE orders_order SET client_id = client_id + 1 WHERE id = {order}",
        "in a draft alone",
    ),
    "what the confirmer reads": (
        "UPDATE orders_order SET note = 'All fine.' WHERE id = {order}",
        "in a draft alone",
    ),
}


@pytest.mark.parametrize("what", BEHIND)
def test_the_database_refuses_by_raw_sql(factory: OrderFactory, what: str) -> None:
    order = factory.reviewed()
    factory.draft(word="another")
    statement, says = BEHIND[what]
    people = {
        "order": order.pk,
        "editor": factory.people.drafter.pk,
        "other": factory.people.confirmer.pk,
    }
    with pytest.raises(IntegrityError, match=says):
        sql(statement.format(**people))


CONFIRMED = {
    "another digest": "UPDATE orders_order SET digest = 'd' WHERE id = {order}",
    "another cost": "UPDATE orders_order SET cost = '{{}}' WHERE id = {order}",
    "another snapshot": "UPDATE orders_order SET snapshot = '{{}}' WHERE id = {order}",
    "fewer needed": "UPDATE orders_order SET confirmers_needed = 0 WHERE id = {order}",
    "a confirmation less": "DELETE FROM orders_confirmation WHERE order_id = {order}",
    "another confirmer": "UPDATE orders_confirmation SET name = 'anna' WHERE order_id = {order}",
    "a confirmation of something else": (
        "UPDATE orders_confirmation SET digest = 'd' WHERE order_id = {order}"
    ),
    "a domain more": (
        "UPDATE orders_domain SET name = 'mallory.com' WHERE id IN"
        " (SELECT domain_id FROM orders_mailbox WHERE order_id = {order})"
    ),
    "its confirmer as editor": (
        "INSERT INTO orders_editor (order_id, user_id, name) VALUES ({order}, {other}, 'x')"
    ),
}


@pytest.mark.parametrize("what", CONFIRMED)
def test_the_database_keeps_what_was_confirmed(factory: OrderFactory, what: str) -> None:
    order = factory.confirmed()
    with pytest.raises(IntegrityError):
        sql(CONFIRMED[what].format(order=order.pk, other=factory.people.confirmer.pk))


ORM: dict[str, Callable[[Order], Any]] = {
    "save": lambda order: order.save(),
    "save of some": lambda order: order.save(update_fields=["state", "digest", "confirmed_by"]),
    "update": lambda order: Order.objects.filter(pk=order.pk).update(state="confirmed", digest="d"),
    "bulk update": lambda order: Order.objects.bulk_update(
        [order], ["state", "digest", "confirmed_by"]
    ),
    "made anew": lambda order: Order.objects.bulk_create([order]),
}


@pytest.mark.parametrize("way", ORM)
def test_the_database_refuses_by_the_orm(factory: OrderFactory, way: str) -> None:
    order = factory.reviewed()
    order.state, order.digest, order.confirmed_by = (
        State.CONFIRMED,
        digest_of(order),
        factory.people.boss,
    )
    if way == "made anew":
        order.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        ORM[way](order)


def test_a_move_by_the_order_itself_lacks_a_confirmation(factory: OrderFactory) -> None:
    order = factory.reviewed()
    current = plan(fresh(order))
    with pytest.raises(IntegrityError, match="lacks"), transaction.atomic():
        fresh(order).confirm(
            by=factory.people.boss,
            digest=current.digest,
            snapshot=current.snapshot(),
            needed=confirming_rights.needed(order),
        )


def test_confirmations_of_an_earlier_round_do_not_count(factory: OrderFactory) -> None:
    order = factory.confirmed()
    with transaction.atomic():
        fresh(order).back_to_review(action="order.returned_unsent", reason="Look again.")
    said = "UPDATE orders_order SET state = 'confirmed', confirmed_by_id = %s WHERE id = %s"
    with pytest.raises(IntegrityError, match="lacks"):
        sql(said, factory.people.confirmer.pk, order.pk)
    factory.confirm(order)
    assert fresh(order).state == State.CONFIRMED


# Two confirmers


def test_the_second_of_two_confirms_and_the_pages_say_who_gave_the_first(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    factory.draft(word="earlier")  # so that orders and confirmations are not numbered alike
    order = factory.reviewed()
    first, second = factory.people.confirmer, factory.people.boss
    assert (
        "Two persons have to confirm it"
        in browser(first).get(url(order, "confirm")).content.decode()
    )
    said = browser(first).post(url(order, "confirm"), {"digest": digest_of(order)}, follow=True)
    assert "a second person has to confirm it too" in messages_of(said)
    assert fresh(order).state == State.REVIEW
    assert Event.objects.get(action="order.confirmation_given").who == "confirmer"
    assert order not in Order.objects.waiting_for(first)
    assert order in Order.objects.waiting_for(second)
    shown = browser(second).get(url(order, "confirm")).content.decode()
    assert "Waiting for the second confirmation." in shown
    assert "<b>confirmer</b> confirmed it" in shown
    browser(second).post(url(order, "confirm"), {"digest": digest_of(order)})
    assert fresh(order).state == State.CONFIRMED
    assert submission.submit(order.pk) == "accepted"


def test_one_person_is_not_two(factory: OrderFactory, two: ConfirmationRule) -> None:
    order = factory.reviewed()
    factory.confirm(order)
    with pytest.raises(NotAllowed, match="a second person has to"):
        factory.confirm(order)
    one = Confirmation.objects.get()
    for user, name in ((factory.people.confirmer.pk, "x"), (factory.people.boss.pk, "confirmer")):
        with pytest.raises(IntegrityError):
            sql(GIVEN_BY_HAND, order.pk, one.round, one.digest, user, name)
    with pytest.raises(IntegrityError, match="lacks"):
        sql("UPDATE orders_order SET state = 'confirmed', digest = %s, confirmers_needed = 1, confirmed_by_id = %s"
            " WHERE id = %s", one.digest, factory.people.boss.pk, order.pk)  # fmt: skip


def test_any_change_voids_the_first_confirmation_and_the_page_says_so(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    order = factory.reviewed()
    shown_plans.remember(plan(fresh(order)))
    factory.confirm(order)
    Price.objects.filter(vendor=order.vendor).update(amount="7.50")
    shown = browser(factory.people.confirmer).get(url(order, "confirm")).content.decode()
    assert "does not count any more: the order changed since." in shown
    factory.confirm(order, by=factory.people.boss)
    assert fresh(order).state == State.REVIEW
    newest = Event.objects.filter(action="order.confirmation_given").latest("number")
    assert "The confirmation of confirmer does not count any more" in newest.reason
    assert order in Order.objects.waiting_for(factory.people.confirmer)
    factory.confirm(order)
    assert fresh(order).state == State.CONFIRMED


VOIDS: dict[str, tuple[str, dict[str, Any]]] = {
    "a price": ("/vendors/price/{price}/change/", {"amount": "7.50"}),
    "the contact": ("/vendors/contact/{contact}/change/", {"city": "Elsewhere"}),
    "the account": (
        "/vendors/vendor/{vendor}/change/",
        {"drift_per_order": "0.50", "why": "Prices move."},
    ),
}


@pytest.mark.parametrize("what", VOIDS)
def test_an_order_whose_first_confirmation_became_void_waits_for_the_same_person_again(
    factory: OrderFactory, two: ConfirmationRule, what: str
) -> None:
    order = factory.reviewed("smartsenders", "domains")
    first, before = factory.people.confirmer, digest_of(order)
    factory.confirm(order)
    assert order not in Order.objects.waiting_for(first)
    page, typed = VOIDS[what]
    price = Price.objects.filter(vendor=order.vendor, item=plan(order).cost.lines[0].item).get()
    at = page.format(price=price.pk, contact=order.contact_id, vendor=order.vendor_id)
    boss = browser(factory.people.boss)
    initial = boss.get(at).context["adminform"].form.initial
    boss.post(at, {name: value for name, value in initial.items() if value is not None} | typed)
    if what == "the account":
        workflow.approve(Proposal.objects.get().pk, by=User.objects.create_superuser("second"))
    assert digest_of(order) != before
    assert order in Order.objects.waiting_for(first)
    factory.confirm(order)
    assert order not in Order.objects.waiting_for(first)


def test_a_rule_made_after_the_page_was_opened_is_said_before_anything_counts(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    person = browser(factory.people.confirmer)
    digest = person.get(url(order, "confirm")).context["plan"].digest
    ConfirmationRule.objects.create(confirmers=2, from_amount=Decimal(10), currency="EUR")
    said = person.post(url(order, "confirm"), {"digest": digest}, follow=True)
    assert "More is needed since you opened this order" in messages_of(said)
    assert not Confirmation.objects.exists()
    person.post(url(order, "confirm"), {"digest": digest})
    assert fresh(order).state == State.REVIEW
    assert Confirmation.objects.count() == 1


def test_a_rule_taken_away_between_the_two_leaves_the_decision_to_a_person(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    order = factory.reviewed()
    factory.confirm(order)
    two.delete()
    assert fresh(order).state == State.REVIEW
    factory.confirm(order, by=factory.people.boss)
    assert fresh(order).state == State.CONFIRMED


def test_a_rule_made_after_confirming_sends_the_order_back_unsent(factory: OrderFactory) -> None:
    order = factory.confirmed()
    ConfirmationRule.objects.create(confirmers=2, vendor=order.vendor)
    assert submission.submit(order.pk) == "held back"
    assert fresh(order).state == State.REVIEW
    assert "Two persons have to confirm it" in fresh(order).reason


def test_an_order_confirmed_before_confirmations_were_kept_comes_back_with_the_reason(
    factory: OrderFactory, unguarded: None
) -> None:
    order = factory.confirmed()
    Confirmation.objects.all().delete()
    Order.objects.filter(pk=order.pk).update(confirmers_needed=None)
    assert submission.submit(order.pk) == "held back"
    assert fresh(order).state == State.REVIEW
    assert fresh(order).reason.startswith(
        "Not sent. confirmer confirmed it before MailOps kept each"
    )
    assert "Nobody else" not in fresh(order).reason
    factory.confirm(order)
    assert submission.submit(order.pk) == "accepted"


def test_switching_the_accounts_rule_off_and_on_around_a_confirmation_sends_nothing(
    factory: OrderFactory,
) -> None:
    vendor = factory.accounts["woodpecker"]
    vendor.two_person_rule = False
    vendor.save()
    order = factory.confirm(factory.reviewed(by=factory.people.both), by=factory.people.both)
    vendor.two_person_rule = True
    vendor.save()
    assert submission.submit(order.pk) == "held back"
    assert "One person has to confirm it" in fresh(order).reason


def test_the_first_confirmers_later_hour_is_kept(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    order, later = factory.reviewed(), timezone.now() + timedelta(hours=5)
    submission.confirm(
        order.pk, by=factory.people.confirmer, digest=digest_of(order), planned_for=later
    )
    assert factory.confirm(order, by=factory.people.boss).planned_for == later


def test_limits_are_those_of_the_day_on_which_it_goes_whoever_chose_that_day(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    """Else the second of two, who chose no day, would confirm past the limit of the day that the
    first chose.
    """
    order, later = factory.reviewed(), timezone.now() + timedelta(days=40)
    submission.confirm(
        order.pk, by=factory.people.confirmer, digest=digest_of(order), planned_for=later
    )
    other = factory.reviewed(word="other")
    two.delete()
    submission.confirm(
        other.pk, by=factory.people.confirmer, digest=digest_of(other), planned_for=later
    )
    ConfirmationRule.objects.create(confirmers=2)
    type(order.vendor).objects.filter(pk=order.vendor_id).update(
        month_limit=20, limit_currency="EUR"
    )
    with pytest.raises(NotAllowed, match="it would go over the limit of €20"):
        factory.confirm(order, by=factory.people.boss)
    assert fresh(order).state == State.REVIEW


@pytest.mark.parametrize("second", ["confirmer", "boss"])
def test_two_confirmations_at_the_same_moment(
    committed: None, factory: OrderFactory, second: str
) -> None:
    """Two tabs of one person are one confirmation; two persons are two, and the order is confirmed
    once.
    """
    ConfirmationRule.objects.create(confirmers=2)
    order = factory.reviewed()
    digest = digest_of(order)

    def confirm(name: str) -> None:
        try:
            submission.confirm(order.pk, by=getattr(factory.people, name), digest=digest)
        except NotAllowed:
            pass
        finally:
            connection.close()

    threads = [Thread(target=confirm, args=(name,)) for name in ("confirmer", second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    persons = 1 if second == "confirmer" else 2
    assert Confirmation.objects.filter(order=order).count() == persons
    assert fresh(order).state == (State.REVIEW if persons == 1 else State.CONFIRMED)
    assert Event.objects.filter(action="order.confirmed").count() == persons - 1


# How many are needed

EUR = {"from_amount": Decimal(12), "currency": "EUR"}  # what the order costs
RULES: list[tuple[list[dict[str, Any]], int, str]] = [
    ([], 1, "One person"),
    ([{"confirmers": 0}], 0, "Nobody else has to confirm this: the drafter may."),
    ([{"confirmers": 0}, {"confirmers": 1, **EUR}], 1, "One person"),
    ([{"confirmers": 2, **EUR}], 2, "from €12.00 on"),
    ([{"confirmers": 2, "from_amount": Decimal("12.01"), "currency": "EUR"}], 1, "One person"),
    (
        [{"confirmers": 2, "from_amount": Decimal(900), "currency": "USD"}],
        2,
        "so the stricter answer counts",
    ),
    (
        [{"confirmers": 2, "vendor": "woodpecker", "client": "Northwind"}],
        2,
        "at Woodpecker for Northwind",
    ),
    ([{"confirmers": 2, "vendor": "scaledmail"}], 1, "One person"),
    ([{"confirmers": 0, "client": "Acme Labs"}], 1, "One person"),
    ([{"confirmers": 2, "first_contact": True}], 1, "One person"),  # it has no contact
]


def make_rules(factory: OrderFactory, rules: list[dict[str, Any]]) -> None:
    for about in rules:
        places = {"vendor": factory.accounts.get(about.get("vendor", ""))}
        if "client" in about:
            places["client"] = Client.objects.get(name=about["client"])
        ConfirmationRule.objects.create(**(about | places))


@pytest.mark.parametrize(("rules", "count", "says"), RULES)
def test_the_highest_of_the_rules_counts_in_the_code_and_in_the_database(
    factory: OrderFactory, rules: list[dict[str, Any]], count: int, says: str
) -> None:
    make_rules(factory, rules)
    order = factory.reviewed()
    needed = confirming_rights.needed(order, plan(order).cost.due_now)
    assert (needed.count, says in needed.says) == (count, True)
    waiting = Order.objects.to_confirm_by(factory.people.confirmer).get(pk=order.pk)
    assert waiting.needs == count  # type: ignore[attr-defined]  # annotated: the same, told by the database


def test_amounts_in_two_currencies_ask_for_the_stricter_answer(factory: OrderFactory) -> None:
    order = factory.reviewed()
    ConfirmationRule.objects.create(confirmers=2, from_amount=Decimal(900), currency="EUR")
    due = {"due_now": {"EUR": "12.00", "USD": "1.00"}}
    Order.objects.filter(pk=order.pk).update(cost=due)
    assert confirming_rights.needed(fresh(order)).count == 2
    assert Order.objects.to_confirm_by(factory.people.confirmer).get().needs == 2  # type: ignore[attr-defined]


def test_the_first_use_of_a_contact_asks_for_two_and_the_next_does_not(
    factory: OrderFactory,
) -> None:
    ConfirmationRule.objects.create(confirmers=2, first_contact=True)
    order = factory.reviewed("smartsenders", "domains")
    factory.confirm(order)
    assert fresh(order).state == State.REVIEW
    factory.confirm(order, by=factory.people.boss)
    submission.submit(order.pk)
    assert fresh(order).state in (State.ACCEPTED, State.DELIVERED)
    following = factory.confirmed("smartsenders", "domains", word="following")
    assert following.state == State.CONFIRMED


def test_where_nobody_else_is_needed_the_drafter_confirms_and_the_history_says_so(
    factory: OrderFactory,
) -> None:
    ConfirmationRule.objects.create(confirmers=0, note="Small and practised")
    order = factory.reviewed(by=factory.people.both)
    assert order in Order.objects.waiting_for(factory.people.both)
    page = browser(factory.people.both).get(url(order, "confirm")).content.decode()
    assert "Nobody else has to confirm this: the drafter may." in page
    factory.confirm(order, by=factory.people.both)
    assert "Nobody else has to confirm this" in Event.objects.get(action="order.confirmed").reason
    assert submission.submit(order.pk) == "accepted"


def test_an_operator_writes_a_rule_on_a_page_and_it_is_recorded(factory: OrderFactory) -> None:
    typed = {"confirmers": "2", "from_amount": "500", "currency": "EUR"}
    operator = browser(factory.people.operator)
    assert (
        b"belong together"
        in operator.post("/orders/confirmationrule/add/", typed | {"currency": ""}).content
    )
    operator.post("/orders/confirmationrule/add/", typed)
    assert str(ConfirmationRule.objects.get()) == "Two persons, from €500.00 on"
    assert Event.objects.get(action="confirmationrule.added").who == "operator"


# Passing the right on


def test_a_delegate_confirms_in_the_others_name_and_the_history_says_so(
    factory: OrderFactory,
) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.operator)
    assert order in Order.objects.waiting_for(User.objects.get(username="operator"))
    browser(factory.people.operator).post(url(order, "confirm"), {"digest": digest_of(order)})
    assert fresh(order).state == State.CONFIRMED
    assert Event.objects.get(action="order.confirmed").reason == "For confirmer (delegated)."
    assert str(Confirmation.objects.get()) == "operator for confirmer (delegated)"


def over(delegation: Delegation, factory: OrderFactory) -> None:
    past = timezone.now() - timedelta(days=9)
    Delegation.objects.update(starts_at=past, ends_at=past + timedelta(days=1))


ENDS: dict[str, Callable[[Delegation, OrderFactory], object]] = {
    "it is over": over,
    "it was ended": lambda delegation, factory: delegations.end(
        delegation.pk, by=factory.people.confirmer
    ),
    "it has not begun": lambda delegation, factory: Delegation.objects.update(
        starts_at=timezone.now() + timedelta(days=1)
    ),
    "the giver lost the role": lambda delegation, factory: factory.people.confirmer.groups.clear(),
    "the receiver is an auditor now": lambda delegation, factory: (
        factory.people.operator.groups.set(Group.objects.filter(name=roles.AUDITOR))
    ),
}


@pytest.mark.parametrize("why", ENDS)
def test_a_delegation_that_ended_meanwhile_confirms_nothing(
    factory: OrderFactory, why: str
) -> None:
    order = factory.reviewed()
    delegation = passed_on(factory.people.confirmer, factory.people.operator)
    operator = browser(factory.people.operator)
    assert operator.get(url(order, "confirm")).status_code == 200
    ENDS[why](delegation, factory)
    assert operator.post(url(order, "confirm"), {"digest": digest_of(order)}).status_code == 403
    with pytest.raises(NotAllowed, match="no right to confirm"):
        submission.confirm(order.pk, by=factory.people.operator, digest=digest_of(order))


def test_a_right_passed_to_the_editor_confirms_nothing(factory: OrderFactory) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.drafter)
    with pytest.raises(NotAllowed, match="You edited this order"):
        submission.confirm(
            order.pk, by=User.objects.get(username="drafter"), digest=digest_of(order)
        )
    assert len(refusals()) == 1


def test_the_editors_own_right_in_another_hand_confirms_nothing(factory: OrderFactory) -> None:
    order = factory.reviewed(by=factory.people.both)
    passed_on(factory.people.both, factory.people.operator)
    with pytest.raises(NotAllowed, match="no right to confirm"):
        factory.confirm(order, by=User.objects.get(username="operator"))


def test_one_right_does_not_count_twice(factory: OrderFactory, two: ConfirmationRule) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.operator)
    factory.confirm(order)
    with pytest.raises(NotAllowed, match="a second person has to"):
        factory.confirm(order, by=User.objects.get(username="operator"))


def test_of_two_rights_the_one_counts_whose_giver_has_not_confirmed(
    factory: OrderFactory, two: ConfirmationRule
) -> None:
    order = factory.reviewed()
    passed_on(factory.people.confirmer, factory.people.operator)
    passed_on(factory.people.boss, factory.people.operator)
    factory.confirm(order)
    factory.confirm(order, by=User.objects.get(username="operator"))
    assert fresh(order).state == State.CONFIRMED
    assert Event.objects.get(action="order.confirmed").reason == "For boss (delegated)."
    assert str(Confirmation.objects.get(for_name="boss")) == "operator for boss (delegated)"


def test_the_database_refuses_one_right_twice(factory: OrderFactory, two: ConfirmationRule) -> None:
    order = factory.reviewed()
    factory.confirm(order)
    one = Confirmation.objects.get()
    with pytest.raises(IntegrityError, match="another person"):
        sql("INSERT INTO orders_confirmation (order_id, round, digest, user_id, name, for_user_id, for_name, at)"
            " VALUES (%s, %s, %s, %s, 'operator', %s, 'confirmer', '2026-01-01')",
            order.pk, one.round, one.digest, factory.people.operator.pk, factory.people.confirmer.pk)  # fmt: skip


@pytest.mark.parametrize(
    ("by", "to", "says"),
    [
        ("confirmer", "auditor", "only looks"),
        ("confirmer", "confirmer", "somebody else"),
        ("drafter", "operator", "by your own role"),
        ("operator", "drafter", "by your own role"),  # it has the right, passed on by the confirmer
    ],
)
def test_what_can_not_be_passed_on(factory: OrderFactory, by: str, to: str, says: str) -> None:
    passed_on(factory.people.confirmer, factory.people.operator)
    with pytest.raises(NotAllowed, match=says):
        passed_on(getattr(factory.people, by), getattr(factory.people, to))


def test_passing_on_and_ending_on_the_pages(factory: OrderFactory) -> None:
    confirmer = browser(factory.people.confirmer)
    day = timezone.now() + timedelta(days=2)
    typed = {"to_user": factory.people.operator.pk, "starts_at_0": "2026-01-01", "starts_at_1": "10:00",
             "ends_at_0": f"{day:%Y-%m-%d}", "ends_at_1": "10:00", "reason": "On leave"}  # fmt: skip
    confirmer.post("/orders/delegation/add/", typed)
    made = Delegation.objects.get()
    assert (made.from_name, made.to_name, made.stands) == ("confirmer", "operator", "In force")
    assert "End it now" in confirmer.get(f"/orders/delegation/{made.pk}/change/").content.decode()
    assert browser(factory.people.operator).get("/orders/delegation/add/").status_code == 403
    confirmer.post(f"/orders/delegation/{made.pk}/end/")
    assert Delegation.objects.get().stands == "Ended early by confirmer"
    actions = Event.objects.filter(action__startswith="delegation.").order_by("number")
    assert list(actions.values_list("action", "who")) == [
        ("delegation.made", "confirmer"),
        ("delegation.ended", "confirmer"),
    ]


# What was sent is what was confirmed


def on_the_wire(shown: Plan, secrets: dict[str, str]) -> bytes:
    """Where the shown request goes and its body, as bytes, with the secrets in the places of their
    placeholders.
    """
    prepared = shown.request.prepare(shown.host, secrets)
    where = urlsplit(prepared.url)
    target = f"{where.path}?{where.query}" if where.query else where.path
    return target.encode() + b"\n" + (prepared.body or b"")


@pytest.mark.parametrize("key", PRODUCTS)
def test_what_arrives_at_the_vendor_is_what_the_page_showed(
    factory: OrderFactory, practice: Practice, key: tuple[str, str]
) -> None:
    """One digest on the page, the confirmation, the order and the attempt; and the bytes that it
    stands for arrived.
    """
    order = factory.reviewed(*key)
    confirmer = browser(factory.people.confirmer)
    page = confirmer.get(url(order, "confirm"))
    digest = page.context["plan"].digest
    assert f'value="{digest}"' in page.content.decode()
    confirmer.post(url(order, "confirm"), {"digest": digest})
    submission.submit(order.pk)
    order = fresh(order)
    attempt = order.attempts.get()
    assert [Confirmation.objects.get().digest, order.digest, attempt.digest] == [digest] * 3
    assert (
        digest_of_plan({name: part for name, part in order.snapshot.items() if name != "sources"})
        == digest
    )
    secrets = order.vendor.secrets.open() | Sealed(order.sealed).open()
    assert not [value for value in secrets.values() if value in json.dumps(order.snapshot)]
    (arrived,) = practice.ledger.requests()
    assert (
        page.context["plan"].request.as_dict() == order.snapshot["request"]
    )  # PostgreSQL keeps no order of keys
    wire = on_the_wire(page.context["plan"], secrets)
    assert arrived.whole_sha256 == hashlib.sha256(wire).hexdigest()
    assert (
        arrived.body_sha256
        == attempt.body_sha256
        == hashlib.sha256(wire.partition(b"\n")[2]).hexdigest()
    )
