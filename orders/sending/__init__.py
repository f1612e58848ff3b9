"""What `submission` uses around the paid request: queue, lookups, prices, classification."""
