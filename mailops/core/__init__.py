"""Knows no app: money, times, text, sealed secrets, CSV, SQL triggers, the heartbeat."""
