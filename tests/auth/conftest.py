"""What the tests of the doors share: axes awake, a person with a second factor, codes as their
phone shows them.
"""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from mailops.auth import models, two_factor
from tests.auth.phone import Phone

PASSWORD = "correct-horse-battery-9"


@pytest.fixture(autouse=True)
def awake(settings: Any) -> None:
    settings.AXES_ENABLED = True
    settings.SECOND_FACTOR_THROTTLE_SECONDS = 0


@pytest.fixture
def who(people: SimpleNamespace) -> SimpleNamespace:
    """The people of the tests, with a password that can be typed."""
    for user in vars(people).values():
        user.set_password(PASSWORD)
        user.save()
    return people


def sign_in(
    name: str, *, password: str = PASSWORD, browser: Browser | None = None, **meta: Any
) -> Any:
    browser = browser or Browser()
    return browser.post("/login/?next=/", {"username": name, "password": password}, **meta)


def equipped(user: User) -> tuple[Phone, list[str]]:
    """Give the person a second factor; their phone and recovery codes."""
    key = models.new_key()
    phone = Phone(key)
    return phone, two_factor.add(user, key=key, step=-1, session_key="")


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())
