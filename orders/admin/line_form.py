"""The form for what a person says about lines of an order: all of them, or those ticked."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils import timezone

from mailops.core.money import Totals, show
from orders.admin.evidence_page import DayInput
from orders.models import Mailbox
from orders.outcomes.arrivals import FURTHEST
from orders.outcomes.lines import Lines, counted

ALL, TICKED = "all", "partly"  # `partly` shows the boxes: theme.css


class LinesForm(forms.Form):
    """Lines, and words for the history. One line alone needs no choice."""

    which = forms.ChoiceField(label="What do you speak of?", widget=forms.RadioSelect)
    names = forms.MultipleChoiceField(
        label="Which of it?", required=False, widget=forms.CheckboxSelectMultiple
    )
    reason = forms.CharField(max_length=1000, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(
        self, *args: Any, lines: Lines, label: str, help_text: str, whole: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label, self.fields["reason"].help_text = label, help_text
        if len(lines) <= 1:
            del self.fields["which"], self.fields["names"]
            return
        which, names = self.fields["which"], self.fields["names"]
        assert isinstance(which, forms.ChoiceField)
        assert isinstance(names, forms.MultipleChoiceField)
        which.choices = [(ALL, f"All of it: {counted(lines)}"), (TICKED, "Only what I tick")]
        which.initial = ALL if whole else None
        names.choices = [(name, name) for name in _in_order(lines)]

    def clean(self) -> None:
        which, names = self.cleaned_data.get("which"), self.cleaned_data.get("names")
        if which == TICKED and names == []:
            self.add_error("names", "Tick what you speak of.")
        elif which == ALL and names:
            self.add_error("which", "You ticked some of it. Choose “Only what I tick”, or all.")

    @property
    def wanted(self) -> list[str] | None:
        """Names and addresses; None for all."""
        if self.cleaned_data.get("which") != TICKED:
            return None
        names: list[str] = self.cleaned_data["names"]
        return names


class NotComingForm(LinesForm):
    """Lines that do not come, and the money that is asked back for them."""

    amount = forms.DecimalField(
        label="Money asked back",
        max_digits=12,
        decimal_places=2,
        min_value=Decimal("0.01"),
        required=False,
    )
    currency = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, most: Totals, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most = most
        if not most:
            del self.fields["amount"], self.fields["currency"]
            return
        self.fields["amount"].help_text = (
            f"The sum that you ask the vendor for, at most {most}. It is noted as asked for;"
            " MailOps writes to no vendor. Leave it empty to ask for nothing."
        )
        currency = self.fields["currency"]
        assert isinstance(currency, forms.ChoiceField)
        currency.choices = [(name, name) for name in most]
        if len(most) == 1:
            currency.widget = forms.HiddenInput()
        currency.initial = next(iter(most))

    def clean(self) -> None:
        super().clean()
        amount, currency = self.cleaned_data.get("amount"), self.cleaned_data.get("currency")
        if not amount:
            return
        most = self.most.get(currency or "")
        if most is None:
            self.add_error("currency", "Choose the currency.")
        elif amount > most:
            self.add_error("amount", f"The order counts {show(most, currency or '')} at most.")


class ExpectedForm(forms.Form):
    """The day on which an order is expected."""

    on = forms.DateField(label="Expected on", widget=DayInput())
    reason = forms.CharField(
        label="How do you know?",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Who said so, and where. It stays in the history.",
    )

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        today: date = timezone.localdate()
        if not today <= on <= today + FURTHEST:
            last = today + FURTHEST
            raise forms.ValidationError(
                f"Choose a day from today on, at most 30 days ahead: until {last:%-d %B}."
            )
        return on


def _in_order(lines: Lines) -> list[str]:
    """Each domain, then its mailboxes; mailboxes on domains that are held already come last."""
    boxes: dict[int, list[Mailbox]] = {}
    for box in lines.mailboxes:
        boxes.setdefault(box.domain_id, []).append(box)
    names: list[str] = []
    for domain in lines.domains:
        names += [domain.name, *map(str, boxes.pop(domain.pk, []))]
    return names + [str(box) for rest in boxes.values() for box in rest]
