"""Invariants clean: every one of every room is searched for what contradicts it."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from compliance.launch.boxes.found import Found
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof
from core import invariants
from core.invariants import Finding


def look(*, at: datetime) -> Iterator[Found]:
    """One answer over all of them; the same that `manage.py check_invariants` does."""
    findings = invariants.check_all(invariants.all_invariants())
    broken = [finding for finding in findings if finding.offenders]
    said = f"All {len(findings)} invariants hold."
    if broken:
        said = f"{len(broken)} of {len(findings)} invariants do not hold; the first: {broken[0].invariant.name}."
    yield Found(
        box=Box.INVARIANTS_CLEAN,
        is_closed=not broken,
        said=said,
        remedy="Run check_invariants, repair what it names, and find out how it came about." if broken else "",
        proof=Proof(
            facts=[("Invariants searched", str(len(findings))), ("Broken", str(len(broken)))],
            head=("Number", "Invariant", "Offenders"),
            rows=[_row(finding) for finding in (broken or findings)],
            links=[Link(text="Audit chain", path=reverse("admin:core_auditentry_changelist"))],
        ),
        proved_at=at,
    )


def _row(finding: Finding) -> tuple[str, str, str]:
    shown = "; ".join(finding.offenders[: invariants.OFFENDERS_SHOWN])
    return (str(finding.invariant.number), finding.invariant.name, shown or "none")
