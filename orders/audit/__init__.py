"""For people who look after the others: evidence, control report, month-end match, retention."""
