"""Identical replay stable: every required replay set came out as expected, in shuffled orders of arrival too."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.urls import reverse

from compliance.launch.boxes import policies
from compliance.launch.boxes.found import Found
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof, counted
from invoicing.replay import queries
from invoicing.replay.models import ReplayRun
from invoicing.replay.queries import SetState

MAKE_ONE = (
    "Make a set of closed periods with manage.py replay SET --make-from-history --customer CODE, have it required on"
    " its page, and run it with manage.py replay SET."
)


def look(*, at: datetime) -> Iterator[Found]:
    """One answer for each program; the age of the proof is that of the oldest run in it."""
    for program in policies.programs():
        yield _look_at(program, queries.required_sets_state(program), at=at)


def _look_at(program: str, states: Sequence[SetState], *, at: datetime) -> Found:
    shuffled = {state.set.pk: _shuffled_run(state) for state in states}
    flaws = [flaw for state in states if (flaw := state.why or _why_unstable(state, shuffled[state.set.pk]))]
    said = f"{counted(len(states), 'required replay set')} came out as expected, in shuffled orders of arrival too."
    remedy = ""
    if flaws:
        said, remedy = (
            " ".join(flaws),
            "Run it with manage.py replay SET and mend what differs.",
        )
    elif not states:
        said, remedy = f"No replay set of {program} is required, so nothing was replayed.", MAKE_ONE
    runs = [run for state in states for run in (state.run, shuffled[state.set.pk]) if run is not None]
    dates = [run.finished_at for run in runs if run.finished_at is not None]
    return Found(
        box=Box.REPLAY_STABLE,
        program=program,
        is_closed=bool(states) and not flaws,
        said=said,
        remedy=remedy,
        proof=Proof(
            facts=[("Program", program), ("Required replay sets", str(len(states)))],
            head=("Set", "Content", "Events", "Last run", "Verdict", "Finished", "Shuffled orders, equal"),
            rows=[_row(state, shuffled[state.set.pk]) for state in states],
            links=[Link(text="Replay sets", path=reverse("admin:replay_replayset_changelist"))],
        ),
        proved_at=at if flaws else min(dates, default=at),
    )


def _shuffled_run(state: SetState) -> ReplayRun | None:
    """The last run of the same content with the same program that passed in as many orders as the set says."""
    if state.run is None:
        return None
    runs = ReplayRun.objects.filter(
        version=state.version,
        verdict=ReplayRun.Verdict.PASSED,
        orders__gte=state.version.orders,
        code_version=state.run.code_version,
        migration_state=state.run.migration_state,
    )
    return runs.defer("report").order_by("-finished_at", "-pk").first()


def _why_unstable(state: SetState, run: ReplayRun | None) -> str:
    if run is not None:
        return ""
    return f"Replay set {state.set} was not run in {state.version.orders} shuffled orders of arrival, as it is."


def _row(state: SetState, shuffled: ReplayRun | None) -> tuple[str, ...]:
    version, run = state.version, state.run
    finished = "" if state.run_at is None else f"{state.run_at:%Y-%m-%d %H:%M} UTC"
    equal = "" if shuffled is None else f"{shuffled.orders} (run {shuffled.pk}, {shuffled.result_hash[:16]})"
    content = f"v{version.version}, {version.content_hash[:16]}"
    last = "" if run is None else f"run {run.pk}"
    return (str(state.set), content, str(version.event_count), last, str(state.verdict), finished, equal)
