"""The auditor takes evidence away, and a stranger checks it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.crawl import barriers, look_at
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser


def test_evidence_of_an_order_is_taken_away_and_checked_without_mailops(
    auditor: Page, stack: Stack, tmp_path: Path
) -> None:
    auditor.goto("/orders/order/1/change/")
    auditor.get_by_role("link", name="Evidence of this order").click()
    expect(auditor.get_by_role("heading", name="What will be in it")).to_be_visible()
    with auditor.expect_download() as download:
        auditor.get_by_role("button", name="Make the file").click()
    download.value.save_as(tmp_path / "pack.zip")
    with zipfile.ZipFile(tmp_path / "pack.zip") as archive:
        archive.extractall(tmp_path / "pack")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py"],
        cwd=tmp_path / "pack",
        capture_output=True,
        text=True,
        env={},
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    fingerprint = done.stdout.partition("Fingerprint of the manifest: ")[2].split()[0]
    auditor.goto("/history/event/?action=evidence.exported")
    auditor.locator("#result_list tbody a").first.click()
    expect(auditor.get_by_text(fingerprint)).to_be_visible()
    auditor.goto((tmp_path / "pack" / "index.html").as_uri())
    look = look_at(auditor, role="auditor")
    assert (look.headings, look.sideways, barriers(auditor)) == (1, [], [])


def test_the_control_report_is_read_and_a_list_is_taken_away(auditor: Page) -> None:
    auditor.goto("/")
    pages = auditor.get_by_role("navigation", name="Main")
    pages.get_by_role("link", name="Control report").click()
    auditor.get_by_role("button", name="Show the report").click()
    expect(auditor.get_by_role("heading", name="Who held which role, and when")).to_be_visible()
    look = look_at(auditor, role="auditor")
    assert (look.headings, look.unlabelled, look.sideways, barriers(auditor)) == (1, [], [], [])
    pages.get_by_role("link", name="Orders").click()
    with auditor.expect_download() as download:
        auditor.get_by_role("button", name="Export as CSV").click()
    assert (
        Path(download.value.path())
        .read_text(encoding="utf-8-sig")
        .startswith("Order,Client,Account,")
    )
