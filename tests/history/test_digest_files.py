"""Digests: written out, sent, read back, and a history written again as a whole is noticed by them."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, transaction
from django.utils import timezone

from mailops.history import digest_files, tasks
from mailops.history.digest_files import BadDigest
from mailops.history.models import Digest, Event
from mailops.history.verify import verify
from mailops.ops.diagnostics import findings
from tests.history import forging
from tests.history.forging import write

HASH = "0123456789abcdef" * 4


@pytest.fixture
def kept(tmp_path: Path, settings: Any) -> Path:
    settings.HISTORY_DIGEST_FILE = tmp_path / "elsewhere" / "digests.jsonl"
    return settings.HISTORY_DIGEST_FILE


@pytest.fixture
def six(db: None, kept: Path) -> list[Event]:
    return write(6)


def later(**how_long: float) -> Any:
    return timezone.now() + timedelta(**how_long)


def test_a_digest_goes_to_the_file_and_leaves_a_record(six: list[Event], kept: Path) -> None:
    assert tasks.write_digest() == "noted record 6, wrote record 6"
    line = json.loads(kept.read_text())
    assert (line["number"], line["hash"]) == (6, six[-1].hash)
    assert Event.objects.latest("number").action == "history.digest_written"


def test_the_next_one_comes_after_a_day_or_enough_records(
    six: list[Event], kept: Path, settings: Any
) -> None:
    digest_files.write()
    assert digest_files.write(later(hours=25)) == "nothing to do"  # its own record is not news
    write(2)
    assert digest_files.write(later(hours=23)) == "nothing to do"
    assert "noted record 9" in digest_files.write(later(hours=25))
    settings.HISTORY_DIGEST_RECORDS = 5
    write(5)
    assert "noted record 15" in digest_files.write()
    assert len(kept.read_text().splitlines()) == 3


def test_a_file_that_can_not_be_written_is_tried_again(six: list[Event], kept: Path) -> None:
    kept.parent.write_text("in the way")
    assert digest_files.write() == "noted record 6"
    Digest.objects.update(trouble="")  # told again by the next try
    assert digest_files.write() == "nothing to do"
    assert "can't be written" in Digest.objects.get().trouble
    kept.parent.unlink()
    assert digest_files.write() == "wrote record 6"


def test_a_digest_is_mailed_and_a_failing_mail_stops_nothing(
    six: list[Event], kept: Path, settings: Any
) -> None:
    settings.HISTORY_DIGEST_TO = ["auditor@example.com"]
    settings.EMAIL_BACKEND = "nowhere.Backend"
    assert digest_files.write() == "noted record 6, wrote record 6"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert digest_files.write() == "sent record 6"
    assert digest_files.write() == "nothing to do"
    (sent,) = mail.outbox
    assert sent.to == ["auditor@example.com"]
    assert digest_files.read(sent.body.splitlines()[-1]).hash == six[-1].hash


def test_trouble_for_more_than_an_hour_is_a_problem(six: list[Event], kept: Path) -> None:
    kept.parent.write_text("in the way")
    digest_files.write(later(hours=-2))
    assert [f for f in findings() if "can't be kept elsewhere" in f.text]


@pytest.mark.parametrize(
    "statement", ["UPDATE history_digest SET hash = 'x'", "DELETE FROM history_digest"]
)
def test_the_database_keeps_digests(six: list[Event], statement: str) -> None:
    digest_files.write()
    with pytest.raises(DatabaseError, match="kept for good"), transaction.atomic():
        forging.sql(statement)


# A chain written again


def test_a_rewritten_chain_is_noticed_by_the_file_alone(six: list[Event], kept: Path) -> None:
    digest_files.write()
    write(3)
    digest_files.write(later(hours=25))
    forging.unprotect()
    forging.rewrite(2, who="mallory")
    forging.sql("DELETE FROM history_digest")
    assert verify().bad is None
    assert "broken at record 6" in tasks.verify_whole()


def test_the_command_names_the_first_digest_that_does_not_fit(
    six: list[Event], tmp_path: Path
) -> None:
    lines = [
        digest_files.line(event.number, event.hash, event.at) for event in (six[1], six[3], six[5])
    ]
    (tmp_path / "mine").write_text("\n".join(lines))
    call_command("verify_history", "--digests", str(tmp_path / "mine"))
    forging.unprotect()
    forging.rewrite(3, who="mallory")
    with pytest.raises(
        CommandError, match=r"broken at record 4.*not the record of which a digest was kept"
    ):
        call_command("verify_history", "--digests", str(tmp_path / "mine"))


def test_a_file_of_no_digests_is_refused_by_its_line(six: list[Event], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text(f"6 {six[-1].hash}\n\nrubbish\n")
    with pytest.raises(CommandError, match="Line 3: There is no fingerprint in it"):
        call_command("verify_history", "--digests", str(tmp_path / "mine"))


# Reading


@pytest.mark.parametrize(
    "text",
    [
        f'{{"number": 12, "hash": "{HASH}", "at": "2026-01-02T03:04:05+00:00"}}',
        f'{{"hash": "{HASH}", "number": 12, "at": "rubbish", "more": []}}',
        f"12 {HASH}",
        f"The history is unbroken: 12 records, last hash {HASH.upper()}.",
    ],
)
def test_a_digest_is_read_however_it_was_noted(text: str) -> None:
    point = digest_files.read(text)
    assert (point.number, point.hash) == (12, HASH)


@pytest.mark.parametrize(
    "text",
    [
        "", "hello", "12", HASH, f"{HASH} {HASH} 3", "[" * 900, "{" * 2000, f'{{"number": true, "hash": "{HASH}"}}',
        f'{{"number": 1.5, "hash": "{HASH}"}}', f'{{"number": 9223372036854775808, "hash": "{HASH}"}}',
        '{"number": 1, "hash": ["a"]}', f"0 {HASH}", f"99999999999999999999 {HASH}",
    ],
)  # fmt: skip
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(BadDigest):
        digest_files.read(text)


# The page


@pytest.fixture
def auditor(people: Any, client: Any) -> Any:
    client.force_login(people.auditor)
    return client


def compared(browser: Any, **given: Any) -> str:
    return browser.post("/history/event/compare/", given).content.decode()


def test_an_auditor_compares_a_pasted_digest(auditor: Any, six: list[Event]) -> None:
    current = auditor.get("/history/event/digest/")
    assert current["Content-Disposition"].startswith("attachment")
    assert "The digest fits." in compared(auditor, text=current.content.decode())
    assert "The digest does not fit." in compared(auditor, text=f"3 {HASH}")
    assert "the history ends before that" in compared(auditor, text=f"900 {HASH}")


def test_an_auditor_compares_a_file(auditor: Any, six: list[Event]) -> None:
    lines = "\n".join(f"{event.number} {event.hash}" for event in six)
    assert "All 6 digests fit." in compared(auditor, file=SimpleUploadedFile("a", lines.encode()))
    forging.unprotect()
    forging.rewrite(4, who="mallory")
    assert "Record 4 is not the one" in compared(
        auditor, file=SimpleUploadedFile("a", lines.encode())
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Paste one line, or choose a file."),
        ({"text": "x" * 1001}, "at most 1000 characters"),
        ({"text": "rubbish"}, "There is no fingerprint in it"),
        ({"file": SimpleUploadedFile("a", b"x" * 300_000)}, "larger than 256 KB"),
        ({"file": SimpleUploadedFile("a", b"\xff\xfe\n\x00")}, "Line 1"),
    ],
)
def test_bad_input_gets_a_clear_sentence(
    auditor: Any, six: list[Event], given: dict[str, Any], said: str
) -> None:
    assert said in compared(auditor, **given)
