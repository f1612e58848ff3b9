"""Endings of domain names, from an offline copy of the public suffix list."""

from __future__ import annotations

from functools import cache

from publicsuffixlist import PublicSuffixList


@cache
def _endings() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


def registrable(domain: str) -> str:
    """The part of a name that can be bought: "acme.co.uk" of "mail.acme.co.uk"; empty where its ending is unknown."""
    return _endings().privatesuffix(domain) or ""
