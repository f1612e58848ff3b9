"""The four roles, as Django groups, made after every migration."""

from __future__ import annotations

from typing import Any

DRAFTER, CONFIRMER, OPERATOR, AUDITOR = "Drafter", "Confirmer", "Operator", "Auditor"

_SEE = {
    "orders.view_order", "orders.view_domain", "orders.view_mailbox", "orders.view_client", "orders.view_attempt",
    "orders.view_neverbuy",
    "vendors.view_vendor", "vendors.view_price", "vendors.view_priceversion",
    "vendors.view_rate", "vendors.view_contact", "history.view_event",
}  # fmt: skip
ROLES: dict[str, set[str]] = {
    DRAFTER: _SEE
    | {
        "orders.add_order", "orders.change_order", "orders.cancel_order", "orders.add_client", "orders.change_client",
        "vendors.add_contact", "vendors.change_contact",
    },
    CONFIRMER: _SEE | {"orders.confirm_order", "orders.cancel_order", "orders.settle_order"},
    OPERATOR: _SEE
    | {
        "vendors.add_vendor", "vendors.change_vendor", "vendors.test_vendor", "vendors.hold_all_sending",
        "vendors.add_price", "vendors.change_price", "vendors.delete_price", "vendors.add_rate",
        "vendors.add_contact", "vendors.change_contact", "orders.change_client", "orders.limit_client",
        "orders.add_neverbuy", "orders.change_neverbuy", "orders.delete_neverbuy",
    },
    AUDITOR: _SEE
    | {
        "history.verify_event", "history.export_event", "auth.view_user", "auth.view_group", "doors.view_authenticator",
    },
}  # fmt: skip


def make_groups(*, using: str, **kwargs: Any) -> None:
    """Make the groups hold exactly these permissions."""
    from django.contrib.auth.models import Group, Permission

    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for role, names in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=role)
        group.permissions.set([known[name] for name in names if name in known])
