"""Background work of the launch checklist."""

import time
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from compliance.launch import check, guards
from core import recurring, work

SLICE_SECONDS = 60  # between two slices other work gets its turn
SEARCH_SECONDS_MAX = 150  # with a slice before it below what a worker gives one job (core/keeper.py)


@work.handles(check.JOB, attempts_max=5)
def go_on_with_check(*, run_id: int) -> None:
    """Do a slice of a check; what is left is queued again."""
    ends = time.monotonic() + SLICE_SECONDS
    run = check.go_on(
        run_id=run_id,
        at=timezone.now(),
        is_over=lambda: time.monotonic() > ends,
        seconds_max=SEARCH_SECONDS_MAX,
    )
    if run.finished_at is None:
        with transaction.atomic():
            check.queue_next_slice(run, at=timezone.now())


@recurring.every(timedelta(days=1), kind="launch.daily")
def look_every_day() -> None:
    """Keep proofs fresh where a policy asks for a launch; nobody else's closes are traced again each day."""
    at = timezone.now()
    if guards.is_launch_asked(at=at):
        check.ask_for_check(actor=None, at=at)
