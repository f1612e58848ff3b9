"""The app of the doors."""

from django.apps import AppConfig

from mailops.core.sql_triggers import AuditedTable


class DoorsConfig(AppConfig):
    """Sign-in, second factors, sessions."""

    name = "mailops.auth"
    label = "doors"
    verbose_name = "Doors"
    audited_tables = (
        AuditedTable(
            table="doors_authenticator",
            secret=("sealed",),
            quiet=(
                "last_step",
                "last_used_at",
                "throttling_failure_timestamp",
                "throttling_failure_count",
            ),
        ),
        AuditedTable(table="doors_recoverycode", secret=("hash",)),
    )

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from mailops.auth import checks, sessions  # noqa: F401  (checks registers itself)

        user_logged_in.connect(sessions.begin, dispatch_uid="mailops.auth")
