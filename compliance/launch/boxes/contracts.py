"""Contracts active with examples: every contract that anybody is charged by proves itself again, now."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from compliance.launch.boxes.found import Found
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof, counted
from metering import contracts
from metering.models import EventContract, EventContractVersion

ACTIVE = EventContractVersion.Status.ACTIVE
FINE = "proved"
# A meter that came after the contract may refuse the example before the schema does: it is refused all the same.
FOR_ANOTHER_REASON = "invalid_example_fails_otherwise"


def look(*, at: datetime) -> Iterator[Found]:
    """One answer over all contracts of meters that a plan charges for; each example is tried again."""
    charged = EventContract.objects.filter(meters__charges__isnull=False).distinct().order_by("event_type")
    rows = [_row(contract, at=at) for contract in charged]
    failing = [row[0] for row in rows if row[-1] != FINE]
    said = f"{counted(len(rows), 'contract')} in force, and every example proves it again."
    remedy = ""
    if failing:
        said = f"Not in force, or not proved by examples: {', '.join(failing)}."
        remedy = "Draft a version with a valid and an invalid example, and put it in force."
    elif not rows:
        said = "No plan charges for a meter, so there is no contract to prove."
        remedy = "Open an event contract, a meter over it and a plan that charges for it."
    yield Found(
        box=Box.CONTRACTS_PROVED,
        is_closed=bool(rows) and not failing,
        said=said,
        remedy=remedy,
        proof=Proof(
            facts=[("Contracts that anybody is charged by", str(len(rows)))],
            head=("Contract", "Version", "In force since", "Valid examples", "Invalid examples", "Tried again"),
            rows=rows,
            links=[Link(text="Event contracts", path=reverse("admin:metering_eventcontract_changelist"))],
        ),
        proved_at=at,
    )


def _row(contract: EventContract, *, at: datetime) -> tuple[str, ...]:
    version = contract.versions.filter(status=ACTIVE).first()
    if version is None:
        return (contract.event_type, "none", "", "", "", "no version is in force")
    since = "" if version.activated_at is None else f"{version.activated_at:%Y-%m-%d %H:%M} UTC"
    valid, invalid = len(version.valid_examples), len(version.invalid_examples)
    flaws = [flaw for flaw in contracts.find_activation_flaws(version, at=at) if flaw.code != FOR_ANOTHER_REASON]
    verdict = flaws[0].detail if flaws else FINE
    return (contract.event_type, str(version.version), since, str(valid), str(invalid), verdict)
