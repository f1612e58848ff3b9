"""Names that nobody orders: a domain, everything under one, or a word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models

PATTERN = RegexValidator(
    r"^(?=.*[a-z0-9])[a-z0-9*-]+(\.[a-z0-9*-]+)*$",
    "Write a domain like acme.com, *.acme.com for everything under it too, or a word like acme."
    " Small letters only.",
)


class NeverBuyQuerySet(models.QuerySet["NeverBuy"]):
    """Rules about the whole list."""

    def matching(self, names: Iterable[str]) -> dict[str, NeverBuy]:
        """The names on the list, each with its line. One query, one pass over the names."""
        rules = list(self.order_by("pk"))
        if not rules:
            return {}
        # One pattern of named groups: the group that matched says which line it was.
        any_of = re.compile("|".join(f"(?P<rule{i}>{rule.regex})" for i, rule in enumerate(rules)))
        found = ((name, any_of.fullmatch(name)) for name in names)
        return {name: rules[int(str(match.lastgroup)[4:])] for name, match in found if match}


class NeverBuy(models.Model):
    """A line of the never-buy list."""

    pattern = models.CharField(
        "name or word",
        max_length=253,
        unique=True,
        validators=[PATTERN],
        help_text=(
            "acme.com stops that domain, *.acme.com also everything under it, acme every domain"
            " that has this word between hyphens or as its whole name, *acme* every domain with"
            " these letters in it."
        ),
    )
    reason = models.CharField(max_length=300, help_text="Drafters read it when they try.")
    added_by_name = models.CharField("added by", max_length=150, blank=True, editable=False)
    added_at = models.DateTimeField("added", auto_now_add=True)

    objects = NeverBuyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pattern"]
        verbose_name = "never-buy line"
        verbose_name_plural = "never-buy list"

    def __str__(self) -> str:
        return self.pattern

    @property
    def regex(self) -> str:
        # For a whole domain name. A word without a dot stands for a part of the name.
        if self.pattern.startswith("*."):
            return rf"(?:[a-z0-9.-]*\.)?{self._letters(self.pattern[2:])}"
        wanted = self._letters(self.pattern)
        if "." in self.pattern:
            return wanted
        return rf"(?:[a-z0-9.-]*[.-])?{wanted}(?:-[a-z0-9-]*)?\.[a-z0-9.-]+"

    @staticmethod
    def _letters(pattern: str) -> str:
        return "[a-z0-9.-]*".join(re.escape(part) for part in pattern.split("*"))
