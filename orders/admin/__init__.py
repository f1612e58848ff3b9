"""The pages about orders and what they buy, a file a page."""

from orders.admin import delegations, inventory, list, matching, rules  # noqa: F401 (they register their pages)
