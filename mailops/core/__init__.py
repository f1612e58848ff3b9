"""Knows no app: money, times, texts, sealed secrets, CSV, SQL triggers."""
