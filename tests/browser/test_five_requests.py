"""Each of the five paid requests, from pasted lines to the vendor's books, by two people and
watched by a third.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.people import (
    GOOGLE,
    MARK,
    UNDER_WAY,
    Wanted,
    chip,
    confirm,
    confirm_button,
    fact,
    is_same_page,
    mailbox_order,
    open_order,
    review,
    rows_of,
    send,
    token,
)
from tests.browser.stack import Stack, until

pytestmark = pytest.mark.browser

HOSTING_PASSWORD = "hosting password, typed once 4711"
FOUR = "{0}.net, Dana Reyes\n{0}-b.net, Sam Ito\n{0}-c.net, Lee Wong\n{0}-d.net, Priya Shah"
PACKAGE = {
    "Client": "Acme Labs",
    "Domains forward to": "acmelabs.com",
    "Package": "SM Google 100%, 4 domains",
}


def elsewhere(word: str) -> Wanted:
    """A package on domains held elsewhere; ScaledMail is told the password for them."""
    return Wanted(
        account="ScaledMail (practice)",
        what="Package of domains with mailboxes",
        lines=FOUR.format(word),
        fields=PACKAGE
        | {
            "Domains bought at": "Somewhere else, such as Porkbun or Namecheap",
            "Where the domains are held": "Porkbun",
            "User name there": "acme",
            "Password there": HOSTING_PASSWORD,
        },
    )


WANTED = {
    "ColdMailReseller, domains": Wanted(
        account="ColdMailReseller (practice)",
        what="New domains with mailboxes",
        lines=(
            "five-cmr.com, Dana Reyes, dana\nfive-cmr.com, Sam Ito, sam\nfive-cmr.net, Lee"
            " Wong, lee"
        ),
        fields={
            "Client": "Acme Labs",
            "Domains forward to": "acmelabs.com",
            "Mailboxes from": "Google",
        }
        | GOOGLE,
        gives_reference=True,
    ),
    "ColdMailReseller, mailboxes": Wanted(
        account="ColdMailReseller (practice)",
        what="Mailboxes on a domain you have there",
        lines="five-held.com, Dana Reyes, dana\nfive-held.com, Sam Ito, sam",
        fields={"Client": "Acme Labs", "Subscription ID": "SUB-1"} | GOOGLE,
        gives_reference=True,
    ),
    "ScaledMail, package": Wanted(
        account="ScaledMail (practice)",
        what="Package of domains with mailboxes",
        lines=FOUR.format("five-scaled"),
        fields=PACKAGE,
    ),
    "ScaledMail, domains held elsewhere": elsewhere("five-elsewhere"),
    "Woodpecker, mailboxes": mailbox_order("five-wood.com"),
    "SmartSenders, domains": Wanted(
        account="SmartSenders (practice)",
        what="New domains with mailboxes",
        lines="five-smart.com, Dana Reyes, dana\nfive-smart.com, Sam Ito, sam",
        fields={
            "Client": "Acme Labs",
            "Registrant contact": "Acme Labs, registrant",
            "Domains forward to": "acmelabs.com",
            "Supplier": "inboxkitGoogle domain",
        },
        gives_reference=True,
    ),
}


def _drafter_sends(page: Page, wanted: Wanted) -> int:
    """Drafted and handed on; the drafter sees that the next step is somebody else's."""
    number = send(page, wanted)
    expect(page.get_by_role("link", name=re.compile("^Confirm and"))).to_have_count(0)
    expect(confirm_button(page)).to_be_disabled()
    answer = page.request.post(
        f"/orders/order/{number}/confirm/", form={"csrfmiddlewaretoken": token(page)}
    )
    assert answer.status == 403
    return number


def _confirmer_confirms(page: Page, number: int, wanted: Wanted) -> None:
    """Sees what it costs and the very request, then confirms; the page goes on by itself."""
    review(page, number)
    amount = page.get_by_label("Decide").locator(".big").inner_text()
    assert re.search(r"[$€]\d+\.\d\d", amount)
    expect(confirm_button(page)).to_have_text(f"Confirm and buy for {amount}")
    page.get_by_text("Show the request").click()
    request = page.locator("pre.code").first
    expect(request).to_contain_text("POST ")
    expect(request).to_contain_text(wanted.domains[0])
    assert HOSTING_PASSWORD not in request.inner_text()
    confirm_button(page).click()
    expect(page.get_by_text(f"MO-{1000 + number} is confirmed.")).to_be_visible()
    page.evaluate(MARK)
    expect(chip(page)).to_have_text(UNDER_WAY)
    assert is_same_page(page)


def _auditor_reads(page: Page, number: int) -> None:
    """The order and all of its records; nothing to press, and nothing happens to what is sent past
    the buttons.
    """
    open_order(page, number)
    expect(page.locator(".head .actions").get_by_role("link")).to_have_count(0)
    for button in page.locator(".head .actions").get_by_role("button").all():
        expect(button).to_be_disabled()
    form = {"csrfmiddlewaretoken": token(page), "digest": "0", "reason": "because"}
    for name in ("edit", "send", "back", "confirm", "cancel", "check", "arrived", "copy"):
        answer = page.request.post(f"/orders/order/{number}/{name}/", form=form)
        assert answer.status == 403, f"{name}: {answer.status}"
    page.get_by_role("link", name="All records of this order").click()
    records = page.locator("#result_list tbody")
    for step in ("drafted", "sent for confirmation", "confirmed", "accepted"):
        expect(records.get_by_role("row").filter(has_text=f"order: {step}")).to_have_count(1)
    records.get_by_role("link").first.click()
    expect(page.get_by_text(f"MO-{1000 + number}").first).to_be_visible()


@pytest.mark.parametrize(
    "wanted", [pytest.param(wanted, id=name) for name, wanted in WANTED.items()]
)
def test_a_request_is_drafted_confirmed_sent_once_and_can_be_audited(
    wanted: Wanted, stack: Stack, drafter: Page, confirmer: Page, auditor: Page
) -> None:
    number = _drafter_sends(drafter, wanted)
    _confirmer_confirms(confirmer, number, wanted)
    books = stack.books(wanted.domains[0])
    assert len(books["charges"]) == len(books["requests"]) == 1
    assert books["charges"][0]["domains"] == wanted.domains
    if wanted.gives_reference:
        expect(fact(confirmer, "Vendor's reference")).to_have_text(books["charges"][0]["reference"])
    expect(rows_of(confirmer, "Attempts")).to_have_count(1)
    _auditor_reads(auditor, number)


def test_an_open_page_follows_its_order_until_it_is_delivered(
    stack: Stack, drafter: Page, confirmer: Page
) -> None:
    confirm(confirmer, send(drafter, mailbox_order("five-delivered.com")))

    def is_delivered() -> bool:
        stack.sweep()
        return chip(confirmer).inner_text() == "Delivered"

    until(is_delivered, "the delivery")
    expect(rows_of(confirmer, "Domains and mailboxes")).to_contain_text("Ready")
    expect(confirmer.locator("#order-live[data-live]")).to_have_count(0)
    assert is_same_page(confirmer)


def test_the_auditor_finds_the_history_unbroken(auditor: Page) -> None:
    auditor.goto("/")
    auditor.get_by_role("navigation", name="Main").get_by_role("link", name="History").click()
    auditor.get_by_role("link", name="Verify the history").click()
    auditor.get_by_role("button", name="Verify everything now").click()
    expect(auditor.get_by_text("The history is unbroken.")).to_be_visible()
