"""The audited tables of this app: an untracked change of one of their rows leaves a trace."""

from mailops.core.sql_triggers import AuditedTable

TRACED = (
    AuditedTable(
        table="vendors_vendor",
        secret=("sealed",),
        # Workers write these all the time, and no person's decision depends on them.
        quiet=(
            "next_turn_at",
            "next_search_at",
            "limits_changed_at",
            "asking_until",
            "quiet_until",
            "reads_failed",
            "read_at",
            "read_said",
        ),
    ),
    AuditedTable(table="vendors_price"),
    AuditedTable(table="vendors_priceversion"),
    AuditedTable(table="vendors_contact"),
    AuditedTable(table="vendors_rate"),
    AuditedTable(table="vendors_sendingswitch"),
)
