"""Run the checklist: look at every box once, write down what was found, go on where an earlier attempt stopped."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.launch import checklists, standing, walk
from compliance.launch.boxes import accounts, backups, books, contracts, gates, invariants, lines, policies, replays
from compliance.launch.boxes.found import Found
from compliance.launch.models import BoxResult, CloseWalk, LaunchCheck
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.checklist import Checklist
from compliance.launch.rules.proof import Proof
from core import canonical, searching, work
from core.errors import DomainError, InvalidInputError

JOB = "launch.check"
ASKERS = (Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING)
Look = Callable[..., Iterable[Found]]
Progress = Callable[[str, int, int], None]
LOOKS: dict[Box, Look] = {
    Box.POLICY_SIGNED: policies.look,
    Box.CONTRACTS_PROVED: contracts.look,
    Box.REPLAY_STABLE: replays.look,
    Box.SAMPLES_ACCEPTED: accounts.look,
    Box.BOOKS_TIE: books.look,
    Box.GATES_RECHECKED: gates.look,
    Box.BACKUP_RESTORED: backups.look,
}  # all but the lines of the last close and the invariants, which take slices

log = structlog.get_logger(__name__)


class NotLookedAtError(DomainError):
    """One box cannot be looked at again before all of them were."""

    code = "launch_not_checked"


@transaction.atomic
def ask_for_check(*, actor: Any, at: datetime, only: str = "") -> LaunchCheck:
    """Queue a run over every box, or `only` one again; the one that is waiting, where there is one.

    Without an actor it is the daily one. A box is looked at by itself once every box was looked at.
    """
    if actor is not None:
        roles.require_role(actor, *ASKERS, to="ask for a launch check")
    if only and only not in set(Box):
        raise InvalidInputError(f"There is no box {only[:60]}; the boxes are {', '.join(Box)}.", pointer="/box")
    if only and standing.latest_check() is None:
        raise NotLookedAtError("No check has looked at every box yet; begin with that.")
    waiting = LaunchCheck.objects.select_for_update().filter(finished_at=None, only=only).first()
    run = waiting or begin_run(actor=actor, at=at, only=only)
    queue_next_slice(run, at=at)
    return run


def queue_next_slice(run: LaunchCheck, *, at: datetime) -> None:
    """Have a worker take the run further; the key says how far it is, so that a running slice can queue the next."""
    documents = getattr(CloseWalk.objects.filter(run=run).first(), "invoices_done", 0)
    key = f"{run.pk}, {run.results.count()} results, {documents} documents, {searching.steps_taken(run)} searches"
    work.enqueue(kind=JOB, key=key, arguments={"run_id": run.pk}, at=at)


def begin_run(*, actor: Any, at: datetime, only: str = "") -> LaunchCheck:
    """Write a run down; whoever calls takes it further."""
    return LaunchCheck.objects.create(checklist=checklists.in_force(), only=only, asked_by=actor, asked_at=at)


def go_on(
    *,
    run_id: int,
    at: datetime,
    is_over: Callable[[], bool] = lambda: False,
    seconds_max: int | None = None,
    progress: Progress = lambda *_: None,
) -> LaunchCheck:
    """Look at what is left, box by box; `progress` is told of what, how many are done and how many there are.

    Where the time is over before everything is done, the run is not finished, and can be taken further. `seconds_max`
    is the longest that one invariant may take; None sets no limit.
    """
    run = LaunchCheck.objects.get(pk=run_id)
    known = set(run.results.values_list("box", flat=True))
    wanted = [Box(run.only)] if run.only else list(Box)
    for box in (one for one in wanted if one not in known):
        if is_over():
            return run
        if box == Box.LAST_CLOSE_TRACED:
            is_ready = _walk_on(run, at=at, is_over=is_over, progress=partial(progress, "documents traced"))
        elif box == Box.INVARIANTS_CLEAN:
            told = partial(progress, "invariants searched")
            is_ready = searching.go_on(run, at=at, is_over=is_over, seconds_max=seconds_max, progress=told)
        else:
            is_ready = True
        if not is_ready:
            return run
        _look_once(run, box, at=at)
    _finish(run, at=at)
    return run


def _walk_on(run: LaunchCheck, *, at: datetime, is_over: Callable[[], bool], progress: walk.Progress) -> bool:
    begun = walk.find_or_begin(run)
    return begun is None or walk.go_on(begun, at=at, is_over=is_over, progress=progress)


@transaction.atomic
def _look_once(run: LaunchCheck, box: Box, *, at: datetime) -> None:
    """In one transaction, so that a box is there whole or not at all; the run is held, so that nobody else looks."""
    held = LaunchCheck.objects.select_for_update().get(pk=run.pk)
    if held.finished_at is not None or held.results.filter(box=box).exists():
        return
    rules = checklists.terms_of(run.checklist)
    BoxResult.objects.bulk_create(_result(run, found, rules=rules, at=at) for found in _look(run, box, at=at))


def _look(run: LaunchCheck, box: Box, *, at: datetime) -> list[Found]:
    """A box that cannot even be looked at is open; the others are looked at all the same."""
    try:
        with transaction.atomic():
            if box == Box.LAST_CLOSE_TRACED:
                return list(lines.look(CloseWalk.objects.filter(run=run).first(), at=at))
            if box == Box.INVARIANTS_CLEAN:
                return list(invariants.look(list(run.searches.order_by("number", "name")), at=at))
            return list(LOOKS[box](at=at))
    except Exception as error:  # whatever it is, it is a finding about this box
        log.exception("launch_box_failed", box=str(box), run=run.pk)
        said = f"It could not be looked at: {type(error).__name__}: {error}"[:1000].replace("\x00", "")
        remedy = "See the log of the worker or command, mend the cause and check again."
        return [Found(box=box, is_closed=False, said=said, remedy=remedy, proof=Proof(), proved_at=at)]


def _result(run: LaunchCheck, found: Found, *, rules: Checklist, at: datetime) -> BoxResult:
    proof = found.proof.as_json()
    return BoxResult(
        run=run,
        box=found.box,
        program=found.program,
        is_closed=found.is_closed,
        said=found.said,
        remedy=found.remedy,
        proof=proof,
        proof_hash=canonical.content_hash(proof),
        owner=rules.rules[found.box].owner,
        proved_at=found.proved_at,
        looked_at=at,
    )


@transaction.atomic
def _finish(run: LaunchCheck, *, at: datetime) -> None:
    held = LaunchCheck.objects.select_for_update().get(pk=run.pk)
    if held.finished_at is None:
        held.finished_at = at
        held.save(update_fields=["finished_at"])
    run.refresh_from_db()
