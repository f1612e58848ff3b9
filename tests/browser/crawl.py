"""Every page that a role can reach by links, looked at on a wide screen and on a phone, in light
and in dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import axe_playwright_python
from playwright.sync_api import BrowserContext, Page

WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
SCREENS = [(WIDE, "light"), (PHONE, "dark"), (WIDE, "dark"), (PHONE, "light")]
KEPT = ("vendor", "product", "api")  # what of a query makes it another page
ORDER = re.compile(r"/orders/order/(\d+)/")

UNLABELLED = """() => [...document.querySelectorAll("input, select, textarea")]
    .filter((field) => !["hidden", "submit", "button"].includes(field.type) && !field.labels?.length && !field.ariaLabel
        && !field.getAttribute("aria-labelledby"))
    .map((field) => field.outerHTML.slice(0, 120))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = (
    "() => { for (const details of document.querySelectorAll('details')) details.open = true; }"
)
AXE = """() => axe.run({resultTypes: ["violations"]}).then((found) =>
    found.violations.filter((one) => ["serious", "critical"].includes(one.impact))
        .map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join("; ")}`))"""


@cache
def axe_script() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


@dataclass(kw_only=True)
class Look:
    """What one page showed; each list is empty where all is well."""

    role: str
    url: str
    status: int
    html: str
    headings: int
    unlabelled: list[str] = field(default_factory=list)
    sideways: list[str] = field(default_factory=list)
    barriers: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.role} {self.url}"


def look_at(page: Page, *, role: str, status: int = 200) -> Look:
    """Look at the page that is open, as it comes and with everything unfolded."""
    look = Look(
        role=role,
        url=urlsplit(page.url)._replace(scheme="", netloc="").geturl(),
        status=status,
        html=page.content(),
        headings=page.locator("h1").count(),
        unlabelled=page.evaluate(UNLABELLED),
    )
    for is_open in (False, True):
        if is_open:
            page.evaluate(OPEN_ALL)
        page.set_viewport_size(PHONE)
        if (over := page.evaluate(SIDEWAYS)) > 0:
            look.sideways.append(f"{over} px too wide{', unfolded' if is_open else ''}")
    page.set_viewport_size(WIDE)
    return look


def barriers(page: Page, *, screens: int = 2) -> list[str]:
    """What axe finds serious or critical on the page that is open; two screens see every layout and
    every colour.
    """
    page.evaluate(axe_script())
    found = []
    for size, scheme in SCREENS[:screens]:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        found += [f"{size['width']} px, {scheme}: {barrier}" for barrier in page.evaluate(AXE)]
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    return found


def faults(page: Page) -> list[str]:
    """All that is wrong with the page that is open, for a page that no link leads to."""
    look = look_at(page, role="")
    headings = [f"{look.headings} headings"] if look.headings != 1 else []
    return [*headings, *look.unlabelled, *look.sideways, *barriers(page)]


def states_of_orders(window: BrowserContext) -> dict[str, str]:
    """From the list of orders: which of them is in which state, by number."""
    page = window.new_page()
    page.goto("/orders/order/")
    links = page.locator("#result_list a[href*='/orders/order/']").evaluate_all(
        "links => links.map((link) => [link.pathname,"
        " link.closest('tr').querySelector('.chip').textContent])"
    )
    page.close()
    return {found[1]: state for path, state in links if (found := ORDER.match(path))}


class Crawl:
    """One role's walk through the pages: each kind of page once, of orders each kind in each state."""

    def __init__(
        self,
        window: BrowserContext,
        role: str,
        *,
        start: str = "/",
        states: dict[str, str],
        known: set[str],
    ) -> None:
        """`states`: of each order, by its number.

        `known`: what axe has looked at, for any role; added to.
        """
        self.page, self.role, self.states, self.known = window.new_page(), role, states, known
        self.console: list[str] = []
        self.page.on(
            "console", lambda said: self.console.append(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.todo, self.seen = [start], {start}

    def looks(self) -> Iterator[Look]:
        while self.todo:
            yield self._open(self.todo.pop(0))
        self.page.close()

    def _open(self, url: str) -> Look:
        answer = self.page.goto(url)
        assert answer
        self.page.wait_for_load_state("load")
        self._follow()
        look = look_at(self.page, role=self.role, status=answer.status)
        if url == "/":  # the frame, with this role's menu
            look.barriers = barriers(self.page, screens=len(SCREENS))
        elif self._is_new_to_axe():
            look.barriers = barriers(self.page)
        look.console, self.console[:] = list(self.console), []
        return look

    def _is_new_to_axe(self) -> bool:
        """Several roles see many pages alike but for the menu."""
        main = re.sub(r'value="\w{64}"|\d+|just now', "", self.page.locator("main").inner_html())
        is_new = main not in self.known
        self.known.add(main)
        return is_new

    def _follow(self) -> None:
        links: list[str] = self.page.locator("a[href]:not([download])").evaluate_all(
            "links => links.map((link) => link.href)"
        )
        here = urlsplit(self.page.url)
        for link in map(urlsplit, links):
            kept = "&".join(
                f"{name}={values[0]}"
                for name, values in parse_qs(link.query).items()
                if name in KEPT
            )
            url = f"{link.path}?{kept}" if kept else link.path
            if link.netloc == here.netloc and self._is_new(url):
                self.todo.append(url)

    def _is_new(self, url: str) -> bool:
        kind = re.sub(r"/\d+/", "/N/", url)
        if found := ORDER.match(url):
            kind = f"{kind} {self.states.get(found[1])}"
        elif kind.endswith("/history/"):
            kind = "/history/"  # each leads to the same list
        if kind in self.seen:
            return False
        self.seen.add(kind)
        return True
