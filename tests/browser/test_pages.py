"""Every page of every role: it answers, keeps the security policy, can be read on a phone and
without seeing it.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.crawl import WIDE, Crawl, Look, states_of_orders
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def looks(
    stack: Stack, browser: Browser, windows: dict[str, BrowserContext], seen: dict[str, str]
) -> list[Look]:
    states, known = states_of_orders(windows["auditor"]), set()
    crawls = [Crawl(window, role, states=states, known=known) for role, window in windows.items()]
    stranger = browser.new_context(base_url=stack.url, viewport=WIDE)
    crawls.append(Crawl(stranger, "nobody", start="/login/", states={}, known=known))
    found = [look for crawl in crawls for look in crawl.looks()]
    stranger.close()
    seen.update({str(look): look.html for look in found})
    return found


def test_every_role_reaches_its_pages_and_every_page_answers(looks: list[Look]) -> None:
    assert [f"{look}: {look.status}" for look in looks if look.status != 200] == []
    counts = {
        role: sum(look.role == role for look in looks) for role in {look.role for look in looks}
    }
    assert all(counts[role] > 25 for role in ("drafter", "confirmer", "operator", "auditor")), (
        counts
    )


def test_no_page_logs_an_error_or_breaks_the_security_policy(looks: list[Look]) -> None:
    assert {str(look): look.console for look in looks if look.console} == {}


def test_every_page_has_one_heading_that_names_it(looks: list[Look]) -> None:
    assert {str(look): look.headings for look in looks if look.headings != 1} == {}


def test_every_field_has_a_label(looks: list[Look]) -> None:
    assert {str(look): look.unlabelled for look in looks if look.unlabelled} == {}


def test_no_page_scrolls_sideways_on_a_phone(looks: list[Look]) -> None:
    assert {str(look): look.sideways for look in looks if look.sideways} == {}


def test_axe_finds_no_serious_barrier(looks: list[Look]) -> None:
    assert {str(look): look.barriers for look in looks if look.barriers} == {}


@pytest.mark.parametrize("role", ["drafter", "confirmer", "operator", "auditor"])
def test_today_and_an_order_are_light_on_a_first_visit(
    role: str, stack: Stack, browser: Browser, windows: dict[str, BrowserContext]
) -> None:
    for path in ("/", "/orders/order/1/change/"):
        window = browser.new_context(
            base_url=stack.url, storage_state=windows[role].storage_state()
        )
        assert weight(window.new_page(), path) < MOST_BYTES, path
        window.close()


def weight(page: Page, path: str) -> int:
    """Bytes that a page needs as they are transferred, nothing cached before."""
    requests = []
    page.on("requestfinished", lambda request: requests.append(request))
    page.goto(path, wait_until="networkidle")
    return sum(request.sizes()["responseBodySize"] for request in requests)
