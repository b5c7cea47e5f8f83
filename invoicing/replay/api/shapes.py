"""Bodies and answers about replay sets: translated here, decided in the stages."""

from typing import Any

from rest_framework import serializers

from core.http.fields import InstantField, JsonField
from core.http.schema import PageShape
from invoicing.replay import candidate, queries
from invoicing.replay.models import CANDIDATES, ReplayRun, ReplaySet
from invoicing.replay.rules import includes
from invoicing.replay.rules.arrival import ORDERS_MAX, ORDERS_MIN

CUSTOMERS_MAX = 200


class IncludesShape(serializers.Serializer[object]):
    """How many of each the set shows; 0 says that it lacks them."""

    retries = serializers.IntegerField()
    retries_added = serializers.IntegerField(help_text="Of them: put there by whoever made the set, sent by nobody.")
    late_arrivals = serializers.IntegerField()
    plan_changes = serializers.IntegerField()
    threshold_crossings = serializers.IntegerField()


class SetShape(serializers.Serializer[object]):
    """A set with its latest content, and how it last ran; `why` is empty where nothing is wrong with that."""

    name = serializers.CharField()
    program = serializers.CharField()
    description = serializers.CharField()
    is_required = serializers.BooleanField()
    version = serializers.IntegerField()
    origin = serializers.ChoiceField(["history", "upload"])
    content_hash = serializers.CharField()
    events = serializers.IntegerField()
    documents = serializers.IntegerField()
    includes = IncludesShape()
    orders = serializers.IntegerField(help_text="In how many shuffled orders of arrival the same has to come out.")
    notes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    verdict = serializers.ChoiceField(["passed", "failed", "broken", queries.NEVER])
    run = serializers.IntegerField(allow_null=True)
    run_at = serializers.DateTimeField(allow_null=True)
    is_stale = serializers.BooleanField()
    why = serializers.CharField(allow_blank=True)


class SetPageShape(PageShape):
    """A page of sets."""

    results = SetShape(many=True)


class HistoryBody(serializers.Serializer[object]):
    """Of whom, and up to when; without an instant, everything that was drafted."""

    customers = serializers.ListField(
        child=serializers.CharField(max_length=60), min_length=1, max_length=CUSTOMERS_MAX
    )
    until = InstantField(required=False, allow_null=True, default=None)


class NewSetBody(serializers.Serializer[object]):
    """A set, or the next version of one: from history, or a content in the shape that `content` answers."""

    name = serializers.CharField(max_length=60)
    description = serializers.CharField(required=False, allow_blank=True, default="")
    orders = serializers.IntegerField(
        required=False,
        default=None,
        allow_null=True,
        min_value=ORDERS_MIN,
        max_value=ORDERS_MAX,
        help_text="In how many shuffled orders of arrival its runs play it; left out: as its last version, 20 if new.",
    )
    from_history = HistoryBody(required=False)
    content = JsonField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("from_history" in attrs) == ("content" in attrs):
            raise serializers.ValidationError("Give from_history or content, and not both.")
        return attrs


class RequireBody(serializers.Serializer[object]):
    """Whether it is required, and why that is enough or no longer needed."""

    is_required = serializers.BooleanField()
    statement = serializers.CharField(required=False, allow_blank=True, default="", max_length=1000)


class CandidateShape(serializers.Serializer[object]):
    """A version that is put in the place of the one that the set has."""

    kind = serializers.ChoiceField(list(CANDIDATES))
    id = serializers.IntegerField(min_value=1)


class RunBody(serializers.Serializer[object]):
    """In how many shuffled orders of arrival as well, and with which version."""

    orders = serializers.IntegerField(
        required=False,
        default=None,
        allow_null=True,
        min_value=0,
        max_value=ORDERS_MAX,
        help_text="2 to 100, or 0 for none; left out: as many as the set says.",
    )
    candidate = CandidateShape(required=False)


class RunShape(serializers.Serializer[object]):
    """A run; `verdict` is empty and `report` null until it has ended."""

    id = serializers.IntegerField()
    set = serializers.CharField()
    version = serializers.IntegerField()
    content_hash = serializers.CharField()
    orders = serializers.IntegerField()
    candidate = CandidateShape(allow_null=True)
    asked_by = serializers.CharField(allow_null=True)
    asked_at = serializers.DateTimeField()
    done = serializers.IntegerField(help_text="Steps carried out.")
    total = serializers.IntegerField()
    finished_at = serializers.DateTimeField(allow_null=True)
    verdict = serializers.ChoiceField(["", "passed", "failed", "broken"], allow_blank=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    code_version = serializers.CharField(allow_blank=True)
    migration_state = serializers.CharField(allow_blank=True)
    result_hash = serializers.CharField(allow_blank=True)
    problem = serializers.CharField(allow_blank=True)
    report = serializers.DictField(
        allow_null=True,
        help_text="`counts`, `differences` with what each comes from, `orders` that are unequal, and of a `candidate`"
        " what it changes by customer. Lists leave it out.",
    )


class RunPageShape(PageShape):
    """A page of runs."""

    results = RunShape(many=True)


def set_answer(state: queries.SetState) -> dict[str, Any]:
    found: ReplaySet = state.set
    version = state.version
    return {
        "name": found.name,
        "program": found.program,
        "description": found.description,
        "is_required": queries.is_required(found),
        "version": version.version,
        "origin": version.origin,
        "content_hash": version.content_hash,
        "events": version.event_count,
        "documents": version.document_count,
        "includes": version.includes | {includes.ADDED: version.retries_added},
        "orders": version.orders,
        "notes": version.notes,
        "created_at": version.created_at,
        "verdict": state.verdict,
        "run": None if state.run is None else state.run.pk,
        "run_at": state.run_at,
        "is_stale": state.is_stale,
        "why": state.why,
    }


def run_answer(run: ReplayRun, *, with_report: bool) -> dict[str, Any]:
    version = run.version
    return {
        "id": run.pk,
        "set": version.replay_set.name,
        "version": version.version,
        "content_hash": version.content_hash,
        "orders": run.orders,
        "candidate": {"kind": run.candidate_kind, "id": run.candidate_id} if run.candidate_id else None,
        "asked_by": None if run.asked_by is None else run.asked_by.username,
        "asked_at": run.asked_at,
        "done": run.done,
        "total": run.total,
        "finished_at": run.finished_at,
        "verdict": run.verdict,
        "duration_ms": run.duration_ms,
        "code_version": run.code_version,
        "migration_state": run.migration_state,
        "result_hash": run.result_hash,
        "problem": run.problem,
        "report": run.report if with_report and run.finished_at is not None else None,
    }


def version_of(asked: dict[str, Any] | None) -> Any:
    return None if asked is None else candidate.find_version(kind=asked["kind"], number=asked["id"])
