"""Saving drafts: all or nothing, never over somebody else's save, every step in the history."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import Model

from mailops.core.sealed import Sealed
from mailops.history.models import Event
from mailops.history.verify import verify
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.drafting.intake import read
from orders.models import Client, Domain, Mailbox, NotAllowed, Order, State
from orders.review import confirming_rights
from tests.conftest import OPTIONS, PRODUCTS, OrderFactory, claim, fresh, rows_for

HELD = ("coldmailreseller", "mailboxes")
BOUGHT = ("coldmailreseller", "domains")


def draft_of(order: Order, lines: str | None = None, **changed: Any) -> Draft:
    """What the form would hand over for this order, with some of it typed anew."""
    order = fresh(order)
    typed = drafts.write(order) if lines is None else lines
    reading = read(typed, order.product_spec)
    assert not reading.bad, reading.bad
    whole = Draft(
        vendor=order.vendor,
        product=order.product,
        client=order.client,
        contact=order.contact,
        forward_to=order.forward_to,
        note=order.note,
        options=order.options,
        rows=reading.rows,
    )
    return replace(whole, **changed)


def save(factory: OrderFactory, order: Order, lines: str | None = None, **changed: Any) -> Order:
    version = fresh(order).version
    return drafts.save(
        order.pk, draft_of(order, lines, **changed), by=factory.people.drafter, version=version
    )


def counts() -> dict[type[Model], int]:
    return {model: model._default_manager.count() for model in (Order, Domain, Mailbox, Event)}


def events(order: Order, action: str) -> list[Event]:
    return list(
        Event.objects.filter(subject_type="orders.order", subject_id=str(order.pk), action=action)
    )


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_what_was_typed_is_what_the_paste_box_shows_again(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.draft(api, product)
    assert drafts.write(fresh(order)) == rows_for(api)


def test_every_detail_of_a_line_is_kept(factory: OrderFactory) -> None:
    lines = (
        "domain, first name, last name, address, picture, forward to, years\n"
        'acme.com, Anna Maria, Lee, anna, "https://example.com/a,b.png", elsewhere.com, 2\n'
        "bare.com"
    )
    order = factory.draft(*BOUGHT, rows=lines)
    assert drafts.write(fresh(order)) == lines
    domain = order.domains.get(name="acme.com")
    assert (domain.years, domain.forward_to) == (2, "elsewhere.com")


def test_saving_unchanged_records_no_edit(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT)
    save(factory, order)
    assert events(order, "order.edited") == []
    assert fresh(order).version == 2


def test_the_history_tells_which_lines_and_details_an_edit_changed(factory: OrderFactory) -> None:
    order = factory.draft(rows="acme.com, Dana Reyes, dana\nacme.com, Sam Ito, sam")
    save(factory, order, "acme.com, Dana Reyes, dana\nacme.com, Lee Wong, lee", note="With Lee")
    (drafted,) = events(order, "order.drafted")
    assert drafted.changes == {
        "added": ["", ["acme.com, Dana Reyes, dana", "acme.com, Sam Ito, sam"]]
    }
    (edited,) = events(order, "order.edited")
    assert edited.who == "drafter"
    assert edited.changes == {
        "removed": [["acme.com, Sam Ito, sam"], None],
        "added": [None, ["acme.com, Lee Wong, lee"]],
        "note": ["", "With Lee"],
    }
    assert verify().is_unbroken


def test_a_changed_option_and_client_are_in_the_history(factory: OrderFactory) -> None:
    order = factory.draft()
    other = Client.objects.get(name="Acme Labs")
    save(factory, order, client=other, options={"provider": "MICROSOFT"})
    (edited,) = events(order, "order.edited")
    assert edited.changes == {
        "client": ["Northwind", "Acme Labs"],
        "options": [{"provider": "GOOGLE"}, {"provider": "MICROSOFT"}],
    }


def test_a_save_from_a_second_tab_is_refused_and_changes_nothing(factory: OrderFactory) -> None:
    order = factory.draft()
    opened = fresh(order).version
    save(factory, order, "first.com, Ann Lee, ann")
    before = counts()
    with pytest.raises(NotAllowed, match="another tab or by somebody else"):
        drafts.save(
            order.pk, draft_of(order, "second.com, Bo Lee, bo"), by=factory.people.drafter, version=opened
        )  # fmt: skip
    assert drafts.write(fresh(order)) == "first.com, Ann Lee, ann"
    assert counts() == before


def test_everybody_who_saves_is_an_editor_even_without_a_change(factory: OrderFactory) -> None:
    order = factory.draft()
    drafts.save(order.pk, draft_of(order), by=factory.people.both, version=1)
    assert set(order.editors.values_list("user__username", flat=True)) == {"drafter", "both"}
    sent = drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    assert "You edited this order" in confirming_rights.why_not_confirm(sent, factory.people.both)


def test_only_a_draft_can_be_edited(factory: OrderFactory) -> None:
    order = factory.reviewed()
    with pytest.raises(NotAllowed, match="can't be edited now"):
        save(factory, order, "other.com, Ann Lee, ann")
    assert "other.com" not in drafts.write(fresh(order))


def test_a_new_draft_is_saved_whole_or_not_at_all(factory: OrderFactory) -> None:
    order = factory.draft()
    (row,) = read("twice.com, Ann Lee, ann", order.product_spec).rows
    before = counts()
    with pytest.raises(IntegrityError):
        drafts.create(draft_of(order, rows=[row, row]), by=factory.people.drafter)
    assert counts() == before


def test_an_edit_is_saved_whole_or_not_at_all(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT)
    (row,) = read("twice.com, Ann Lee, ann", order.product_spec).rows
    typed, before = drafts.write(fresh(order)), counts()
    with pytest.raises(IntegrityError):
        save(factory, order, rows=[row, row], note="half")
    saved = fresh(order)
    assert (drafts.write(saved), saved.note, saved.version) == (typed, "", 1)
    assert counts() == before


def test_the_cost_in_lists_follows_every_save(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT, rows="acme.com, Dana Reyes, dana")
    assert str(fresh(order).due_now) == "$16.00"  # a .com and a mailbox
    save(factory, order, "acme.com, Dana Reyes, dana\nacme.com, Sam Ito, sam")
    assert str(fresh(order).due_now) == "$19.00"
    save(factory, order, "")
    assert str(fresh(order).due_now) == "nothing"


# Passwords

HOSTING = OPTIONS["scaledmail", "package"] | {"provider": "other", "hosting_provider": "Porkbun"}


def test_an_empty_password_field_keeps_the_stored_one(factory: OrderFactory) -> None:
    order = factory.draft(
        "scaledmail", "package", options=HOSTING, secrets={"hosting_password": "pw-one-two"}
    )
    stamps = Sealed(fresh(order).sealed).stamps
    save(factory, order, secrets={"hosting_password": ""})
    assert Sealed(fresh(order).sealed).stamps == stamps
    save(factory, order, secrets={"hosting_password": "pw-three-four"})
    assert Sealed(fresh(order).sealed).open() == {"hosting_password": "pw-three-four"}
    (edited,) = events(order, "order.edited")
    assert edited.changes == {"secrets": [None, ["hosting_password"]]}


# Domains that are held already


def held() -> list[str]:
    return list(Domain.objects.filter(order=None).values_list("name", flat=True))


def test_two_mailbox_orders_share_a_held_domain_and_the_last_one_clears_it_away(
    factory: OrderFactory,
) -> None:
    first = factory.draft(*HELD, rows="held.com, Ann Lee, ann")
    second = factory.draft(*HELD, rows="held.com, Bo Lee, bo")
    assert held() == ["held.com"]
    save(factory, first, "")
    assert held() == ["held.com"]
    save(factory, second, "other.com, Bo Lee, bo")
    assert held() == ["other.com"]


def test_a_held_domain_known_to_be_there_outlives_its_last_draft(factory: OrderFactory) -> None:
    order = factory.draft(*HELD, rows="held.com, Ann Lee, ann")
    Domain.objects.filter(name="held.com").update(state="ready")
    save(factory, order, "")
    assert held() == ["held.com"]


def test_the_same_held_domain_at_two_accounts_is_two_domains(factory: OrderFactory) -> None:
    factory.draft(*HELD, rows="held.com, Ann Lee, ann")
    factory.draft("woodpecker", "mailboxes", rows="held.com, Bo Lee, bo")
    assert Domain.objects.filter(name="held.com").count() == 2


def test_mailboxes_go_on_a_domain_that_another_order_bought(factory: OrderFactory) -> None:
    bought = factory.sent(*BOUGHT, rows="acme.com, Dana Reyes, dana, , elsewhere.com, 2")
    more = factory.draft(*HELD, rows="acme.com, Lee Wong, lee")
    assert more.mailboxes.get().domain.order == bought
    assert held() == []
    # what the domain was bought with is no part of the lines for more mailboxes
    assert drafts.write(fresh(more)) == "acme.com, Lee Wong, lee"


def test_an_order_whose_domains_another_draft_uses_says_so_instead_of_breaking(
    factory: OrderFactory,
) -> None:
    bought = factory.confirmed(*BOUGHT, rows="acme.com, Dana Reyes, dana")
    more = factory.draft(*HELD, rows="acme.com, Lee Wong, lee")
    order = fresh(bought)
    attempt = claim(order.pk)
    assert attempt is not None
    fresh(order).back_to_review(action="order.not_sent", reason="no connection", attempt=attempt)
    fresh(order).send_back(by=factory.people.confirmer, reason="another domain, please")
    with pytest.raises(NotAllowed, match=f"{more} puts mailboxes on domains of {order}"):
        save(factory, order, "better.com, Dana Reyes, dana")
    assert drafts.write(fresh(order)) == "acme.com, Dana Reyes, dana"
    save(factory, more, "")
    save(factory, order, "better.com, Dana Reyes, dana")
    assert list(order.domains.values_list("name", flat=True)) == ["better.com"]


# Copies


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_a_copy_has_the_same_contents_and_options_but_no_past(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.sent(api, product, word="bad-key")
    made = fresh(drafts.copy(order, by=factory.people.both))
    assert drafts.write(made) == drafts.write(fresh(order))
    assert (made.state, made.version, made.reference, made.digest) == (State.DRAFT, 1, "", "")
    assert (made.vendor, made.product, made.client, made.contact, made.forward_to, made.options) == (
        order.vendor, order.product, order.client, order.contact, order.forward_to, order.options,
    )  # fmt: skip
    assert made.copy_of == order
    assert [event.reason for event in events(made, "order.drafted")] == [f"Copied from {order}"]
    assert confirming_rights.was_edited_by(made, factory.people.both)


def test_a_copy_asks_for_the_passwords_again(factory: OrderFactory) -> None:
    order = factory.draft(
        "scaledmail", "package", options=HOSTING, secrets={"hosting_password": "pw-one-two"}
    )
    made = drafts.copy(fresh(order), by=factory.people.drafter)
    assert Sealed(made.sealed).names == frozenset()


# Handing on


def test_an_empty_draft_can_be_saved_but_not_handed_on(factory: OrderFactory) -> None:
    order = factory.draft(rows="")
    with pytest.raises(NotAllowed, match="There is nothing on this order yet"):
        drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    assert fresh(order).state == State.DRAFT


def test_a_waiting_order_keeps_its_plan_in_the_history(factory: OrderFactory) -> None:
    order = factory.reviewed()
    (event,) = events(order, "order.sent_for_confirmation")
    assert event.changes["plan"][1]["request"]["body"]["mailboxes"][0]["email"] == "dana@acme.com"
    assert event.changes["plan"][1]["request"]["headers"]["x-api-key"] == "«api key, kept secret»"


def test_only_a_draft_is_handed_on(factory: OrderFactory) -> None:
    order = factory.reviewed()
    with pytest.raises(NotAllowed, match="is no draft"):
        drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
