"""Background work of invoice triggers."""

from datetime import timedelta

from django.utils import timezone

from core import recurring
from invoicing.off_cycle import evaluate


@recurring.every(timedelta(seconds=10), kind="off_cycle.evaluate")
def evaluate_triggers() -> None:
    """Draft interim invoices for whom exposures that changed say that an amount is reached."""
    evaluate.evaluate_triggers(at=timezone.now())
