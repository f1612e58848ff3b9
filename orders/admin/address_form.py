"""The form that asks whose addresses are made, on which domains and in which form."""

from __future__ import annotations

import re

from django import forms

from orders.admin.address_lines import as_person, in_words
from orders.drafting.address_maker import EVERY, LINES, MODES, Wish, patterns_from
from orders.drafting.address_patterns import (
    LONGEST_OWN_PATTERNS,
    PATTERNS,
    Person,
    read_patterns,
    read_people,
)
from orders.drafting.intake import BadCell, Row, read
from vendors.apis.values import Product

MAX_MAILBOXES_PER_DOMAIN = 100
PLAIN, GERMAN = "plain", "german"
# Accepts every kind of line, so that domains can be read whatever the vendor sells.
ANY_PRODUCT = Product(
    label="", help="", OptionsForm=forms.Form, buys_domains=True, names_per_domain=True
)


def _lines(label: str, help_text: str, placeholder: str) -> forms.CharField:
    attrs = {"rows": 4, "spellcheck": "false", "autocapitalize": "off", "placeholder": placeholder}
    widget = forms.Textarea(attrs=attrs)
    return forms.CharField(
        label=label, help_text=help_text, required=False, strip=False, widget=widget
    )


class MakeForm(forms.Form):
    """Names, domains and the form of the address. Empty lists fall back to the paste box."""

    names = _lines(
        "Names",
        "One person a line. Leave empty for the names in the lines above.",
        "Dana Reyes\nLudwig van der Berg",
    )
    domains = _lines(
        "On these domains",
        "One a line. Leave empty for the domains in the lines above.",
        "acme-reach.com\ntryacme.com",
    )
    mode = forms.ChoiceField(label="Who gets one where", choices=list(MODES.items()), initial=EVERY)
    per_domain = forms.IntegerField(
        label="Mailboxes on each domain",
        required=False,
        min_value=1,
        max_value=MAX_MAILBOXES_PER_DOMAIN,
        # a number input would drop a text that is no number, and the person could not mend it
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text=(
            "What stands there already counts. Who gets a second one gets it in the next form."
            " Leave empty for one a person."
        ),
        error_messages={
            "invalid": "Write a whole number, for example 3.",
            "min_value": "Write 1 or more, or leave it empty.",
            "max_value": f"Write {MAX_MAILBOXES_PER_DOMAIN} or less.",
        },
    )
    pattern = forms.ChoiceField(
        label="Form of the address",
        choices=list(PATTERNS.items()),
        initial="{first}.{last}",
        help_text=(
            "As it is for Dana Reyes. Where it is taken, the next form is tried, then a number is"
            " added."
        ),
    )
    own = forms.CharField(
        label="Own form",
        required=False,
        max_length=LONGEST_OWN_PATTERNS,
        help_text=(
            "Used instead of the one above. For example {first}.{l} or {f}{last}{n}: {f} and {l}"
            " are the first letters, {n} counts up. Several with commas between them are tried in"
            " their order."
        ),
    )
    umlauts = forms.ChoiceField(
        label="Letters with dots",
        choices=[(PLAIN, "ü becomes u: Müller, muller"), (GERMAN, "ü becomes ue: Müller, mueller")],
        initial=PLAIN,
        help_text="Other accents go: é becomes e, ł becomes l, ß becomes ss.",
    )

    def clean_names(self) -> list[Person]:
        try:
            people = list(read_people(self.cleaned_data["names"]))
        except BadCell as bad:
            raise forms.ValidationError(in_words(bad)) from None
        # A person named twice gets one address. Reversing twice keeps the first of them.
        return list({person.key: person for person in reversed(people)}.values())[::-1]

    def clean_domains(self) -> list[str]:
        found: dict[str, None] = {}
        for number, line in enumerate(self.cleaned_data["domains"].splitlines(), 1):
            for name in re.split(r"[\s,;]+", line.strip()):
                # The paste box reads domains the same way. A heading gives no row and no error.
                reading = read(name, ANY_PRODUCT)
                if reading.bad:
                    raise forms.ValidationError(f"Line {number}: {in_words(reading.bad[0])}")
                found |= dict.fromkeys(row.domain for row in reading.rows)
        return list(found)

    def clean_own(self) -> str:
        own: str = self.cleaned_data["own"]
        try:
            read_patterns(own)
        except BadCell as bad:
            raise forms.ValidationError(in_words(bad)) from None
        return own

    def wish(self, rows: list[Row]) -> Wish:
        """The validated request. `rows` of the paste box replace fields that were left empty.

        Adds an error to the form where the rows have nothing to replace them with.
        """
        typed = dict(self.cleaned_data)
        named = {
            as_person(row).key: as_person(row) for row in reversed(rows) if str(as_person(row))
        }
        people = typed["names"] or list(named.values())[::-1]
        domains = typed["domains"] or list(dict.fromkeys(row.domain for row in rows))
        none_yet = "There are no {} yet. Write them here, or into the lines above."
        if typed["mode"] == LINES:
            if not any(str(as_person(row)) and not row.username for row in rows):
                self.add_error(
                    "mode",
                    "No line has a name and no address. Choose another way, or add such lines.",
                )
        elif not people:
            self.add_error("names", none_yet.format("names"))
        elif not domains:
            self.add_error("domains", none_yet.format("domains"))
        return Wish(
            mode=typed["mode"],
            people=tuple(people),
            domains=tuple(domains),
            patterns=patterns_from(typed["own"] or typed["pattern"]),
            per_domain=typed["per_domain"],
            umlauts=typed["umlauts"] == GERMAN,
        )
