"""Payments, what happened to them, and what a gateway told about them."""

from invoicing.payments.models.events import GatewayEvent
from invoicing.payments.models.payments import Overpayment, Payment, PaymentObject, PaymentTransition
from invoicing.payments.models.refunds import RefundRequest

__all__ = ["GatewayEvent", "Overpayment", "Payment", "PaymentObject", "PaymentTransition", "RefundRequest"]
