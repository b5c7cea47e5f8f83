"""Which sets are required, how each of them last ran, and what of that no longer holds."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Subquery

from invoicing.replay import forgetting, program_code
from invoicing.replay.models import ReplayRequirement, ReplayRun, ReplaySet, ReplaySetVersion

NEVER = "never run"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetState:
    """How a required set stands.

    `verdict` is that of its last run (`passed`, `failed`, `broken`, or `never run`), `why` the sentence that says what
    is wrong with it, empty where nothing is.
    """

    set: ReplaySet
    version: ReplaySetVersion
    run: ReplayRun | None
    verdict: str
    run_at: datetime | None
    is_stale: bool
    why: str

    @property
    def holds(self) -> bool:
        return not self.why


def required_sets(program: str | None = None) -> list[ReplaySet]:
    """The sets that are required now, of one program or of all, by name."""
    latest = ReplayRequirement.objects.filter(replay_set=OuterRef("pk")).order_by("-id")
    found = ReplaySet.objects.annotate(required=Subquery(latest.values("is_required")[:1])).filter(required=True)
    return list(found if program is None else found.filter(program=program))


def required_sets_state(program: str | None = None, *, since: datetime | None = None) -> list[SetState]:
    """How every required set of the program stands, by name; a run from before `since` counts as too old."""
    return states_of(required_sets(program), since=since)


def states_of(sets: Iterable[ReplaySet], *, since: datetime | None = None) -> list[SetState]:
    """The same of these sets."""
    sets = list(sets)
    if not sets:
        return []
    current = program_code.read_state()
    return [_state(one, since=since, current=current) for one in sets]


def latest_version(replay_set: ReplaySet) -> ReplaySetVersion:
    """The content that counts, without its bytes."""
    return replay_set.versions.defer("content").order_by("-version")[0]


def is_required(replay_set: ReplaySet) -> bool:
    last = replay_set.requirements.order_by("-id").first()
    return last is not None and last.is_required


def _state(replay_set: ReplaySet, *, since: datetime | None, current: program_code.ProgramState) -> SetState:
    version = latest_version(replay_set)
    runs = ReplayRun.objects.filter(version__replay_set=replay_set, finished_at__isnull=False)
    run = runs.defer("report").select_related("version").order_by("-finished_at", "-id").first()
    outdated = "" if run is None else _why_stale(run, version=version, since=since, current=current)
    return SetState(
        set=replay_set,
        version=version,
        run=run,
        verdict=NEVER if run is None else run.verdict,
        run_at=None if run is None else run.finished_at,
        is_stale=bool(outdated),
        why=_why_gone(version) or _why_failing(replay_set, run) or outdated,
    )


def _why_gone(version: ReplaySetVersion) -> str:
    return forgetting.in_words(version) if forgetting.is_erased(version) else ""


def _why_failing(replay_set: ReplaySet, run: ReplayRun | None) -> str:
    if run is None:
        return f"Replay set {replay_set} was never run."
    if run.verdict == ReplayRun.Verdict.BROKEN:
        return f"Replay set {replay_set} could not be run (run {run.pk}): {run.problem}"
    if run.verdict == ReplayRun.Verdict.FAILED:
        return f"Replay set {replay_set} differs from what is expected (run {run.pk})."
    return ""


def _why_stale(
    run: ReplayRun, *, version: ReplaySetVersion, since: datetime | None, current: program_code.ProgramState
) -> str:
    if run.version_id != version.pk:
        return f"Replay set {version.replay_set} was never run on its present content ({version})."
    if (run.code_version, run.migration_state) != (current.code_version, current.migration_state):
        return f"Replay set {version.replay_set} last ran with another version of the program (run {run.pk})."
    if since is not None and run.asked_at < since:
        when = f"{run.asked_at:%Y-%m-%d %H:%M}"
        return f"Replay set {version.replay_set} last ran before that was written ({when} UTC, run {run.pk})."
    return ""
