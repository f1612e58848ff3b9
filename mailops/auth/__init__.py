"""The doors: sign-in and its throttling, the second factor, sessions, the fresh sign-in before
money moves.
"""
