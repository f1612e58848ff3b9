"""The project: settings, addresses, processes, and what every package uses."""

VERSION = "0.2.0"  # as in pyproject.toml
