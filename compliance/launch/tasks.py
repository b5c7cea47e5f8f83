"""Background work of the launch checklist."""

import time

from django.db import transaction
from django.utils import timezone

from compliance.launch import check
from core import work

SLICE_SECONDS = 60  # between two slices other work gets its turn


@work.handles(check.JOB, attempts_max=5)
def go_on_with_check(*, run_id: int) -> None:
    """Do a slice of a check; what is left is queued again."""
    ends = time.monotonic() + SLICE_SECONDS
    run = check.go_on(run_id=run_id, at=timezone.now(), is_over=lambda: time.monotonic() > ends)
    if run.finished_at is None:
        with transaction.atomic():
            check.queue_next_slice(run, at=timezone.now())
