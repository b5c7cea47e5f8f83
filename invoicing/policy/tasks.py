"""Background work of trigger policies."""

from datetime import timedelta

from django.utils import timezone

from core import recurring
from invoicing.policy import begin


@recurring.every(timedelta(seconds=10), kind="policy.begin")
def begin_policies() -> None:
    """Let signed versions begin at their instant, or lapse where a signer has lost the role."""
    begin.begin_due_policies(at=timezone.now())
