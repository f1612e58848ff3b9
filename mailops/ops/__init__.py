"""Operation: processes, health for monitors, diagnostics for people."""
