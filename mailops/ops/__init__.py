"""Running it: processes, health for monitors, diagnostics for people."""
