"""The pages about an order: refusals, kept entries, and bad requests that change nothing."""

from __future__ import annotations

import logging
from itertools import product

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from mailops.history.models import Event
from orders.drafting import drafts
from orders.models import Client, Domain, Mailbox, Order, State
from orders.plan import plan
from tests.conftest import OPTIONS, PRODUCTS, OrderFactory, fresh, rows_for
from tests.orders.pages import add_url, browser, messages_of, typed, url
from vendors.models import Vendor

LONG = 10**30


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    # Django logs a warning for every refusal.
    caplog.set_level(logging.CRITICAL, "django.request")


def counts() -> list[int]:
    return [model._default_manager.count() for model in (Order, Domain, Mailbox, Event, OrmQ)]


# Drafting


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_what_is_typed_becomes_a_draft_and_is_shown_again(
    factory: OrderFactory, api: str, product: str
) -> None:
    drafter = browser(factory.people.drafter)
    response = drafter.post(
        add_url(factory.accounts[api], product), typed(api, product, note="Autumn")
    )
    order = Order.objects.get()
    assert response["Location"] == url(order, "edit")
    for name, value in OPTIONS[api, product].items():
        assert str(order.options[name]) == str(value)
    page = drafter.get(url(order, "edit"))
    assert page.context["form"]["rows"].value() == rows_for(api)
    assert page.context["form"]["note"].value() == "Autumn"
    assert plan(fresh(order)).blocking == ()


def test_save_and_send_hands_the_draft_on_at_once(factory: OrderFactory) -> None:
    page = add_url(factory.accounts["woodpecker"], "mailboxes")
    response = browser(factory.people.drafter).post(page, typed(send="1"), follow=True)
    assert Order.objects.get().state == State.REVIEW
    assert "now waits for somebody to confirm it" in messages_of(response)


def test_a_draft_that_something_stops_is_saved_but_not_handed_on(factory: OrderFactory) -> None:
    page = add_url(factory.accounts["woodpecker"], "mailboxes")
    response = browser(factory.people.drafter).post(page, typed(send="1", rows=""), follow=True)
    assert Order.objects.get().state == State.DRAFT
    assert "There is nothing on this order yet. It is saved as a draft." in messages_of(response)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rows": "acme, Dana Reyes, dana"}, "“acme” has no ending. Did you mean acme.com?"),
        ({"rows": "ok.com, A B, a\n\nok.com, A B, a"}, "a@ok.com is on line 1 already."),
        ({"rows": "acme.com, Da\0na, dana"}, "Null characters are not allowed."),
        ({"client": ""}, "This field is required."),
        ({"client": "99999"}, "not one of the available choices"),
        ({"client": "no number"}, "not one of the available choices"),
        ({"note": "x" * 2001}, "at most 2000 characters"),
        ({"option-provider": "NOBODY"}, "not one of the available choices"),
        ({"option-provider": ""}, "This field is required."),
    ],
)
def test_bad_input_saves_nothing_and_keeps_what_was_typed(
    factory: OrderFactory, changed: dict[str, str], said: str
) -> None:
    data = typed(note="Please keep me") | changed
    before = counts()
    response = browser(factory.people.drafter).post(
        add_url(factory.accounts["woodpecker"], "mailboxes"), data
    )
    assert response.status_code == 400
    assert counts() == before
    assert said in response.content.decode().replace("&#x27;", "'")
    form, options = response.context["form"], response.context["options"]
    for name in ("rows", "note", "client"):
        assert form[name].value() == str(data[name])
    assert options["provider"].value() == data["option-provider"]


def test_a_bad_forwarding_domain_says_how_to_mend_it(factory: OrderFactory) -> None:
    data = typed("coldmailreseller", "domains", forward_to="somewhere")
    response = browser(factory.people.drafter).post(
        add_url(factory.accounts["coldmailreseller"], "domains"), data
    )
    assert response.status_code == 400
    assert "“somewhere” has no ending. Did you mean somewhere.com?" in response.content.decode()
    assert not Order.objects.exists()


def test_a_bad_line_in_an_edit_leaves_the_saved_draft_alone(factory: OrderFactory) -> None:
    order = factory.draft()
    before = counts()
    data = typed(rows="acme.com, Dana Reyes, dana\nbroken", version=1)
    response = browser(factory.people.drafter).post(url(order, "edit"), data)
    assert response.status_code == 400
    assert response.context["form"]["rows"].value() == data["rows"]
    assert "“broken” has no ending" in response.content.decode()
    assert drafts.write(fresh(order)) == rows_for("woodpecker")
    assert counts() == before


