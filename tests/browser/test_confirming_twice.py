"""Two clicks, two tabs, five requests at once, or an order that changed meanwhile: what is bought
is bought once.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import faults
from tests.browser.people import (
    UNDER_WAY,
    OpenPage,
    chip,
    confirm_button,
    fill_lines,
    mailbox_order,
    open_order,
    review,
    rows_of,
    send,
    token,
)
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

POST_AT_ONCE = """([body, times]) => Promise.all(Array.from({length: times}, () =>
    fetch(location.href, {method: "POST", body: new URLSearchParams(body)}).then((answer) => answer.status)))"""


def expect_bought_once(stack: Stack, page: Page, domain: str) -> None:
    """Under way after one attempt, and one request and one charge in the vendor's books."""
    expect(chip(page)).to_have_text(UNDER_WAY)
    expect(rows_of(page, "Attempts")).to_have_count(1)
    books = stack.books(domain)
    assert (len(books["charges"]), len(books["requests"])) == (1, 1)


def test_a_double_click_on_confirm_buys_once(stack: Stack, drafter: Page, confirmer: Page) -> None:
    review(confirmer, send(drafter, mailbox_order("double-click.com")))
    confirm_button(confirmer).dblclick()
    expect_bought_once(stack, confirmer, "double-click.com")


def test_five_posts_at_the_same_moment_buy_once(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    number = send(drafter, mailbox_order("five-posts.com"))
    review(confirmer, number)
    body = {
        "csrfmiddlewaretoken": token(confirmer),
        "digest": confirmer.locator("[name=digest]").input_value(),
    }
    answers = confirmer.evaluate(POST_AT_ONCE, [body, 5])
    assert answers == [200] * 5  # each was led on to the order's page
    open_order(confirmer, number)
    expect_bought_once(stack, confirmer, "five-posts.com")


def test_the_second_of_two_tabs_is_told_that_it_is_ordered_once(
    stack: Stack, drafter: Page, confirmer: Page, open_page: OpenPage
) -> None:
    number = send(drafter, mailbox_order("two-tabs.com"))
    second = open_page("confirmer")
    for tab in (confirmer, second):
        review(tab, number)
    confirm_button(confirmer).click()
    expect(confirmer.get_by_text(f"MO-{1000 + number} is confirmed.")).to_be_visible()
    confirm_button(second).click()
    expect(
        second.get_by_text(f"You confirmed MO-{1000 + number} already. It is ordered once.")
    ).to_be_visible()
    expect_bought_once(stack, second, "two-tabs.com")


def test_an_order_that_changed_is_not_confirmed_and_the_page_says_how(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    number = send(drafter, mailbox_order("changed-order.com"))
    review(confirmer, number)
    open_order(drafter, number, "back")
    drafter.get_by_label("Why?").fill("One mailbox was missing")
    drafter.get_by_role("button", name="Send back").click()
    drafter.get_by_role("link", name="Edit").click()
    fill_lines(drafter, "changed-order.com, Priya Shah, priya\nchanged-order.com, Lee Wong, lee")
    drafter.get_by_role("button", name="Send for confirmation").click()
    expect(chip(drafter)).to_have_text("Waiting for confirmation")

    confirm_button(confirmer).click()
    said = confirmer.get_by_role("alert")
    expect(said).to_contain_text("This order changed after you opened it, so it was not confirmed.")
    expect(said).to_contain_text("Nothing was sent.")
    expect(said).to_contain_text(re.compile(r"the number changed from 1 to 2"))
    expect(said).to_contain_text("lee@changed-order.com")
    expect(rows_of(confirmer, "Domains and mailboxes")).to_have_count(2)
    assert stack.books("changed-order.com")["requests"] == []
    assert faults(confirmer) == []

    confirm_button(confirmer).click()
    expect_bought_once(stack, confirmer, "changed-order.com")
