"""The pages about orders and what they buy, a file a page."""

from orders.admin import (
    changelist,  # noqa: F401 (importing registers the pages)
    confirmation_rules,  # noqa: F401
    delegation_pages,  # noqa: F401
    inventory_pages,  # noqa: F401
    month_end_pages,  # noqa: F401
)
