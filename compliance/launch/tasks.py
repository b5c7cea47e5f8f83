"""Background work of the launch checklist."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from compliance.launch import check, guards
from core import recurring, searching, stop_sign, work

SLICE_SECONDS = 60  # between two slices other work gets its turn


@work.handles(check.JOB, attempts_max=5, is_long=True)
def go_on_with_check(*, run_id: int) -> None:
    """Do a slice of a check; what is left is queued again."""
    run = check.go_on(
        run_id=run_id,
        at=timezone.now(),
        is_over=stop_sign.over_after(SLICE_SECONDS),
        seconds_max=searching.WORKER_SECONDS_MAX,
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
