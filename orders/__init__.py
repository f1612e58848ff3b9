"""Orders and their way to the vendor: plan, submission, tasks."""
