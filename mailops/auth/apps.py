"""The app of signing in. Its label is older than its package, and tables bear it."""

from django.apps import AppConfig

from mailops.core.sql_triggers import AuditedTable


class DoorsConfig(AppConfig):
    name = "mailops.auth"
    label = "doors"
    verbose_name = "Doors"
    audited_tables = (
        AuditedTable(
            table="doors_authenticator",
            secret=("sealed",),
            # MailOps writes these at every sign-in, and an event of the sign-in is enough.
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

        from mailops.auth import checks, sign_in  # noqa: F401  (checks registers itself)

        user_logged_in.connect(sign_in.begin_session, dispatch_uid="mailops.auth")
