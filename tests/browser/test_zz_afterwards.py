"""What can be told only after everything else ran: no secret came out anywhere, and nothing broke
unseen.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import KNOWN_KEY
from tests.browser.people import OpenPage, chip, confirm, send
from tests.browser.stack import Stack
from tests.browser.test_five_requests import HOSTING_PASSWORD, elsewhere

pytestmark = pytest.mark.browser

UNSEAL = """
import json
from vendors.models import Vendor
from orders.models import Order
from mailops.core.sealed import Sealed
accounts = [sorted(vendor.secrets.open().values()) for vendor in Vendor.objects.all()]
orders = [sorted(Sealed(order.sealed).open().values()) for order in Order.objects.exclude(sealed="")]
print(json.dumps(sum(accounts + orders, [])))
"""


@pytest.fixture
def secrets(stack: Stack, drafter: Page, confirmer: Page, known_key: None) -> list[str]:
    """Every key and password that the stack holds, one of each typed in the browser; those typed
    were also sent.
    """
    number = send(drafter, elsewhere("secrets"))
    confirm(confirmer, number)
    expect(chip(confirmer)).to_have_text("Accepted, being set up")
    found = json.loads(stack.manage("shell", "--no-imports", "-c", UNSEAL))
    assert {KNOWN_KEY, HOSTING_PASSWORD} <= set(found)
    return [secret for secret in found if secret]


def shapes(secret: str) -> set[bytes]:
    """The secret as it would look in plain text, in an address, in JSON, or within something in
    base64.
    """
    plain = secret.encode()
    inner = {base64.b64encode(b"-" * shift + plain)[4 if shift else 0 : -4] for shift in range(3)}
    return {plain, quote(secret, safe="").encode(), quote_plus(secret).encode(), *inner}


def test_no_secret_is_printed_stored_or_shown(
    stack: Stack, secrets: list[str], seen: dict[str, str], open_page: OpenPage
) -> None:
    places = {
        "output": stack.said.encode(),
        "database": stack.stored(),
        "vendors' books": (stack.data / "practice.sqlite3").read_bytes(),
        **{place: page.encode() for place, page in (seen | _pages(open_page)).items()},
    }
    shown = [
        f"{place}: {secret[:4]}…"
        for place, held in places.items()
        for secret in secrets
        if any(shape in held for shape in shapes(secret))
    ]
    assert shown == []


def _pages(open_page: OpenPage) -> dict[str, str]:
    """What each role can see of the newest order, of the accounts and of the history."""
    found = {}
    for role in ("drafter", "confirmer", "operator", "auditor"):
        page = open_page(role)
        page.goto("/orders/order/")
        links = page.locator("#result_list a").evaluate_all(
            "links => links.map((link) => link.pathname)"
        )
        accounts = [f"/vendors/vendor/{number}/change/" for number in range(1, 6)]
        for path in (links[0], *accounts, "/history/event/", "/history/event/?p=2"):
            page.goto(path)
            found[f"{role} {path}"] = page.content()
    return found


def test_nothing_broke_where_no_browser_could_see_it(stack: Stack, windows: object) -> None:
    assert [
        line for line in stack.said.splitlines() if re.search(r"\b(ERROR|CRITICAL)\b", line)
    ] == []
