"""Drills of a module share an installation; the run ends with a table of their results."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import results
from tests.faults.scenarios import DrillInstallation


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and results.FOLDER not in os.environ:
        os.environ[results.FOLDER] = tempfile.mkdtemp(prefix="mailops-drills-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(results.FOLDER)))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if lines := results.table():
        terminalreporter.section("drills")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="module")
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DrillInstallation]:
    """People, accounts with prices, and practice vendors; no worker.

    A module's `ENV` is added to the environment of its processes.
    """
    installation = DrillInstallation(
        tmp_path_factory.mktemp("installation"), **getattr(request.module, "ENV", {})
    )
    try:
        installation.build()
        yield installation
    finally:
        installation.tear_down()


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    yield  # a worker of a drill that failed must not reach into the next one
    if "installation" in request.fixturenames:
        request.getfixturevalue("installation").stop_clusters()