def test_a_save_over_somebody_elses_keeps_what_was_typed(factory: OrderFactory) -> None:
    order = factory.draft()
    drafter = browser(factory.people.drafter)
    drafter.post(url(order, "edit"), typed(rows="first.com, Ann Lee, ann", version=1))
    response = drafter.post(url(order, "edit"), typed(rows="second.com, Bo Lee, bo", version=1))
    assert response.status_code == 400
    assert "saved in another tab" in response.content.decode()
    assert response.context["form"]["rows"].value() == "second.com, Bo Lee, bo"
    assert drafts.write(fresh(order)) == "first.com, Ann Lee, ann"


def test_a_draft_is_edited_and_sent_by_whoever_drafted_it(factory: OrderFactory) -> None:
    order = factory.draft(by=factory.people.both)
    other = browser(factory.people.drafter)
    assert other.get(url(order, "edit")).status_code == 403
    assert other.post(url(order, "edit"), typed(version=order.version)).status_code == 403
    assert other.post(url(order, "send")).status_code == 403
    assert "It is both&#x27;s draft." in other.get(url(order)).content.decode()
    assert fresh(order).state == State.DRAFT
    assert browser(factory.people.both).post(url(order, "send")).status_code == 302


def test_an_order_that_is_no_draft_any_more_is_not_edited(factory: OrderFactory) -> None:
    order = factory.reviewed()
    response = browser(factory.people.drafter).post(
        url(order, "edit"), typed(rows="", version=1), follow=True
    )
    assert "can't be edited now" in messages_of(response)
    assert fresh(order).contents


def test_a_paste_of_too_many_lines_is_refused_in_words_and_kept(factory: OrderFactory) -> None:
    data = typed(rows="acme.com, Dana Reyes, dana\n" * 250_000)
    response = browser(factory.people.drafter).post(
        add_url(factory.accounts["woodpecker"], "mailboxes"), data
    )
    assert response.status_code == 400
    assert "Too many lines. There are 250,000" in response.content.decode()
    assert response.context["form"]["rows"].value() == data["rows"]
    assert not Order.objects.exists()


def test_a_paste_that_is_larger_than_any_order_is_refused_in_words(factory: OrderFactory) -> None:
    data = typed(rows="acme.com, Dana Reyes, dana\n" * 650_000)
    response = browser(factory.people.drafter).post(
        add_url(factory.accounts["woodpecker"], "mailboxes"), data
    )
    assert response.status_code == 400
    assert "too large or arrived damaged" in response.content.decode()
    assert not Order.objects.exists()


def test_two_thousand_lines_are_saved(factory: OrderFactory) -> None:
    rows = "\n".join(f"acme{n % 50}.com, Dana Reyes, dana{n}" for n in range(2000))
    response = browser(factory.people.drafter).post(
        add_url(factory.accounts["woodpecker"], "mailboxes"), typed(rows=rows)
    )  # fmt: skip
    assert response.status_code == 302
    assert Order.objects.get().mailboxes.count() == 2000


@pytest.mark.parametrize(
    "query", ["", "vendor=²&product=mailboxes", f"vendor={LONG}", "vendor=x", "vendor=1&product=x"]
)
def test_a_garbled_choice_of_vendor_asks_again(factory: OrderFactory, query: str) -> None:
    response = browser(factory.people.drafter).get(f"/orders/order/add/?{query}")
    assert response.status_code == 200
    assert "What do you want to order" in response.content.decode()


@pytest.mark.parametrize("client", ["²", "x", str(LONG), "0", ""])
def test_a_garbled_client_in_the_address_is_ignored(factory: OrderFactory, client: str) -> None:
    response = browser(factory.people.drafter).get(
        add_url(factory.accounts["woodpecker"], "mailboxes") + f"&client={client}"
    )  # fmt: skip
    assert response.status_code == 200


# Addresses that lead nowhere

DOORS = [
    "change",
    "history",
    "edit",
    "send",
    "confirm",
    "back",
    "cancel",
    "copy",
    "arrived",
    "expected",
    "not_coming",
    "after_all",
    "ask",
    "check",
    "processed",
    "leave",
]


@pytest.mark.parametrize(
    "pk", ["999999", "0", str(LONG), "abc", "²", "1e3", "-1", "1%00", "x" * 3000]
)
def test_an_order_that_does_not_exist_is_not_found(factory: OrderFactory, pk: str) -> None:
    boss = browser(factory.people.boss)
    for door, method in product(DOORS, (boss.get, boss.post)):
        response = method(f"/orders/order/{pk}/{door}/", follow=True)
        assert response.status_code in (
            (404, 405) if door in ("send", "copy", "ask") else (404,)
        ), (
            door,
            pk,
        )


@pytest.mark.parametrize("pk", ["999999", str(LONG), "abc", "²", "1%00"])
@pytest.mark.parametrize(
    "page", ["orders/domain", "orders/client", "vendors/vendor", "vendors/price", "auth/user"]
)
def test_an_object_that_does_not_exist_leads_back_to_the_front_page(
    factory: OrderFactory, page: str, pk: str
) -> None:
    response = browser(factory.people.boss).get(f"/{page}/{pk}/change/")
    assert response.status_code in (302, 404)


