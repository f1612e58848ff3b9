"""Forms for a person's notice settings and for the installation's shared addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from mailops.core.sealed import Sealed
from mailops.notices import apprise_channel
from mailops.notices.kinds import BY, EMAIL, NOTICE_KINDS, WHEN, Kind
from mailops.notices.models import NoticeSettings, SharedAddress


@cache
def zones() -> list[tuple[str, str]]:
    # cached: reading the names of all zones takes a while
    named = {zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")}
    return [(zone, zone.replace("_", " ")) for zone in sorted({*named, "UTC", settings.TIME_ZONE})]


HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]


def address_field(label: str) -> forms.CharField:
    # a password field: the address contains a token, so it is never sent back to the browser
    widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=500, widget=widget)


class OwnForm(forms.ModelForm):
    """One person's settings. Each kind has two fields: `<kind>-when` and `<kind>-by`."""

    secret_fields = frozenset({"address"})
    address = address_field("Another address")
    time_zone = forms.ChoiceField(label="Your time zone")
    digest_hour = forms.TypedChoiceField(
        label="The daily digest goes out at", choices=HOURS, coerce=int
    )

    class Meta:
        model = NoticeSettings
        fields = ("time_zone", "digest_hour", "quiet_from", "quiet_to", "urgent_passes")
        labels = {
            "quiet_from": "Quiet from",
            "quiet_to": "until",
            "urgent_passes": "Urgent notices come in quiet hours, too",
        }
        help_texts = {
            "urgent_passes": "An unknown outcome, stopped sending, a broken history.",
        }
        widgets = {
            "quiet_from": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = [kind for kind in NOTICE_KINDS.values() if self._concerns(kind)]
        for kind in self.kinds:
            when, by = self.instance.choice(kind)
            label = kind.label
            self.fields[f"{kind.name}-when"] = forms.ChoiceField(
                label=f"When: {label}", choices=WHEN
            )
            self.fields[f"{kind.name}-by"] = forms.ChoiceField(label=f"How: {label}", choices=BY)
            self.initial.update({f"{kind.name}-when": when, f"{kind.name}-by": by})
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = zones()
        self.initial["time_zone"] = self.instance.time_zone or settings.TIME_ZONE
        stored = (
            f"Stored and sealed: {self.instance.service}. Leave empty to keep it."
            if self.instance.sealed
            else ""
        )
        allowed = f"The address that one of these gives you: {apprise_channel.services()}."
        self.fields["address"].help_text = f"{stored} {allowed}".strip()

    def _concerns(self, kind: Kind) -> bool:
        return bool(self.instance.user.has_perm(kind.needs))

    def rows(self) -> Iterator[tuple[Kind, forms.BoundField, forms.BoundField]]:
        for kind in self.kinds:
            yield kind, self[f"{kind.name}-when"], self[f"{kind.name}-by"]

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        if address:
            self.instance.service = apprise_channel.check(address)
        return address

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        are_read = "quiet_from" in said and "quiet_to" in said
        start, end = said.get("quiet_from"), said.get("quiet_to")
        if are_read and isinstance(start, time) != isinstance(end, time):
            self.add_error("quiet_to", "Enter both times, or none for no quiet hours.")
        if not self.instance.sealed and not said.get("address") and "address" not in self.errors:
            for kind in self.kinds:
                if said.get(f"{kind.name}-by") not in (EMAIL, None):
                    self.add_error(f"{kind.name}-by", "Enter another address below first.")
        return said

    def save(self, commit: bool = True) -> NoticeSettings:
        said = self.cleaned_data
        # choices about kinds that this person may not see now: kept for when the right comes back
        chosen = self.instance.choices.items()
        kept = {name: choice for name, choice in chosen if name in NOTICE_KINDS}
        own = {
            kind.name: [said[f"{kind.name}-when"], said[f"{kind.name}-by"]] for kind in self.kinds
        }
        self.instance.choices = kept | own
        if said["address"]:
            self.instance.sealed = str(Sealed("").put({"address": said["address"]}))
        saved: NoticeSettings = super().save(commit)
        return saved


class SharedForm(forms.ModelForm):
    """A shared address of the whole installation."""

    secret_fields = frozenset({"address"})
    address = address_field("Address")

    class Meta:
        model = SharedAddress
        fields = ("name", "address", "is_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "address" in self.fields:
            stored = f"Stored and sealed: {self.instance.service}. Leave empty to keep it."
            self.fields["address"].required = not self.instance.sealed
            allowed = f"The address that one of these gives you: {apprise_channel.services()}."
            self.fields["address"].help_text = (
                f"{stored} {allowed}" if self.instance.sealed else allowed
            )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        if address:
            self.instance.service = apprise_channel.check(address)
        elif not self.instance.sealed:
            raise ValidationError("Enter the address.")
        return address

    def save(self, commit: bool = True) -> SharedAddress:
        if self.cleaned_data["address"]:
            self.instance.sealed = str(Sealed("").put({"address": self.cleaned_data["address"]}))
        saved: SharedAddress = super().save(commit)
        return saved
