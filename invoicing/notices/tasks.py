"""Background work of notices."""

from django.utils import timezone

from core import work
from invoicing.notices import deliver, tell


@work.handles(tell.DELIVERY_JOB, attempts_max=deliver.ATTEMPTS_MAX)
def deliver_notice(*, delivery_id: int) -> None:
    """Try once; a failure is tried again with growing pauses."""
    deliver.deliver(delivery_id=delivery_id, at=timezone.now())
