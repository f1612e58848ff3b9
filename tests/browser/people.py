"""What people do in the browser, in the words of the pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

OpenPage = Callable[[str], Page]
GOOGLE = {
    "Google sign-in address": "https://accounts.google.com/o/oauth2/v2/auth/oauthchooseaccount?access_type=offline",
    "Google client ID": "549360251880-practice.apps.googleusercontent.com",
    "Google app name": "Outreach App",
}
UNDER_WAY = re.compile("Accepted, being set up|Delivered")
MARK = "window.isSamePage = true"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a drafter is asked to order: where, what, the lines to paste, and the other fields by
    their labels.
    """

    account: str
    what: str
    lines: str
    fields: Mapping[str, str] = field(default_factory=dict)
    gives_reference: bool = False

    @property
    def domains(self) -> list[str]:
        """The domains in the lines, each once."""
        return list(dict.fromkeys(line.partition(",")[0] for line in self.lines.splitlines()))


def mailbox_order(domain: str, *, people: str = "Priya Shah, priya", **fields: str) -> Wanted:
    """The smallest order there is: one mailbox at Woodpecker."""
    return Wanted(
        account="Woodpecker (practice)",
        what="Mailboxes on a domain you have there",
        lines=f"{domain}, {people}",
        fields={"Client": "Northwind", "Provider of the mailboxes": "GOOGLE mailbox"} | fields,
    )


def chip(page: Page) -> Locator:
    """The state at the top of an order's page."""
    return page.locator(".head .chip")


def fact(page: Page, name: str) -> Locator:
    """A line of the card about the order."""
    return page.locator(".facts > div").filter(has=page.get_by_text(name, exact=True)).locator("dd")


def labelled(page: Page, label: str) -> Locator:
    return page.get_by_label(re.compile(rf"^{re.escape(label)}( optional)?$"))


def fill(page: Page, label: str, value: str) -> None:
    box = labelled(page, label)
    if box.evaluate("box => box.tagName") == "SELECT":
        box.select_option(label=value)
    else:
        box.fill(value)


def lines_box(page: Page) -> Locator:
    return labelled(page, "Domains and people")


def fill_lines(page: Page, lines: str) -> None:
    lines_box(page).fill(lines)


def number_of(page: Page) -> int:
    """The order whose page is open, by the number in its address."""
    found = re.search(r"/orders/order/(\d+)/", page.url)
    assert found, f"{page.url} is no order's page"
    return int(found[1])


def open_order(page: Page, number: int, name: str = "change") -> None:
    page.goto(f"/orders/order/{number}/{name}/")


def begin(page: Page, wanted: Wanted) -> None:
    """From Today to a filled form that is not saved yet."""
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="New order").click()
    account = page.locator("section").filter(
        has=page.get_by_role("heading", name=wanted.account, exact=True)
    )
    account.get_by_role("link", name=wanted.what, exact=True).click()
    for label, value in wanted.fields.items():
        fill(page, label, value)
    fill_lines(page, wanted.lines)


def draft(page: Page, wanted: Wanted) -> int:
    """A saved draft; its number."""
    begin(page, wanted)
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("is saved as a draft")).to_be_visible()
    return number_of(page)


def send(page: Page, wanted: Wanted) -> int:
    """An order that waits for confirmation; its number."""
    begin(page, wanted)
    page.get_by_role("button", name="Send for confirmation").click()
    expect(chip(page)).to_have_text("Waiting for confirmation")
    return number_of(page)


def review(page: Page, number: int) -> None:
    """From Today to the page on which the order can be confirmed."""
    page.goto("/")
    page.get_by_role("link", name=f"Review MO-{1000 + number}", exact=True).click()
    page.get_by_role("link", name=re.compile("^Confirm and buy for")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Confirm MO-{1000 + number}?")


def send_back(page: Page, why: str) -> None:
    """From the page on which the order can be confirmed back to its drafter."""
    page.get_by_role("link", name="Send back").click()
    page.get_by_label("Why?").fill(why)
    page.get_by_role("button", name="Send back").click()
    expect(chip(page)).to_have_text("Draft")


def send_again(page: Page, number: int, lines: str) -> None:
    """The drafter's answer: other lines, sent for confirmation once more."""
    open_order(page, number)
    page.get_by_role("link", name="Edit").click()
    fill_lines(page, lines)
    page.get_by_role("button", name="Send for confirmation").click()
    expect(chip(page)).to_have_text("Waiting for confirmation")


def confirm_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Confirm and buy for"))


def confirm(page: Page, number: int) -> None:
    """From Today to the page of the confirmed order, marked so that a reload would show."""
    review(page, number)
    confirm_button(page).click()
    expect(page.get_by_text(f"MO-{1000 + number} is confirmed.")).to_be_visible()
    page.evaluate(MARK)


def is_same_page(page: Page) -> bool:
    """Whether the page that was marked is still there, neither reloaded nor left."""
    return bool(page.evaluate("window.isSamePage === true"))


def rows_of(page: Page, heading: str) -> Locator:
    """The body rows of the table under a heading."""
    return page.get_by_role("region", name=heading).locator("tbody tr")


def token(page: Page) -> str:
    """The page's own proof that a POST comes from it."""
    return page.locator("[name=csrfmiddlewaretoken]").first.input_value()


def open_account(page: Page, name: str) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Vendor accounts").click()
    page.locator("#result_list").get_by_role("link", name=name).click()


def enter_key(page: Page, account: str, key: str) -> None:
    """Type a key into the account's form, propose it, and stay."""
    open_account(page, account)
    page.get_by_label("API key").fill(key)
    page.get_by_label("Why?").fill("The vendor gave us a new one.")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("Saved. The new API key waits for a second person.")).to_be_visible()


def approve_proposal(page: Page, about: str) -> None:
    """From Today to the page of what somebody else proposed, and into force."""
    page.goto("/")
    card = page.locator("section").filter(
        has=page.get_by_role("heading", name="Changes that wait for a second person")
    )
    card.get_by_role("link", name=about, exact=True).click()
    page.get_by_role("button", name="Approve and apply").click()
    expect(page.get_by_text("Approved. It is in force now.")).to_be_visible()


def settle(
    page: Page, verdict: str, reason: str, *, there: tuple[str, ...] = (), button: str
) -> None:
    """On the page about the vendor: choose what was found, tick what is there, say how one knows."""
    page.get_by_label(verdict).check()
    for name in there:
        page.get_by_label(name, exact=True).check()
    page.get_by_label("How do you know?").fill(reason)
    page.get_by_role("button", name=button).click()
