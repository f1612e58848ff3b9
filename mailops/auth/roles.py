"""The four roles, as Django groups, made after every migration."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import connections

from mailops.history import audited, record

DRAFTER, CONFIRMER, OPERATOR, AUDITOR = "Drafter", "Confirmer", "Operator", "Auditor"

_SEE = {
    "orders.view_order", "orders.view_domain", "orders.view_mailbox", "orders.view_client",
    "orders.view_attempt", "orders.view_neverbuy", "orders.view_match", "orders.view_finding",
    "orders.view_confirmationrule", "orders.view_delegation", "orders.view_departure",
    "orders.view_refund",
    "vendors.view_vendor", "vendors.view_price", "vendors.view_priceversion",
    "vendors.view_rate", "vendors.view_contact", "history.view_event", "proposals.view_proposal",
}  # fmt: skip
# Everybody sees the lists, but a Drafter has no need to take a whole one away.
_EXPORT = {"history.export_list"}
ROLES: dict[str, set[str]] = {
    DRAFTER: _SEE
    | {
        "orders.add_order", "orders.change_order", "orders.cancel_order", "orders.add_client",
        "orders.change_client", "orders.comment_order", "vendors.add_contact",
        "vendors.change_contact", "orders.check_vendor", "orders.arrive_asset",
    },
    CONFIRMER: _SEE
    | _EXPORT
    | {
        "orders.confirm_order", "orders.cancel_order", "orders.settle_order",
        "orders.add_delegation", "orders.comment_order", "orders.run_match",
        "orders.settle_finding", "proposals.approve_proposal", "orders.check_vendor",
        "orders.arrive_asset", "orders.end_asset", "orders.process_order",
    },
    OPERATOR: _SEE
    | _EXPORT
    | {
        "vendors.add_vendor", "vendors.change_vendor", "vendors.test_vendor",
        "vendors.hold_all_sending", "vendors.add_price", "vendors.change_price",
        "vendors.delete_price", "vendors.add_rate", "vendors.add_contact",
        "vendors.change_contact", "orders.change_client", "orders.limit_client",
        "orders.add_neverbuy", "orders.change_neverbuy", "orders.delete_neverbuy",
        "orders.comment_order", "orders.run_match", "orders.settle_finding",
        "orders.check_vendor", "orders.end_asset",
        "proposals.approve_proposal", "orders.add_confirmationrule",
        "orders.change_confirmationrule", "orders.delete_confirmationrule",
        "notices.view_sharedaddress", "notices.add_sharedaddress", "notices.change_sharedaddress",
        "notices.delete_sharedaddress",
    },
    AUDITOR: _SEE
    | _EXPORT
    | {
        "history.verify_event", "history.export_event", "auth.view_user", "auth.view_group",
        "doors.view_authenticator", "notices.view_sharedaddress",
    },
}  # fmt: skip


def make_groups(*, using: str, **kwargs: Any) -> None:
    """Give the groups exactly these permissions. A change of a group that exists is recorded."""
    # A migration back to an early state runs this as well: the table of the audit mark is gone.
    if "history_telling" not in connections[using].introspection.table_names():
        return
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    named = {permission.pk: name for name, permission in known.items()}
    with audited():
        for role, names in ROLES.items():
            group, is_new = Group.objects.using(using).get_or_create(name=role)
            before = {named[permission.pk] for permission in group.permissions.all()}
            after = names & known.keys()
            group.permissions.set([known[name] for name in after])
            if before != after and not is_new:
                record(
                    "group.changed", group, changes={"permissions": [sorted(before), sorted(after)]}
                )
