"""Background work: replay sets that somebody asked to run."""

from django.db import transaction
from django.utils import timezone

from core import stop_sign, work
from invoicing.replay import run

SLICE_SECONDS = 60  # then other runs get their turn; a play that is begun goes to its end


@work.handles(run.RUN_JOB, is_long=True)
def carry_out_run(*, run_id: int) -> None:
    """Play a slice of a run and queue what is left; one that a killed worker left goes on after its last play."""
    ended = run.carry_out(run_id=run_id, clock=timezone.now, is_over=stop_sign.over_after(SLICE_SECONDS))
    if ended.finished_at is None:
        with transaction.atomic():
            run.queue_next_slice(ended, at=timezone.now())
