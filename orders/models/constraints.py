"""All that the database itself refuses about orders, as the migrations install it and the health
page looks for it.
"""

from __future__ import annotations

from orders.models import confirmation, editor, frozen_contents

RULES = (
    (editor.TRIGGERS, "that an editor confirms an order"),
    (confirmation.TRIGGERS, "that an order goes out without its confirmations"),
    (frozen_contents.TRIGGERS, "changes of an order that is no draft"),
)
TRIGGERS = tuple(trigger for triggers, _ in RULES for trigger in triggers)
