"""Unsaved work is kept for the person who typed it, and for nobody else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from mailops.core.sealed import Sealed
from orders.admin.autosave import page_url
from orders.drafting import drafts
from orders.models import Order, Scratch, Upload, unsaved_work
from orders.outcomes import sweeper
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.pages import add_url, browser, messages_of, typed, url

TAB, OTHER_TAB = "a" * 64, "b" * 64
LINES = "typed.com, Dana Reyes, dana\nbroken"
HOSTING = OPTIONS["scaledmail", "package"] | {
    "provider": "other", "hosting_provider": "Porkbun", "hosting_username": "me",
}  # fmt: skip


def page(factory: OrderFactory) -> str:
    return add_url(factory.accounts["woodpecker"], "mailboxes")


def keep(person: Browser, address: str, tab: str = TAB, **changed: Any) -> Any:
    return person.post(address, typed(rows=LINES) | changed | {"keep": "1", "tab": tab})


def kept_by(user: User) -> list[Scratch]:
    return list(Scratch.objects.of(user))


def test_what_is_typed_is_kept_without_saving_anything(factory: OrderFactory) -> None:
    answer = keep(browser(factory.people.drafter), page(factory), note="half a note").json()
    (scratch,) = kept_by(factory.people.drafter)
    assert answer == {"says": f"Kept at {timezone.localtime(scratch.kept_at):%H:%M}", "token": TAB}
    assert (scratch.fields["rows"], scratch.fields["note"], scratch.lines) == (
        [LINES],
        ["half a note"],
        2,
    )
    assert "csrfmiddlewaretoken" not in scratch.fields
    assert not Order.objects.exists()


def test_a_tab_keeps_one_copy_and_two_tabs_keep_two(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    keep(drafter, page(factory), rows="later.com, Dana Reyes, dana")
    keep(drafter, page(factory), tab=OTHER_TAB)
    assert {
        scratch.token: scratch.fields["rows"] for scratch in kept_by(factory.people.drafter)
    } == {
        TAB: ["later.com, Dana Reyes, dana"],
        OTHER_TAB: [LINES],
    }


def test_the_page_opened_again_offers_it_and_gives_all_of_it_back(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory), note="half a note")
    for place in (page(factory), "/", "/orders/order/", "/orders/order/add/"):
        shown = drafter.get(place).content.decode()
        assert "You have unsaved work from" in shown, place
        assert f"unsaved={TAB}" in shown, place
    taken = drafter.get(f"{page(factory)}&unsaved={TAB}")
    assert taken.status_code == 200
    assert taken.context["form"]["rows"].value() == LINES
    assert taken.context["form"]["note"].value() == "half a note"
    assert taken.context["options"]["provider"].value() == "GOOGLE"
    assert taken.context["preview"].bad_count == 1


def test_nobody_else_sees_it_or_throws_it_away(factory: OrderFactory) -> None:
    keep(browser(factory.people.drafter), page(factory))
    for other in (factory.people.both, factory.people.boss):
        person = browser(other)
        for place in (page(factory), "/", "/orders/order/"):
            assert "unsaved work" not in person.get(place).content.decode()
        assert not person.get(f"{page(factory)}&unsaved={TAB}").context["form"].is_bound
        person.post("/orders/order/add/", {"throw": TAB})
    assert len(kept_by(factory.people.drafter)) == 1


def test_it_is_thrown_away_by_a_click_and_the_person_stays_where_they_were(
    factory: OrderFactory,
) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    response = drafter.post("/orders/order/add/", {"throw": TAB, "next": "/"})
    assert response["Location"] == "/"
    assert kept_by(factory.people.drafter) == []
    assert drafter.post("/orders/order/add/", {"throw": TAB, "next": "//evil.example"})[
        "Location"
    ] == ("/orders/order/add/")


def test_saving_the_draft_ends_the_unsaved_work(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    drafter.post(page(factory), typed() | {"tab": TAB, "save": "1"})
    assert Order.objects.count() == 1
    assert kept_by(factory.people.drafter) == []


def test_taking_it_up_moves_it_into_the_new_tab(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    mark = drafter.get(f"{page(factory)}&unsaved={TAB}").context["taken"]
    keep(drafter, page(factory), tab=OTHER_TAB, unsaved=mark)
    assert [scratch.token for scratch in kept_by(factory.people.drafter)] == [OTHER_TAB]


def test_the_first_tab_that_goes_on_typing_loses_nothing_to_the_second(
    factory: OrderFactory,
) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    mark = drafter.get(f"{page(factory)}&unsaved={TAB}").context["taken"]
    keep(drafter, page(factory), rows="still typing.com")
    keep(drafter, page(factory), tab=OTHER_TAB, unsaved=mark)
    assert {scratch.token for scratch in kept_by(factory.people.drafter)} == {TAB, OTHER_TAB}


def test_a_draft_as_it_is_saved_is_no_unsaved_work(factory: OrderFactory) -> None:
    order = factory.draft()
    drafter = browser(factory.people.drafter)
    as_saved = typed(version=1, rows=drafts.write(order).replace("\n", "\r\n"))
    drafter.post(url(order, "edit"), as_saved | {"keep": "1", "tab": TAB, "note": "more"})
    assert len(kept_by(factory.people.drafter)) == 1
    answer = drafter.post(url(order, "edit"), as_saved | {"keep": "1", "tab": TAB})
    assert answer.json() == {"says": ""}
    assert kept_by(factory.people.drafter) == []


@pytest.mark.parametrize("button", ["read", "save", "show", "page", "add"])
def test_what_a_click_shows_again_is_kept_without_any_script(
    factory: OrderFactory, button: str
) -> None:
    browser(factory.people.drafter).post(
        page(factory), typed(rows=LINES) | {"tab": TAB, button: "1"}
    )
    assert [scratch.fields["rows"] for scratch in kept_by(factory.people.drafter)] == [[LINES]]


def test_a_password_is_kept_sealed_and_goes_into_the_order(factory: OrderFactory) -> None:
    drafter, place = (
        browser(factory.people.drafter),
        add_url(factory.accounts["scaledmail"], "package"),
    )
    data = typed("scaledmail", "package") | {
        f"option-{name}": value for name, value in HOSTING.items()
    }
    drafter.post(place, data | {"tab": TAB, "read": "1", "option-hosting_password": "pw-one-two"})
    (scratch,) = kept_by(factory.people.drafter)
    assert "pw-one-two" not in json.dumps(scratch.fields) + scratch.sealed
    again = drafter.get(f"{place}&unsaved={TAB}")
    mark = again.context["taken"]
    assert again.context["weighed"].secret_names == {"hosting_password"}
    assert "kept sealed until you save" in again.content.decode()
    assert "pw-one-two" not in again.content.decode()
    # taken up in another tab, read once more, and saved: the password field stays empty all the
    # while
    drafter.post(place, data | {"tab": OTHER_TAB, "unsaved": mark, "read": "1", "note": "x"})
    drafter.post(place, data | {"tab": OTHER_TAB, "unsaved": mark, "save": "1"})
    assert Sealed(Order.objects.get().sealed).open() == {"hosting_password": "pw-one-two"}
    assert kept_by(factory.people.drafter) == []


def test_sealed_words_in_it_move_to_a_new_key_with_all_others(factory: OrderFactory) -> None:
    drafter, place = (
        browser(factory.people.drafter),
        add_url(factory.accounts["scaledmail"], "package"),
    )
    data = typed("scaledmail", "package") | {
        "tab": TAB,
        "keep": "1",
        "option-hosting_password": "pw-one-two",
    }
    drafter.post(place, data)
    before = Scratch.objects.get().sealed
    call_command("reseal", verbosity=0)
    after = Scratch.objects.get().sealed
    assert before != after
    assert Sealed(after).open() == {"hosting_password": "pw-one-two"}


def test_what_was_typed_into_an_order_that_went_on_is_kept_for_a_new_draft(
    factory: OrderFactory,
) -> None:
    order = factory.draft()
    drafter = browser(factory.people.drafter)
    drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    response = drafter.post(
        url(order, "edit"), typed(rows=LINES, version=1) | {"tab": TAB}, follow=True
    )
    assert "What you typed is kept" in messages_of(response)
    shown = drafter.get("/orders/order/add/").content.decode()
    assert f"typed into {order}, which can’t be edited any more" in shown
    again = page_url(vendor_id=order.vendor_id, product=order.product, unsaved=TAB)
    assert drafter.get(again).context["form"]["rows"].value() == LINES


def test_more_than_is_kept_is_said_and_the_copy_before_stays(
    factory: OrderFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    monkeypatch.setattr(unsaved_work, "LARGEST", 1000)
    answer = keep(drafter, page(factory), rows="x" * 2000)
    assert answer.status_code == 413
    assert "too much to be kept" in answer.json()["says"]
    assert kept_by(factory.people.drafter)[0].fields["rows"] == [LINES]


def test_only_so_much_is_kept_for_one_person_and_the_oldest_goes_first(
    factory: OrderFactory,
) -> None:
    drafter = browser(factory.people.drafter)
    for n in range(unsaved_work.MOST_KEPT + 1):
        keep(drafter, page(factory), tab=f"{n:064x}")
    kept = {scratch.token for scratch in kept_by(factory.people.drafter)}
    assert len(kept) == unsaved_work.MOST_KEPT
    assert f"{0:064x}" not in kept


def test_after_thirty_days_the_sweep_clears_it_away(factory: OrderFactory) -> None:
    keep(browser(factory.people.drafter), page(factory))
    Upload.objects.note(name="a.csv", data=b"a", by=factory.people.drafter)
    order = factory.draft()
    bought = Upload.objects.note(name="b.csv", data=b"b", by=factory.people.drafter)
    Upload.objects.filter(pk=bought.pk).update(order=order)
    sweeper.run(timezone.now() + timedelta(days=29))
    assert (Scratch.objects.count(), Upload.objects.count()) == (1, 2)
    sweeper.run(timezone.now() + timedelta(days=31))
    assert Scratch.objects.count() == 0
    assert list(Upload.objects.all()) == [bought]


def test_a_null_character_breaks_nothing(factory: OrderFactory) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory), rows="acme.com, Da\0na Reyes, dana", **{"x\0y": "z\0"})
    assert kept_by(factory.people.drafter)[0].fields["rows"] == ["acme.com, Dana Reyes, dana"]
    assert drafter.post("/orders/order/add/", {"throw": "\0"}).status_code == 302
    assert drafter.get(f"{page(factory)}&unsaved=%00").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "../..", "A" * 64, "c" * 64])
def test_a_garbled_or_unknown_token_opens_the_plain_page(factory: OrderFactory, token: str) -> None:
    response = browser(factory.people.drafter).get(f"{page(factory)}&unsaved={token}")
    assert (response.status_code, response.context["form"].is_bound) == (200, False)


@pytest.mark.parametrize(
    "mark", ["", "x@y", f"{TAB}@", f"{TAB}@2026-01-01", f"{TAB}@2026-01-01T00:00:00+00:00"]
)
def test_a_garbled_mark_of_what_a_page_was_begun_from_is_ignored(
    factory: OrderFactory, mark: str
) -> None:
    drafter = browser(factory.people.drafter)
    keep(drafter, page(factory))
    keep(drafter, page(factory), tab=OTHER_TAB, unsaved=mark)
    assert len(kept_by(factory.people.drafter)) == 2


# A session that ended


def test_a_draft_sent_after_the_session_ended_goes_on_after_logging_in(
    factory: OrderFactory,
) -> None:
    order = factory.draft()
    stranger = Browser()
    data = typed(rows="after.com, Dana Reyes, dana", version=1, note="x") | {
        "save": "1",
        "tab": TAB,
    }
    asked = stranger.post(url(order, "edit"), data)
    assert "what you typed is not lost" in asked.content.decode()
    assert Scratch.objects.count() == 0
    carried = dict(asked.context["typed"])
    wrong = stranger.post(url(order, "edit"), carried | {"username": "drafter", "password": "no"})
    assert dict(wrong.context["typed"])["rows"] == data["rows"]
    response = stranger.post(
        url(order, "edit"), carried | {"username": "drafter", "password": "drafter"}
    )
    assert not {"username", "password", "save"} & set(Scratch.objects.get().fields)
    again = stranger.get(response["Location"])
    assert again.context["form"]["rows"].value() == data["rows"]
    assert fresh(order).version == 1
    stranger.post(url(order, "edit"), data)
    assert drafts.write(fresh(order)) == data["rows"]


def test_whoever_logged_in_elsewhere_meanwhile_goes_on_too_and_saves_nothing_by_it(
    factory: OrderFactory,
) -> None:
    asked = Browser().post(
        page(factory), typed(rows="after.com, Dana Reyes, dana") | {"save": "1", "tab": TAB}
    )
    carried = dict(asked.context["typed"]) | {"username": "x", "password": "x"}
    response = browser(factory.people.drafter).post(page(factory), carried, follow=True)
    assert "it is not saved yet" in messages_of(response)
    assert response.context["form"]["rows"].value() == "after.com, Dana Reyes, dana"
    assert not Order.objects.exists()
    assert "password" not in Scratch.objects.get().fields


def test_a_new_draft_goes_on_as_well_and_no_password_is_carried_along(
    factory: OrderFactory,
) -> None:
    place = add_url(factory.accounts["scaledmail"], "package")
    data = typed("scaledmail", "package", rows="after.net, Dana Reyes") | {
        "option-hosting_password": "pw-one-two"
    }
    stranger = Browser()
    asked = stranger.post(place, data)
    assert "pw-one-two" not in asked.content.decode()
    login = {"username": "drafter", "password": "drafter"}
    response = stranger.post(place, dict(asked.context["typed"]) | login)
    assert stranger.get(response["Location"]).context["form"]["rows"].value() == data["rows"]


def test_whoever_logs_in_without_the_right_to_draft_leaves_nothing_behind(
    factory: OrderFactory,
) -> None:
    stranger = Browser()
    stranger.post(page(factory), typed() | {"username": "auditor", "password": "auditor"})
    assert Scratch.objects.count() == 0


def test_the_pages_script_is_told_that_the_session_ended(factory: OrderFactory) -> None:
    answer = Browser().post(page(factory), typed() | {"keep": "1", "tab": TAB})
    assert answer["Location"].startswith("/login/")
    assert Scratch.objects.count() == 0
