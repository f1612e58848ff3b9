"""Codes as a person's phone shows them."""

from __future__ import annotations

import base64
import time

from django_otp.oath import totp

STEP = 30


class Phone:
    """An app with a key in it; each code is of a later step than the one before, as if time had
    passed.
    """

    def __init__(self, key: str) -> None:
        self.key, self.step = base64.b32decode(key.replace(" ", "")), 0

    def code(self) -> str:
        if (
            left := STEP - time.time() % STEP
        ) < 5:  # the oldest code that counts would be too old on arrival
            time.sleep(left)
        now = int(time.time())
        self.step = max(self.step + 1, now // STEP - 1)
        return f"{totp(self.key, STEP, now - self.step * STEP):06}"
