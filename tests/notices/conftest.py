"""Fixtures for the tests of notices: people with addresses, and one run of the task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.utils import timezone

from mailops.notices import collect, tasks
from mailops.notices.models import Notice
from tests.conftest import OrderFactory


@pytest.fixture
def factory(factory: OrderFactory, settings: Any) -> OrderFactory:
    """Everybody has an e-mail address, and what happened so far is past."""
    settings.MAILOPS_URL = "https://mailops.example.com"
    for user in User.objects.all():
        user.email = f"{user.username}@example.com"
        user.save()
    for name in vars(factory.people):
        getattr(factory.people, name).refresh_from_db()
    collect.run(timezone.now())
    return factory


@pytest.fixture
def tick() -> Callable[[], None]:
    def run() -> None:
        tasks.tick()

    return run


def sent_subjects(kind: str = "") -> dict[str, str]:
    """Subjects of sent notices by recipient, of one kind or of all."""
    found = Notice.objects.exclude(sent_at=None).order_by("pk").select_related("user", "shared")
    if kind:
        found = found.filter(kind=kind)
    return {
        (notice.user.username if notice.user else str(notice.shared)): notice.subject
        for notice in found
    }


def text_to(user: User) -> str:
    """The last e-mail to this person."""
    return [str(message.body) for message in mail.outbox if message.to == [user.email]][-1]
