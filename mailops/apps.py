"""The project's two apps: Django's admin with our site in it, and MailOps itself."""

from django.apps import AppConfig
from django.contrib.admin import apps

from mailops.site.audited_system_tables import TRACED


class AdminConfig(apps.AdminConfig):
    """The stock admin, every page of it served by MailOpsSite."""

    default_site = "mailops.site.admin_site.MailOpsSite"


class MailOpsConfig(AppConfig):
    """The project's own app: pages' frame, roles, money, static files."""

    name = "mailops"
    verbose_name = "MailOps"
    audited_tables = TRACED

    def ready(self) -> None:
        from mailops import checks  # noqa: F401  (they register what they hold)
        from mailops.site import user_policies  # noqa: F401  (they register what they hold)
