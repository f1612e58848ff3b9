"""Our orders beside the vendor's own list, or beside a statement."""

from orders.audit.month_end.findings import settle, take
from orders.audit.month_end.matches import begin_with_list, begin_with_statement
from orders.audit.month_end.statement import Charge, read_statement

__all__ = ["Charge", "begin_with_list", "begin_with_statement", "read_statement", "settle", "take"]
