"""Hold the figures that changed against the lines of the policies in force; a crossing is a firing, and is told."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Customer
from core import canonical, deciding, money
from core.deciding import Kind
from invoicing.alerts.models import AlertFiring, AlertProgress, AlertState
from invoicing.alerts.rules import observe, wording
from invoicing.alerts.rules.observe import Cost, MeterUse, Observed, Outlook
from invoicing.exposure import queries as exposure_queries
from invoicing.exposure.models import Exposure, ProgramCost
from invoicing.exposure.rules import crossing
from invoicing.exposure.rules.crossing import Crossing
from invoicing.notices import tell
from invoicing.notices.tell import News
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.alerts import Alert

# A row is dated when its round begins and seen when it commits; looking at one again changes nothing.
OVERLAP = timedelta(minutes=5)
StateKey = tuple[int, str, str]  # customer, rule, subject


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One figure of one customer against one alert of its policy."""

    policy: TriggerPolicy
    alert: Alert
    rule_hash: str
    customer: Customer
    observed: Observed
    is_complete: bool
    inputs: dict[str, Any]

    @property
    def key(self) -> StateKey:
        return self.customer.pk, self.rule_hash, self.observed.subject


def evaluate_alerts(*, at: datetime) -> list[AlertFiring]:
    """Fire for every line crossed since it was last looked at, once per crossing; people are told after it commits."""
    progress = AlertProgress.objects.filter(pk=1).first()
    since = None if progress is None else progress.evaluated_at - OVERLAP
    programs = Customer.objects.order_by().values_list("program", flat=True).distinct()
    policies = policy_queries.policies_in_force(programs, at=at)
    looks = [look for policy in policies.values() for look in _looks(policy, since=_since(policy, since), at=at)]
    with deciding.deciding(Kind.ALERT):
        fired = _fire(looks, at=at)
        AlertProgress.objects.update_or_create(pk=1, defaults={"evaluated_at": at})
    return fired


def _since(policy: TriggerPolicy, since: datetime | None) -> datetime | None:
    """Under a policy that has just begun every figure is looked at."""
    begun = max(policy.effective_at, policy.decided_at or policy.effective_at)
    return None if since is None or begun >= since else since


def _looks(policy: TriggerPolicy, *, since: datetime | None, at: datetime) -> Iterator[_Look]:
    alerts = policy_terms.parse_terms(policy.terms).alerts
    if not alerts:
        return
    rules = [(alert, canonical.content_hash(alert.write())) for alert in alerts]
    exposures = exposure_queries.exposures_in([policy.program], since=since)
    for row in exposures.iterator(chunk_size=2000):
        usage, outlooks = _usage(row), _outlooks(row)
        for alert, rule_hash in rules:
            for found in observe.observe(alert, usage=usage, outlooks=outlooks):
                yield _look(policy, alert, rule_hash, row, found)
    for cost in exposure_queries.running_costs([policy.program], since=since, at=at).iterator(chunk_size=2000):
        for alert, rule_hash in rules:
            for found in observe.observe(alert, costs=[_cost(cost)]):
                yield _look(policy, alert, rule_hash, cost, found)


def _look(policy: TriggerPolicy, alert: Alert, rule_hash: str, row: Exposure | ProgramCost, found: Observed) -> _Look:
    return _Look(
        policy=policy,
        alert=alert,
        rule_hash=rule_hash,
        customer=row.customer,
        observed=found,
        is_complete=isinstance(row, ProgramCost) or row.is_complete,
        inputs={**_inputs(row), "as_of": _text(row.as_of), "watermark": row.watermark_seq},
    )


def _inputs(row: Exposure | ProgramCost) -> dict[str, Any]:
    if isinstance(row, ProgramCost):
        return {
            "currency": row.currency,
            "so_far": money.amount_text(row.so_far, currency=row.currency),
            "at_end": money.amount_text(row.at_end, currency=row.currency),
            "accounts": {"active": row.active_accounts, "expected": row.expected_accounts},
        }
    return {
        "currency": row.currency,
        "unbilled": money.amount_text(row.unbilled, currency=row.currency),
        "projected": money.amount_text(row.projected, currency=row.currency),
        "elapsed": money.plain(row.elapsed),
        "past": row.past[:1],
        "usage": row.usage,
    }


