"""The form of a draft. Entries beside the paste box become lines of its text, which is saved."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.html import format_html

from orders.drafting import client_defaults
from orders.drafting.intake import (
    BadCell,
    CannotRead,
    Reading,
    beyond_domain,
    read,
    read_destination,
    read_domain,
    written,
)
from orders.drafting.intake.delimited import quoted
from orders.drafting.intake.reader import laid_out
from orders.models import Client
from orders.models.client import LONGEST_DESTINATION
from vendors.apis.values import Product
from vendors.models import Contact

EXAMPLE = (
    "acme-reach.com, Dana Reyes, dana\nacme-reach.com, Sam Ito, sam\ntryacme.com, Lee Wong, lee"
)
# empty rows to type into
NEW_ROWS = 5
CELL = re.compile(r"new-(\d{1,2})-([a-z ]{1,12})")
MENDED = re.compile(r"was-(\d{1,7})")


class DraftForm(forms.Form):
    """The fields that orders at every vendor share. `reading` is how the paste box was read."""

    client = forms.ModelChoiceField(Client.objects.all(), empty_label="Choose")
    contact = forms.ModelChoiceField(
        Contact.objects.all(),
        required=False,
        empty_label="Choose",
        label="Registrant contact",
        help_text="The vendor asks for these details. Contacts are kept under Vendors.",
    )
    forward_to = forms.CharField(
        required=False,
        max_length=LONGEST_DESTINATION,
        label="Domains forward to",
    )
    rows = forms.CharField(
        label="Domains and people",
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "spellcheck": "false",
                "autocapitalize": "off",
                "placeholder": EXAMPLE,
            }
        ),
        required=False,
        strip=False,
    )
    note = forms.CharField(
        label="Note for the confirmer",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2000,
    )
    why_again = forms.CharField(
        label="Why order this again",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2000,
        help_text="The checks ask for it. The confirmer reads it.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, initial=0)
    defaults_of = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, product: Product, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.product = product
        self.reading = Reading()
        if not product.needs_contact:
            del self.fields["contact"]
        if not product.forwards:
            del self.fields["forward_to"]
        else:
            self.fields["forward_to"].help_text = _forward_help(product)
        self.fields["rows"].help_text = _rows_help(product)

    def clean_forward_to(self) -> str:
        text = self.cleaned_data["forward_to"]
        try:
            if not text or self.product.forwards_to_page:
                return read_destination(text) if text else ""
            domain = read_domain(text)
            if beyond_domain(text):
                raise BadCell(
                    "This vendor forwards to a domain only, not to a page on it.",
                    f"Write {domain}.",
                )
            return domain
        except BadCell as bad:
            raise forms.ValidationError(f"{bad.message} {bad.fix}") from None

    def clean_rows(self) -> str:
        text: str = self.cleaned_data["rows"]
        self.reading = read(text, self.product)
        # The page lists the lines themselves beside the box.
        bad = len(self.reading.bad)
        if bad:
            lines = "1 line needs" if bad == 1 else f"{bad:,} lines need"
            raise forms.ValidationError(
                f"{lines} a change. Nothing is saved yet; what you typed is still here."
            )
        return text

    def name_sources(self) -> None:
        """Say beside the fields that hold a default of the client where it comes from."""
        client = client_defaults.client_of(str(self[client_defaults.SHOWN].value() or ""))
        if client is None:
            return
        for name in ("contact", "forward_to"):
            if name not in self.fields:
                continue
            value = str(self[name].value() or "")
            if source := client_defaults.source(name, value, client, self.product):
                self[name].help_text = format_html("{} {}", self[name].help_text, source)

    @property
    def is_touched(self) -> bool:
        # These two are no entries: the page sets the fields itself.
        return bool(set(self.changed_data) - {"version", client_defaults.SHOWN})


def _forward_help(product: Product) -> str:
    where = "Where people land who type one of the new domains into their browser:"
    if product.forwards_to_page:
        return f"{where} a domain, or the whole address of a page."
    return f"{where} a domain only. This vendor takes no page on it."


def _rows_help(product: Product) -> str:
    parts = [
        "One line for each mailbox: domain, name, address. Paste from a spreadsheet if you like."
    ]
    if product.names_per_domain:
        parts.append("Leave the address out and the vendor makes the addresses from the name.")
    if product.has_pictures:
        parts.append("A fourth cell may hold the web address of a picture.")
    return " ".join(parts)


def overlook_empty(form: forms.Form) -> None:
    """Remove "required" errors: while a person is typing, an empty field is no mistake."""
    for name, errors in list(form.errors.as_data().items()):
        if all(error.code == "required" for error in errors):
            del form.errors[name]


def new_cells(product: Product) -> list[tuple[str, str]]:
    """The cells of an empty row: (the heading that the reader knows, the label on the page)."""
    cells = [
        ("domain", "Domain"),
        ("first name", "First name"),
        ("last name", "Last name"),
        ("address", "Address"),
    ]
    more = (
        ("picture", "Picture", product.has_pictures),
        ("forward to", "Forwards to", product.forwards),
        ("years", "Years", product.has_years),
    )
    return cells + [(name, label) for name, label, has_place in more if has_place]


def gathered(post: QueryDict, product: Product) -> QueryDict:
    """The form with every corrected line and every new row put into the paste box."""
    found = post.copy()
    text = mended(post.get("rows", "").replace("\r\n", "\n").replace("\r", "\n"), post)
    found["rows"] = with_rows(text, _new_rows(post))
    for name in [name for name in found if name.startswith(("was-", "line-", "new-"))]:
        del found[name]
    return found


def mended(text: str, post: Mapping[str, str]) -> str:
    """The text with the lines that were corrected beside the preview.

    `was-7` has the seventh line as the page showed it, `line-7` the corrected one.
    """
    fixes = {}
    for name in post:
        if (found := MENDED.fullmatch(name)) and (line := post.get(f"line-{found[1]}")) is not None:
            was = post[name]
            if line.strip() != was.strip():
                fixes[int(found[1])] = (was.strip(), " ".join(line.splitlines()))
    if not fixes:
        return text
    lines = text.splitlines(keepends=True)
    for number, (was, line) in fixes.items():
        # A line that was changed in the box as well stays as it is in the box.
        if 0 < number <= len(lines) and lines[number - 1].strip().lstrip("\ufeff") == was:
            # The line keeps its own line break.
            end = lines[number - 1][len(lines[number - 1].rstrip("\r\n")) :]
            lines[number - 1] = line + end
    return "".join(lines)


def _new_rows(post: Mapping[str, str]) -> list[dict[str, str]]:
    rows: dict[int, dict[str, str]] = {}
    for name in post:
        if (found := CELL.fullmatch(name)) and (cell := " ".join(post[name].split())):
            rows.setdefault(int(found[1]), {})[found[2]] = cell
    return [rows[number] for number in sorted(rows)]


def with_rows(text: str, rows: list[dict[str, str]]) -> str:
    """The text with the rows as lines at its end, in the columns of its headings if it has any."""
    if not rows:
        return text
    layout, separator, _ = laid_out(text)
    if layout:
        places, mark = layout.meanings, separator
    else:
        # One cell for the whole name could not tell where a first name of two words ends.
        parted = not text.strip() and any(" " in row.get("first name", "") for row in rows)
        places = ["domain", "first name", "last name"] if parted else ["domain", "name"]
        places, mark = [*places, "address", "picture", "forward to", "years"], ","
        text = (
            f"{_line(dict(zip(places, places, strict=True)), places, mark)}\n" if parted else text
        )
    lines = [_line(row, places, mark) for row in rows]
    return "\n".join([*([text.rstrip("\n")] if text.strip() else []), *lines])


def _line(row: Mapping[str, str], places: list[str], mark: str) -> str:
    name = f"{row.get('first name', '')} {row.get('last name', '')}".strip()
    cells = [name if place == "name" else row.get(place, "") for place in places]
    if mark == ",":
        return quoted(cells)
    file = io.StringIO()
    csv.writer(file, delimiter=mark, lineterminator="").writerow(cells)
    return file.getvalue()


def joined(text: str, more: str, product: Product) -> str:
    """The lines of `more` below those of `text`, under one line of headings.

    Raises `CannotRead` if the columns differ and a line can't be read.
    """
    above, below = read(text, product), read(more, product)
    if not text.strip():
        return more
    if not (above.headings_found or below.headings_found):
        return f"{text.rstrip()}\n{more}"
    if _headings(text) == _headings(more):
        return f"{text.rstrip()}\n{more.lstrip().partition(chr(10))[2]}"
    if above.bad or below.bad:
        raise CannotRead(
            "The columns of the file are not those of the box, so its lines can't just be put"
            " below.",
            "Mend the lines that need a change first, or take the file in place of what is in the"
            " box.",
        )
    # Other columns, but every line is understood: all of them are written in the usual columns.
    return written([*above.rows, *below.rows])


def _headings(text: str) -> tuple[list[str], str]:
    layout, separator, _ = laid_out(text)
    return (layout.meanings, separator) if layout else ([], "")
