"""Fixtures for confirming."""

from __future__ import annotations

import logging

import pytest

from orders.models import ConfirmationRule
from tests.conftest import OrderFactory


@pytest.fixture
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "django.request")  # every refusal is a warning there


@pytest.fixture
def two(factory: OrderFactory) -> ConfirmationRule:
    """Every order needs two persons besides its editors."""
    return ConfirmationRule.objects.create(confirmers=2)
