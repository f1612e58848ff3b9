"""Drills of a module share a house; the run ends with a table of them all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults import results
from tests.faults.installation import House


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
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """People, accounts with prices, and practice vendors; no worker.

    A module's `ENV` holds what it wants otherwise.
    """
    house = House(tmp_path_factory.mktemp("house"), **getattr(request.module, "ENV", {}))
    try:
        house.build()
        yield house
    finally:
        house.tear_down()


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """No worker of a drill that failed reaches into the next one."""
    yield
    if "house" in request.fixturenames:
        request.getfixturevalue("house").stop_clusters()
