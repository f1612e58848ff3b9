"""What holds an order: the switch for everything, a planned time, and an account that stopped
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import (
    UNDER_WAY,
    chip,
    confirm,
    confirm_button,
    fact,
    mailbox_order,
    open_account,
    review,
    send,
)
from tests.browser.stack import Stack, until

pytestmark = pytest.mark.browser

OPEN = """
from vendors.models import SendingSwitch, Vendor
SendingSwitch.current().release()
for vendor in Vendor.objects.filter(stopped_at__isnull=False):
    vendor.resume()
"""


@pytest.fixture
def opened_after(stack: Stack) -> Iterator[None]:
    """Whatever becomes of the test, the next one finds sending open."""
    yield
    stack.manage("shell", "--no-imports", "-c", OPEN)


def expect_sent(stack: Stack, page: Page) -> None:
    """The open page follows its order until that is under way, once what runs every minute rang for
    it.
    """

    def is_under_way() -> bool:
        stack.sweep()
        return bool(UNDER_WAY.search(chip(page).inner_text()))

    until(is_under_way, "the order to be under way", seconds=120)


@pytest.mark.usefixtures("opened_after")
def test_while_all_sending_is_held_orders_wait_and_go_out_when_it_is_released(
    stack: Stack, drafter: Page, confirmer: Page, operator: Page
) -> None:
    domain = "held-acme.com"
    operator.goto("/")
    operator.get_by_text("Hold all sending", exact=True).first.click()
    operator.get_by_label("Hold all sending because").fill("The prices look wrong")
    operator.get_by_role("button", name="Hold all sending").click()
    banner = operator.locator("#header .banner.held")
    expect(banner).to_contain_text("because operator said: The prices look wrong")
    assert faults(operator) == []

    number = send(drafter, mailbox_order(domain))
    expect(drafter.locator("#header .banner.held")).to_be_visible()
    confirm(confirmer, number)
    said = confirmer.get_by_role("note").filter(has_text="Not sent yet.")
    expect(said).to_contain_text("All sending is held since")
    expect(said).to_contain_text("by operator: The prices look wrong.")
    expect(fact(confirmer, "Acts next")).to_have_text("An operator")
    assert faults(confirmer) == []
    stack.sweep()
    assert stack.books(domain)["requests"] == []
    confirmer.goto("/orders/order/?tab=moving")
    row = confirmer.get_by_role("row").filter(has_text=f"MO-{1000 + number}")
    expect(row).to_contain_text("All sending is held")
    confirmer.goto("/")
    expect(confirmer.get_by_text("to be sent.")).to_contain_text("confirmed order")

    confirmer.goto(f"/orders/order/{number}/change/")
    operator.goto("/")
    operator.get_by_role("button", name="Let sending go on").click()
    expect(banner).to_have_count(0)
    expect_sent(stack, confirmer)
    assert len(stack.books(domain)["requests"]) == 1


def test_an_order_waits_for_its_planned_time_and_can_be_cancelled_until_then(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    domain = "planned-acme.com"
    number = send(drafter, mailbox_order(domain))
    review(confirmer, number)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for at in (tomorrow - timedelta(days=2), tomorrow):
        if not confirmer.get_by_label("Send it not before").is_visible():
            confirmer.get_by_text("Send it later", exact=True).click()
        confirmer.get_by_label("Send it not before").fill(f"{at:%Y-%m-%dT%H:%M}")
        confirm_button(confirmer).click()
        if at < tomorrow:
            expect(confirmer.get_by_text("Choose a time that lies ahead")).to_be_visible()
            assert faults(confirmer) == []
    planned = f"Planned for {tomorrow:%-d %b, %H:%M}."
    expect(confirmer.get_by_role("status").filter(has_text="is confirmed.")).to_contain_text(
        planned
    )
    expect(confirmer.get_by_role("note").filter(has_text="Not sent yet.")).to_contain_text(planned)
    stack.sweep()
    assert stack.books(domain)["requests"] == []
    confirmer.get_by_role("link", name="Cancel order").click()
    confirmer.get_by_label("Why?").fill("Not needed any more")
    confirmer.get_by_role("button", name="Cancel the order").click()
    expect(chip(confirmer)).to_have_text("Cancelled")


@pytest.mark.usefixtures("opened_after")
def test_an_account_whose_key_is_refused_stops_itself_until_an_operator_opens_it(
    stack: Stack, drafter: Page, confirmer: Page, operator: Page
) -> None:
    confirm(confirmer, send(drafter, mailbox_order("bad-key-acme.com")))
    expect(chip(confirmer)).to_have_text("Refused, nothing was bought")

    number = send(drafter, mailbox_order("after-bad-key.com"))
    confirm(confirmer, number)
    said = confirmer.get_by_role("note").filter(has_text="Not sent yet.")
    expect(said).to_contain_text("Sending to Woodpecker is stopped since")
    expect(said).to_contain_text("The vendor does not accept the key.")

    open_account(operator, "Woodpecker")
    stopped = operator.get_by_role("region", name="Sending to Woodpecker is stopped")
    expect(stopped).to_contain_text("by MailOps itself")
    expect(stopped).to_contain_text("1 confirmed order waits")
    expect(stopped.get_by_role("heading", name="What to do")).to_be_visible()
    assert faults(operator) == []
    operator.get_by_role("button", name="Test the key").click()
    expect(operator.get_by_text("The key works.")).to_be_visible()
    operator.get_by_role("button", name="Open sending again").click()
    expect(operator.get_by_text("Sending to Woodpecker is open.")).to_be_visible()
    expect(stopped).to_have_count(0)
    expect_sent(stack, confirmer)
    assert len(stack.books("after-bad-key.com")["requests"]) == 1
