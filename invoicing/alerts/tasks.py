"""Background work of alerts."""

from datetime import timedelta

from django.utils import timezone

from core import recurring
from invoicing.alerts import evaluate


@recurring.every(timedelta(seconds=10), kind="alerts.evaluate")
def evaluate_alerts() -> None:
    """Hold what changed against the lines of the policies in force."""
    evaluate.evaluate_alerts(at=timezone.now())
