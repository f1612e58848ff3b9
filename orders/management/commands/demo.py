"""`manage.py demo`: people, accounts and orders that really ran. Practice only."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from mailops.auth import roles
from mailops.core import fault_points
from mailops.core.sealed import Sealed
from mailops.history import acting, audited, record
from orders import submission
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.drafting.intake import read
from orders.models import Attempt, Client, Order, State
from orders.models.attempt import Stage
from orders.outcomes import evidence_lookup
from orders.plan import plan
from vendors import price_lists
from vendors.http import ReadFailed
from vendors.models import Contact, Price, Vendor

PEOPLE = {
    "drafter": [roles.DRAFTER],
    "confirmer": [roles.CONFIRMER],
    "operator": [roles.OPERATOR],
    "auditor": [roles.AUDITOR],
}
ACCOUNTS: list[tuple[str, str, dict[str, str]]] = [
    ("ColdMailReseller", "coldmailreseller", {"user_id": "U-201"}),
    ("ScaledMail", "scaledmail", {"organization_id": "recPracticeOrg1"}),
    ("Woodpecker", "woodpecker", {}),
    ("SmartSenders", "smartsenders", {"body_form": "objects"}),
]
CMR_PRICES = [
    ("domain.com", ".com domain", "13.00", "year", "14.50"),
    ("domain.net", ".net domain", "14.00", "year", "15.50"),
    ("mailbox", "Mailbox", "3.00", "month", None),
]
GOOGLE = {
    "google_oauth_route": (
        "https://accounts.google.com/o/oauth2/v2/auth/oauthchooseaccount?access_type=offline"
    ),
    "google_client_id": "549360251880-practice.apps.googleusercontent.com",
    "google_app_name": "Outreach App",
}
CMR_DOMAINS = {"service_provider": "GOOGLE", "confirm": True, "auto_renew": False} | GOOGLE
PASSWORDS_FILE = "demo-logins.txt"


class Command(BaseCommand):
    help = (
        "Load the demo data once: practice accounts with prices, clients, a person per role, orders"
        " really run."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--no-orders", action="store_true", help="Only people, accounts and prices."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.LIVE:
            raise CommandError(
                "This is a live installation. Demo data belongs on a practice installation."
            )
        logins = settings.DATA_DIR / PASSWORDS_FILE
        # Each step is one commit, made only where it is missing: an earlier start may have been
        # killed at any point. Without the file of logins these people are not the demo's.
        with acting(who="demo"):
            if not User.objects.exists():
                make_people()
            if logins.exists():
                if not Vendor.objects.exists():
                    make_accounts()
                make_prices()
                if not options["no_orders"] and not Order.objects.exists():
                    make_orders(self)
        if logins.exists():
            self.stdout.write("Sign in as one of these people (practice only):")
            self.stdout.write(logins.read_text().rstrip())


def make_people() -> None:
    # The passwords are made here and kept beside the practice data, never in the source.
    lines = []
    with audited():
        for name, groups in PEOPLE.items():
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(name, f"{name}@example.com", password, is_staff=True)
            user.groups.set(Group.objects.filter(name__in=groups))
            record("user.added", user, changes={"roles": [[], groups]})
            lines.append(f"  {name:<10} {password}")
        # Before the commit: people without their passwords would be of no use.
        logins = settings.DATA_DIR / PASSWORDS_FILE
        logins.touch(mode=0o600)
        logins.write_text("\n".join(lines) + "\n")
        fault_points.point("demo, people")


def make_accounts() -> None:
    with audited():
        contact = Contact.objects.create(
            name="Acme Labs, registrant", first_name="Dana", last_name="Reyes",
            email="dana@acmelabs.com", company="Acme Labs", address_line_one="1 Main Street",
            city="Austin", state="TX", postal_code="78701", country="US",
            phone_country_code="+1", phone="5125550100",
        )  # fmt: skip
        record("contact.added", contact)
        for name, domain in (("Acme Labs", "acmelabs.com"), ("Northwind", "northwind.com")):
            client = Client.objects.create(
                name=name, main_domain=domain, forward_to=domain, contact=contact
            )
            record("client.added", client)
        for name, api, account in ACCOUNTS:
            sealed = Sealed("").put({"api_key": f"practice-{secrets.token_hex(12)}"})
            vendor = Vendor.objects.create(
                name=name, api=api, settings=account, sealed=str(sealed), order_limit=Decimal(2000),
                limit_currency="EUR" if api == "woodpecker" else "USD",
            )  # fmt: skip
            record("vendor.added", vendor)
        fault_points.point("demo, accounts")


def make_prices() -> None:
    # Typed where the vendor has no read for prices; else read from the practice vendor. Accounts
    # that have prices keep them.
    unpriced = Vendor.objects.filter(prices=None, name__in=[name for name, *_ in ACCOUNTS])
    cmr = unpriced.filter(api="coldmailreseller").first()
    if cmr:
        _type_prices(cmr)
    fault_points.point("demo, prices")
    for vendor in unpriced:
        if vendor.adapter.can_fetch_prices:
            try:
                price_lists.fetch(vendor, by="demo")
            except ReadFailed as error:
                raise CommandError(
                    f"{error} Start the practice vendors first: manage.py practice_vendors."
                ) from None


def _type_prices(cmr: Vendor) -> None:
    with audited():
        for item, label, amount, unit, renewal in CMR_PRICES:
            typed = Price(
                vendor=cmr, item=item, label=label, amount=Decimal(amount), unit=unit,
                renewal_amount=Decimal(renewal) if renewal else None,
            )  # fmt: skip
            price_lists.put(typed, by="demo")
            record(
                "price.added", typed, changes={"amount": ["", f"{typed.amount} {typed.currency}"]}
            )


def draft(
    api: str, product: str, client: str, rows: str, options: Mapping[str, Any], note: str = ""
) -> Order:
    vendor = Vendor.objects.get(api=api)
    what = vendor.adapter.products[product]
    reading = read(rows, what)
    if reading.bad:
        raise CommandError(f"The demo's own lines can't be read: {reading.bad}")
    chosen = Client.objects.select_related("contact").get(name=client)
    return drafts.create(
        Draft(
            vendor=vendor,
            product=product,
            client=chosen,
            contact=chosen.contact if what.needs_contact else None,
            forward_to=chosen.forward_to if what.forwards else "",
            note=note,
            options=options,
            rows=reading.rows,
        ),
        by=User.objects.get(username="drafter"),
    )


def confirm(order: Order, *, planned_for: datetime | None = None) -> None:
    order = Order.objects.select_related("vendor", "client", "contact").get(pk=order.pk)
    confirmer = User.objects.get(username="confirmer")
    submission.confirm(order.pk, by=confirmer, digest=plan(order).digest, planned_for=planned_for)


def make_orders(command: BaseCommand) -> None:
    # The worker sends those past confirmation. One outcome is unknown, with the vendor's evidence:
    # several in a row would stop the account.
    # One commit, so that a killed start leaves all of them or none.
    with audited():
        sent = _draft_and_confirm()
        fault_points.point("demo, orders")
    until = time.monotonic() + 60
    busy = Order.objects.filter(
        pk__in=[order.pk for order in sent], state__in=[State.CONFIRMED, State.SENDING]
    )
    while busy.exists() and time.monotonic() < until:
        time.sleep(0.2)
    if busy.exists():
        command.stderr.write(
            "Some demo orders are still waiting for the worker; they go out when it runs."
        )
    for attempt in Attempt.objects.filter(stage=Stage.UNKNOWN):
        evidence_lookup.look(attempt)


def _draft_and_confirm() -> list[Order]:
    """Those that are confirmed and go out at once."""
    drafter = User.objects.get(username="drafter")
    pro = {"provider": "GOOGLE"}
    sent = [
        draft("coldmailreseller", "domains", "Acme Labs",
              "tryacme.com, Dana Reyes, dana\ntryacme.com, Sam Ito, sam\n"
              "getacme.com, Lee Wong, lee", CMR_DOMAINS),
        draft("woodpecker", "mailboxes", "Northwind", "northwind-mail.com, Priya Shah, priya", pro),
        draft("woodpecker", "mailboxes", "Northwind", "refused-field-nw.com, Lee Wong, lee", pro),
        draft("woodpecker", "mailboxes", "Northwind", "cut-after-northwind.com, Sam Ito, sam", pro),
    ]  # fmt: skip
    waiting = draft(
        "coldmailreseller", "domains", "Acme Labs",
        "acme-reach.com, Dana Reyes, dana\nacme-reach.com, Dana Reyes, d.reyes\n"
        "acme-go.com, Sam Ito, sam",
        CMR_DOMAINS, note="Second batch for the autumn campaign",
    )  # fmt: skip
    draft("smartsenders", "domains", "Acme Labs", "acme-news.com, Sam Ito, sam", {"vendor_id": "9"})
    later = draft(
        "woodpecker", "mailboxes", "Northwind", "northwind-spring.com, Ana Ruiz, ana", pro
    )
    for order in [*sent, waiting, later]:
        drafts.send_for_confirmation(order.pk, by=drafter, note=order.note)
    for order in sent:
        confirm(order)
    confirm(later, planned_for=timezone.now() + timedelta(days=3))
    return sent
