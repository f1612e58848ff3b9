"""Probes fail one by one: what one of them finds hides nothing that another can't read."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import Schedule

from mailops.core import heartbeat
from mailops.ops.diagnostics import findings


@pytest.mark.parametrize("one_person", [False, True])
def test_a_table_that_can_not_be_read_is_a_problem_beside_other_findings(
    db: None, settings: Any, one_person: bool
) -> None:
    settings.ONE_PERSON = one_person
    heartbeat.beat()
    Schedule.objects.update(next_run=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE notices_notice RENAME TO notices_gone")
    found = [finding.text for finding in findings()]
    assert any(text.startswith("The notices can't be read: ") for text in found), found
