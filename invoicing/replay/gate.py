"""What stands in the way of a price, fee table, contract or policy: a required set that fails or says nothing of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Model, Q
from django.urls import reverse

from accounts.models import Customer
from core import activation
from core.activation import Refusal
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing.models import Charge, FeeProgramVersion, PriceVersion, SubscriptionPhase
from invoicing.replay import candidate, program_code, queries
from invoicing.replay.models import ReplayRun, ReplaySet
from invoicing.replay.queries import SetState
from metering.models import EventContractVersion


def register() -> None:
    """Once, when the application starts."""
    for place in candidate.PLACES.values():
        activation.register_guard(of=place.model, guard=refuse_unreplayed)


def refuse_unreplayed(version: Model, /, *, at: datetime) -> Sequence[Refusal]:  # noqa: ARG001  asked of every guard
    """Every required set that concerns this version, and that does not hold, is too old for it or never ran with it."""
    required = queries.required_sets()
    if not required:
        return []
    programs = programs_of(version)
    concerned = [one for one in required if _concerns(one, version, programs)]
    states = queries.states_of(concerned, since=written_at(version))
    return [refusal for state in states for refusal in _refusals(state, version)]


def written_at(version: Any) -> datetime:
    found: datetime = version.proposed_at if isinstance(version, TriggerPolicy) else version.created_at
    return found


def programs_of(version: Model) -> set[str]:
    """The programs of the customers whom the version reaches."""
    match version:
        case TriggerPolicy():
            return {version.program}
        case PriceVersion():
            plans = Charge.objects.filter(pk=version.charge_id).values("plan")
        case FeeProgramVersion():
            named = PriceVersion.objects.filter(params__program=version.program.code)
            plans = Charge.objects.filter(pk__in=named.values("charge")).values("plan")
        case EventContractVersion():
            plans = Charge.objects.filter(meter__contract=version.contract_id).values("plan")
        case _:
            return set()
    on_them = SubscriptionPhase.objects.filter(plan__in=plans).values("subscription__customer")
    return set(Customer.objects.filter(Q(pk__in=on_them)).values_list("program", flat=True))


def _concerns(replay_set: ReplaySet, version: Model, programs: Iterable[str]) -> bool:
    return replay_set.program in programs or candidate.is_held(version, by=queries.latest_version(replay_set))


def _refusals(state: SetState, version: Model) -> list[Refusal]:
    page = reverse("admin:replay_replayset_change", args=[state.set.pk])
    if not state.holds:
        code = "replay_outdated" if state.is_stale and state.verdict == ReplayRun.Verdict.PASSED else "replay_failed"
        code = "replay_missing" if state.verdict == queries.NEVER else code
        remedy = f"Run it on its page or with `manage.py replay {state.set}`, and mend what differs."
        return [Refusal(code=code, sentence=state.why, remedy=remedy, link=page)]
    if candidate.is_held(version, by=state.version) and not _ran_with(state, version):
        named = f"{candidate.kind_of(version)}:{version.pk}"
        return [
            Refusal(
                code="replay_without_it",
                sentence=f"Replay set {state.set} was not run with {version} in the place of what it has.",
                remedy=f"Run it with that on its page or with `manage.py replay {state.set} --with {named}`.",
                link=page,
            )
        ]
    return []


def _ran_with(state: SetState, version: Model) -> bool:
    """On this content, with this program, and as expected without it."""
    current = program_code.read_state()
    return ReplayRun.objects.filter(
        version=state.version,
        candidate_kind=candidate.kind_of(version),
        candidate_id=version.pk,
        verdict=ReplayRun.Verdict.PASSED,
        code_version=current.code_version,
        migration_state=current.migration_state,
    ).exists()
