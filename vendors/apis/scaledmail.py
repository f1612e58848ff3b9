"""ScaledMail: a package of domains with mailboxes, paid by card as a monthly subscription.

Vendor page: api.scaledmail.com/create-order-18334152e0. An order has no draft and no second step:
success makes a subscription at once.

Not found in the vendor's pages: the answers of most reads and of the order itself, which are
documented as empty objects, and any currency. The forms of `/domains` and `/organizations` and the
dollars of `/packages` are what others have seen.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from vendors.apis import shared_rules
from vendors.apis.answers import Answer, is_reference, is_words
from vendors.apis.base import Api
from vendors.apis.reads import (
    amount,
    ask,
    could_not_ask,
    currency,
    is_long_before,
    is_since,
    listed_once,
    one_answer_each,
    over,
    owned_domains,
    rows,
    shown_time,
    weighed,
)
from vendors.apis.replies import text, word
from vendors.apis.scaledmail_lists import BASE, KEY, domains_listed, progress
from vendors.apis.scaledmail_rules import AccountForm, PackageOptions, problems, quantity
from vendors.apis.values import (
    DomainLine,
    Evidence,
    MailboxLine,
    Offered,
    OrderLike,
    OwnedDomain,
    Product,
    Progress,
)
from vendors.cost import MONTH, UNSTATED, CostSheet, FetchedPrice, PriceLike, cost_line, cost_sheet
from vendors.http import Read, ReadFailed, Request, Secret
from vendors.verdicts import Accepted, Problem, Refused

LOOKED_AT = 10  # orders read for their domains after a lost answer, one question each
# Others have seen a 400 for an order whose subscription was made but could not be charged.
MONEY_MOVED = re.compile(
    r"subscription|charg|payment|\bpaid\b|\bcard\b|invoice|declin", re.IGNORECASE
)
# The keys of an order's number that others have seen; the page shows none.
NUMBERS = ("id", "order_id", "payment_id")


class ScaledMail(Api):
    name = "scaledmail"
    label = "ScaledMail"
    host = "https://server.scaledmail.com"
    dashboard_url = "https://app.scaledmail.com"
    docs_url = "https://api.scaledmail.com"
    secrets = {"api_key": "API key"}
    secret_help = {"api_key": "At app.scaledmail.com/settings."}
    secret_options = frozenset({"hosting_password", "sequencer_password"})
    price_items = {
        "package.<price_id>": "One package, by the ID that ScaledMail gives it, for one month"
    }
    balance_note = (
        "Orders are charged to the card on your ScaledMail account. Look at it at"
        " app.scaledmail.com."
    )
    batch_size = 10
    pace_seconds = 0.2  # 5 requests a second for each key
    progress_is_unwritten = True
    id_labels = {"domain_id": "Domain ID"}
    search_pace_seconds = 4  # 15 searches or suggestions a minute
    AccountForm = AccountForm
    REFUSALS = frozenset({400, 401, 403, 404})
    doubtful_words = MONEY_MOVED
    products = {
        "package": Product(
            label="Package of domains with mailboxes",
            help=(
                "Puts a package on domains that you hold at ScaledMail or elsewhere. Give one name"
                " for each domain and ScaledMail makes the addresses, or list every mailbox."
            ),
            OptionsForm=PackageOptions,
            buys_domains=True,
            names_per_domain=True,
            forwards=True,
            forwards_to_page=True,  # its page: "A redirect URL for the domain"
            has_pictures=True,
            in_packages=True,
            # "create-custom-order" documents these numbers.
            mailboxes_per_domain={"Google": 2, "Outlook": 25, "SMTP": 4},
        )
    }

    words = {
        "organization_id": "organization ID of the account", "query.provider": "domains bought at",
        "coupon": "coupon", "hosting": "login where the domains are held",
        "sequencer": "login at the sequencer", "provider": "provider",
        "hosting.username": "user name", "sequencer.username": "user name", "password": "password",
        "quantity": "number of packages", "domain": "domain", "redirect": "forwards to",
        "first_name": "first name", "last_name": "last name", "alias": "name before the @",
        "profile_picture": "picture",
    }  # fmt: skip
    row_words = {"domains": "domain", "aliases": "mailbox"}
    row_keys = ("alias", "domain")

    def check(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> list[Problem]:
        return shared_rules.bounded(
            shared_rules.missing_setting(order, "organization_id", "organization ID"),
            *shared_rules.every_line(order, self.products["package"]),
            *problems(order, prices),
            shared_rules.without_names(order),
            shared_rules.bad_pictures(order),
        )

    def needs_domains_here(self, order: OrderLike) -> bool:
        # "create-order": `other` is for domains at another registrar, whose login goes along.
        return order.options.get("provider") != "other"

    def cost(self, order: OrderLike, prices: Mapping[str, PriceLike]) -> CostSheet:
        price_id, coupon = word(order.options, "price_id"), order.options.get("coupon")
        remark = (
            "Less what the coupon takes off: the vendor tells only after ordering."
            if coupon
            else ""
        )
        count = quantity(order) if price_id else 0
        line = cost_line(
            prices,
            item=f"package.{price_id}",
            label="Packages",
            quantity=count,
            remark=remark,
        )
        return cost_sheet([line])

    def order_request(self, order: OrderLike) -> Request:
        options = order.options
        query = (("organization_id", _organization(order)), ("provider", word(options, "provider")))
        coupon = (("coupon", word(options, "coupon")),) if options.get("coupon") else ()
        return Request(
            method="POST",
            path=f"{BASE}/create-order/{quote(word(options, 'price_id'), safe='')}",
            query=query + coupon,
            # "create-order" declares its JSON body as plain text.
            headers=KEY | {"Content-Type": "text/plain"},
            body=(_login(order, "hosting") if options.get("provider") == "other" else {})
            | (_login(order, "sequencer") if options.get("sequencer_provider") else {})
            | ({"quantity": quantity(order)} if options.get("quantity") else {})
            | {"domains": [_domain(line) for line in order.contents]},
        )

    def refusal(self, order: OrderLike, answer: Answer) -> Refused | None:
        # "calculate-package" and others: `error` for what is wrong, `message` for 401 and 429.
        if not (answer.has_keys("error") or answer.has_keys("message")):
            return None
        if not all(map(is_words, answer.body.values())):
            return None
        return shared_rules.refused(order, answer.status, answer.says)

    def success(self, order: OrderLike, answer: Answer) -> Accepted | None:
        """The documented success is an empty object: an order number is not guaranteed."""
        # Others have seen `success: true` and each of the numbers.
        if not answer.has_keys(optional=(*NUMBERS, "success", "message")):
            return None
        body = answer.body
        numbers = [body[key] for key in NUMBERS if key in body]
        if not all(map(is_reference, numbers)) or body.get("success", True) is not True:
            return None
        # A lone `message` is how the vendor words an error.
        if "message" in body and not (is_words(body["message"]) and (numbers or "success" in body)):
            return None
        number = answer.text(numbers[0], limit=120) if numbers else ""
        return Accepted(reference=number, details={"vendor_says": answer.text(body.get("message"))})

    def is_throttled(self, answer: Answer) -> bool:
        # The page on limits: a message, a number and a sentence about the limit.
        return answer.has_keys("message", optional=("retryAfter", "limit")) and is_words(
            answer.body["message"]
        )

    def wait_of(self, answer: Answer) -> Any:
        return answer.body.get("retryAfter")

    def look_for(
        self, order: OrderLike, read: Read, *, since: datetime, before: Collection[str] = ()
    ) -> list[Evidence]:
        # The list names no domains, so each of the newest orders is read for its own.
        query = (("organization_id", _organization(order)),)
        found: list[Evidence] = []
        try:
            recent = [
                row
                for row in rows(ask(read, f"{BASE}/orders", query=query, headers=KEY), "payments")
                if text(row.get("id")) and not is_long_before(row.get("created_at"), since)
            ]
            recent.sort(key=lambda row: text(row.get("created_at")), reverse=True)
            for row in recent[:LOOKED_AT]:
                path = f"{BASE}/orders/{quote(text(row['id']), safe='')}"
                found += _evidence(order, row, ask(read, path, query=query, headers=KEY), since)
        except ReadFailed as error:
            found.append(could_not_ask("The list of orders, or a part of it,", error))
        else:
            later = [row for row in recent if is_since(row.get("created_at"), since) is not False]
            if len(later) > LOOKED_AT:
                left = f"Only the newest {LOOKED_AT} of {len(later)} later orders were looked at."
                found.append(Evidence(text=left, is_gap=True))
        return weighed(found)

    def progress(self, order: OrderLike, read: Read) -> Progress:
        return progress(order, read)

    def owned_domains(self, settings: Mapping[str, Any], read: Read) -> list[OwnedDomain]:
        listed = domains_listed(settings, read)
        return owned_domains(listed, name="domain", count="total_mailboxes")

    def prices(self, settings: Mapping[str, Any], read: Read) -> list[FetchedPrice]:
        found = []
        for row in rows(ask(read, f"{BASE}/packages", headers=KEY), "packages"):
            price_id, price = text(row.get("id"), limit=100), amount(row.get("price"))
            count = row.get("domains")
            if isinstance(count, bool) or not isinstance(count, int) or not 0 < count < 10_000:
                count = None
            # Others have seen dollars and no such key; the page states no currency.
            money = currency(row["currency"]) if row.get("currency") else "USD"
            if price_id and price is not None and money:
                label = text(row.get("name"), limit=120) or price_id
                found.append(
                    FetchedPrice(
                        item=f"package.{price_id}",
                        label=f"{label}, {count} domains" if count else label,
                        unit=MONTH if row.get("frequency") == "/monthly" else UNSTATED,
                        amount=price,
                        currency=money,
                        domains=count,
                    )
                )
        return listed_once(found)

    def availability(
        self, names: Sequence[str], read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        body = {"domains": list(names)}
        answer = _search(read, "search-domains", settings, body, kind="text/plain")
        # This answer is a bare list; that of "suggest-domains" is an object.
        return one_answer_each(names, [_offered(row) for row in rows(answer)])

    def suggest(
        self, name: str, read: Read, *, settings: Mapping[str, Any], asked_with: str
    ) -> list[Offered]:
        # The vendor takes a keyword and strips the ending itself.
        few = (("page", "1"), ("limit", "20"))
        answer = _search(
            read, "suggest-domains", settings, {"domain": name}, few, kind="application/json"
        )
        found = [_offered(row) for row in rows(answer, "domains")]
        return [offered for offered in found if offered.state == "free" and offered.name]

    def test(self, settings: Mapping[str, Any], read: Read) -> str:
        # The page documents an empty object. Others have seen `organizations`, or a bare list.
        answer = ask(read, f"{BASE}/organizations", headers=KEY)
        listed = answer if isinstance(answer, list) else answer.get("organizations")
        found = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        names = {text(row.get("id")): text(row.get("name")) for row in found}
        mine = text(settings.get("organization_id"))
        if not names:
            return (
                "The key works. The vendor did not list your organizations, so check the"
                " organization ID yourself."
            )
        if mine in names:
            return f"The key works and reaches the organization {names[mine] or mine}."
        others = ", ".join(
            f"{name or 'unnamed'} ({number})" for number, name in list(names.items())[:10]
        )
        return (
            f"The key works, but it does not reach the organization “{mine}”. It reaches: {others}."
        )


def _organization(order: OrderLike) -> str:
    return word(order.settings, "organization_id")


def _login(order: OrderLike, kind: str) -> dict[str, Any]:
    login = {part: word(order.options, f"{kind}_{part}") for part in ("provider", "username")}
    return {kind: {**login, "password": Secret(f"{kind}_password")}}


def _domain(line: DomainLine) -> dict[str, Any]:
    names: dict[str, Any] = {"first_name": line.first_name, "last_name": line.last_name}
    # Names or aliases, never both: with aliases the vendor makes no addresses of its own.
    return (
        {"domain": line.name}
        | ({"aliases": [_alias(box) for box in line.mailboxes]} if line.mailboxes else names)
        | ({"redirect": line.forward_to} if line.forward_to else {})
        | ({"profile_picture": line.picture} if line.picture else {})
    )


def _alias(box: MailboxLine) -> dict[str, str]:
    body = {"first_name": box.first_name, "last_name": box.last_name, "alias": box.username}
    return body | ({"profile_picture": box.picture} if box.picture else {})


def _evidence(
    order: OrderLike, row: dict[str, Any], details: Any, since: datetime
) -> list[Evidence]:
    """The vendor's order in `row`, if it shares domains with ours."""
    packages = details.get("packages") if isinstance(details, dict) else None
    packages = packages if isinstance(packages, list) else []
    names = {
        text(domain.get("name")).lower()
        for package in packages
        if isinstance(package, dict) and isinstance(package.get("domains"), list)
        for domain in package["domains"]
        if isinstance(domain, dict)
    }
    wanted = {line.name.lower() for line in order.contents}
    if not wanted & names:
        return []
    number = text(row["id"], limit=120)
    made = shown_time(row.get("created_at"), otherwise="at an unknown time")
    shown = (
        f"Order {number}, made {made}, holds {len(wanted & names)} of the {len(wanted)} domains of"
        " this one."
    )
    states = [part.get("status") for part in (row, details, *packages) if isinstance(part, dict)]
    is_new = not is_long_before(row.get("created_at"), since)
    if state := over(*states):
        says = f"{shown} It reads {state}, so it speaks for no placed order."
        return [Evidence(text=says, is_trace=is_new)]
    is_placed = wanted <= names and is_since(row.get("created_at"), since)
    if not is_placed:
        return [Evidence(text=shown, is_trace=is_new)]
    return [Evidence(text=shown, points_to="placed", reference=number)]


def _search(
    read: Read,
    name: str,
    settings: Mapping[str, Any],
    body: Mapping[str, Any],
    query: tuple[tuple[str, str], ...] = (),
    *,
    kind: str,
) -> Any:
    where = (("organization_id", word(settings, "organization_id")), *query)
    return ask(read, f"{BASE}/{name}", query=where, headers=KEY | {"Content-Type": kind}, body=body)


def _offered(row: Mapping[str, Any]) -> Offered:
    # The status is `available`, `taken` or, in suggestions, `error`. "suggest-domains" states
    # dollars. Others have seen dollars in searches too, and there the block lists with the name.
    name, listed = text(row.get("domain"), limit=253).lower(), row.get("blacklisted")
    lists = ", ".join(filter(None, map(text, listed)))[:200] if isinstance(listed, list) else ""
    says = f"It stands on block lists: {lists}." if lists else ""
    if row.get("status") == "available":
        price = amount(row.get("price"))
        money = "USD" if price is not None else ""
        return Offered(name=name, state="free", price=price, currency=money, says=says)
    if row.get("status") == "taken":
        return Offered(name=name, state="taken", says=says)
    return Offered(name=name, state="unsaid", says=says or "The vendor could not tell.")
