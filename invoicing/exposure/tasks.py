"""Background work of exposures."""

from datetime import timedelta

from django.utils import timezone

from core import recurring
from invoicing.exposure import keep


@recurring.every(timedelta(seconds=10), kind="exposure.keep")
def keep_exposures() -> None:
    """Bring exposures up with the sums of usage, which follow capture within seconds."""
    keep.keep_exposures(at=timezone.now())
