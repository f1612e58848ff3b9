"""What the practice values bring about, and what people then see: refused, no money, no answer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import (
    begin,
    chip,
    confirm,
    is_same_page,
    mailbox_order,
    open_order,
    rows_of,
    send,
)
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

UNKNOWN = "Outcome unknown: check the vendor"


def test_a_refusal_names_the_row_and_says_that_nothing_was_bought(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    lines = "Priya Shah, priya\nrefused-field-b.com, Lee Wong, lee"
    confirm(confirmer, send(drafter, mailbox_order("good-a.com", people=lines)))
    expect(chip(confirmer)).to_have_text("Refused, nothing was bought")
    assert is_same_page(confirmer)
    said = confirmer.get_by_role("note").filter(has_text="Refused, nothing was bought.")
    expect(said).to_contain_text("Line 2: The vendor does not take lee@refused-field-b.com.")
    expect(said).to_contain_text("Woodpecker says: “Email domain must exist")
    expect(said).not_to_contain_text("Line 1")
    assert stack.books("refused-field-b.com")["charges"] == []


def test_a_refused_order_is_copied_into_a_new_draft(drafter: Page, confirmer: Page) -> None:
    number = send(drafter, mailbox_order("refused-field-copy.com"))
    confirm(confirmer, number)
    expect(chip(confirmer)).to_have_text("Refused, nothing was bought")
    drafter.goto("/")
    drafter.get_by_role("link", name=f"Fix and copy MO-{1000 + number}").click()
    drafter.get_by_role("button", name="Copy into a new draft").click()
    expect(drafter.get_by_text(f"is a copy of MO-{1000 + number}")).to_be_visible()
    expect(drafter.get_by_label("Domains and people")).to_have_value(
        "refused-field-copy.com, Priya Shah, priya"
    )


def test_an_order_without_funds_says_what_to_do_and_its_account_goes_on(
    stack: Stack, drafter: Page, confirmer: Page, operator: Page
) -> None:
    confirm(confirmer, send(drafter, mailbox_order("no-funds-acme.com")))
    expect(chip(confirmer)).to_have_text("Refused, nothing was bought")
    expect(
        confirmer.get_by_text("The prepaid funds at Woodpecker are too low.").first
    ).to_be_visible()
    expect(
        confirmer.get_by_text("Add prepaid funds in Woodpecker, then copy this order").first
    ).to_be_visible()
    assert stack.books("no-funds-acme.com")["charges"] == []
    operator.goto("/vendors/vendor/")
    operator.get_by_role("link", name="Woodpecker").first.click()
    operator.get_by_role("button", name="Let orders go on").click()


def test_an_order_without_an_answer_stays_unknown_until_a_person_settles_it(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    domain = "timeout-after-acme.com"
    number = send(drafter, mailbox_order(domain))
    confirm(confirmer, number)
    expect(chip(confirmer)).to_have_text("Being sent")
    expect(chip(confirmer)).to_have_text(UNKNOWN)
    assert is_same_page(confirmer)
    expect(confirmer.get_by_text("The vendor may hold a charge.")).to_be_visible()
    confirmer.reload()
    expect(chip(confirmer)).to_have_text(UNKNOWN)

    confirmer.goto("/")
    confirmer.get_by_role("link", name=f"Check MO-{1000 + number}", exact=True).click()
    confirmer.get_by_role("link", name="Check the vendor").click()
    expect(confirmer.get_by_text("Absence is not proof.")).to_be_visible()
    confirmer.get_by_role(
        "button", name=re.compile("^Look ")
    ).click()  # MailOps may have looked by itself meanwhile
    expect(confirmer.get_by_text("MailOps looked")).to_be_visible()
    expect(confirmer.locator(".checks")).to_contain_text(f"priya@{domain}")
    confirmer.get_by_label("It was placed").check()
    confirmer.get_by_label("How do you know?").fill("The mailbox is listed at Woodpecker")
    confirmer.get_by_role("button", name="Settle the outcome").click()
    expect(chip(confirmer)).to_have_text("Accepted, being set up")
    expect(
        confirmer.get_by_text("settled: it was placed: “The mailbox is listed at Woodpecker”")
    ).to_be_visible()
    expect(rows_of(confirmer, "Attempts")).to_have_count(1)
    books = stack.books(domain)
    assert (len(books["charges"]), len(books["requests"])) == (1, 1)


def test_an_unknown_order_keeps_its_mailboxes_from_other_orders_and_is_never_sent_again_by_itself(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    domain = "timeout-before-acme.com"
    number = send(drafter, mailbox_order(domain))
    confirm(confirmer, number)
    expect(chip(confirmer)).to_have_text(UNKNOWN)
    begin(drafter, mailbox_order(domain))
    drafter.get_by_role("button", name="Send for confirmation").click()
    expect(
        drafter.get_by_text(
            f"priya@{domain} is on MO-{1000 + number}, which reads “{UNKNOWN}”"
        ).first
    ).to_be_visible()

    open_order(confirmer, number, "check")
    confirmer.get_by_label("It was not placed").check()
    confirmer.get_by_label("How do you know?").fill("Support looked it up")
    confirmer.get_by_role("button", name="Settle the outcome").click()
    expect(chip(confirmer)).to_have_text("Waiting for confirmation")
    assert len(stack.books(domain)["requests"]) == 1
