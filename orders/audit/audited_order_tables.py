"""Tables of this app whose triggers record changes that no event records."""

from mailops.core.sql_triggers import AuditedTable

TRACED = (
    AuditedTable(
        table="orders_order",
        secret=("sealed",),
        quiet=("rung_at", "progress_at", "answered_at", "wanted_at"),
    ),
    # The database computes the first two columns from the name.
    AuditedTable(table="orders_domain", quiet=("head", "tail", "looked_at")),
    AuditedTable(table="orders_mailbox"),
    AuditedTable(table="orders_attempt"),
    AuditedTable(table="orders_client", quiet=("limits_changed_at",)),
    AuditedTable(table="orders_departure"),
    AuditedTable(table="orders_refund"),
    AuditedTable(table="orders_editor"),
    AuditedTable(table="orders_neverbuy"),
    AuditedTable(table="orders_confirmation"),
    AuditedTable(table="orders_confirmationrule"),
    AuditedTable(table="orders_delegation"),
    AuditedTable(table="orders_match"),
    AuditedTable(table="orders_finding"),
)
