"""How every box stands at an instant: as it was last looked at, less the proofs that are too old by now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from compliance.launch import checklists
from compliance.launch.models import BoxResult, LaunchCheck
from compliance.launch.rules.boxes import OF_A_PROGRAM, TITLES, Box
from compliance.launch.rules.checklist import Checklist


class State(StrEnum):
    """Only a closed box is closed; the others are open, each for its reason."""

    CLOSED = "closed"
    OPEN = "open"
    TOO_OLD = "too_old"
    NOT_CHECKED = "not_checked"


AGAIN = "Check again."
FIRST = "Run manage.py launch_check, or ask for a check on its page."


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxState:
    """One box as it counts now; `result` is None where no finished check looked at it."""

    box: Box
    program: str
    state: State
    said: str
    remedy: str
    owner: str
    ages_at: datetime | None
    result: BoxResult | None

    @property
    def title(self) -> str:
        of = f" ({self.program})" if self.program else ""
        return f"{TITLES[self.box]}{of}"

    @property
    def is_closed(self) -> bool:
        return self.state == State.CLOSED


def latest_check() -> LaunchCheck | None:
    """The last check that looked at every box."""
    return LaunchCheck.objects.filter(finished_at__isnull=False, only="").order_by("-pk").first()


def of_check(run: LaunchCheck, *, at: datetime) -> list[BoxState]:
    """Every box of one check, in the order of the checklist, aged to an instant."""
    return _states_of(run.results.all(), at=at)


def _states_of(results: Iterable[BoxResult], *, at: datetime) -> list[BoxState]:
    rules, order = checklists.terms_of(checklists.in_force()), list(Box)
    ordered = sorted(results, key=lambda one: (order.index(Box(one.box)), one.program))
    return [_state_of(result, rules=rules, at=at) for result in ordered]


def of_program(program: str, *, at: datetime) -> list[BoxState]:
    """The boxes that count for a program: its own, and those about everything; one not looked at is open."""
    return _with_missing([one for one in _known(at=at) if one.program in ("", program)], program=program)


def overview(*, at: datetime) -> list[BoxState]:
    """Every box of every program; those that no finished check looked at are not checked."""
    return _with_missing(_known(at=at), program="")


def still_open(states: Iterable[BoxState]) -> list[BoxState]:
    return [one for one in states if not one.is_closed]


def _known(*, at: datetime) -> list[BoxState]:
    """As the last check of everything found it, but for boxes that were looked at again since."""
    whole = latest_check()
    if whole is None:
        return []
    again = LaunchCheck.objects.filter(finished_at__gte=whole.finished_at).exclude(only="")
    counting = {run.only: run.pk for run in again.order_by("finished_at", "pk")}
    results = BoxResult.objects.filter(run__in=[whole.pk, *counting.values()]).select_related("run")
    return _states_of((one for one in results if one.run_id == counting.get(one.box, whole.pk)), at=at)


def _with_missing(known: list[BoxState], *, program: str) -> list[BoxState]:
    looked_at, order = {one.box for one in known}, list(Box)
    rules = checklists.terms_of(checklists.in_force())
    missing = [_not_checked(box, program, rules=rules) for box in Box if box not in looked_at]
    return sorted([*known, *missing], key=lambda one: (order.index(one.box), one.program))


def _state_of(result: BoxResult, *, rules: Checklist, at: datetime) -> BoxState:
    box = Box(result.box)
    ages_at = rules.ages_at(box, proved_at=result.proved_at)
    state, said, remedy = State.OPEN, result.said, result.remedy
    if result.is_closed:
        state = State.CLOSED
        if ages_at <= at:
            hours = rules.rules[box].max_age_hours
            state, remedy = State.TOO_OLD, AGAIN
            said = f"The proof of {result.proved_at:%Y-%m-%d %H:%M} UTC is older than {hours} hours. {result.said}"
    return BoxState(
        box=box,
        program=result.program,
        state=state,
        said=said,
        remedy=remedy,
        owner=rules.rules[box].owner,
        ages_at=ages_at,
        result=result,
    )


def _not_checked(box: Box, program: str, *, rules: Checklist) -> BoxState:
    return BoxState(
        box=box,
        program=program if box in OF_A_PROGRAM else "",
        state=State.NOT_CHECKED,
        said="No check looked at it yet.",
        remedy=FIRST,
        owner=rules.rules[box].owner,
        ages_at=None,
        result=None,
    )
