"""The real stack and a real Chromium, with one signed-in browser window for each role."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from tests.browser import stack as stacks
from tests.browser.people import OpenPage, approve_proposal, enter_key
from tests.browser.stack import Stack

KNOWN_KEY = "practice-known-secret-1234567890"
WIDE = {"width": 1360, "height": 900}
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    data = tmp_path_factory.mktemp("stack")
    with stacks.database(data) as url:
        running = Stack(data, url)
        try:
            running.start()
            yield running
        finally:
            running.stop()


# A package's, not the session's: while Playwright runs, Django refuses other tests its database.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not chromium or not Path(chromium).exists():
        pytest.fail(
            "No Chromium was found. Install one, or set CHROMIUM to its path.", pytrace=False
        )
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def windows(browser: Browser, stack: Stack) -> dict[str, BrowserContext]:
    """A window for each role, signed in at the log-in page."""
    found = {}
    for name, password in stack.logins.items():
        window = browser.new_context(base_url=stack.url, viewport=WIDE)
        page = window.new_page()
        page.goto("/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Today")
        page.close()
        found[name] = window
    return found


def _is_trouble(message: ConsoleMessage) -> bool:
    """An error in the console, less the line that Chromium writes for every answer of 400 and
    above.
    """
    return message.type == "error" and not message.text.startswith("Failed to load resource")


@pytest.fixture(scope="package")
def seen() -> dict[str, str]:
    """What the walk through all pages saw, by role and address."""
    return {}


@pytest.fixture
def open_page(windows: dict[str, BrowserContext]) -> Iterator[OpenPage]:
    """Opens a tab in a role's window. Whatever the page does, its console must stay clean."""
    pages: list[Page] = []
    trouble: list[str] = []

    def tab(role: str) -> Page:
        page = windows[role].new_page()
        page.on(
            "console",
            lambda message: trouble.append(message.text) if _is_trouble(message) else None,
        )
        page.on("pageerror", lambda error: trouble.append(str(error)))
        pages.append(page)
        return page

    yield tab
    for page in pages:
        page.close()
    assert not trouble, trouble


@pytest.fixture(scope="package")
def known_key(windows: dict[str, BrowserContext]) -> None:
    """A key that can be looked for afterwards, at the vendor that takes it in the address."""
    page = windows["operator"].new_page()
    enter_key(page, "SmartSenders", KNOWN_KEY)
    page.close()
    page = windows["confirmer"].new_page()
    approve_proposal(page, "SmartSenders (practice)")
    page.close()


@pytest.fixture
def drafter(open_page: OpenPage) -> Page:
    return open_page("drafter")


@pytest.fixture
def confirmer(open_page: OpenPage) -> Page:
    return open_page("confirmer")


@pytest.fixture
def operator(open_page: OpenPage) -> Page:
    return open_page("operator")


@pytest.fixture
def auditor(open_page: OpenPage) -> Page:
    return open_page("auditor")
