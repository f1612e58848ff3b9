"""The project's two apps: Django's admin with our site in it, and MailOps itself."""

from django.apps import AppConfig
from django.contrib.admin import apps

from mailops.site.audited_system_tables import TRACED


class AdminConfig(apps.AdminConfig):
    """Serves every admin page by MailOpsSite."""

    default_site = "mailops.site.admin_site.MailOpsSite"


class MailOpsConfig(AppConfig):
    """The app of the project itself: checks, users' policies, static files, commands."""

    name = "mailops"
    verbose_name = "MailOps"
    audited_tables = TRACED

    def ready(self) -> None:
        # imported because they register themselves
        from mailops import checks  # noqa: F401
        from mailops.core import durability
        from mailops.site import user_policies  # noqa: F401

        durability.turn_on_for_new_connections()
