"""A fresh sign-in before money moves: asked, answered, nothing lost, and what was seen still
counts.
"""

from __future__ import annotations

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from mailops.auth import sessions
from mailops.history import audited
from mailops.notices.models import SharedAddress
from mailops.proposals import workflow
from mailops.proposals.models import Proposal
from mailops.proposals.policies import POLICIES
from orders.models import Client, ConfirmationRule, Delegation, Order, State
from orders.plan import plan
from orders.review import delegations
from tests.auth.conftest import PASSWORD, equipped, sign_in, text
from tests.conftest import OrderFactory, fresh

pytestmark = pytest.mark.django_db
AGAIN = {"doors-password": PASSWORD}


@pytest.fixture(autouse=True)
def asked(settings: Any) -> None:
    settings.FRESH_SIGN_IN_MINUTES = 15


def later(browser: Browser, minutes: int = 16) -> Browser:
    """The same browser, as if it had been open for so long."""
    session = browser.session
    session[sessions.REAUTHENTICATED] = int(time.time()) - 60 * minutes
    session.save()
    return browser


def entered(name: str) -> Browser:
    browser = Browser()
    sign_in(name, browser=browser)
    return browser


@pytest.fixture
def order(factory: OrderFactory, who: SimpleNamespace) -> Order:
    return factory.reviewed()


def confirm(browser: Browser, order: Order, digest: str = "") -> Any:
    typed = {"digest": digest or plan(fresh(order)).digest, "planned_for": ""}
    return browser.post(f"/orders/order/{order.pk}/confirm/", typed)


def answer(browser: Browser, page: Any, **typed: str) -> Any:
    return browser.post(
        page.context["back"], {"doors-typed": page.context["typed"], **AGAIN, **typed}
    )


def test_whoever_logged_in_just_now_is_not_asked(order: Order) -> None:
    assert confirm(entered("confirmer"), order).status_code == 302
    assert fresh(order).state == State.CONFIRMED


def test_after_a_quarter_of_an_hour_confirming_asks_first_and_then_goes_on(order: Order) -> None:
    browser = later(entered("confirmer"))
    page = confirm(browser, order)
    assert "Nothing has happened yet, and what you typed is kept." in text(page)
    assert f"Then: <b>Confirm {order}</b>" in text(page)
    assert fresh(order).state == State.REVIEW
    assert answer(browser, page).status_code == 302
    assert fresh(order).state == State.CONFIRMED


def test_looking_is_never_asked_for(order: Order) -> None:
    browser = later(entered("confirmer"))
    assert "Confirm and buy" in text(browser.get(f"/orders/order/{order.pk}/confirm/"))


def test_what_the_person_saw_still_counts(order: Order) -> None:
    browser = later(entered("confirmer"))
    page = confirm(browser, order, digest="of something else")
    assert answer(browser, page).status_code == 409
    assert fresh(order).state == State.REVIEW


def test_a_wrong_password_confirms_nothing_and_keeps_what_was_typed(order: Order) -> None:
    browser = later(entered("confirmer"))
    page = confirm(browser, order)
    wrong = answer(browser, page, **{"doors-password": "not-it"})
    assert "This is not your password." in text(wrong)
    assert f"Then: <b>Confirm {order}</b>" in text(wrong)
    assert fresh(order).state == State.REVIEW
    assert answer(browser, wrong).status_code == 302
    assert fresh(order).state == State.CONFIRMED


def test_wrong_passwords_are_counted_here_too(order: Order) -> None:
    browser = later(entered("confirmer"))
    page = confirm(browser, order)
    tries = [answer(browser, page, **{"doors-password": "not-it"}).status_code for _ in range(5)]
    assert tries == [200, 200, 200, 200, 429]
    assert answer(browser, page).status_code == 429
    assert fresh(order).state == State.REVIEW


def test_somebody_elses_password_is_not_enough(order: Order, who: SimpleNamespace) -> None:
    who.boss.set_password("the-boss-has-this-one")
    who.boss.save()
    browser = later(entered("confirmer"))
    page = confirm(browser, order)
    answer(browser, page, **{"doors-password": "the-boss-has-this-one", "username": "boss"})
    assert fresh(order).state == State.REVIEW


