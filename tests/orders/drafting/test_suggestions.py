"""Other names for one that is taken: offered by the vendor, put in its place on the draft."""

from __future__ import annotations

from typing import Any

import pytest

from mailops.history.models import Event
from orders.drafting import drafts, suggestions
from orders.models import Availability, NotAllowed, Order
from tests.conftest import OrderFactory, fresh
from vendors.http import ReadFailed
from vendors.practice.server import Practice

NEW = ("smartsenders", "domains")
HELD = ("scaledmail", "package")


def draft(factory: OrderFactory, *names: str, **more: Any) -> Order:
    rows = "\n".join(f"{name}, Dana Reyes, dana" for name in names)
    return factory.draft(*NEW, rows=rows, **more)


def test_other_names_are_suggested_and_the_vendors_word_on_them_is_kept(
    factory: OrderFactory,
) -> None:
    order = factory.draft(*HELD)
    offers = suggestions.suggest(order, "acme.net")
    assert "getacme.com" in [offer.name for offer in offers]
    assert Availability.objects.get(name="getacme.com").state == "free"
    assert not Availability.objects.exclude(state="free").exists()


def test_suggestions_without_a_word_on_them_are_not_kept(factory: OrderFactory) -> None:
    order = draft(factory, "taken-acme.com", "getacme.com")
    offers = suggestions.suggest(order, "taken-acme.com")
    assert {offer.state for offer in offers} == {"unsaid"}
    assert "getacme.com" not in [offer.name for offer in offers]  # it is on the order already
    assert not Availability.objects.exists()


def test_a_vendor_that_cannot_suggest_now_says_so(
    factory: OrderFactory, practice: Practice
) -> None:
    order = draft(factory, "taken-acme.com")
    practice.stop()
    with pytest.raises(ReadFailed, match="could not be asked"):
        suggestions.suggest(order, "taken-acme.com")


def test_a_chosen_name_takes_the_place_with_people_and_addresses_kept(
    factory: OrderFactory,
) -> None:
    order = draft(factory, "acme.com", "taken-acme.com")
    changed = suggestions.take(
        order,
        old="taken-acme.com",
        new="getacme.com",
        by=factory.people.drafter,
        version=order.version,
    )
    assert drafts.write(fresh(changed)) == drafts.write(order).replace(
        "taken-acme.com", "getacme.com"
    )
    assert changed.version == order.version + 1
    assert Event.objects.filter(action="order.edited", subject_id=str(order.pk)).exists()


@pytest.mark.parametrize(
    ("old", "new", "version"),
    [
        ("gone.com", "getacme.com", 1),
        ("acme.com", "acme-b.com", 1),
        ("acme.com", "mail.acme.co.uk", 1),
        ("acme.com", "not a name", 1),
        ("acme.com", "getacme.com", 0),
    ],
)
def test_what_does_not_fit_the_draft_changes_nothing(
    factory: OrderFactory, old: str, new: str, version: int
) -> None:
    order = draft(factory, "acme.com", "acme-b.com")
    before = drafts.write(order)
    with pytest.raises(NotAllowed):
        suggestions.take(order, old=old, new=new, by=factory.people.drafter, version=version)
    assert drafts.write(fresh(order)) == before
