"""Settings with which a live installation would not be safe: a sentence each, with the remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cryptography.fernet import Fernet

LEAST_LENGTH, LEAST_VARIETY = 50, 10  # characters, and how many different ones among them
KNOWN = re.compile(r"django-insecure|change.?me|example|secret|password|random", re.IGNORECASE)
MAKE_ONE = 'Make one with `python3 -c "import secrets; print(secrets.token_urlsafe(50))"`.'


def weak_secret_key(key: str) -> str:
    """A sentence where the key can be guessed; empty where it is long and varied."""
    if len(key) < LEAST_LENGTH:
        return f"SECRET_KEY has {len(key)} characters; it needs {LEAST_LENGTH} or more. {MAKE_ONE}"
    if len(set(key)) < LEAST_VARIETY:
        return f"SECRET_KEY repeats {len(set(key))} characters over and over. {MAKE_ONE}"
    if found := KNOWN.search(key):
        return f"SECRET_KEY contains “{found[0]}”, as keys out of examples do. {MAKE_ONE}"
    return ""


def broken_seal_key(keys: Sequence[str]) -> str:
    """A sentence about the first that is no key; the sentence never holds the key."""
    for number, key in enumerate(keys, 1):
        try:
            Fernet(key.strip())
        except ValueError:
            which = f"Key {number} of {len(keys)} in MAILOPS_SEAL_KEYS" if len(keys) > 1 else ""
            return (
                f"{which or 'MAILOPS_SEAL_KEYS'} is no key: it has to be what"
                " `manage.py new_seal_key` prints, whole."
            )
    return ""


def open_host(hosts: Sequence[str]) -> str:
    """A sentence where any name, or any name of a whole domain ending, is let in."""
    for host in hosts:
        name = host.strip().strip(".")
        if "*" in host or not name or (host.startswith(".") and "." not in name):
            return (
                f"ALLOWED_HOSTS lets in “{host}”, which stands for names that are not yours. Set it"
                " to the names under which people reach MailOps."
            )
    return ""
