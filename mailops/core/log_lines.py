"""Lines of the log without tracebacks, for what a visitor can bring about with an address."""

import logging


class WithoutTraceback(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True
