"""Search every invariant for one run, one after the other, resumable; what cannot be searched to its end says so."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import structlog
from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from core import canonical, invariants
from core.invariants import Invariant
from core.models import SearchRow

WORKER_SECONDS_MAX = 2 * 3600  # of one invariant; with a slice before it below what long work is given (keeper.py)
ATTEMPTS_MAX = 2  # of a search whose worker was stopped in it
Progress = Callable[[int, int], None]
Outcome = SearchRow.Outcome
FOUND = (Outcome.CLEAN, Outcome.BROKEN)
KEPT = ("outcome", "why", "count", "offenders", "proof_hash", "duration_ms")
STOPPED = "What searched it was stopped in it twice; it may take longer than a worker gives one job."

log = structlog.get_logger(__name__)


class Run(Protocol):
    """What the searches are for: a row that they point at as `run`, by the name of `searches`."""

    pk: Any
    searches: Any


def go_on(
    run: Run,
    *,
    at: datetime,
    is_over: Callable[[], bool],
    seconds_max: int | None,
    offenders_kept: int = invariants.OFFENDERS_SHOWN,
    progress: Progress = lambda *_: None,
) -> bool:
    """Search what is left, one at the least, until nothing is or the time is over; whether nothing is left.

    `seconds_max` of one invariant, after which it is left as interrupted: a worker kills what takes too long, without a
    word. None sets no limit, and searches again what was interrupted. Of each invariant the first `offenders_kept` are
    kept, and how many there are.
    """
    wanted = sorted(invariants.all_invariants(), key=lambda one: (one.number, one.name))
    known = _ended(run, is_limited=seconds_max is not None)
    left = [one for one in wanted if (one.number, one.name) not in known]
    for number, invariant in enumerate(left, start=len(wanted) - len(left) + 1):
        _search_once(run, invariant, seconds_max=seconds_max, offenders_kept=offenders_kept, at=at)
        progress(number, len(wanted))
        if number < len(wanted) and is_over():
            return False
    return True


def _ended(run: Run, *, is_limited: bool) -> set[tuple[int, str]]:
    """What is not searched again: what was found, and with a limit what was interrupted."""
    outcomes = (*FOUND, Outcome.INTERRUPTED) if is_limited else FOUND
    return set(run.searches.filter(outcome__in=outcomes).values_list("number", "name"))


def how_far(run: Run) -> tuple[int, int]:
    """How many invariants were searched, found or given up, and how many there are."""
    return run.searches.exclude(outcome="").count(), len(invariants.all_invariants())


def steps_taken(run: Run) -> int:
    """Grows with everything that is done, attempts included."""
    return sum(attempts + (outcome != "") for attempts, outcome in run.searches.values_list("attempts", "outcome"))


def _search_once(run: Run, invariant: Invariant, *, seconds_max: int | None, offenders_kept: int, at: datetime) -> None:
    search = _begin(run, invariant, is_limited=seconds_max is not None, at=at)
    if search is None:
        return
    begun = time.monotonic()
    try:
        with transaction.atomic(), _at_most(seconds_max):
            offenders = [one.replace("\x00", "") for one in invariant.find_offenders()]
    except KeyboardInterrupt:  # a stop, which says nothing about this invariant
        run.searches.filter(pk=search.pk, outcome="").update(attempts=search.attempts - 1)
        raise
    except Exception as error:  # whatever it is, it is a finding about this invariant
        log.exception("search_interrupted", invariant=invariant.name, run=run.pk)
        search.outcome, search.why = Outcome.INTERRUPTED, _why(error, seconds_max=seconds_max)
    else:
        search.outcome = Outcome.BROKEN if offenders else Outcome.CLEAN
        search.count, search.offenders = len(offenders), offenders[:offenders_kept]
        search.proof_hash = canonical.content_hash(proof_of(search))
    search.duration_ms = int((time.monotonic() - begun) * 1000)
    kept = {name: getattr(search, name) for name in KEPT}
    run.searches.filter(pk=search.pk, outcome="").update(**kept)  # whoever found it first has the last word


def proof_of(search: SearchRow) -> dict[str, object]:
    """What is hashed of one search."""
    names = ("number", "name", "outcome", "count", "offenders")
    return {name: getattr(search, name) for name in names} | {"outcome": str(search.outcome)}


@transaction.atomic
def _begin(run: Run, invariant: Invariant, *, is_limited: bool, at: datetime) -> SearchRow | None:
    """Write down that it is searched now; None where it was, or is given up."""
    search: SearchRow
    search, is_new = run.searches.select_for_update().get_or_create(
        run=run, number=invariant.number, name=invariant.name, defaults={"begun_at": at}
    )
    if is_new:
        return search
    if search.outcome in FOUND:
        return None  # somebody else was faster
    if is_limited and search.attempts >= ATTEMPTS_MAX:
        search.outcome, search.why = Outcome.INTERRUPTED, STOPPED
        search.save(update_fields=["outcome", "why"])
        return None
    search.attempts, search.begun_at, search.outcome, search.why = search.attempts + 1, at, "", ""
    search.save(update_fields=["attempts", "begun_at", "outcome", "why"])
    return search


@contextmanager
def _at_most(seconds_max: int | None) -> Iterator[None]:
    """PostgreSQL stops a statement that takes longer; what fails takes the setting back with its transaction."""
    if seconds_max is None:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        ((before,),) = cursor.fetchall()
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds_max}s"])
        yield
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [before])


def _why(error: Exception, *, seconds_max: int | None) -> str:
    if isinstance(error, OperationalError) and isinstance(error.__cause__, QueryCanceled) and seconds_max is not None:
        return f"It took longer than {seconds_max} s, which is what a worker gives one invariant."
    return f"{type(error).__name__}: {error}"[:1000].replace("\x00", "")
