"""The pages about orders and what they buy, a file a page."""

from orders.admin import changelist, confirmation_rules, delegation_pages, inventory_pages, month_end_pages  # noqa: F401 (they register their pages)
