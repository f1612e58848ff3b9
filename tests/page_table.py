"""Who may open and do what: one row for every page of the admin site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLResolver, get_resolver

# boss: a superuser; nobody: not logged in
PEOPLE = ["drafter", "confirmer", "operator", "auditor", "boss", "nobody"]
# Status codes of a page, one for each of the people.
ALL, NONE = "200 200 200 200 200 302", "403 403 403 403 403 302"
AWAY = "302 302 302 302 302 302"
LOST = "404 404 404 404 404 302"
POSTED = "405 405 405 405 405 302"  # a page that does something and shows nothing
BOSS, DRAFTING = "403 403 403 403 200 302", "200 403 403 403 200 302"
CONFIRMING, OPERATING = "403 200 403 403 200 302", "403 403 200 403 200 302"
CHECKING, CONTACTS = "403 403 403 200 200 302", "200 403 200 403 200 302"
OPERATED, DRAFTED = "403 403 302 403 302 302", "302 403 403 403 302 302"
MATCHING = "403 200 200 403 200 302"
EXPORTING, TAKEN = "405 405 405 405 405 302", "403 200 200 200 200 302"
DECIDED = "403 302 302 403 302 302"
SHARED = "403 403 200 200 200 302"
WITH_REASON = "200 200 403 403 200 302"


def stock(
    model: str,
    *,
    see: str = ALL,
    add: str = NONE,
    change: str = NONE,
    delete: str = NONE,
    past: str = AWAY,
) -> Any:
    """The stock pages of one model: page -> what a GET and what an empty POST answer."""
    return {
        f"{model}/": (see, see),
        f"{model}/add/": (add, add),
        f"{model}/<path:object_id>/change/": (see, change),
        f"{model}/<path:object_id>/delete/": (delete, delete),
        f"{model}/<path:object_id>/history/": (past, past),
        f"{model}/<path:object_id>/": (AWAY, AWAY),
    }


PAGES: dict[str, tuple[str, str]] = {
    "": (ALL, ALL),
    "login/": ("302 302 302 302 302 200", ALL.replace("302", "200")),
    "logout/": (POSTED, ALL),
    "login/code/": (AWAY, AWAY),
    "second-factor/": (ALL, ALL),
    "second-factor/add/": (ALL, ALL),
    "second-factor/codes/": (POSTED, AWAY),
    "second-factor/remove/": (POSTED, AWAY),
    "password_change/": (ALL, ALL),
    "password_change/done/": (ALL, POSTED),
    "autocomplete/": (NONE, POSTED),
    "jsi18n/": (ALL, POSTED),
    "r/<path:content_type_id>/<path:object_id>/": (LOST, LOST),
    "^(?P<app_label>history|auth|proposals|doors|axes|notices|vendors|orders)/$": (AWAY, AWAY),
    "(?P<url>.*)$": (LOST, LOST),
    **stock("history/event", past=ALL),
    "history/event/verify/": (CHECKING, CHECKING.replace("200", "302")),
    "history/event/compare/": (CHECKING.replace("200", "302"), CHECKING.replace("200", "400")),
    "history/event/digest/": (CHECKING, CHECKING),
    "history/event/export/": (EXPORTING, CHECKING),
    "my/notices/": (ALL, ALL.replace("200", "400")),
    "my/notices/test/": (POSTED, AWAY),
    "my/notices/forget/": (POSTED, AWAY),
    **stock("notices/sharedaddress", see=SHARED, add=OPERATING, change=OPERATING, delete=OPERATING),
    "notices/sharedaddress/<int:pk>/test/": (POSTED, OPERATED),
    **stock("auth/user", see=CHECKING, add=BOSS, change=BOSS, delete=BOSS),
    "auth/user/<id>/password/": (BOSS, BOSS),
    **stock("auth/group", see=CHECKING),
    **stock("proposals/proposal"),
    "proposals/proposal/<int:pk>/approve/": (POSTED, DECIDED),
    "proposals/proposal/<int:pk>/decline/": (
        POSTED,
        DECIDED.replace("302 302 403 302 302", "400 400 403 400 302"),
    ),
    "proposals/proposal/<int:pk>/withdraw/": (POSTED, "403 403 302 403 403 302"),
    **stock("doors/authenticator", see=CHECKING),
    "doors/authenticator/<int:pk>/reset/": (BOSS, BOSS.replace("200", "400")),
    **stock("axes/accessattempt", see=BOSS),
    "axes/accessattempt/<int:pk>/unlock/": (POSTED, BOSS.replace("200", "302")),
    **stock("vendors/vendor", add=OPERATING, change=OPERATING),
    "vendors/vendor/<int:pk>/test/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/fetch/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/balance/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/stop/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/resume/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/funds/": (POSTED, OPERATED),
    "vendors/vendor/<int:pk>/forget/": (POSTED, OPERATED),
    "vendors/vendor/hold_all/": (POSTED, OPERATED),
    "vendors/vendor/release_all/": (POSTED, OPERATED),
    **stock("vendors/price", add=OPERATING, change=OPERATING, delete=OPERATING),
    **stock("vendors/priceversion"),
    "vendors/priceversion/export/": (EXPORTING, TAKEN),
    **stock(
        "vendors/rate"
    ),  # typed where a reporting currency is set: see tests/vendors/test_prices_pages.py
    **stock("vendors/contact", add=CONTACTS, change=CONTACTS),
    **stock("orders/domain", past=ALL),
    "orders/domain/export/": (EXPORTING, TAKEN),
    **stock("orders/mailbox", past=ALL),
    "orders/mailbox/export/": (EXPORTING, TAKEN),
    "orders/client/export/": (EXPORTING, TAKEN),
    **stock("orders/client", add=DRAFTING, change=CONTACTS),
    **stock("orders/neverbuy", add=OPERATING, change=OPERATING, delete=OPERATING),
    **stock("orders/match", add=MATCHING),
    "orders/match/add/": (MATCHING, MATCHING.replace("200", "400")),
    "orders/match/<path:object_id>/change/": (ALL, ALL),
    "orders/match/<int:pk>/take/": (POSTED, MATCHING.replace("200", "302")),
    "orders/match/<int:pk>/settle/": (POSTED, MATCHING.replace("200", "400")),
    **stock("orders/finding"),
    "orders/finding/<int:pk>/record/": (MATCHING, MATCHING.replace("200", "400")),
    **stock("orders/confirmationrule", add=OPERATING, change=OPERATING, delete=OPERATING),
    **stock("orders/delegation", add=CONFIRMING),
    "orders/delegation/<int:pk>/end/": (POSTED, "403 302 403 403 302 302"),  # the confirmer's own
    **stock("orders/order", add=DRAFTING, change=ALL),
    "orders/order/volume/": (ALL, POSTED),
    "orders/order/export/": (EXPORTING, TAKEN),
    "orders/order/evidence/": (CHECKING, CHECKING.replace("200", "400")),
    "orders/order/control/": (CHECKING, POSTED),
    "orders/order/together/": (CONFIRMING, CONFIRMING),
    "orders/order/<int:pk>/comment/": ("200 200 200 403 200 302", "400 400 400 403 400 302"),
    "orders/order/<int:pk>/edit/": (DRAFTING, DRAFTING.replace("200", "400")),
    "orders/order/<int:pk>/send/": (POSTED, DRAFTED),
    "orders/order/<int:pk>/confirm/": (CONFIRMING, CONFIRMING.replace("200", "409")),
    "orders/order/<int:pk>/back/": (WITH_REASON, WITH_REASON.replace("200", "400")),
    "orders/order/<int:pk>/cancel/": (WITH_REASON, WITH_REASON.replace("200", "400")),
    "orders/order/<int:pk>/copy/": (POSTED, DRAFTED),
    "orders/order/<int:pk>/ask/": (POSTED, "302 302 302 403 302 302"),
    "orders/order/<int:pk>/arrived/": (WITH_REASON, WITH_REASON.replace("200", "400")),
    "orders/order/<int:pk>/expected/": (WITH_REASON, WITH_REASON.replace("200", "400")),
    "orders/order/<int:pk>/not_coming/": (MATCHING, MATCHING.replace("200", "400")),
    "orders/order/<int:pk>/after_all/": (MATCHING, MATCHING.replace("200", "400")),
    "orders/order/<int:pk>/check/": (CONFIRMING, CONFIRMING.replace("200", "400")),
    "orders/order/<int:pk>/processed/": (CONFIRMING, CONFIRMING.replace("200", "400")),
    "orders/order/<int:pk>/leave/": (CONFIRMING, CONFIRMING.replace("200", "400")),
    "orders/order/<int:pk>/elsewhere/": (ALL, DRAFTED),
    "orders/order/<int:pk>/availability/": (ALL, DRAFTED),
    "orders/order/<int:pk>/suggest/": (POSTED, "404 403 403 403 404 302"),  # of a vendor that can't
    "orders/order/<int:pk>/take/": (POSTED, DRAFTED),
    "orders/order/<int:pk>/refunds/": (ALL, MATCHING.replace("200", "400")),
    "orders/order/<int:pk>/news/": (CONFIRMING, CONFIRMING.replace("200", "400")),
}
SAMPLES = {  # pages whose address has no object of ours in it
    "r/<path:content_type_id>/<path:object_id>/": "r/1/1/",
    "^(?P<app_label>history|auth|proposals|doors|axes|notices|vendors|orders)/$": "orders/",
    "(?P<url>.*)$": "no/such/page/",
}


def walk(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    """Every address pattern of the project."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry, pattern)
        else:
            yield pattern
