"""The order and its moves, attempts, domains, mailboxes, clients, rules."""

from orders.models.attempt import Attempt, Stage
from orders.models.client import Client
from orders.models.confirmation import Confirmation
from orders.models.confirmation_rule import ConfirmationRule
from orders.models.delegation import Delegation
from orders.models.departure import Departure
from orders.models.editor import Editor
from orders.models.inventory import Domain, Mailbox
from orders.models.month_end_match import Finding, Match
from orders.models.name_availability import Asking, Availability
from orders.models.never_buy import NeverBuy
from orders.models.order import Order
from orders.models.order_moves import NotAllowed
from orders.models.read_mark import Look, Mention
from orders.models.refund import Refund
from orders.models.state import NEXT, State
from orders.models.unsaved_work import Scratch, Upload

__all__ = [
    "NEXT",
    "Asking",
    "Attempt",
    "Availability",
    "Client",
    "Confirmation",
    "ConfirmationRule",
    "Delegation",
    "Departure",
    "Domain",
    "Editor",
    "Finding",
    "Look",
    "Mailbox",
    "Match",
    "Mention",
    "NeverBuy",
    "NotAllowed",
    "Order",
    "Refund",
    "Scratch",
    "Stage",
    "State",
    "Upload",
]
