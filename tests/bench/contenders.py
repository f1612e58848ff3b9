"""What the drafting bench compares: each function gets ready and returns the work that is measured."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection, transaction
from import_export import fields, resources, widgets
from tablib import Dataset

from mailops.core import sql_triggers
from mailops.history import acting
from orders.drafting import drafts
from orders.drafting.drafts import Draft
from orders.drafting.intake import open_file, read
from orders.management.commands.demo import CMR_DOMAINS
from orders.models import Client, Domain, Mailbox, Order
from orders.models.constraints import TRIGGERS
from tests.bench import stock
from vendors.models import Vendor

Work = Callable[[], None]
BATCH = 1000


def prepared() -> Order:
    """People, a client, an account, and an empty draft for those that only write rows."""
    if not Client.objects.filter(name="Bench").exists():
        stock.open_accounts()
    with acting(who="bench"):
        return drafts.create(_draft(), by=User.objects.get(username="drafter"))


def _draft() -> Draft:
    account, client = Vendor.objects.get(name="Bench 0"), Client.objects.get(name="Bench")
    return Draft(
        vendor=account,
        product="domains",
        client=client,
        forward_to="bench.example",
        options=CMR_DOMAINS,
    )


def mailops(path: Path, order: Order) -> Work:
    """From the file to the draft: recognised, read, checked, saved, priced, and in the history."""
    draft, by = _draft(), User.objects.get(username="drafter")
    product = draft.vendor.adapter.products[draft.product]
    read("warm.com", product)  # a web process loads the list of endings once, not once a file

    def work() -> None:
        most = 1_000_000
        sheet = open_file(path.name, path.read_bytes(), most=most)
        reading = read(sheet.text, product, most=most)
        assert not reading.bad, reading.bad[:3]
        with acting(who="bench"):
            drafts.create(Draft(**{**draft.__dict__, "rows": reading.rows}), by=by)

    return work


def bare(path: Path, order: Order) -> Work:
    """The same rows, read beforehand, in two statements' worth of batches and one commit: what no
    tool can undercut.
    """
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))

    def work() -> None:
        with transaction.atomic():
            names = dict.fromkeys(row["domain"] for row in rows)
            made = Domain.objects.bulk_create(
                Domain(name=name, vendor=order.vendor, order=order, client=order.client)
                for name in names
            )
            domains = {domain.name: domain for domain in made}
            Mailbox.objects.bulk_create(
                Mailbox(
                    order=order, domain=domains[row["domain"]], username=row["address"], row=number,
                    address=f"{row['address']}@{row['domain']}",
                    first_name=row["first name"], last_name=row["last name"],
                )
                for number, row in enumerate(rows, 2)
            )  # fmt: skip

    return work


def in_bulk(path: Path, order: Order) -> Work:
    """django-import-export at its fastest: no look for existing rows, no diffs, written in batches."""
    return _imported(
        path, order, use_bulk=True, batch_size=BATCH, skip_diff=True, force_init_instance=True
    )


def row_by_row(path: Path, order: Order) -> Work:
    """django-import-export with its own settings."""
    return _imported(path, order)


def _imported(path: Path, order: Order, **options: object) -> Work:
    """The file through a resource for mailboxes that makes each domain when it first meets it."""
    domains: dict[str, Domain] = {}

    class Mailboxes(resources.ModelResource):
        username = fields.Field("username", "address")
        first_name = fields.Field("first_name", "first name")
        last_name = fields.Field("last_name", "last name")
        domain = fields.Field("domain", "domain", widget=widgets.CharWidget())

        class Meta:
            model = Mailbox
            fields = ("username", "first_name", "last_name", "domain")
            import_id_fields = ("username", "domain")
            use_transactions = True

        def import_field(
            self, field: fields.Field, instance: Mailbox, row: dict, **kwargs: object
        ) -> None:
            if field.attribute != "domain":
                return super().import_field(field, instance, row, **kwargs)
            name = row["domain"]
            if name not in domains:
                about = {"vendor": order.vendor, "client": order.client}
                domains[name] = Domain.objects.get_or_create(
                    name=name, order=order, defaults=about
                )[0]
            instance.domain, instance.order = domains[name], order
            instance.address = f"{instance.username}@{name}"
            return None

        def get_instance(self, instance_loader: object, row: dict) -> Mailbox | None:
            return Mailbox.objects.filter(
                order=order, address=f"{row['address']}@{row['domain']}"
            ).first()

    for name, value in options.items():
        setattr(Mailboxes._meta, name, value)

    def work() -> None:
        data = Dataset().load(path.read_text(), format="csv")
        Mailboxes().import_data(data, raise_errors=True)

    return work


def saved() -> list[str]:
    """What is in the tables, in words that do not depend on who wrote it."""
    boxes = Mailbox.objects.values_list(
        "address", "first_name", "last_name", "domain__name"
    ).order_by("address")
    return [" ".join(box) for box in boxes]


def clear() -> None:
    """Out with the rows, and for that moment with the rules that keep them; the history stays."""
    sql_triggers.remove(connection, TRIGGERS)
    Mailbox.objects.all().delete()
    Domain.objects.all().delete()
    Order.objects.all().delete()
    sql_triggers.install(connection, TRIGGERS)