@pytest.mark.parametrize("door", ["test", "fetch", "stop", "resume", "funds", "forget"])
def test_a_switch_of_an_account_that_does_not_exist_is_not_found(
    factory: OrderFactory, door: str
) -> None:
    assert (
        browser(factory.people.operator)
        .post(f"/vendors/vendor/999999/{door}/", {"reason": "x"})
        .status_code
        == 404
    )


@pytest.mark.parametrize(
    "query",
    [
        "q=²",
        f"q={'1' * 5000}",
        "q=%00",
        "tab=none",
        "q=MO-",
        "p=9999",
        "o=99",
        "vendor__id__exact=x",
    ],
)
def test_a_garbled_search_is_no_crash(factory: OrderFactory, query: str) -> None:
    assert browser(factory.people.auditor).get(f"/orders/order/?{query}").status_code in (200, 302)


@pytest.mark.parametrize("query", ["rows=x", "rows=9999", "rows=-1", "rows=²"])
def test_a_garbled_page_number_shows_some_page(factory: OrderFactory, query: str) -> None:
    assert browser(factory.people.auditor).get(f"{url(factory.draft())}?{query}").status_code == 200


@pytest.mark.parametrize(
    "term",
    ["MO-{number}", "mo-{number}", "{number}", "acme.com", "DANA@acme.com", "northwind", "R-77"],
)
def test_an_order_is_found_by_what_people_know_of_it(factory: OrderFactory, term: str) -> None:
    order = factory.draft()
    factory.draft("coldmailreseller", "domains", word="other")
    Order.objects.filter(pk=order.pk).update(reference="R-77")
    other = Client.objects.get(name="Acme Labs")
    Order.objects.exclude(pk=order.pk).update(client=other)
    term = term.format(number=1000 + order.pk)
    response = browser(factory.people.auditor).get("/orders/order/", {"q": term})
    assert [found.pk for found in response.context["cl"].result_list] == [order.pk]


# Forms from elsewhere


def test_no_form_is_taken_without_its_token(factory: OrderFactory) -> None:
    order = factory.reviewed()
    forged = browser(factory.people.boss, enforce_csrf_checks=True)
    account, before = order.vendor, counts()
    pages = [url(order, door) for door in DOORS if door != "history"]
    pages += [
        f"/vendors/vendor/{account.pk}/{door}/"
        for door in ("test", "fetch", "stop", "resume", "funds", "forget", "change")
    ]
    pages += [
        add_url(account, "mailboxes"),
        "/vendors/price/add/",
        "/auth/user/add/",
        "/orders/client/add/",
    ]
    for page in pages:
        response = forged.post(page, typed(reason="x", digest=plan(fresh(order)).digest))
        assert response.status_code == 403, page
        assert "This form is too old" in response.content.decode()
    assert counts() == before
    assert fresh(order).state == State.REVIEW


# How much a page asks of the database


def queries(person: User, page: str) -> int:
    asking = browser(person)
    asking.get(page)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert asking.get(page).status_code == 200
    return len(asked)


def test_the_list_of_orders_asks_the_same_for_five_and_for_fifty(factory: OrderFactory) -> None:
    for n in range(5):
        factory.draft(word=f"acme{n}")
    few = queries(factory.people.confirmer, "/orders/order/")
    for n in range(5, 50):
        factory.draft(word=f"acme{n}")
    assert queries(factory.people.confirmer, "/orders/order/") == few
    assert few <= 17


@pytest.mark.parametrize("state", [State.DRAFT, State.REVIEW, State.ACCEPTED])
def test_an_orders_page_asks_the_same_for_ten_and_for_five_hundred_lines(
    factory: OrderFactory, state: str
) -> None:
    def asked(count: int, word: str) -> int:
        rows = "\n".join(f"{word}{n % 7}.com, Dana Reyes, dana{n}" for n in range(count))
        how = {
            State.DRAFT: factory.draft,
            State.REVIEW: factory.reviewed,
            State.ACCEPTED: factory.sent,
        }[State(state)]
        return queries(factory.people.confirmer, url(how(rows=rows)))

    Vendor.objects.update(order_limit=None)
    asked(
        10, "first"
    )  # from the second order on, the client's orders of the last days are compared
    few = asked(10, "small")
    assert asked(500, "large") == few
    assert few <= 68


def test_following_an_order_on_its_way_changes_when_something_moves(factory: OrderFactory) -> None:
    order = factory.sent()
    watching = browser(factory.people.auditor)
    first = watching.get(url(order)).context["version"]
    assert watching.get(url(order)).context["version"] == first
    order.mailboxes.filter(username="dana").update(state="ready")
    assert watching.get(url(order)).context["version"] != first
