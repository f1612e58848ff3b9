"""The panel of the draft page that makes addresses and puts them into the paste box."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import QueryDict

from mailops.core.text import plural
from orders.admin.address_form import MAX_MAILBOXES_PER_DOMAIN, MakeForm
from orders.admin.address_lines import (
    count_gaps,
    exact_numbers,
    read_loosely,
    taken_at,
    vendor_notes,
)
from orders.drafting.address_maker import LINES, Made, Making, TooMany, make
from orders.drafting.intake import MOST_LINES, Reading
from vendors.apis.values import Product
from vendors.models import Vendor

PREFIX = "make"
LINES_PER_PAGE = 100


class Panel:
    """The panel for one request.

    `reading` is how the paste box was read. `wanted` is the query of the page's URL, which has the
    numbers of a sending volume. `text` replaces the paste box once the preview is accepted; None
    before that. The page saves nothing while the panel `is_asked`.
    """

    def __init__(
        self,
        post: QueryDict | None,
        reading: Reading,
        what: Product,
        vendor: Vendor,
        *,
        wanted: Mapping[str, Any] | None = None,
    ) -> None:
        self.what, self.vendor = what, vendor
        self.error = self.done = ""
        self.text: str | None = None
        self.making: Making | None = None
        self.shown: Page[Made] | None = None
        self.domains_wanted, self.mailboxes_wanted = (
            _number(wanted, name) for name in ("domains", "mailboxes")
        )
        self.is_asked = post is not None and (PREFIX in post or f"{PREFIX}-accept" in post)
        typed = post is not None and any(
            post.get(f"{PREFIX}-{name}", "").strip() for name in ("names", "domains")
        )
        # Vendors that make addresses themselves take such lines as they are.
        may_have_gaps = post is not None and not self.is_asked and not what.names_per_domain
        self.gaps = count_gaps(_box(post), reading, what) if may_have_gaps else 0
        self.is_open = self.is_asked or typed or bool(self.gaps or self.domains_wanted)
        self.form = MakeForm(initial=self._initial(post), prefix=PREFIX)
        if post is not None and self.is_asked:
            self.form = MakeForm(post, prefix=PREFIX)
            self._make(post)

    def _initial(self, post: QueryDict | None) -> dict[str, Any]:
        gaps = {"mode": LINES} if self.gaps else {}
        # Whatever button was pressed, the panel keeps the person's entries.
        if post is not None and f"{PREFIX}-mode" in post:
            typed = {name: post.get(f"{PREFIX}-{name}") for name in MakeForm.base_fields}
            return typed if typed["names"] else typed | gaps
        if self.domains_wanted and self.mailboxes_wanted:
            each = -(-self.mailboxes_wanted // self.domains_wanted)
            return {"per_domain": min(each, MAX_MAILBOXES_PER_DOMAIN)}
        return gaps

    def _make(self, post: QueryDict) -> None:
        rows, bad = read_loosely(_box(post), self.what)
        if bad:
            more = f" So do {len(bad) - 1} more." if len(bad) > 1 else ""
            self.error = (
                f"Line {bad[0].number} needs a change first. {bad[0].message} {bad[0].fix}{more}"
            )
            return
        wish = self.form.wish(rows) if self.form.is_valid() else None
        if wish is None or self.form.errors:
            return
        names = {*wish.domains, *(row.domain for row in rows)}
        try:
            making = make(wish, rows=rows, taken=taken_at(names))
        except TooMany:
            self.error = (
                f"That would be more than {MOST_LINES:,} lines, the most that one order takes. Make"
                " fewer."
            )
            return
        if not making.made:
            nothing_left = "Nothing is left to make: everybody has an address already."
            self.error = " ".join([*making.notes, nothing_left][:2])
            return
        self.making = making
        # Only the addresses that the person saw are taken over: lines or orders may have changed.
        if f"{PREFIX}-accept" in post and post.get(f"{PREFIX}-seen") == self.seen:
            self._accept(making)
            return
        if f"{PREFIX}-accept" in post:
            self.error = (
                "Something has changed since the preview was shown. Look at it again, then take it"
                " over."
            )
        self.shown = Paginator(making.made, LINES_PER_PAGE).get_page(post.get(PREFIX))

    def _accept(self, making: Making) -> None:
        self.text, self.making = making.text, None
        self.done = f"{plural(len(making.made), 'address is', 'addresses are')} in the lines now."
        kept = ("mode", "pattern", "own", "umlauts", "per_domain")
        self.form = MakeForm(
            initial={name: self.form[name].value() for name in kept}, prefix=PREFIX
        )

    def with_text(self, post: QueryDict) -> QueryDict:
        if self.text is None:
            return post
        changed = post.copy()
        changed["rows"] = self.text
        return changed

    @property
    def seen(self) -> str:
        """A fingerprint of the preview, which the page posts back."""
        return hashlib.sha256(self.making.text.encode()).hexdigest()[:16] if self.making else ""

    @property
    def counts(self) -> str:
        assert self.making
        made, domains = len(self.making.made), self.making.domains
        return f"{plural(made, 'mailbox', 'mailboxes')} on {plural(domains, 'domain')}"

    @property
    def notes(self) -> list[str]:
        assert self.making
        return [*self.making.notes, *vendor_notes(self.making.rows, self.what, self.vendor)]

    @property
    def documented(self) -> str:
        return exact_numbers(self.what)


def _box(post: QueryDict | None) -> str:
    return post.get("rows", "") if post is not None else ""


def _number(wanted: Mapping[str, Any] | None, name: str) -> int:
    # Anybody can write a URL, so what is no number of mailboxes counts as none.
    text = str((wanted or {}).get(name, ""))
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
