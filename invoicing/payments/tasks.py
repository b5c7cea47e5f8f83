"""What payments have done in the background."""

from datetime import timedelta

from django.utils import timezone

from core import recurring
from invoicing.payments import webhooks


@recurring.every(timedelta(minutes=1), kind="payments.waiting")
def try_waiting() -> None:
    """Events that came before their invoice was issued."""
    webhooks.try_waiting(at=timezone.now())
