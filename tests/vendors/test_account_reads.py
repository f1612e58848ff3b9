"""An account's lease for questions, its rests after failures, and the reads of one task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.conftest import OrderFactory
from tests.orders.pages import browser
from vendors import account_reads, rate_limit
from vendors.account_reads import Reads
from vendors.http import ReadFailed, Reply, Request
from vendors.models import Vendor

LIST = Request(method="GET", path="/list")


@pytest.fixture
def vendor(factory: OrderFactory) -> Vendor:
    return factory.accounts["scaledmail"]


def again(vendor: Vendor) -> Vendor:
    return Vendor.objects.get(pk=vendor.pk)


# The lease


def test_an_account_has_one_lease_at_a_time(vendor: Vendor) -> None:
    until = account_reads.take(vendor.pk)
    assert until is not None
    assert account_reads.take(vendor.pk) is None
    account_reads.give_back(vendor.pk, until)
    assert account_reads.take(vendor.pk) is not None


def test_a_lease_that_nobody_gave_back_ends_by_itself(vendor: Vendor) -> None:
    now = timezone.now()
    account_reads.take(vendor.pk, now)
    assert account_reads.take(vendor.pk, now + timedelta(seconds=89)) is None
    assert account_reads.take(vendor.pk, now + timedelta(seconds=90)) is not None


def test_a_worker_that_was_late_does_not_end_the_lease_of_another(vendor: Vendor) -> None:
    now = timezone.now()
    late = account_reads.take(vendor.pk, now - timedelta(seconds=95))
    assert late and account_reads.take(vendor.pk, now)
    account_reads.give_back(vendor.pk, late)
    assert account_reads.is_asked(again(vendor), now)


def test_a_lease_of_a_clock_that_was_set_back_since_does_not_count(vendor: Vendor) -> None:
    now = timezone.now()
    account_reads.take(vendor.pk, now + timedelta(hours=3))
    assert not account_reads.is_asked(again(vendor), now)
    assert account_reads.take(vendor.pk, now) is not None


# The rests


def rest_over(vendor: Vendor) -> None:
    Vendor.objects.filter(pk=vendor.pk).update(quiet_until=timezone.now())


def minutes_of_rest(vendor: Vendor) -> int:
    until = account_reads.rests_until(again(vendor), timezone.now())
    return round((until - timezone.now()).total_seconds() / 60) if until else 0


def test_the_rests_grow_and_an_answer_ends_them(vendor: Vendor) -> None:
    grown = []
    for _ in range(7):
        account_reads.note_failure(vendor.pk, "It did not answer.")
        grown.append(minutes_of_rest(vendor))
        rest_over(vendor)
    assert grown == [1, 2, 5, 10, 30, 60, 60]
    account_reads.note_answer(vendor.pk)
    vendor.refresh_from_db()
    assert (vendor.quiet_until, vendor.reads_failed, vendor.read_said) == (None, 0, "")
    account_reads.note_failure(vendor.pk, "It did not answer.")
    assert minutes_of_rest(vendor) == 1


def test_a_failure_during_a_rest_does_not_make_it_longer(vendor: Vendor) -> None:
    account_reads.note_failure(vendor.pk, "It did not answer.")
    account_reads.note_failure(vendor.pk, "It refused the connection.")
    assert minutes_of_rest(vendor) == 1
    vendor.refresh_from_db()
    assert (vendor.reads_failed, vendor.read_said) == (1, "It refused the connection.")


def test_the_first_failure_says_since_when_there_is_no_answer(vendor: Vendor) -> None:
    account_reads.note_failure(vendor.pk, "It did not answer.")
    first = again(vendor).read_at
    rest_over(vendor)
    account_reads.note_failure(vendor.pk, "It did not answer.")
    assert again(vendor).read_at == first


def test_a_rest_that_ends_too_far_ahead_does_not_count(vendor: Vendor) -> None:
    vendor.quiet_until = timezone.now() + timedelta(hours=2)
    assert account_reads.rests_until(vendor, timezone.now()) is None


# The reads of one task


def reads(
    answer: Callable[[Request], Reply], *, may_ask: Callable[[], bool] = lambda: True
) -> tuple[Reads, list[Request]]:
    asked: list[Request] = []

    def read(request: Request) -> Reply:
        asked.append(request)
        return answer(request)

    return Reads(read=read, may_ask=may_ask), asked


def says(status: int) -> Callable[[Request], Reply]:
    return lambda request: Reply(status=status, headers={}, body=b"{}", seconds=0.1)


def test_the_same_get_is_asked_once_and_a_post_each_time() -> None:
    found, asked = reads(says(200))
    other = Request(method="GET", path="/list", query=(("page", "2"),))
    post = Request(method="POST", path="/list", body={"names": ["a"]})
    for request in (LIST, LIST, other, post, post):
        found(request)
    assert asked == [LIST, other, post, post]


def test_a_get_with_another_header_is_another_question() -> None:
    found, asked = reads(says(200))
    found(Request(method="GET", path="/list", headers={"X-Key": "a"}))
    found(Request(method="GET", path="/list", headers={"X-Key": "b"}))
    assert len(asked) == 2


def fails(request: Request) -> Any:
    raise ReadFailed("The vendor could not be asked: no answer came in time.")


def test_a_failure_of_the_network_is_remembered_though_the_adapter_passes_over_it() -> None:
    found, _ = reads(fails)
    with pytest.raises(ReadFailed):
        found(LIST)
    assert found.why_not == "The vendor could not be asked: no answer came in time."
    found.begin()
    assert found.why_not == ""


@pytest.mark.parametrize(
    ("status", "why"), [(500, "The vendor answered 500 to a harmless question."), (200, "")]
)
def test_only_a_question_without_any_answer_failed(status: int, why: str) -> None:
    found, _ = reads(says(status))
    found(LIST)
    assert found.why_not == why
    found.answers += 1
    assert found.why_not == ""


def test_asked_for_a_pause_is_no_failure() -> None:
    found, _ = reads(says(429))
    found(LIST)
    assert (found.is_throttled, found.why_not) == (True, "")


def test_nothing_is_asked_once_the_time_is_over() -> None:
    found, asked = reads(says(200), may_ask=lambda: False)
    with pytest.raises(rate_limit.Busy):
        found(LIST)
    assert (asked, found.is_busy, found.why_not) == ([], True, "")


def test_the_times_are_in_order() -> None:
    now: datetime = timezone.now()
    assert now + account_reads.LEASE > now + timedelta(seconds=60)


# The account's page


def shown(vendor: Vendor, factory: OrderFactory) -> str:
    page = browser(factory.people.operator).get(f"/vendors/vendor/{vendor.pk}/change/")
    return " ".join(page.content.decode().split())


def test_the_page_says_until_when_the_account_rests_and_why(
    vendor: Vendor, factory: OrderFactory
) -> None:
    assert "resting" not in shown(vendor, factory)
    account_reads.note_failure(vendor.pk, "The vendor could not be asked: no answer came in time.")
    until = timezone.localtime(again(vendor).quiet_until)
    page = shown(vendor, factory)
    assert (
        f"Questions to ScaledMail are resting until {until:%H:%M}: The vendor could not be asked:"
        " no answer came in time." in page
    )
    assert "Orders are sent all the same." in page


def test_the_page_says_since_when_there_is_no_answer_and_when_the_last_one_came(
    vendor: Vendor, factory: OrderFactory
) -> None:
    account_reads.note_failure(vendor.pk, "It did not answer.")
    rest_over(vendor)
    assert "ScaledMail gives MailOps no answer since" in shown(vendor, factory)
    account_reads.note_answer(vendor.pk)
    page = shown(vendor, factory)
    assert "It last answered a question of MailOps about orders" in page
    assert "no answer since" not in page
