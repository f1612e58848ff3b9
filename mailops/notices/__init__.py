"""Messages to people about what waits for them and what went wrong, computed from the history."""
