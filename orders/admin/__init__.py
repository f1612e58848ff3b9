"""The pages about orders, domains, mailboxes and clients. Importing a module registers them."""

from orders.admin import (
    changelist,  # noqa: F401
    confirmation_rules,  # noqa: F401
    delegation_pages,  # noqa: F401
    inventory_pages,  # noqa: F401
    month_end_pages,  # noqa: F401
)
