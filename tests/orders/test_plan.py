"""The plan: one digest over everything that matters, the same for the same order, and what stops an
order.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from mailops.core.sealed import Sealed
from orders import submission
from orders.drafting import drafts
from orders.models import Client, Domain, Mailbox, NotAllowed, Order, State
from orders.models.state import PURCHASE_PENDING
from orders.plan import plan
from orders.review.plan_diff import differences
from tests.conftest import OPTIONS, PRODUCTS, OrderFactory, fresh
from vendors.http import Secret
from vendors.models import Contact, Price, Vendor

PACKAGE = ("scaledmail", "package")
BOUGHT = ("coldmailreseller", "domains")
HOSTING = OPTIONS[PACKAGE] | {
    "provider": "other",
    "hosting_provider": "Porkbun",
    "hosting_username": "me",
}


def plan_of(order: Order) -> Any:
    return plan(fresh(order))


def changed(order: Order, change: Callable[[Order], object]) -> list[str]:
    """What differs in the plan after a change, as sentences; the digest must differ as well."""
    before = plan_of(order)
    change(fresh(order))
    after = plan_of(order)
    assert after.digest != before.digest
    return differences(before.snapshot(), after.as_dict())


def set_up(**fields: Any) -> Callable[[Order], object]:
    return lambda order: Order.objects.filter(pk=order.pk).update(**fields)


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_the_digest_is_the_same_each_time_the_order_is_loaded(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.draft(api, product)
    first, again = plan_of(order), plan_of(order)
    assert first.digest == again.digest
    assert first.as_dict() == again.as_dict() == json.loads(json.dumps(first.as_dict()))
    assert first.short_digest == f"{first.digest[:4]} {first.digest[4:8]}"


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_the_digest_does_not_change_on_the_way_to_the_vendor(
    factory: OrderFactory, api: str, product: str
) -> None:
    order = factory.draft(api, product)
    drafted = plan_of(order).digest
    drafts.send_for_confirmation(order.pk, by=factory.people.drafter)
    submission.submit(factory.confirm(order).pk)
    assert {drafted} == {fresh(order).digest, order.attempts.get().digest}


def test_two_orders_alike_but_for_one_letter_have_different_digests(factory: OrderFactory) -> None:
    first = factory.draft(rows="acme.com, Dana Reyes, dana")
    second = factory.draft(rows="acme.com, Dana Reyas, dana")
    assert plan_of(first).digest != plan_of(second).digest


# What changes the digest, and in which words


def test_a_changed_name_is_named(factory: OrderFactory) -> None:
    order = factory.draft()
    said = changed(order, lambda o: o.mailboxes.filter(username="sam").update(first_name="Samuel"))
    assert said == ["Mailbox 2, first name: “Sam” became “Samuel”."]


def test_a_row_taken_out_is_named_and_changes_the_cost(factory: OrderFactory) -> None:
    order = factory.draft()
    said = changed(order, lambda o: o.mailboxes.filter(username="sam").delete())
    assert said[0] == "Mailboxes, GOOGLE: the number changed from 2 to 1."
    assert said[1:] == ["Mailbox 2 was taken out: Sam, Ito, sam@acme.com."]


def test_a_changed_option_is_named(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT)
    said = changed(order, set_up(options=OPTIONS[BOUGHT] | {"auto_renew": True}))
    assert said == ["Renew automatically: no became yes."]


def test_an_option_in_the_address_is_noticed(factory: OrderFactory) -> None:
    order = factory.draft(*PACKAGE)
    assert changed(order, set_up(options=OPTIONS[PACKAGE] | {"coupon": "SAVE"})) == [
        "Coupon: empty before, now “SAVE”."
    ]


def test_an_option_that_changes_only_the_cost_is_noticed(factory: OrderFactory) -> None:
    order = factory.draft()
    said = changed(order, set_up(options={"provider": "MICROSOFT"}))
    assert said == ["Mailboxes, GOOGLE was taken out.", "Mailboxes, MICROSOFT was added: 2."]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("amount", Decimal("7.50"), "Mailboxes, GOOGLE: the price changed from 6.00 to 7.50."),
        (
            "renewal_amount",
            Decimal("9.00"),
            "Mailboxes, GOOGLE: the renewal price changed from missing to 9.00.",
        ),
        ("currency", "USD", "Mailboxes, GOOGLE: the currency changed from EUR to USD."),
        ("unit", "year", "Mailboxes, GOOGLE: the period changed from month to year."),
    ],
)
def test_a_changed_price_is_named(
    factory: OrderFactory, field: str, value: Any, sentence: str
) -> None:
    order = factory.draft()
    prices = Price.objects.filter(vendor=order.vendor, item="mailbox.GOOGLE")
    assert changed(order, lambda _: prices.update(**{field: value})) == [sentence]


def test_a_price_that_vanishes_is_named(factory: OrderFactory) -> None:
    order = factory.draft()
    said = changed(
        order, lambda o: Price.objects.filter(vendor=o.vendor, item="mailbox.GOOGLE").delete()
    )
    assert "Mailboxes, GOOGLE: the price changed from 6.00 to missing." in said


def test_a_password_entered_again_is_noticed_even_if_it_is_the_same(factory: OrderFactory) -> None:
    secrets = {"hosting_password": "pw-one-two"}
    order = factory.draft(*PACKAGE, options=HOSTING, secrets=secrets)
    said = changed(order, lambda o: set_up(sealed=str(Sealed(o.sealed).put(secrets)))(o))
    assert said == ["A key or password was entered again."]


def test_switching_the_account_to_live_is_noticed(factory: OrderFactory) -> None:
    order = factory.draft()
    said = changed(order, lambda o: Vendor.objects.filter(pk=o.vendor_id).update(mode="live"))
    assert said == ["The account was switched between practice and live."]


def test_a_changed_account_setting_is_noticed(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT)
    said = changed(
        order, lambda o: Vendor.objects.filter(pk=o.vendor_id).update(settings={"user_id": "U-999"})
    )
    assert said == ["User ID of the account: “U-201” became “U-999”."]


def test_a_changed_contact_is_noticed(factory: OrderFactory) -> None:
    order = factory.draft("smartsenders", "domains")
    said = changed(order, lambda o: Contact.objects.filter(pk=o.contact_id).update(city="Dallas"))
    assert said == ["Registrant, city: “Austin” became “Dallas”."]


def test_a_changed_package_is_named_by_where_it_is_sent(factory: OrderFactory) -> None:
    order = factory.draft(*PACKAGE)
    said = changed(
        order, set_up(options=OPTIONS[PACKAGE] | {"price_id": "price_practice_google_1"})
    )
    assert "It goes to another address at the vendor, as for another package." in said


def test_a_price_read_again_but_not_changed_leaves_the_digest_alone(factory: OrderFactory) -> None:
    order = factory.draft()
    before = plan_of(order)
    Price.objects.update(as_of=timezone.now() + timedelta(days=3), source="read again")
    after = plan_of(order)
    assert after.digest == before.digest
    assert (
        after.snapshot()["sources"] != before.snapshot()["sources"]
    )  # but the age is kept with what is confirmed


def test_prices_of_other_items_and_accounts_do_not_matter(factory: OrderFactory) -> None:
    order = factory.draft()
    before = plan_of(order).digest
    Price.objects.exclude(vendor=order.vendor, item="mailbox.GOOGLE").update(amount="99.00")
    assert plan_of(order).digest == before


def test_a_note_does_not_matter(factory: OrderFactory) -> None:
    order = factory.draft()
    before = plan_of(order).digest
    set_up(note="please be quick")(order)
    assert plan_of(order).digest == before


def test_two_plans_alike_have_no_differences(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT)
    assert differences(plan_of(order).snapshot(), plan_of(order).as_dict()) == []


def test_many_changes_are_told_in_twenty_sentences(factory: OrderFactory) -> None:
    order = factory.draft(rows="\n".join(f"acme.com, Dana Reyes, dana{n}" for n in range(40)))
    said = changed(order, lambda o: o.mailboxes.update(last_name="Smith"))
    assert len(said) == 20


# Secrets


def test_the_plan_holds_placeholders_only(factory: OrderFactory) -> None:
    order = factory.draft(*PACKAGE, options=HOSTING, secrets={"hosting_password": "pw-one-two"})
    text = json.dumps(plan_of(order).snapshot(), ensure_ascii=False)
    assert Secret("hosting_password") in text
    for secret in ("pw-one-two", *order.vendor.secrets.open().values()):
        assert secret not in text


@pytest.mark.parametrize(("api", "product"), PRODUCTS)
def test_no_vendors_plan_holds_its_key(factory: OrderFactory, api: str, product: str) -> None:
    order = factory.draft(api, product)
    (key,) = order.vendor.secrets.open().values()
    text = json.dumps(plan_of(order).snapshot(), ensure_ascii=False)
    assert key not in text
    assert "«api key, kept secret»" in text


# What stops an order


def stops(order: Order) -> list[str]:
    return [problem.message for problem in plan_of(order).blocking]


def assert_cannot_be_confirmed(factory: OrderFactory, order: Order, message: str) -> None:
    assert any(message in stop for stop in stops(order)), stops(order)
    with pytest.raises(NotAllowed, match="This order can't be confirmed"):
        factory.confirm(order)
    assert fresh(order).state == State.REVIEW


def test_a_missing_price_stops_confirming_and_says_who_can_mend_it(factory: OrderFactory) -> None:
    order = factory.reviewed()
    Price.objects.filter(vendor=order.vendor).delete()
    assert_cannot_be_confirmed(factory, order, "The price of “Mailboxes, GOOGLE” is missing.")
    (problem,) = plan_of(order).blocking
    assert "under the item “mailbox.GOOGLE”" in problem.fix


@pytest.mark.parametrize(
    ("limit", "is_stopped"), [("11.99", True), ("12.00", False), (None, False), ("0", True)]
)
def test_the_limit_of_the_account_counts_to_the_cent(
    factory: OrderFactory, limit: str | None, is_stopped: bool
) -> None:
    order = factory.reviewed()  # two mailboxes at 6.00
    Vendor.objects.filter(pk=order.vendor_id).update(order_limit=limit)
    if is_stopped:
        assert_cannot_be_confirmed(factory, order, "This order costs €12.00 now, over the limit of")
    else:
        assert factory.confirm(order).state == State.CONFIRMED


def test_a_limit_in_another_currency_stops_the_order(factory: OrderFactory) -> None:
    order = factory.reviewed()
    Vendor.objects.filter(pk=order.vendor_id).update(limit_currency="USD")
    assert_cannot_be_confirmed(
        factory, order, "This order costs €12.00 now, but the limit of Woodpecker is in USD."
    )


def test_costs_in_two_currencies_are_not_added_up(factory: OrderFactory) -> None:
    order = factory.reviewed(*BOUGHT, rows="acme.com, Dana Reyes, dana")
    Price.objects.filter(vendor=order.vendor, item="mailbox").update(currency="EUR")
    sheet = plan_of(order).cost
    assert str(sheet.due_now) == "€3.00 + $13.00"
    assert_cannot_be_confirmed(
        factory, order, "This order costs €3.00 now, but the limit of ColdMailReseller is in USD."
    )


def test_the_clients_main_domain_is_never_bought(factory: OrderFactory) -> None:
    order = factory.draft(*BOUGHT, rows="fine.com, Dana Reyes, dana\nnorthwind.com, Sam Ito, sam")
    problem = next(problem for problem in plan_of(order).blocking if problem.field == "domain")
    assert problem.message == "northwind.com is the main domain of Northwind."
    assert problem.row == 2


def test_a_clients_main_domain_may_hold_mailboxes_where_no_domain_is_bought(
    factory: OrderFactory,
) -> None:
    order = factory.draft(rows="northwind.com, Dana Reyes, dana")
    assert stops(order) == []


def test_a_main_domain_set_after_handing_on_stops_confirming(factory: OrderFactory) -> None:
    order = factory.reviewed(*BOUGHT)
    Client.objects.filter(name="Northwind").update(main_domain="acme.com")
    assert_cannot_be_confirmed(factory, order, "acme.com is the main domain of Northwind.")


# Names that are taken


@pytest.mark.parametrize("state", PURCHASE_PENDING)
def test_a_name_on_an_order_under_way_is_taken(
    unguarded: None, factory: OrderFactory, state: str
) -> None:
    other = factory.reviewed(*BOUGHT)
    Order.objects.filter(pk=other.pk).update(state=state, digest="d")
    order = factory.draft(*BOUGHT, rows="fine.com, Ann Lee, ann\nACME.com, Dana Reyes, dana")
    problems = {problem.message: problem for problem in plan_of(order).blocking}
    where = f"on {other}, which reads “{fresh(other).get_state_display()}”."
    assert problems[f"acme.com is {where}"].row == 2
    assert problems[f"dana@acme.com is {where}"].row == 2
    assert len(problems) == 2


@pytest.mark.parametrize("state", ["draft", "cancelled", "refused"])
def test_a_name_on_an_order_that_bought_nothing_is_free(factory: OrderFactory, state: str) -> None:
    other = factory.draft(*BOUGHT)
    Order.objects.filter(pk=other.pk).update(state=state, digest="d")
    assert stops(factory.draft(*BOUGHT)) == []


@pytest.mark.parametrize("model", [Domain, Mailbox])
@pytest.mark.parametrize(
    ("state", "is_taken"), [("ordered", True), ("ready", True), ("refused", True), ("gone", False)]
)
def test_what_is_owned_cannot_be_bought_again(
    factory: OrderFactory, model: Any, state: str, is_taken: bool
) -> None:
    other = factory.draft(*BOUGHT)
    order = factory.draft(*BOUGHT)
    Order.objects.filter(pk=other.pk).update(state="delivered", digest="d")
    model.objects.filter(order=other).update(state=state)
    assert bool(stops(order)) is is_taken


def test_a_domain_held_since_before_says_so(factory: OrderFactory) -> None:
    Domain.objects.create(
        name="acme.com", vendor=factory.accounts["coldmailreseller"], state="ready"
    )
    (message,) = stops(factory.draft(*BOUGHT))
    assert message == "acme.com is already held at a vendor."


def test_an_order_is_not_in_its_own_way(factory: OrderFactory) -> None:
    order = factory.confirmed(*BOUGHT)
    assert stops(order) == []


def test_a_name_taken_after_handing_on_stops_confirming(factory: OrderFactory) -> None:
    order = factory.reviewed(*BOUGHT)
    Domain.objects.create(name="acme.com", vendor=order.vendor, state="ready")
    assert_cannot_be_confirmed(factory, order, "acme.com is already held at a vendor.")


def test_half_filled_drafts_have_a_plan_that_says_what_is_missing(factory: OrderFactory) -> None:
    for api, product in PRODUCTS:
        order = factory.draft(api, product, rows="", options={})
        assert plan_of(order).digest
        assert stops(order)
