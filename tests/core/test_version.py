"""One version: that of the project file is the one that requests carry."""

from __future__ import annotations

import tomllib
from pathlib import Path

from mailops import VERSION


def test_the_version_is_that_of_the_project_file() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION
