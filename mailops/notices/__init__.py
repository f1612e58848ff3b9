"""Notices: people are told what waits for them and what went wrong.

Computed from the history, so nobody calls them.
"""
