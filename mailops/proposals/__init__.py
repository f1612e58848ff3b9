"""Changes that need a second person: proposed by one, approved by another, then applied exactly as
proposed.
"""
