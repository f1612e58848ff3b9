"""What knows no app: money, times, sealed secrets, CSV, SQL triggers, the heartbeat."""
