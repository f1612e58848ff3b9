"""Second factors: who must have one, checking a code, and adding, renewing, removing one."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest

from mailops.auth import sessions
from mailops.auth.models import Authenticator, RecoveryCode
from mailops.core.sealed import CannotOpen, Sealed
from mailops.history import audited, record

SUPERUSER = "superuser"


class Refused(Exception):
    """Nothing was changed; the message is the reason, for a person."""


@dataclass(frozen=True)
class Check:
    """Result of checking a code; `why` is the reason, for a person, where it is not right."""

    is_good: bool
    why: str = ""


def of(user: User) -> Authenticator | None:
    found: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=True).first()
    return found


def is_required(user: User) -> bool:
    required = set(settings.SECOND_FACTOR_ROLES)
    if not required:
        return False
    if SUPERUSER in required and user.is_superuser:
        return True
    return user.groups.filter(name__in=required).exists()


def check(request: HttpRequest, user: User, code: str) -> Check:
    """Check a code; a right one is consumed. A wrong one counts as a failed sign-in."""
    try:
        # The row lock makes two requests with the same code come one after the other.
        with audited():
            device = (
                Authenticator.objects.select_for_update().filter(user=user, confirmed=True).first()
            )
            if device is None:
                return Check(False, "There is no second factor any more. Log in again.")
            if wait := device.locked_seconds:
                return Check(
                    False,
                    f"Too many wrong codes. Wait {_seconds(wait)}, then type the code of then.",
                )
            left = user.recovery_codes.count()
            is_good = device.verify_token(code)
            if is_good and (now := user.recovery_codes.count()) < left:
                record(
                    "user.used_recovery_code",
                    user,
                    by=user,
                    changes={"recovery codes left": [left, now]},
                )
    except CannotOpen:
        return Check(
            False, "Your second factor can't be read any more. Ask a superuser to reset it."
        )
    if is_good:
        return Check(True)
    # The signal reaches the history and the lockout. It is sent after the transaction, whose
    # rollback would take both back.
    credentials = {"username": user.get_username()}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)
    return Check(
        False,
        "This code is not right, or it was used already. Wait for the next one and type that.",
    )


@audited()
def add(user: User, *, key: str, step: int, session_key: str) -> list[str]:
    """Replace the person's second factor and end their other sessions. Returns recovery codes."""
    # One person has one factor, so an older one is removed, with an event of its own.
    replaced, _ = Authenticator.objects.filter(user=user).delete()
    if replaced:
        record("user.second_factor_removed", user, by=user, reason="Replaced by another one.")
    sealed = str(Sealed("").put({"key": key}))
    Authenticator.objects.create(user=user, name="App", sealed=sealed, last_step=step)
    codes = RecoveryCode.renew(user_id=user.pk)
    record("user.second_factor_added", user, by=user)
    sessions.end_all(user, but=session_key)
    return codes


@audited()
def renew_codes(user: User) -> list[str]:
    if of(user) is None:
        raise Refused("Add a second factor first.")
    codes = RecoveryCode.renew(user_id=user.pk)
    record("user.recovery_codes_renewed", user, by=user)
    return codes


@audited()
def remove(user: User, *, session_key: str) -> None:
    """Remove one's own. Raises `Refused` where a role asks for a second factor."""
    if is_required(user):
        raise Refused("Your role asks for a second factor. You can replace it, not remove it.")
    if not _delete(user):
        raise Refused("There is no second factor any more.")
    record("user.second_factor_removed", user, by=user)
    sessions.end_all(user, but=session_key)


@audited()
def reset(user: User, *, by: User, reason: str) -> None:
    if not by.has_perm("doors.reset_authenticator") or not by.is_superuser:
        raise Refused("Only a superuser can reset a second factor.")
    # With a stolen session somebody could otherwise remove the factor of its owner.
    if user.pk == by.pk:
        raise Refused(
            "Nobody resets their own second factor. Ask another superuser, or use a recovery code."
        )
    if not reason.strip():
        raise Refused("Say why it is reset.")
    if not _delete(user):
        raise Refused("There is no second factor any more.")
    record("user.second_factor_removed", user, by=by, reason=reason.strip())
    sessions.end_all(user)


def _delete(user: User) -> bool:
    RecoveryCode.objects.filter(user=user).delete()
    return bool(Authenticator.objects.filter(user=user).delete()[0])


def _seconds(count: int) -> str:
    if count >= 90:
        return f"{round(count / 60)} minutes"
    return "a second" if count == 1 else f"{count} seconds"
