"""The pages about orders and what they buy, a file a page."""

from orders.admin import inventory, list, matching  # noqa: F401 (they register their pages)
