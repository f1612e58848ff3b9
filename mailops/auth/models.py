"""A person's second factor: the sealed key of an app that shows codes, and recovery codes."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import ClassVar
from urllib.parse import quote

from django.conf import settings
from django.db import models
from django.utils import timezone
from django_otp.models import Device, ThrottlingMixin, TimestampMixin
from django_otp.oath import TOTP

from mailops.core.sealed import Sealed

KEY_BYTES = 20  # RFC 4226 recommends them, and every app takes them
STEP, DIGITS, TOLERANCE = 30, 6, 1
RECOVERY_CODES = 10
# 80 random bits: a plain hash is enough, nobody can try them all.
RECOVERY_BYTES = 10


def new_key() -> str:
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def address(key: str, *, name: str) -> str:
    """Text of the QR code: https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    query = f"secret={key}&issuer=MailOps&digits={DIGITS}&period={STEP}"
    return f"otpauth://totp/MailOps:{quote(name)}?{query}"


def matching_step(key: str, code: str, *, after: int = -1) -> int | None:
    """The time step of this code: later than `after`, and at most one step away from now."""
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdecimal() and len(code) == DIGITS):
        return None
    reader = TOTP(base64.b32decode(key), STEP, 0, DIGITS)
    reader.time = time.time()
    return reader.t() if reader.verify(int(code), TOLERANCE, after + 1) else None


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """The app on somebody's phone. Wrong codes lock it for 1, 2, 4, 8 … seconds."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="authenticator"
    )
    sealed = models.TextField(editable=False)
    last_step = models.BigIntegerField(default=-1, editable=False)

    class Meta:
        verbose_name = "second factor"
        ordering: ClassVar = ["user__username"]
        default_permissions = ("view",)
        permissions: ClassVar = [("reset_authenticator", "Can reset a lost second factor")]

    def __str__(self) -> str:
        return f"Second factor of {self.user}"

    def get_throttle_factor(self) -> float:
        return settings.SECOND_FACTOR_THROTTLE_SECONDS

    def verify_token(self, token: str) -> bool:
        """True for the present code of the app or an unused recovery code. Call on a locked row."""
        is_allowed, _ = self.verify_is_allowed()
        if not is_allowed:
            return False
        # `last_step` makes a code good once: a code that was read over a shoulder is used already.
        step = matching_step(Sealed(self.sealed).open()["key"], token, after=self.last_step)
        if step is None and not RecoveryCode.use(token, user_id=self.user_id):
            self.throttle_increment()
            return False
        self.last_step = step if step is not None else self.last_step
        self.throttle_reset(commit=False)
        self.set_last_used_timestamp(commit=False)
        self.save()
        return True

    @property
    def locked_seconds(self) -> int:
        is_allowed, why = self.verify_is_allowed()
        if is_allowed:
            return 0
        seconds: float = (why["locked_until"] - timezone.now()).total_seconds()
        return max(1, round(seconds))


class RecoveryCode(models.Model):
    """A code that replaces one of the app, for a lost phone. The row is deleted once it is used."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recovery_codes"
    )
    hash = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "hash"], name="recovery_code_once")
        ]

    def __str__(self) -> str:
        return f"A recovery code of {self.user}"

    @staticmethod
    def digest(code: str, *, user_id: int) -> str:
        plain = "".join(code.split()).replace("-", "").upper()
        return hashlib.sha256(f"{user_id}:{plain}".encode()).hexdigest()

    @staticmethod
    def renew(*, user_id: int) -> list[str]:
        """Replace all codes. The new ones are returned as plain text, to be shown once."""
        RecoveryCode.objects.filter(user_id=user_id).delete()
        made = [
            base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode()
            for _ in range(RECOVERY_CODES)
        ]
        hashes = [RecoveryCode.digest(code, user_id=user_id) for code in made]
        RecoveryCode.objects.bulk_create(
            [RecoveryCode(user_id=user_id, hash=one) for one in hashes]
        )
        return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in made]

    @classmethod
    def use(cls, code: str, *, user_id: int) -> bool:
        """Consume the code; False if it was used already."""
        found = cls.objects.filter(user_id=user_id, hash=cls.digest(code, user_id=user_id))
        return bool(found.delete()[0])
