"""The project: settings, addresses, processes, and what every package uses."""