def test_the_second_factor_is_asked_for_as_well(order: Order, who: SimpleNamespace) -> None:
    phone, _ = equipped(who.confirmer)
    browser = Browser()
    sign_in("confirmer", browser=browser)
    browser.post("/login/code/", {"code": phone.code()})
    page = confirm(later(browser), order)
    for code in ("", "000000"):
        answer(browser, page, **{"doors-code": code})
        assert fresh(order).state == State.REVIEW
    assert answer(browser, page, **{"doors-code": phone.code()}).status_code == 302
    assert fresh(order).state == State.CONFIRMED


@pytest.mark.parametrize("case", ["another person", "another page", "made up", "empty"])
def test_a_form_is_carried_for_its_own_person_and_page_only(
    order: Order, factory: OrderFactory, case: str
) -> None:
    browser = later(entered("confirmer"))
    page = confirm(browser, order)
    other = factory.reviewed(word="other")
    where, sealed = page.context["back"], page.context["typed"]
    if case == "another person":
        browser = later(entered("boss"))
    elif case == "another page":
        where = f"/orders/order/{other.pk}/confirm/"
    else:
        sealed = "" if case == "empty" else "gAAAAABmade-up"
    refused = browser.post(where, {"doors-typed": sealed, **AGAIN})
    assert refused.status_code == 400
    assert {fresh(one).state for one in (order, other)} == {State.REVIEW}


def test_a_carried_form_needs_the_role_still(order: Order, who: SimpleNamespace) -> None:
    browser = later(entered("confirmer"))
    page = confirm(browser, order)
    who.confirmer.groups.clear()
    assert answer(browser, page).status_code == 403
    assert fresh(order).state == State.REVIEW


def test_a_vendors_key_is_carried_without_being_shown(
    factory: OrderFactory, who: SimpleNamespace
) -> None:
    browser = later(entered("operator"))
    vendor = factory.accounts["woodpecker"]
    url = f"/vendors/vendor/{vendor.pk}/change/"
    form = browser.get(url).context["adminform"].form
    typed = {
        name: value
        for name, value in form.initial.items()
        if value is not None and value is not False
    }
    page = browser.post(
        url, typed | {"secret_api_key": "a-new-key-at-the-vendor", "why": "A new key."}
    )
    assert "a-new-key-at-the-vendor" not in text(page)
    done = answer(browser, page)
    assert done.status_code == 302, done.context["errors"]
    workflow.approve(Proposal.objects.get().pk, by=who.confirmer)
    vendor.refresh_from_db()
    assert vendor.secrets.open()["api_key"] == "a-new-key-at-the-vendor"


def test_holding_everything_asks_nothing_and_letting_go_does(
    factory: OrderFactory, who: SimpleNamespace
) -> None:
    browser = later(entered("operator"))
    assert browser.post("/vendors/vendor/hold_all/", {"reason": "Fire"}).status_code == 302
    assert "Is it still you?" in text(browser.post("/vendors/vendor/release_all/"))
    from vendors.models import SendingSwitch

    assert SendingSwitch.current().stopped_at


@pytest.mark.parametrize(
    ("name", "url", "then"),
    [
        (
            "confirmer",
            "/orders/order/{order}/check/",
            "Go on with checking MO-{number} at the vendor",
        ),
        ("confirmer", "/orders/order/together/", "Confirm several orders"),
        ("confirmer", "/orders/delegation/add/", "Pass on your right to confirm"),
        ("confirmer", "/proposals/proposal/1/approve/", "Approve proposal 1"),
        ("confirmer", "/password_change/", "Change your password"),
        ("confirmer", "/second-factor/add/", "Add a second factor"),
        ("confirmer", "/second-factor/codes/", "Make new recovery codes"),
        ("confirmer", "/second-factor/remove/", "Remove your second factor"),
        ("operator", "/vendors/vendor/{account}/change/", "Save this vendor account"),
        ("operator", "/vendors/vendor/{account}/resume/", "Let sending to this account go on"),
        ("operator", "/vendors/vendor/{account}/balance/", "Note the balance of this account"),
        ("operator", "/vendors/vendor/{account}/forget/", "Forget the balance of this account"),
        ("operator", "/vendors/vendor/{account}/funds/", "Let sending to this account go on"),
        ("boss", "/doors/authenticator/1/reset/", "Reset the second factor"),
        ("boss", "/auth/user/{user}/password/", "Set the password of this user"),
    ],
)
def test_the_other_doors_ask_too_and_say_what_comes_then(
    factory: OrderFactory, who: SimpleNamespace, name: str, url: str, then: str
) -> None:
    order = factory.reviewed()
    known = {
        "order": order.pk,
        "number": 1000 + order.pk,
        "account": order.vendor_id,
        "user": who.drafter.pk,
    }
    page = later(entered(name)).post(url.format(**known), {"code": "1"})
    assert "Is it still you?" in text(page) and f"Then: <b>{then.format(**known)}</b>" in text(page)


