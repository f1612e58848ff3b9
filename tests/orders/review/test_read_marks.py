"""What changed since somebody last looked: field by field, row by row, cost, limits, the vendor's
word, checks.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailops.history.models import Event
from orders.drafting import drafts
from orders.drafting.intake import read
from orders.models import Client, Look, Order, State
from orders.outcomes import sweeper
from orders.plan import plan
from orders.review import confirming_rights, read_marks
from orders.spending import limits
from tests.conftest import OrderFactory, fresh
from tests.orders.pages import browser, url
from vendors.models import Contact, Price, Vendor

NAMES = ["Dana Reyes", "Sam Ito", "Lee Wong", "Priya Shah", "Max Hall"]


def look(order: Order, by: User) -> read_marks.Since:
    order = fresh(order)
    return read_marks.note(
        order, by=by, now_is=read_marks.picture(order, plan(order), limits.used_now(order))
    )


def later(**by: int) -> None:
    """Let all looks be older than one sitting, or by so much."""
    Look.objects.update(at=models.F("at") - timedelta(**(by or {"hours": 2})))


@pytest.mark.parametrize(("days", "left"), [(29, 2), (31, 1)])
def test_looks_go_once_the_order_ended_long_ago(
    factory: OrderFactory, unguarded: None, days: int, left: int
) -> None:
    ended, waiting = factory.reviewed(), factory.reviewed(word="other")
    for order in (ended, waiting):
        look(order, factory.people.confirmer)
    fresh(ended).cancel(by=factory.people.drafter, reason="Not needed.")
    Order.objects.update(state_since=timezone.now() - timedelta(days=days))
    sweeper.run()
    assert Look.objects.count() == left
    assert Look.objects.filter(order=waiting).exists()


def lines(count: int, *, word: str = "acme") -> str:
    return "\n".join(f"{word}{n // 5}.com, {NAMES[n % 5]}, box{n}" for n in range(count))


def back_and_forth(
    factory: OrderFactory, order: Order, *, rows: str | None = None, **changed: Any
) -> Order:
    """Sent back by the confirmer, edited, and sent again."""
    fresh(order).send_back(by=factory.people.confirmer, reason="Look again.")
    draft = drafts.draft_of(fresh(order), drafts.rows_of(fresh(order)))
    if rows is not None:
        changed["rows"] = read(rows, fresh(order).product_spec).rows
    drafts.save(
        order.pk, replace(draft, **changed), by=factory.people.drafter, version=fresh(order).version
    )
    return drafts.send_for_confirmation(order.pk, by=factory.people.drafter)


def moved(items: Any) -> dict[str, tuple[str, str]]:
    return {item.what: (item.before, item.after) for item in items}


def test_who_never_looked_is_told_so_and_going_to_and_fro_is_one_look(
    factory: OrderFactory,
) -> None:
    order, confirmer = factory.reviewed(), factory.people.confirmer
    assert look(order, confirmer).at is None
    assert look(order, confirmer).at is None
    later()
    again = look(order, confirmer)
    assert again.at is not None and not again.count
    assert look(order, factory.people.both).at is None


def test_rows_fields_and_cost_are_told_one_by_one(factory: OrderFactory) -> None:
    order, confirmer = (
        factory.reviewed(rows="acme.com, Dana Reyes, dana\nacme.com, Sam Ito, sam"),
        factory.people.confirmer,
    )
    look(order, confirmer)
    rows = "acme.com, Dana Reyes-Hall, dana\nacme.com, Lee Wong, lee\nacme.com, Max Hall, max"
    other = Client.objects.exclude(name="Northwind").first()
    assert other
    back_and_forth(
        factory, order, rows=rows, client=other, note="For May.", options={"provider": "MICROSOFT"}
    )
    since = look(order, confirmer)
    assert since.added == ["lee@acme.com, Lee Wong", "max@acme.com, Max Hall"]
    assert since.taken_out == ["sam@acme.com, Sam Ito"]
    assert moved(since.altered) == {"dana@acme.com, name": ("Dana Reyes", "Dana Reyes-Hall")}
    told = moved(since.fields)
    assert told["Client"] == ("Northwind", str(other))
    assert told["Note"] == ("", "For May.")
    assert told["Provider of the mailboxes"] == ("GOOGLE mailbox", "MICROSOFT mailbox")
    assert moved(since.prices)["Total now"][0] == "€12.00"
    assert any("2 × €6.00" in before for before, _ in moved(since.prices).values())


def test_a_price_that_moved_shows_in_its_line_and_in_the_total(factory: OrderFactory) -> None:
    order, confirmer = factory.reviewed(), factory.people.confirmer
    look(order, confirmer)
    Price.objects.filter(vendor=order.vendor).update(amount="7.50")
    told = moved(look(order, confirmer).prices)
    assert told["Total now"] == ("€12.00", "€15.00")
    assert ("2 × €6.00 a month", "2 × €7.50 a month") in told.values()


def test_a_contact_edited_under_the_order_shows_field_by_field(factory: OrderFactory) -> None:
    order, confirmer = factory.reviewed("smartsenders", "domains"), factory.people.confirmer
    look(order, confirmer)
    Contact.objects.update(phone="555 0199")
    assert moved(look(order, confirmer).fields)["Registrant contact, phone"][1] == "555 0199"


def test_limits_and_a_new_warning_are_told(factory: OrderFactory) -> None:
    order, confirmer = factory.reviewed(), factory.people.confirmer
    look(order, confirmer)
    Vendor.objects.filter(pk=order.vendor_id).update(day_limit=10)
    around = look(order, confirmer).around
    assert any(
        "the limit of €10.00 a day" in says or "the limit of $10.00 a day" in says
        for says in around
    ), around


def test_a_key_entered_again_never_goes_unsaid(factory: OrderFactory) -> None:
    order, confirmer = factory.reviewed(), factory.people.confirmer
    look(order, confirmer)
    sealed = order.vendor.secrets.put({"api_key": "practice-key-of-another"})
    Vendor.objects.filter(pk=order.vendor_id).update(sealed=str(sealed))
    assert look(order, confirmer).request == ["A key or password was entered again."]


def test_lines_in_another_order_are_a_change(factory: OrderFactory) -> None:
    order, confirmer = (
        factory.reviewed(rows="acme.com, Dana Reyes, dana\nacme.com, Sam Ito, sam"),
        factory.people.confirmer,
    )
    look(order, confirmer)
    back_and_forth(factory, order, rows="acme.com, Sam Ito, sam\nacme.com, Dana Reyes, dana")
    assert [item.what for item in look(order, confirmer).altered] == ["The order of the lines"]


def test_any_difference_of_two_pictures_is_told(factory: OrderFactory) -> None:
    order = fresh(factory.reviewed())
    picture = read_marks.picture(order, plan(order), [])
    other = picture | {
        "plan": picture["plan"] | {"request": picture["plan"]["request"] | {"body": "0" * 64}}
    }
    assert read_marks.compare(picture, other, at=None).request == [
        "What is sent to the vendor changed. Read it below."
    ]


def test_the_largest_order_lists_some_changes_and_counts_the_rest(factory: OrderFactory) -> None:
    Vendor.objects.update(order_limit=None)
    order = fresh(factory.reviewed(rows=lines(20)))
    before = read_marks.picture(order, plan(order), [])
    many = before | {"rows": [[f"box{n}@acme.com", f"Name {n}", "", "", ""] for n in range(5000)]}
    since = read_marks.compare(before, many, at=None)
    assert (
        len(since.added) == read_marks.MOST_LISTED
        and since.more["added"] == 5000 - read_marks.MOST_LISTED
    )
    assert since.count > 5000


def test_a_look_is_no_edit_and_no_event(factory: OrderFactory) -> None:
    order, confirmer = factory.reviewed(), factory.people.confirmer
    events, version = Event.objects.count(), order.version
    for page in ("change", "confirm"):
        assert browser(confirmer).get(url(order, page)).status_code == 200
    assert (Event.objects.count(), fresh(order).version) == (events, version)
    assert not confirming_rights.was_edited_by(fresh(order), confirmer)
    assert factory.confirm(order).state == State.CONFIRMED


@pytest.mark.parametrize("name", ["drafter", "operator", "auditor"])
def test_only_who_may_confirm_leaves_a_look(factory: OrderFactory, name: str) -> None:
    browser(getattr(factory.people, name)).get(url(factory.reviewed()))
    assert not Look.objects.exists()


def test_the_page_shows_what_came_back(factory: OrderFactory) -> None:
    order = factory.reviewed()
    confirmer = browser(factory.people.confirmer)
    assert (
        "You have not looked at this order before"
        in confirmer.get(url(order, "confirm")).content.decode()
    )
    back_and_forth(factory, order, rows="acme.com, Dana Reyes, dana\nacme.com, Lee Wong, lee")
    page = confirmer.get(url(order, "confirm")).content.decode()
    assert "Changed since you looked" in page
    assert (
        "<ins>lee@acme.com, Lee Wong</ins>" in page and "<del>sam@acme.com, Sam Ito</del>" in page
    )
    confirmer.get(url(order))
    assert "Changed since you looked" in confirmer.get(url(order, "confirm")).content.decode()
    later()
    assert (
        "Nothing changed since you looked" in confirmer.get(url(order, "confirm")).content.decode()
    )


def test_the_confirm_page_asks_the_same_for_ten_and_for_five_hundred_lines(
    factory: OrderFactory,
) -> None:
    Vendor.objects.update(order_limit=None)
    confirmer = browser(factory.people.confirmer)

    def asked(count: int, word: str) -> int:
        page = url(factory.reviewed(rows=lines(count, word=word)), "confirm")
        confirmer.get(page)
        with CaptureQueriesContext(connection) as queries:
            assert confirmer.get(page).status_code == 200
        return len(queries)

    asked(10, "first")
    asked(10, "second")  # a previous and a next order are there from now on
    few = asked(10, "small")
    assert asked(500, "large") == few
    assert few <= 64


# Previous and next


def test_the_line_leads_from_order_to_order_and_leaves_out_ones_own(factory: OrderFactory) -> None:
    people = factory.people
    first, own, last = (
        factory.reviewed(word="one"),
        factory.reviewed(word="two", by=people.both),
        factory.reviewed(word="three"),
    )
    shown = browser(people.both).get(url(first, "confirm"))
    line = shown.context["line"]
    assert (line.count, line.place, line.previous, line.next) == (2, 1, None, last)
    assert url(own, "confirm") not in shown.content.decode()


def test_after_a_decision_the_next_one_is_named(factory: OrderFactory) -> None:
    first, second, third = (factory.reviewed(word=word) for word in ("one", "two", "three"))
    confirmer = browser(factory.people.confirmer)
    told = confirmer.post(
        url(first, "confirm"), {"digest": plan(fresh(first)).digest}, follow=True
    ).content.decode()
    assert (
        f'2 more orders wait for you: <a href="{url(second, "confirm")}">review {second}</a>'
        in told
    )
    told = confirmer.post(url(second, "back"), {"reason": "No."}, follow=True).content.decode()
    assert (
        f'1 more order waits for you: <a href="{url(third, "confirm")}">review {third}</a>' in told
    )
    told = confirmer.post(url(third, "cancel"), {"reason": "No."}, follow=True).content.decode()
    assert "for you:" not in told
