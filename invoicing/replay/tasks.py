"""Background work: replay sets that somebody asked to run."""

from django.utils import timezone

from core import work
from invoicing.replay import run


@work.handles(run.RUN_JOB)
def carry_out_run(*, run_id: int) -> None:
    """A run that a killed worker left begins anew; one that has ended stays."""
    run.carry_out(run_id=run_id, clock=timezone.now)
