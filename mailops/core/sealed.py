"""Secrets at rest, encrypted with the keys from the environment."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class CannotOpen(Exception):
    """None of the keys opens a sealed secret. The message says what to do."""


@cache
def _box(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key.strip().encode()) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "MAILOPS_SEAL_KEYS holds something that is no key. Make one with `manage.py"
            " new_seal_key`."
        ) from error


def box() -> MultiFernet:
    """Seals with the first key, opens with any."""
    return _box(tuple(settings.SEAL_KEYS))


class Sealed:
    """A set of named secrets. Its text is JSON: `{name: {"token": …, "stamp": …}}`."""

    # The stamp is random, made when a value is written and kept when keys are rotated. The digest
    # of a confirmed plan contains the stamps: a changed password changes the digest without
    # revealing the password.

    def __init__(self, text: str) -> None:
        self._sealed: dict[str, dict[str, str]] = json.loads(text) if text else {}

    def __str__(self) -> str:
        return json.dumps(self._sealed, sort_keys=True) if self._sealed else ""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._sealed)

    @property
    def stamps(self) -> dict[str, str]:
        return {name: entry["stamp"] for name, entry in sorted(self._sealed.items())}

    def put(self, values: Mapping[str, str]) -> Sealed:
        for name, value in values.items():
            # A form never shows a secret, so an empty field means that the old one stays.
            if value:
                self._sealed[name] = {
                    "token": box().encrypt(value.encode()).decode(),
                    "stamp": secrets.token_hex(8),
                }
        return self

    def drop(self, *names: str) -> Sealed:
        for name in names:
            self._sealed.pop(name, None)
        return self

    def open(self) -> dict[str, str]:
        """The plain values. Raises `CannotOpen`."""
        # To be called right before sending: plain values must not be kept anywhere.
        try:
            return {
                name: box().decrypt(entry["token"].encode()).decode()
                for name, entry in self._sealed.items()
            }
        except InvalidToken:
            raise CannotOpen(
                "A stored key or password can't be opened with the present MAILOPS_SEAL_KEYS. "
                "Add the key it was sealed with, or enter the secret again."
            ) from None

    def reseal(self) -> Sealed:
        """Encrypt every secret with the newest key. Raises `CannotOpen`."""
        try:
            for entry in self._sealed.values():
                entry["token"] = box().rotate(entry["token"].encode()).decode()
        except InvalidToken:
            raise CannotOpen(
                "A stored secret can't be opened with any of the keys in MAILOPS_SEAL_KEYS."
            ) from None
        return self
