"""The tables of this app that leave traces where they change and no event tells of it."""

from mailops.core.sql_triggers import AuditedTable

TRACED = (
    AuditedTable(
        table="vendors_vendor",
        secret=("sealed",),
        quiet=("next_turn_at", "next_search_at", "limits_changed_at"),
    ),
    AuditedTable(table="vendors_price"),
    AuditedTable(table="vendors_priceversion"),
    AuditedTable(table="vendors_contact"),
    AuditedTable(table="vendors_rate"),
    AuditedTable(table="vendors_sendingswitch"),
)
