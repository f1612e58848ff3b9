"""A person's second factor: an app that shows codes, its key sealed, and recovery codes, kept as
hashes.
"""

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

KEY_BYTES = 20  # what RFC 4226 recommends and every app takes
STEP, DIGITS, TOLERANCE = 30, 6, 1
RECOVERY_CODES = 10
RECOVERY_BYTES = 10  # 80 random bits: nobody finds such a code again from its plain hash


def new_key() -> str:
    """A key for an app, as apps want it typed."""
    return base64.b32encode(secrets.token_bytes(KEY_BYTES)).decode()


def address(key: str, *, name: str) -> str:
    """What the QR code says: https://github.com/google/google-authenticator/wiki/Key-Uri-Format."""
    return f"otpauth://totp/MailOps:{quote(name)}?secret={key}&issuer=MailOps&digits={DIGITS}&period={STEP}"


def matching_step(key: str, code: str, *, after: int = -1) -> int | None:
    """The time step whose code this is, later than `after`, by a clock that is off by one step at
    most.
    """
    code = code.replace(" ", "")
    if not (code.isascii() and code.isdecimal() and len(code) == DIGITS):
        return None
    reader = TOTP(base64.b32decode(key), STEP, 0, DIGITS)
    reader.time = time.time()
    return reader.t() if reader.verify(int(code), TOLERANCE, after + 1) else None


class Authenticator(TimestampMixin, ThrottlingMixin, Device):
    """The app on somebody's phone that shows six digits.

    Wrong codes slow it down: 1, 2, 4, 8 seconds and so on.
    """

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
        """Whether this is the code of now, or a recovery code: each is taken once.

        To be called on a locked row.
        """
        is_allowed, _ = self.verify_is_allowed()
        if not is_allowed:
            return False
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
    def rests_seconds(self) -> int:
        """For how long no code is looked at, after wrong ones."""
        is_allowed, why = self.verify_is_allowed()
        return (
            0
            if is_allowed
            else max(1, round((why["locked_until"] - timezone.now()).total_seconds()))
        )


class RecoveryCode(models.Model):
    """One of the codes for the day on which the phone is lost; gone once used."""

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
        """New codes in the place of all older ones, to be shown this once."""
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
        """Take the code out; whoever comes second finds it gone."""
        return (
            cls.objects.filter(user_id=user_id, hash=cls.digest(code, user_id=user_id)).delete()[0]
            > 0
        )
