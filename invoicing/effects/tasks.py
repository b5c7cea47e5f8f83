"""Background work: what a change would have cost, and moves of subscriptions."""

from django.utils import timezone

from core import work
from invoicing.effects import moves, run


@work.handles(run.RUN_JOB)
def answer_run(*, run_id: int) -> None:
    """Go on where an earlier attempt stopped."""
    run.answer(run_id=run_id, at=timezone.now())


@work.handles(moves.MOVE_JOB, attempts_max=5)
def carry_out_move(*, move_id: int) -> None:
    """The same for a move."""
    moves.carry_out(move_id=move_id, at=timezone.now())
