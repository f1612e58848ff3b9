"""Changes that a second person has to approve."""
