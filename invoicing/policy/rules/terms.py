"""What a trigger policy says, read strictly; where it is silent, the normal cycle applies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core import canonical
from invoicing.policy.rules import alerts, charges, conventions, guarding, invoices, launching
from invoicing.policy.rules.alerts import Alert
from invoicing.policy.rules.charges import ChargeControl
from invoicing.policy.rules.conventions import Conventions
from invoicing.policy.rules.guarding import Approval, Evidence, ReviewBounds
from invoicing.policy.rules.invoices import LateUsage, OffCycle
from invoicing.policy.rules.launching import Launch
from invoicing.policy.rules.reading import TermsError
from invoicing.pricing.rules.fields import Fields, Problem

__all__ = ["SILENT", "Terms", "TermsError", "grace_of", "hash_of", "parse_terms", "write_terms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything a policy decides."""

    cadence: str
    off_cycle: OffCycle
    late_usage: LateUsage
    evidence: Evidence
    conventions: Conventions
    approval: Approval
    review_bounds: ReviewBounds
    launch: Launch
    alerts: tuple[Alert, ...]
    charge_controls: tuple[ChargeControl, ...]

    @property
    def bills_off_cycle(self) -> bool:
        """Whether anybody may be invoiced while the period still runs."""
        return self.cadence != "cycle"


def parse_terms(document: Any, *, pointer: str = "/terms") -> Terms:
    """Read the JSON of a policy; TermsError names every problem."""
    problems: list[Problem] = []
    fields = Fields(document, pointer=pointer, problems=problems)
    terms = Terms(
        cadence=invoices.read_cadence(fields),
        off_cycle=invoices.read_off_cycle(fields),
        late_usage=invoices.read_late_usage(fields),
        evidence=guarding.read_evidence(fields),
        conventions=conventions.read_conventions(fields),
        approval=guarding.read_approval(fields),
        review_bounds=guarding.read_review_bounds(fields),
        launch=launching.read_launch(fields),
        alerts=alerts.read_alerts(fields),
        charge_controls=charges.read_charge_controls(fields),
    )
    fields.refuse_unknown()
    if not problems:
        _require_sense(terms, fields)
    if problems:
        raise TermsError(problems)
    return terms


def write_terms(terms: Terms) -> dict[str, Any]:
    """The canonical JSON of the terms, every decision written down."""
    return {
        "alerts": [one.write() for one in terms.alerts],
        "approval": terms.approval.write(),
        "cadence": {"model": terms.cadence},
        "charge_controls": [one.write() for one in terms.charge_controls],
        "conventions": terms.conventions.write(),
        "evidence": terms.evidence.write(),
        "late_usage": terms.late_usage.write(),
        "launch": terms.launch.write(),
        "off_cycle": terms.off_cycle.write(),
        "review_bounds": terms.review_bounds.write(),
    }


def hash_of(*, program: str, version: int, effective_at: datetime, terms: Mapping[str, Any]) -> str:
    """What people sign: SHA-256 over the scope, the version, the instant and every word of the terms."""
    content = {"program": program, "version": version, "effective_at": effective_at, "terms": dict(terms)}
    return canonical.content_hash(content)


def grace_of(document: Mapping[str, Any]) -> timedelta:
    """How long a period waits after its end before it is drafted, by stored terms."""
    hours = parse_terms(document).late_usage.grace_hours
    return timedelta(microseconds=int(hours * 3_600_000_000))


def _require_sense(terms: Terms, fields: Fields) -> None:
    """The parts of a policy must not say one thing and its opposite."""
    bills = [one for one in terms.charge_controls if one.action == "interim_bill"]
    is_narrow = terms.off_cycle.eligible != invoices.EVERYBODY
    if terms.cadence == "cycle":
        if terms.off_cycle != invoices.NEVER:
            fields.report("off_cycle", "contradiction", "Under the cadence cycle nothing is invoiced off the cycle.")
        if bills:
            detail = "interim_bill needs the cadence threshold or hybrid; under cycle nothing is invoiced off it."
            fields.report("charge_controls", "contradiction", detail)
        return
    if not terms.off_cycle.triggers and not bills:
        detail = f"The cadence {terms.cadence} needs an amount: one trigger, or a charge control that bills."
        fields.report_at("off_cycle/triggers", "required", detail)
    if terms.cadence == "threshold" and is_narrow:
        detail = "Under the cadence threshold everybody is eligible; to name some, choose hybrid."
        fields.report_at("off_cycle/eligible", "contradiction", detail)
    if terms.cadence == "hybrid" and not is_narrow:
        detail = "Name who is eligible, by customers, plans or meters; for everybody, choose threshold."
        fields.report_at("off_cycle/eligible", "required", detail)


SILENT = parse_terms({})
