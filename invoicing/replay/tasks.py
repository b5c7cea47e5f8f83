"""Background work: replay sets that somebody asked to run."""

import time

from django.db import transaction
from django.utils import timezone

from core import work
from invoicing.replay import run

SLICE_SECONDS = 60  # then other work gets its turn; a play that is begun goes to its end


@work.handles(run.RUN_JOB)
def carry_out_run(*, run_id: int) -> None:
    """Play a slice of a run and queue what is left; one that a killed worker left goes on after its last play."""
    ends = time.monotonic() + SLICE_SECONDS
    ended = run.carry_out(run_id=run_id, clock=timezone.now, is_over=lambda: time.monotonic() > ends)
    if ended.finished_at is None:
        with transaction.atomic():
            run.queue_next_slice(ended, at=timezone.now())
