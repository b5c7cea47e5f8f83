"""Background work of charge controls."""

from datetime import timedelta

from django.utils import timezone

from core import recurring
from invoicing.charge_controls import evaluate


@recurring.every(timedelta(seconds=10), kind="charge_controls.evaluate")
def evaluate_controls() -> None:
    """Hold exposures that changed against the lines of credit."""
    evaluate.evaluate_controls(at=timezone.now())
