"""A confirmer adds a second factor, logs in with it, sends an order back, confirms with it, and
loses the phone.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.auth.phone import Phone
from tests.browser.conftest import WIDE
from tests.browser.crawl import faults
from tests.browser.people import (
    UNDER_WAY,
    OpenPage,
    chip,
    confirm_button,
    mailbox_order,
    review,
    send,
    send_again,
    send_back,
)
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

NAME, PASSWORD = "ines", "seven-tired-otters"
MAKE = f"""
from django.contrib.auth.models import Group, User
user = User.objects.create_user("{NAME}", password="{PASSWORD}", is_staff=True)
user.groups.add(Group.objects.get(name="Confirmer"))
"""
HOURS_LATER = f"""
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
pk = str(User.objects.get(username="{NAME}").pk)
for row in Session.objects.all():
    if row.get_decoded().get("_auth_user_id") == pk:
        session = SessionStore(row.session_key)
        session["doors_fresh"] = 0
        session.save()
"""


def log_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(NAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def expect_today(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Today")


def test_from_the_first_code_to_the_lost_phone(
    stack: Stack, browser: Browser, open_page: OpenPage
) -> None:
    stack.manage("shell", "--no-imports", "-c", MAKE)
    window = browser.new_context(base_url=stack.url, viewport=WIDE)
    page, trouble = window.new_page(), []
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    log_in(page)
    expect_today(page)

    page.locator(".menu.user summary").click()
    page.get_by_role("link", name="Second factor").first.click()
    page.get_by_role("link", name="Add a second factor").click()
    picture = page.get_by_role("img", name="QR code")
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
    assert faults(page) == []
    phone = Phone(page.locator(".key code").inner_text())
    page.get_by_label("Code that the app shows now").fill(phone.code())
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your recovery codes")
    codes = page.locator(".codes code").all_inner_texts()
    assert len(codes) == 10
    assert faults(page) == []

    window.clear_cookies()
    log_in(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your second factor")
    assert faults(page) == []
    page.get_by_label("Code").fill(phone.code())
    page.get_by_role("button", name="Log in").click()
    expect_today(page)

    domain = "asked-again.com"
    drafter = open_page("drafter")
    number = send(drafter, mailbox_order(domain))
    review(page, number)
    send_back(page, "Sam is missing")
    send_again(drafter, number, f"{domain}, Priya Shah, priya\n{domain}, Sam Ito, sam")
    review(page, number)
    expect(page.locator("#since ins").filter(has_text=f"sam@{domain}")).to_be_visible()
    stack.manage("shell", "--no-imports", "-c", HOURS_LATER)
    confirm_button(page).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Is it still you?")
    assert stack.books(domain)["requests"] == []
    assert faults(page) == []
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code").fill(phone.code())
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(f"MO-{1000 + number} is confirmed.")).to_be_visible()
    expect(chip(page)).to_have_text(UNDER_WAY)
    assert len(stack.books(domain)["charges"]) == 1

    window.clear_cookies()
    log_in(page)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    expect_today(page)
    page.goto("/second-factor/")
    expect(page.get_by_text("Recovery codes left")).to_be_visible()
    expect(page.locator(".facts dd").last).to_have_text("9")
    assert trouble == []
    window.close()
