"""The two queues: orders never wait behind questions to vendors and notices to people."""

# A task is queued by one of these names, always: without one it would go to the queue that the
# process itself works for.
ORDERS = "mailops"  # also the signing salt of both: never change it with tasks queued
QUESTIONS = "questions"