def _usage(row: Exposure) -> list[MeterUse]:
    return [
        MeterUse(
            meter=one["meter"],
            currency=row.currency,
            quantity=Decimal(one["quantity"]),
            included=Decimal(one["included"]),
            period_end=one["period_end"],
        )
        for one in row.usage
    ]


def _outlooks(row: Exposure) -> list[Outlook]:
    ends = [bill["end"] for bill in row.inputs["bills"] if bill["is_running"]]
    if not ends:
        return []
    before = Decimal(row.past[0]["total"]) if row.past else None
    return [
        Outlook(
            currency=row.currency,
            projected=row.projected,
            elapsed=row.elapsed,
            before=before,
            period_end=min(ends),
        )
    ]


def _cost(row: ProgramCost) -> Cost:
    return Cost(
        program=row.program.code,
        subscription=row.subscription_id,
        currency=row.currency,
        at_end=row.at_end,
        period_end=_text(row.period_end),
    )


def _fire(looks: Sequence[_Look], *, at: datetime) -> list[AlertFiring]:
    """Move the states of what crossed, and write and tell a firing for each that rose."""
    states = _states(looks)
    fired = []
    for look in looks:
        state = states.get(look.key)
        found = crossing.judge(
            value=look.observed.value, line=look.observed.line, was_beyond=state is not None and state.is_beyond
        )
        if found is Crossing.STAYED or (found is Crossing.FELL and not look.is_complete):
            continue  # figures that lack something prove that a line was reached, not that it was left
        states[look.key] = moved = _move(state, look, at=at)
        if found is Crossing.ROSE:
            fired.append(_write(moved, look, at=at))
    return fired


def _states(looks: Iterable[_Look]) -> dict[StateKey, AlertState]:
    wanted: dict[str, set[int]] = defaultdict(set)
    for look in looks:
        wanted[look.rule_hash].add(look.customer.pk)
    found = AlertState.objects.select_for_update().filter(
        rule_hash__in=wanted, customer__in={pk for own in wanted.values() for pk in own}
    )
    return {(row.customer_id, row.rule_hash, row.subject): row for row in found.order_by("pk")} if wanted else {}


def _move(state: AlertState | None, look: _Look, *, at: datetime) -> AlertState:
    if state is None:
        return AlertState.objects.create(
            customer=look.customer,
            rule_hash=look.rule_hash,
            subject=look.observed.subject,
            is_beyond=True,
            crossings=1,
            changed_at=at,
        )
    state.is_beyond = not state.is_beyond
    state.crossings += 1 if state.is_beyond else 0
    state.changed_at = at
    state.save(update_fields=["is_beyond", "crossings", "changed_at"])
    return state


def _write(state: AlertState, look: _Look, *, at: datetime) -> AlertFiring:
    observed, rule = look.observed, look.alert.write()
    firing = AlertFiring.objects.create(
        state=state,
        crossing=state.crossings,
        customer=look.customer,
        policy=look.policy,
        kind=look.alert.kind,
        rule=rule,
        subject=observed.subject,
        value=observed.value,
        line=observed.line,
        inputs=look.inputs,
        fired_at=at,
    )
    tell.tell(_news(firing, look), at=at)
    return firing


def _news(firing: AlertFiring, look: _Look) -> News:
    rule, customer = firing.rule, look.customer
    return News(
        key=f"alert:{firing.pk}",
        topic=f"alert.{firing.kind}",
        audience=look.alert.notify.to,
        channels=look.alert.notify.channels,
        customer=customer,
        title=wording.title_of(kind=firing.kind, customer=customer.legal_name),
        text=wording.text_of(
            rule=rule,
            subject=firing.subject,
            value=firing.value,
            line=firing.line,
            policy=str(look.policy),
            as_of=look.inputs["as_of"],
        ),
        document={
            "firing": firing.pk,
            "kind": firing.kind,
            "customer": customer.code,
            "subject": firing.subject,
            "value": money.plain(firing.value),
            "line": money.plain(firing.line),
            "inputs": firing.inputs,
            "policy": {"program": look.policy.program, "version": look.policy.version},
            "fired_at": _text(firing.fired_at),
        },
    )


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()
