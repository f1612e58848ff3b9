"""The packages that the practised ScaledMail sells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# The kinds as the package list names them, with the words that the list of domains has for them.
ORDER_TYPES = {"google": "google", "microsoft": "outlook"}


@dataclass(frozen=True, kw_only=True)
class Package:
    """A product: `domains` of one kind with `per_domain` mailboxes each, for `price` a month."""

    kind: str
    tier: str
    domains: int
    price: int

    @property
    def id(self) -> str:
        return f"price_practice_{ORDER_TYPES[self.kind]}_{self.domains}"

    @property
    def name(self) -> str:
        return {"google": "SM Google 100%", "microsoft": "SM MS 100%"}[self.kind]

    @property
    def per_domain(self) -> int:
        return {"google": 2, "microsoft": 25}[self.kind]

    def as_dict(self) -> dict[str, Any]:
        held: dict[str, Any] = {"mailbox": self.domains * self.per_domain}
        # Only Microsoft packages say how many domains they hold.
        if self.kind == "microsoft":
            held["domains"] = self.domains
        return {
            "id": self.id,
            "tier": self.tier,
            "name": self.name,
            "mode": "subscription",
            "price": self.price,
            "domains": self.domains,
            self.kind: held,
            "frequency": "/monthly",
        }


PACKAGES = {
    package.id: package
    for package in (
        Package(kind="google", domains=1, tier="low-sending", price=7),
        Package(kind="google", domains=4, tier="low-sending", price=28),
        Package(kind="google", domains=35, tier="high-sending", price=245),
        Package(kind="microsoft", domains=1, tier="low-sending", price=50),
        Package(kind="microsoft", domains=2, tier="medium-sending", price=100),
    )
}
