"""Registrant contacts, which some vendors require for domains."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models


class Contact(models.Model):
    """A registrant's details, as the vendors ask for them."""

    name = models.CharField(
        max_length=80, unique=True, help_text="What you call this contact, for example the client."
    )
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    email = models.EmailField("e-mail")
    company = models.CharField(max_length=120, blank=True)
    address_line_one = models.CharField("address", max_length=120)
    address_line_two = models.CharField("address, second line", max_length=120, blank=True)
    city = models.CharField(max_length=80)
    state = models.CharField("state or region", max_length=80, blank=True)
    postal_code = models.CharField(max_length=20)
    country = models.CharField(
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}$", "Use the two-letter code, for example US.")],
    )
    phone_country_code = models.CharField(
        max_length=5,
        validators=[RegexValidator(r"^\+?\d{1,4}$", "Only the country's digits, for example +1.")],
    )
    phone = models.CharField(
        max_length=20, validators=[RegexValidator(r"^[\d ()-]{4,}$", "Digits and spaces only.")]
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
