"""A confirmer reviews, sends back, sees what changed since, talks about it, and confirms; several
orders at once.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import (
    UNDER_WAY,
    chip,
    confirm_button,
    mailbox_order,
    open_order,
    review,
    rows_of,
    send,
    send_again,
    send_back,
)
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser


def test_what_changed_since_the_last_look_is_what_the_confirmer_sees(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    number = send(drafter, mailbox_order("looked-at.com"))
    review(confirmer, number)
    expect(
        confirmer.get_by_role("heading", name="You have not looked at this order before")
    ).to_be_visible()
    confirmer.get_by_text("Write a comment").click()
    confirmer.get_by_role("textbox", name="Comment").fill("Lee is missing, @drafter.")
    confirmer.get_by_role("button", name="Add the comment").click()
    expect(confirmer.locator(".talk")).to_contain_text("Lee is missing, @drafter.")
    send_back(confirmer, "Lee is missing")

    drafter.goto("/")
    expect(drafter.get_by_role("heading", name="You were mentioned")).to_be_visible()
    send_again(drafter, number, "looked-at.com, Priya Shah, priya\nlooked-at.com, Lee Wong, lee")

    review(confirmer, number)
    since = confirmer.locator("#since")
    expect(since).to_contain_text("Changed since you looked")
    expect(since.locator("ins").filter(has_text="lee@looked-at.com")).to_be_visible()
    expect(rows_of(confirmer, "Changes of the cost").filter(has_text="Total now")).to_be_visible()
    assert faults(confirmer) == []
    confirm_button(confirmer).click()
    expect(chip(confirmer)).to_have_text(UNDER_WAY)
    assert len(stack.books("looked-at.com")["charges"]) == 1


def test_several_orders_are_confirmed_by_one_button_that_names_the_total(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    numbers = [send(drafter, mailbox_order(f"together-{word}.com")) for word in ("one", "two")]
    for number in numbers:
        review(confirmer, number)
    confirmer.goto("/orders/order/together/")
    confirmer.get_by_role("link", name="Woodpecker (practice)").click()
    boxes = [confirmer.locator(f"#order-{number}") for number in numbers]
    for box in boxes:
        expect(box).to_be_checked()
    button = confirmer.locator("[data-confirms]")
    boxes[1].uncheck()
    expect(button).to_have_text("Show the new total")
    boxes[1].check()
    expect(button).to_have_text(re.compile(r"^Confirm \d+ and buy for"))
    assert faults(confirmer) == []
    button.click()
    expect(confirmer.get_by_text(re.compile("orders are confirmed for"))).to_be_visible()
    for number, word in zip(numbers, ("one", "two"), strict=True):
        open_order(confirmer, number)
        expect(chip(confirmer)).to_have_text(UNDER_WAY)
        assert len(stack.books(f"together-{word}.com")["charges"]) == 1
