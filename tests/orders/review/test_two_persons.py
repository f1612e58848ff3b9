"""Ways around the two-person rule, tried on the pages and in the code; and two confirmers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection
from django.utils import timezone

from mailops.auth import roles
from mailops.history.models import Event
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import rows_of
from orders.models import Confirmation, ConfirmationRule, NotAllowed, Order, State
from orders.plan import plan
from orders.review import confirming_rights, shown_plans
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, messages_of, url
from tests.orders.review.confirming import GIVEN_BY_HAND, digest_of, passed_on, refusals, sql
from vendors.models import Price

pytestmark = pytest.mark.usefixtures("quiet")


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
