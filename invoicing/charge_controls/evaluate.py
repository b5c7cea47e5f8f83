"""Hold exposures that changed against the lines of credit; a crossing is a firing, and the policy's action follows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.models import Customer
from core import deciding, money
from core.deciding import Kind
from invoicing.charge_controls import access, limits, reviews
from invoicing.charge_controls.access import Why
from invoicing.charge_controls.models import AccessState, ControlFiring, ControlProgress, ControlState
from invoicing.charge_controls.rules import lines, wording
from invoicing.charge_controls.rules.lines import Line
from invoicing.exposure import queries as exposure_queries
from invoicing.exposure.models import Exposure
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.charges import CreditExposure

# A row is dated when its round begins and seen when it commits; looking at one again changes nothing.
OVERLAP = timedelta(minutes=5)
HOLD, REVIEW = "hold_usage", "require_review"
StateKey = tuple[int, str, str]  # customer, currency, action
Rules = Mapping[str, tuple[TriggerPolicy, Sequence[CreditExposure]]]  # by program


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """One exposure against one control of its customer's policy."""

    policy: TriggerPolicy
    control: CreditExposure
    exposure: Exposure
    line: Line

    @property
    def customer(self) -> Customer:
        return self.exposure.customer

    @property
    def key(self) -> StateKey:
        return self.exposure.customer_id, self.exposure.currency, self.control.action


def evaluate_controls(*, at: datetime) -> list[ControlFiring]:
    """Fire for every line crossed since it was last looked at, once per crossing, and end the holds that are to end."""
    progress = ControlProgress.objects.filter(pk=1).first()
    since = None if progress is None else progress.evaluated_at - OVERLAP
    rules = _rules(at=at)
    with deciding.deciding(Kind.CHARGE_CONTROL):
        looks = list(_looks(rules, since=since))
        fired = _fire(looks, at=at)
        _end_holds(rules, at=at)
        ControlProgress.objects.update_or_create(pk=1, defaults={"evaluated_at": at})
    return fired


def _rules(*, at: datetime) -> Rules:
    programs = Customer.objects.order_by().values_list("program", flat=True).distinct()
    policies = policy_queries.policies_in_force(programs, at=at)
    return {
        program: (policy, policy_terms.parse_terms(policy.terms).charge_controls)
        for program, policy in policies.items()
    }


def _looks(rules: Rules, *, since: datetime | None) -> Iterator[_Look]:
    for policy, controls in rules.values():
        if not controls:
            continue
        begun = max(policy.effective_at, policy.decided_at or policy.effective_at)
        changed = None if since is None or begun >= since else since
        rows = list(exposure_queries.exposures_in([policy.program], since=changed))
        agreed = limits.limits_of(row.customer_id for row in rows)
        for row in rows:
            for control in controls:
                if control.currency == row.currency:
                    line = lines.line_of(control, agreed=agreed.get((row.customer_id, row.currency)))
                    yield _Look(policy=policy, control=control, exposure=row, line=line)


def _fire(looks: Sequence[_Look], *, at: datetime) -> list[ControlFiring]:
    states = _states(looks)
    fired = []
    for look in looks:
        state, total, line = states.get(look.key), look.exposure.total, look.line.amount
        if state is not None and state.is_beyond:
            # Figures that lack something prove that a line was reached, not that it was left.
            is_low = lines.is_low_again(total, line=line, lift_percent=look.control.lift_percent)
            if is_low and look.exposure.is_complete:
                _set_beyond(state, is_beyond=False, at=at)
        elif total >= line:
            states[look.key] = state = _rise(state, look, at=at)
            fired.append(_write(state, look, at=at))
    return fired


def _states(looks: Iterable[_Look]) -> dict[StateKey, ControlState]:
    customers = {look.exposure.customer_id for look in looks}
    found = ControlState.objects.select_for_update().filter(customer__in=customers).order_by("pk")
    return {(row.customer_id, row.currency, row.action): row for row in found} if customers else {}