def test_a_form_that_is_too_long_is_not_carried(order: Order) -> None:
    browser = later(entered("confirmer"))
    page = browser.post(f"/orders/order/{order.pk}/confirm/", {"digest": "x" * 300_000})
    assert page.status_code == 400
    assert "Nothing has happened." in text(page)


def test_zero_minutes_turn_it_off(order: Order, settings: Any) -> None:
    settings.FRESH_SIGN_IN_MINUTES = 0
    assert confirm(later(entered("confirmer"), minutes=600), order).status_code == 302


def test_whoever_confirms_for_another_needs_a_second_factor_as_well(
    factory: OrderFactory, who: SimpleNamespace, settings: Any
) -> None:
    until = timezone.now() + timedelta(days=1)
    passed_on = Delegation(to_user=factory.people.operator, ends_at=until, reason="On leave.")
    delegations.make(passed_on, by=factory.people.confirmer)
    assert User.objects.get(username="operator").has_perm("orders.confirm_order")
    settings.SECOND_FACTOR_ROLES = ["Confirmer"]
    assert not User.objects.get(username="operator").has_perm("orders.confirm_order")
    assert "no second factor" in delegations.why_not(passed_on, by=factory.people.confirmer)
    equipped(factory.people.operator)
    assert User.objects.get(username="operator").has_perm("orders.confirm_order")


# What nobody else is asked about


@pytest.fixture
def guarded(factory: OrderFactory, who: SimpleNamespace) -> dict[str, Any]:
    """One of each: what needs a second person where there are two, and where the notices go."""
    with audited():
        rule = ConfirmationRule.objects.create(confirmers=2, note="All orders.")
        shared = SharedAddress.objects.create(name="Duty phone")
    items = [
        factory.people.drafter,
        factory.accounts["woodpecker"],
        Client.objects.get(name="Northwind"),
        rule,
        shared,
    ]
    return {item._meta.label_lower: item for item in items}


ALONE = sorted({*POLICIES, "notices.sharedaddress"})
GONE = [
    "auth.user",
    "notices.sharedaddress",
    "orders.confirmationrule",
]  # the others are deleted by nobody


@pytest.mark.parametrize(
    ("label", "door"),
    [*((label, "change") for label in ALONE), *((label, "delete") for label in GONE)],
)
def test_where_one_person_decides_alone_their_sign_in_is_fresh(
    guarded: dict[str, Any], settings: Any, label: str, door: str
) -> None:
    settings.ONE_PERSON = True
    item = guarded[label]
    browser = later(entered("boss"))
    page = browser.post(f"/{label.replace('.', '/')}/{item.pk}/{door}/", {"post": "yes"})
    assert f"Then: <b>{'Save' if door == 'change' else 'Delete'} this" in text(page)
    assert type(item).objects.filter(pk=item.pk).exists()
    assert "Is it still you?" not in text(answer(browser, page))
    assert type(item).objects.filter(pk=item.pk).exists() is (door == "change")


def test_where_there_are_two_a_client_is_changed_without_it(
    guarded: dict[str, Any], who: SimpleNamespace
) -> None:
    page = later(entered("drafter")).post(
        f"/orders/client/{guarded['orders.client'].pk}/change/", {"name": ""}
    )
    assert "Is it still you?" not in text(page) and page.context["errors"]
