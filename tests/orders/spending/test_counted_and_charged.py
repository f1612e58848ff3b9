"""Limits count what the practice vendors charged, and unknown outcomes that may have bought."""

from __future__ import annotations

from itertools import count

import hypothesis
from hypothesis import strategies as st

from mailops.core.money import Totals
from orders.models import Order, State
from orders.outcomes.settlement import CREATED, NOT_PLACED, PLACED, PROCESSED
from orders.spending import limits
from tests.conftest import OPTIONS, OrderFactory, fresh
from tests.orders.outcomes.creating import (
    CMR,
    CREATE_ONLY,
    leave,
    look_processed,
    processing,
    record_processed,
)
from vendors.practice.server import Practice

words = count(1)
VENDORS = [CMR, ("woodpecker", "mailboxes"), ("scaledmail", "package"), ("smartsenders", "domains")]
FATES = ["ordinary", "refused-field", "cut-before", "cut-after"]
# What people say about an order afterwards, where its state allows for it
ACTS = ["nothing", "processed", "left", "left, then processed", "listed, then left", "settled"]
MIX = st.lists(
    st.tuples(
        st.sampled_from([*VENDORS, "create only", "create only"]),
        st.sampled_from(FATES),
        st.sampled_from(ACTS),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


class Books:
    """What the vendors charged, by order: the practice ledger, and what a dashboard processed."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        self.processed: dict[
            int, Totals
        ] = {}  # in the vendor's dashboard, which MailOps never sees

    def charged(self, order: Order) -> Totals:
        names = {line.name for line in order.contents}
        is_charged = any(names & set(charge.domains) for charge in self.practice.ledger.charges())
        return order.due if is_charged else self.processed.get(order.pk, Totals())


def counted(order: Order) -> Totals:
    attempts = limits.spending().filter(order=order)
    return Totals.of(pair for one in attempts for pair in Totals.from_dict(one.due_now).items())


def send(factory: OrderFactory, vendor: tuple[str, str] | str, fate: str) -> Order:
    options = CREATE_ONLY if vendor == "create only" else OPTIONS[vendor]  # type: ignore[index]
    api, product = CMR if vendor == "create only" else vendor  # type: ignore[misc]
    for account in factory.accounts.values():  # three unknown outcomes in a row stop one
        account.refresh_from_db()
        if account.is_stopped:
            account.resume()
    return factory.sent(api, product, options=options, word=f"{fate}-{next(words)}")


def act(factory: OrderFactory, books: Books, order: Order, doing: str, is_there: bool) -> None:
    if order.state == State.CREATED and doing != "settled":
        if doing.startswith("listed"):
            look_processed(order)
        if "left" in doing:
            leave(factory, order, whose="Another customer's.")
        if doing.endswith("processed"):
            books.processed[order.pk] = order.due
            record_processed(factory, order, paid=order.due)
    elif order.state == State.UNKNOWN and doing == "settled":
        if not order.creates_only:
            # A person who looks well says what the vendor has.
            there = bool(books.charged(order))
            factory.settle(order, PLACED if there else NOT_PLACED)
        elif is_there:
            books.processed[order.pk] = order.due
            factory.settle(order, PROCESSED, processing=processing(paid=order.due))
        else:
            factory.settle(order, CREATED)


def may_have_bought(order: Order) -> bool:
    return order.state == State.UNKNOWN and not order.creates_only


@hypothesis.given(mix=MIX)
@hypothesis.settings(
    max_examples=12,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_limits_count_what_was_charged_and_unknown_outcomes_that_buy_at_once_in_full(
    factory: OrderFactory, practice: Practice, mix: list[tuple[object, str, str, bool]]
) -> None:
    books = Books(practice)
    for vendor, fate, doing, is_there in mix:
        order = send(factory, vendor, fate)  # type: ignore[arg-type]
        act(factory, books, order, doing, is_there)
        order = fresh(order)
        wanted = order.due if may_have_bought(order) else books.charged(order)
        assert {name: sum_ for name, sum_ in counted(order).items() if sum_} == wanted
