"""Closes as rows: asked for, taken up by one process at a time, a chunk further with every commit, ended once."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import AbstractBaseUser
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from core import knowing, locks
from core.errors import DomainError
from core.in_turn import ProcessLostError
from core.locks import LockClass
from invoicing.cycle.models import CloseRun
from invoicing.pricing import known
from metering.models import Watermark

REASON_LENGTH_MAX = 1000


class RunState(StrEnum):
    """Where a close stands; an interrupted one goes on when its job is tried again, or with the next close."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one chunk of a close did, in periods, drafts, breaks and lines, and the last customer (id) in it."""

    reached: int = 0
    done: int = 0
    drafted: int = 0
    held: int = 0
    breaks: int = 0
    adjusted: int = 0
    nothing_to_bill: int = 0
    failed: int = 0


def ask_for_run(
    *, as_of: datetime, customer_codes: Sequence[str] | None, actor: AbstractBaseUser | None, at: datetime
) -> CloseRun:
    """Write down that this close is wanted."""
    codes = None if customer_codes is None else sorted(set(customer_codes))
    return CloseRun.objects.create(
        as_of=as_of, customer_codes=codes, asked_by_id=None if actor is None else actor.pk, asked_at=at
    )


@contextmanager
def take_up(run: CloseRun) -> Iterator[bool]:
    """Work on the run alone; false if another process does, or it has ended.

    PostgreSQL gives the lock back when the process is gone, however it went, so a killed close is free to go on.
    """
    with locks.try_to_hold(LockClass.CLOSE_RUN, run.pk % 2**31) as is_ours:
        run.refresh_from_db()
        if not is_ours or run.ended_at is not None:
            yield False
            return
        try:
            yield True
        except (OperationalError, InterfaceError, ProcessLostError):
            raise  # without a database nothing can be written down: an interrupted close, which goes on later
        except DomainError as error:
            _stop(run, error.message)
            raise
        except Exception as error:
            _stop(run, f"{type(error).__name__}: {error}")
            raise


def find_waiting(*, as_of: datetime, customer_codes: Sequence[str] | None) -> CloseRun | None:
    """A run of the same question that has not ended, whoever is at work on it."""
    codes = None if customer_codes is None else sorted(set(customer_codes))
    waiting = CloseRun.objects.filter(as_of=as_of, ended_at=None).order_by("pk")
    return next((run for run in waiting if run.customer_codes == codes), None)


def find_unfinished(*, as_of: datetime, customer_codes: Sequence[str] | None) -> CloseRun | None:
    """A run of the same question that nobody works on, though it has not ended: what a killed process left."""
    codes = None if customer_codes is None else sorted(set(customer_codes))
    open_runs = CloseRun.objects.filter(as_of=as_of, ended_at=None)
    left = [run for run in open_runs.order_by("pk") if run.customer_codes == codes]
    if not left:
        return None
    held = locks.held_keys(LockClass.CLOSE_RUN)
    return next((run for run in left if run.pk % 2**31 not in held), None)


def fix_known(run: CloseRun, *, at: datetime) -> datetime:
    """As of when this run reads what was agreed: fixed by its first attempt, and kept by all others."""
    if run.known is None:
        with transaction.atomic(durable=True):
            run.known = knowing.fix_instant(reader=f"close:{run.pk}", at=at, newest=known.newest_agreement)
            CloseRun.objects.filter(pk=run.pk).update(known=run.known)
    return run.known.known_at


def begin_attempt(run: CloseRun, *, periods: int) -> None:
    """Note how many periods are left to look at; what earlier attempts did stays counted."""
    CloseRun.objects.filter(pk=run.pk).update(
        attempts=F("attempts") + 1,
        total=F("done") + periods,
        started_at=run.started_at or Now(),
        stepped_at=Now(),
    )
    run.refresh_from_db()


def note_watermark(run: CloseRun, watermark: Watermark) -> None:
    CloseRun.objects.filter(pk=run.pk).update(watermark=watermark)


def note_step(run_id: int, tally: Tally) -> None:
    """In the transaction of a chunk: how far the run has come with it."""
    CloseRun.objects.filter(pk=run_id).update(
        reached_customer=tally.reached,
        done=F("done") + tally.done,
        drafted=F("drafted") + tally.drafted,
        held=F("held") + tally.held,
        breaks=F("breaks") + tally.breaks,
        adjusted=F("adjusted") + tally.adjusted,
        nothing_to_bill=F("nothing_to_bill") + tally.nothing_to_bill,
        failed=F("failed") + tally.failed,
        stepped_at=Now(),
    )


def end_run(run: CloseRun, *, late_waiting: int) -> None:
    with transaction.atomic():
        CloseRun.objects.filter(pk=run.pk, ended_at=None).update(late_waiting=late_waiting, ended_at=Now())
        knowing.release(run.known_id)
    run.refresh_from_db()


def _stop(run: CloseRun, reason: str) -> None:
    reason = reason.replace("\x00", "")[:REASON_LENGTH_MAX]
    with transaction.atomic():
        CloseRun.objects.filter(pk=run.pk, ended_at=None).update(
            started_at=run.started_at or Now(), ended_at=Now(), stopped_by=reason
        )
        knowing.release(run.known_id)


def states_of(runs: Iterable[CloseRun]) -> dict[int, RunState]:
    """Where these runs stand, by id; who is still at work is asked of PostgreSQL's locks."""
    runs = list(runs)
    is_asked = any(run.ended_at is None for run in runs)
    held = locks.held_keys(LockClass.CLOSE_RUN) if is_asked else set()
    return {run.pk: _state(run, is_held=run.pk % 2**31 in held) for run in runs}


def _state(run: CloseRun, *, is_held: bool) -> RunState:
    if run.ended_at is not None:
        return RunState.STOPPED if run.stopped_by else RunState.ENDED
    if is_held:
        return RunState.RUNNING
    return RunState.QUEUED if run.started_at is None else RunState.INTERRUPTED
