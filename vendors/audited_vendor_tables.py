"""The tables of this app that leave traces where they change and no event tells of it."""

from mailops.core.sql_triggers import Traced

TRACED = (
    Traced(table="vendors_vendor", secret=("sealed",), quiet=("next_turn_at", "next_search_at")),
    Traced(table="vendors_price"),
    Traced(table="vendors_priceversion"),
    Traced(table="vendors_contact"),
    Traced(table="vendors_rate"),
    Traced(table="vendors_sendingswitch"),
)
