"""Addresses that somebody makes up leave a line in the log, and no traceback."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.test import Client as Browser


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    found = logging.getLogger("django.security").handlers
    handler = next(handler for handler in found if handler.name == "one_line")
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.mark.parametrize(
    ("path", "host"),
    [("/orders/order/?_to_field=x", "localhost"), ("/login/", "evil.example.com")],
)
def test_a_refused_address_is_one_line(
    people: SimpleNamespace, log: io.StringIO, path: str, host: str
) -> None:
    browser = Browser(raise_request_exception=False, headers={"host": host})
    browser.force_login(people.boss)
    assert browser.get(path).status_code == 400
    assert len(log.getvalue().splitlines()) == 1
    assert "ERROR django.security" in log.getvalue()
    assert "Traceback" not in log.getvalue()
