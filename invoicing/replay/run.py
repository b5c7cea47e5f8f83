"""Runs of sets: asked for, carried out in the background, and kept with what came out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import F, Model

from accounts import roles
from accounts.roles import Role
from core import audit, money, scratch, work
from core.errors import DomainError, InvalidInputError, NotFoundError
from core.models import Job
from invoicing.replay import candidate, engine, plays, program_code, queries, sets
from invoicing.replay.engine import Played
from invoicing.replay.models import ReplayRun
from invoicing.replay.plays import CameOut
from invoicing.replay.rules import arrival, compare, sums
from invoicing.replay.rules.content import Content

RUN_JOB = "replay_run"
RUNNERS = frozenset({Role.PRODUCT, Role.FINANCE, Role.ENGINEERING, Role.AUDITOR})
DIFFERENCES_KEPT = 500
Verdict = ReplayRun.Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """Everything that one run found."""

    first: Played
    report: dict[str, Any]
    verdict: str


def ask(
    *, name: str, orders: int | None = None, with_version: Model | None = None, actor: Any, at: datetime
) -> ReplayRun:
    """Queue a run of the latest content; a worker carries it out.

    `orders`: in how many shuffled orders of arrival as well, 2 to 100 or 0 for none; None takes the number of the set.
    With a version (a price, fee table, contract or policy) the set also runs with it in the place of its own.
    """
    with transaction.atomic():
        run = write_down(name=name, orders=orders, with_version=with_version, actor=actor, at=at)
        queue_next_slice(run, at=at)
    return run


def write_down(*, name: str, orders: int | None, with_version: Model | None, actor: Any, at: datetime) -> ReplayRun:
    """The run as a row, for whoever carries it out at once; NotInSetError where the version has no place in the set."""
    if actor is not None:
        roles.require_role(actor, *sorted(RUNNERS), to="run replay sets")
    if orders and not arrival.ORDERS_MIN <= orders <= arrival.ORDERS_MAX:
        raise InvalidInputError(
            f"A run takes {arrival.ORDERS_MIN} to {arrival.ORDERS_MAX} shuffled orders, or 0 for none.",
            pointer="/orders",
        )
    version = queries.latest_version(sets.find_set(name))
    sets.require_content(version)
    if with_version is not None and not candidate.is_held(with_version, by=version):
        raise candidate.NotInSetError(f"{version} has nothing in whose place {with_version} could come.")
    return ReplayRun.objects.create(
        version=version,
        orders=version.orders if orders is None else orders,
        candidate_kind="" if with_version is None else candidate.kind_of(with_version),
        candidate_id=None if with_version is None else with_version.pk,
        asked_by=actor,
        asked_at=at,
    )


def find_run(run_id: int) -> ReplayRun:
    found = ReplayRun.objects.select_related("version__replay_set").filter(pk=run_id).first()
    if found is None:
        raise NotFoundError(f"There is no replay run {run_id}.")
    return found


def carry_out(*, run_id: int, clock: Callable[[], datetime], is_over: Callable[[], bool] = lambda: False) -> ReplayRun:
    """Play the set and keep what came out; a run that has ended stays as it is.

    Where the time is over between two plays, the run is not ended, and goes on from there the next time.
    """
    run = find_run(run_id)
    if run.finished_at is not None:
        return run
    scratch.drop_forsaken(purpose=engine.PURPOSE)
    begun = monotonic()
    try:
        found = _play(run, is_over=is_over)
    except DomainError as error:
        return _end(run, found=None, problem=error.message, begun=begun, at=clock())
    if found is None:
        ReplayRun.objects.filter(pk=run.pk).update(duration_ms=_spent(run, begun=begun))
        return find_run(run.pk)
    return _end(run, found=found, problem="", begun=begun, at=clock())


def queue_next_slice(run: ReplayRun, *, at: datetime) -> None:
    """Have a worker take the run further; the key says how far it is, so that a running slice can queue the next."""
    key = f"{run.pk}, {run.plays.count()} plays"
    work.enqueue(kind=RUN_JOB, key=key, arguments={"run_id": run.pk}, at=at)


def given_up(run: ReplayRun) -> str:
    """Why its background work was given up; nothing while it may still go on, or once it has ended."""
    if run.finished_at is not None:
        return ""
    last = Job.objects.filter(kind=RUN_JOB, arguments__run_id=run.pk).order_by("-pk").first()
    if last is None or last.state != Job.State.DEAD:
        return ""
    return last.last_error.splitlines()[0] if last.last_error else "no reason is known"


def _play(run: ReplayRun, *, is_over: Callable[[], bool]) -> _Judged | None:
    """What was found; None while there is more to play."""
    content = sets.content_of(run.version)
    other = None
    if run.candidate_id is not None:
        version = candidate.find_version(kind=run.candidate_kind, number=run.candidate_id)
        other = candidate.put_in_place(content, version)
    if not plays.play_on(run, content, other=other, is_over=is_over):
        return None
    return _judge(content, run=run, found=plays.came_out(run))


def _judge(content: Content, *, run: ReplayRun, found: CameOut) -> _Judged:
    first, differing, changed = found.first, found.differing, found.changed
    differences = compare.find_differences(content, first.result)
    unstable = {
        str(seed): _told(compare.find_changes(content, first.result, again.result)) for seed, again in differing.items()
    }
    report: dict[str, Any] = {
        "counts": sums.count_rows(content, first.result["steps"]),
        "differences": _told(differences),
        "difference_count": len(differences),
        "orders": {"tried": run.orders, "unequal": unstable},
        "candidate": None if changed is None else _effect(content, first, changed),
    }
    cannot = report["candidate"]["failed"] if changed is not None else []
    verdict = Verdict.FAILED if differences or differing or cannot else Verdict.PASSED
    return _Judged(first=first, report=report, verdict=verdict)


def _told(differences: list[compare.Difference]) -> list[dict[str, Any]]:
    return [one.as_json() for one in differences[:DIFFERENCES_KEPT]]


def _effect(content: Content, before: Played, after: Played) -> dict[str, Any]:
    """What the other version changes, by customer and line by line."""
    old, new = (sums.customer_totals(played.result["steps"]) for played in (before, after))
    customers = []
    for customer, currency in sorted(old.keys() | new.keys()):
        was, becomes = (side.get((customer, currency), Decimal(0)) for side in (old, new))
        customers.append(
            {
                "customer": customer,
                "currency": currency,
                "before": money.plain(was),
                "after": money.plain(becomes),
                "change": money.plain(becomes - was),
            }
        )
    changes = compare.find_changes(content, before.result, after.result)
    known = {words for step in before.result["steps"] for words in step["failed"]}
    failed = [words for step in after.result["steps"] for words in step["failed"] if words not in known]
    return {"customers": customers, "changes": _told(changes), "change_count": len(changes), "failed": failed}


def _spent(run: ReplayRun, *, begun: float) -> int:
    """Milliseconds of all slices together."""
    return (run.duration_ms or 0) + int((monotonic() - begun) * 1000)


@transaction.atomic
def _end(run: ReplayRun, *, found: _Judged | None, problem: str, begun: float, at: datetime) -> ReplayRun:
    """Keep it once; whoever ended it before us has the last word."""
    locked = ReplayRun.objects.select_for_update().get(pk=run.pk)
    if locked.finished_at is not None:
        return locked
    verdict = Verdict.BROKEN if found is None else found.verdict
    result_hash = "" if found is None else found.first.result_hash
    own = program_code.hash_sources() if found is None else found.first.code_version
    ReplayRun.objects.filter(pk=run.pk).update(
        verdict=verdict,
        finished_at=at,
        duration_ms=_spent(run, begun=begun),
        code_version=own,
        migration_state=program_code.hash_migrations(),
        result_hash=result_hash,
        report={} if found is None else found.report,
        problem=problem,
        done=F("done") if found is None else F("total"),
    )
    facts = {
        "verdict": str(verdict),
        "content_hash": run.version.content_hash,
        "result_hash": result_hash,
        "code_version": own,
    }
    audit.append_entry(action="replay.run", subject=f"replay_run:{run.pk}", actor=run.asked_by, facts=facts, at=at)
    return find_run(run.pk)
