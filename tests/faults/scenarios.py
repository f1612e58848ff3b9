"""Orders of a drill: from review to the vendor's charge, with waits for each step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import requests

from tests.faults.installation import Installation
from tests.faults.processes import is_frozen, wait_for


class DrillInstallation(Installation):
    """An installation with orders. `confirmed` counts how often each of them was confirmed."""

    def __init__(self, folder: Path, **options: str) -> None:
        super().__init__(folder, **options)
        self.confirmed: Counter[int] = Counter()
        self.orders = 0

    def review(
        self,
        word: str,
        *,
        api: str = "coldmailreseller",
        product: str = "domains",
        account: str = "",
    ) -> int:
        """An order that waits for confirmation; its first domain begins with `word`.

        Without `account` the order has a vendor account of its own.
        """
        self.orders += 1
        word = f"{word}-n{self.orders}"
        name = account or f"Account {self.orders}"
        return int(self.ask("review", word=word, api=api, product=product, account_name=name))

    def confirm(self, order: int) -> int:
        self.ask("confirm", order=order)
        self.confirmed[order] += 1
        return order

    def order(self, word: str, **kind: str) -> int:
        """A confirmed order."""
        return self.confirm(self.review(word, **kind))

    def attempts(self, order: int) -> list[dict[str, Any]]:
        return list(self.ask("attempts", order_id=order))

    def stages(self, order: int) -> list[str]:
        return [attempt["stage"] for attempt in self.attempts(order)]

    def state(self, order: int) -> str:
        return str(self.ask("states")[str(order)])

    def wait_state(self, state: str, *orders: int) -> None:
        """Until all of them are in that state."""

        def are_there() -> bool:
            states = self.ask("states")
            return all(states[str(order)] == state for order in orders)

        wait_for(are_there, f"orders {orders} to be {state}", show=self.logs)

    def wait_sent_by_another(self, order: int) -> None:
        """Until a second cluster has sent the order that a frozen worker of the first holds."""

        def is_accepted() -> bool:
            self.ask("hand_out_again")  # the first cluster may have taken the newest task, too
            return self.state(order) == "accepted"

        wait_for(is_accepted, f"order {order} to be sent by another", show=self.logs)

    def wait_worker(self, order: int, stage: str) -> int:
        """The process id of the worker that has the order in hand, at that stage."""

        def found() -> int:
            last = self.attempts(order)[-1:]
            if not last or last[0]["stage"] != stage:
                return 0
            return int(last[0]["worker"].rpartition("/")[2])

        return int(wait_for(found, f"order {order} to be {stage}", show=self.logs))

    def wait_frozen(self, order: int, stage: str) -> int:
        """`wait_worker` for a worker that a fault point stops; it is frozen on return."""
        pid = self.wait_worker(order, stage)
        wait_for(lambda: is_frozen(pid), f"worker {pid} to be frozen", show=self.logs)
        return pid

    def ledger(self) -> dict[str, Any]:
        """All that the practice vendors recorded."""
        found: dict[str, Any] = requests.get(f"{self.vendors}/ledger.json", timeout=60).json()
        return found

    def charges(self, order: int) -> int:
        """How often the vendors charged this order."""
        bodies = {attempt["body_sha256"] for attempt in self.attempts(order)} - {""}
        return sum(charge["body_sha256"] in bodies for charge in self.ledger()["charges"])

    def wait_charge(self, order: int) -> None:
        wait_for(lambda: self.charges(order), f"the charge of order {order}", show=self.logs)
