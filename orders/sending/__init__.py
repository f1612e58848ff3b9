"""Around the paid request: the queue, reads before it, price drift, verdicts."""
