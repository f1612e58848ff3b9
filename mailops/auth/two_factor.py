"""Second factors: who must have one, checking a code, adding, renewing and removing; each recorded."""

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
    """It is not done; the message says why, for a person."""


@dataclass(frozen=True)
class Check:
    """What came of a code: good, or a sentence that says why not."""

    is_good: bool
    why: str = ""


def of(user: User) -> Authenticator | None:
    """The person's second factor, if they have one."""
    found: Authenticator | None = Authenticator.objects.filter(user=user, confirmed=True).first()
    return found


def is_required(user: User) -> bool:
    """Whether one of the person's roles asks for a second factor."""
    required = set(settings.SECOND_FACTOR_ROLES)
    if not required:
        return False
    if SUPERUSER in required and user.is_superuser:
        return True
    return user.groups.filter(name__in=required).exists()


def check(request: HttpRequest, user: User, code: str) -> Check:
    """Look at a code once. A wrong one slows the next down, and counts as a failed sign-in."""
    try:
        with audited():
            device = (
                Authenticator.objects.select_for_update().filter(user=user, confirmed=True).first()
            )
            if device is None:
                return Check(False, "There is no second factor any more. Log in again.")
            if wait := device.rests_seconds:
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
    credentials = {"username": user.get_username()}
    user_login_failed.send(sender=__name__, credentials=credentials, request=request)
    return Check(
        False,
        "This code is not right, or it was used already. Wait for the next one and type that.",
    )


@audited()
def add(user: User, *, key: str, step: int, session_key: str) -> list[str]:
    """Make this the person's second factor; other sessions end.

    Returns the recovery codes, to be shown once.
    """
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
    """New recovery codes; the older ones no longer work."""
    if of(user) is None:
        raise Refused("Add a second factor first.")
    codes = RecoveryCode.renew(user_id=user.pk)
    record("user.recovery_codes_renewed", user, by=user)
    return codes


@audited()
def remove(user: User, *, session_key: str) -> None:
    """The person takes their own second factor away, where their roles do not ask for one."""
    if is_required(user):
        raise Refused("Your role asks for a second factor. You can replace it, not remove it.")
    if not _delete(user):
        raise Refused("There is no second factor any more.")
    record("user.second_factor_removed", user, by=user)
    sessions.end_all(user, but=session_key)


@audited()
def reset(user: User, *, by: User, reason: str) -> None:
    """A superuser takes somebody's lost second factor away; that person is logged out everywhere."""
    if not by.has_perm("doors.reset_authenticator") or not by.is_superuser:
        raise Refused("Only a superuser can reset a second factor.")
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
