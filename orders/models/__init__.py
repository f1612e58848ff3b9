"""The models of orders: what is ordered, what comes of it, and every attempt to buy it."""

from orders.models.attempt import Attempt
from orders.models.availability import Asking, Availability
from orders.models.client import Client
from orders.models.confirmation import Confirmation
from orders.models.delegation import Delegation
from orders.models.editor import Editor
from orders.models.inventory import Domain, Mailbox
from orders.models.look import Look, Mention
from orders.models.match import Finding, Match
from orders.models.neverbuy import NeverBuy
from orders.models.order import NotAllowed, Order
from orders.models.rule import ConfirmationRule
from orders.models.scratch import Scratch, Upload
from orders.models.state import NEXT, State

__all__ = [
    "NEXT",
    "Asking",
    "Attempt",
    "Availability",
    "Client",
    "Confirmation",
    "ConfirmationRule",
    "Delegation",
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
    "Scratch",
    "State",
    "Upload",
]