def _rise(state: ControlState | None, look: _Look, *, at: datetime) -> ControlState:
    if state is not None:
        return _set_beyond(state, is_beyond=True, at=at)
    return ControlState.objects.create(
        customer=look.customer,
        currency=look.exposure.currency,
        action=look.control.action,
        is_beyond=True,
        crossings=1,
        changed_at=at,
    )


def _set_beyond(state: ControlState, *, is_beyond: bool, at: datetime) -> ControlState:
    state.is_beyond, state.changed_at = is_beyond, at
    state.crossings += 1 if is_beyond else 0
    state.save(update_fields=["is_beyond", "crossings", "changed_at"])
    return state


def _write(state: ControlState, look: _Look, *, at: datetime) -> ControlFiring:
    """The firing and what the policy wants of it; an interim bill is only asked for: the invoice rule decides."""
    row = look.exposure
    firing = ControlFiring.objects.create(
        state=state,
        crossing=state.crossings,
        customer=look.customer,
        policy=look.policy,
        action=look.control.action,
        rule=look.control.write(),
        currency=row.currency,
        exposure=row.total,
        line=look.line.amount,
        limit_from=look.line.limit_from,
        inputs=_inputs(row),
        fired_at=at,
    )
    reason = wording.held_because(exposure=row.total, line=look.line.amount, currency=row.currency)
    if firing.action == HOLD:
        held = access.lock_state(look.customer)
        if held is None or held.status != access.HELD:
            why = Why(cause="control", reason=reason, firing=firing, policy=look.policy)
            access.move_access(look.customer, held, to_status=access.HELD, why=why, at=at)
    elif firing.action == REVIEW:
        reviews.open_review(firing, reason=reason, at=at)
    return firing


def _inputs(row: Exposure) -> dict[str, Any]:
    figures = {
        name: money.amount_text(getattr(row, name), currency=row.currency)
        for name in ("unbilled", "drafted", "unpaid", "total")
    }
    return {
        **figures,
        "currency": row.currency,
        "is_complete": row.is_complete,
        "as_of": row.as_of.astimezone(UTC).isoformat(),
        "watermark": row.watermark_seq,
    }


def _end_holds(rules: Rules, *, at: datetime) -> None:
    """Lift what no line holds any more, or what no rule asks for; a control that wants a person waits for one."""
    held = AccessState.objects.select_for_update(of=("self",)).filter(status=access.HELD).select_related("customer")
    holding = list(held.order_by("pk"))
    if not holding:
        return
    beyond = {
        (state.customer_id, state.currency)
        for state in ControlState.objects.filter(
            customer__in=[one.customer_id for one in holding], action=HOLD, is_beyond=True
        )
    }
    for state in holding:
        policy, controls = rules.get(state.customer.program, (None, ()))
        why = _why_ended(state.customer, [one for one in controls if one.action == HOLD], beyond=beyond, policy=policy)
        if why is not None:
            access.move_access(state.customer, state, to_status=access.ALLOWED, why=why, at=at)


def _why_ended(
    customer: Customer,
    controls: Sequence[CreditExposure],
    *,
    beyond: set[tuple[int, str]],
    policy: TriggerPolicy | None,
) -> Why | None:
    if not controls:
        return Why(cause="no_rule", reason=wording.NO_RULE, policy=policy)
    change = customer.access_changes.select_related("firing").first()
    assert change is not None and change.firing is not None  # noqa: S101, PT018  only a firing holds, by constraint
    own = next((one for one in controls if one.currency == change.firing.currency), None)
    if any((customer.pk, one.currency) in beyond for one in controls):
        return None
    if own is not None and own.lift == "by_person":
        return None
    row = exposure_queries.exposures_of(customer).filter(currency=change.firing.currency).first()
    total = Decimal(0) if row is None else row.total
    reason = wording.allowed_because_below(exposure=total, currency=change.firing.currency)
    return Why(cause="below", reason=reason, policy=policy)
