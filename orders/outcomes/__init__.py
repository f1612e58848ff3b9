"""After the request: unknown outcomes, delivery, and the sweeper."""
