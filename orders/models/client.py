"""The agency's customers."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

from vendors.models.spend_limits import Limited

DOMAIN_NAME = RegexValidator(
    r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$",
    "Write it like example.com: small letters, digits, hyphens and dots.",
)

DESTINATION = RegexValidator(
    r"^(https?://)?(?=.{4,253}(?:[:/?#]|$))([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+"
    r"[a-z]([a-z0-9-]{0,61}[a-z0-9])(:\d{1,5})?([/?#][^\s\"<>]*)?$",
    "Write a domain such as example.com, or a whole address such as https://example.com/offer.",
)
LONGEST_DESTINATION = 2000  # characters


class Client(Limited):
    """A customer of the agency, for whom domains and mailboxes are ordered."""

    name = models.CharField(max_length=120, unique=True)
    main_domain = models.CharField(
        max_length=253,
        blank=True,
        validators=[DOMAIN_NAME],
        help_text="The client's own domain. It is never ordered.",
    )
    forward_to = models.CharField(
        max_length=LONGEST_DESTINATION,
        blank=True,
        validators=[DESTINATION],
        help_text="Where the client's new domains forward to, unless an order says otherwise: a"
        " domain or the address of a page.",
    )
    contact = models.ForeignKey(
        "vendors.Contact",
        models.SET_NULL,
        null=True,
        blank=True,
        help_text=(
            "The registrant's details for the client's domains, where a vendor asks for them."
        ),
    )
    note = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [("limit_client", "Can set a client's limits")]

    def __str__(self) -> str:
        return self.name
