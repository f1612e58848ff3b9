"""Messages to people: to whom, through which channel, and when again."""
