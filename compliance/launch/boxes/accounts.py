"""Sample accounts walked and accepted: for each kind one that three people accepted, and that walks the same today."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count
from django.urls import reverse

from compliance.launch import samples
from compliance.launch.boxes import policies
from compliance.launch.boxes.found import Found
from compliance.launch.models import SampleWalk
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof
from core import canonical
from core.errors import DomainError
from invoicing.policy.rules.signing import SIGNING_ROLES

REMEDY = "Walk a document that shows it on the page of samples, and have product, finance and ops accept it."


def look(*, at: datetime) -> Iterator[Found]:
    """One answer for each program."""
    for program in policies.programs():
        yield _look_at(program, at=at)


def _look_at(program: str, *, at: datetime) -> Found:
    accepted = {kind: _accepted(program, kind) for kind in SampleWalk.Kind}
    flaws = {kind: flaw for kind, sample in accepted.items() if (flaw := _flaw_of(sample))}
    known = [sample for sample in accepted.values() if sample is not None]
    said = "A change inside a period and a late event were walked; product, finance and ops accepted both."
    if flaws:
        said = " ".join(f"{kind.label}: {flaw}" for kind, flaw in flaws.items())
    page = reverse("admin:launch_samplewalk_changelist")
    return Found(
        box=Box.SAMPLES_ACCEPTED,
        program=program,
        is_closed=not flaws,
        said=said,
        remedy=REMEDY if flaws else "",
        proof=Proof(
            facts=[("Program", program)],
            head=("Sample", "Proof", "Role", "Person", "Accepted", "Audit reference"),
            rows=[row for sample in known for row in _rows(sample)],
            links=[
                Link(text="Sample accounts", path=page),
                *(Link(text=str(one), path=reverse("admin:launch_samplewalk_change", args=[one.pk])) for one in known),
            ],
        ),
        proved_at=min((_accepted_at(sample) for sample in known), default=at) if not flaws else at,
    )


def _accepted(program: str, kind: str) -> SampleWalk | None:
    """The latest one that nobody is missing from."""
    walked = SampleWalk.objects.filter(program=program, kind=kind).annotate(count=Count("acceptances"))
    return walked.filter(count=len(SIGNING_ROLES)).order_by("-pk").first()


def _flaw_of(sample: SampleWalk | None) -> str:
    if sample is None:
        return "no sample is accepted by product, finance and ops."
    try:
        again = samples.prove(sample.invoice, kind=sample.kind).as_json()
    except DomainError as error:
        return error.message
    if canonical.content_hash(again) != sample.proof_hash:
        return f"{sample} no longer walks as it was accepted."
    return ""


def _rows(sample: SampleWalk) -> Iterator[tuple[str, ...]]:
    for one in sample.acceptances.select_related("person", "audit_entry"):
        accepted = f"{one.at:%Y-%m-%d %H:%M} UTC"
        yield (str(sample), one.proof_hash[:16], one.role, str(one.person), accepted, one.audit_entry.reference)


def _accepted_at(sample: SampleWalk) -> datetime:
    """With the last of the three."""
    return max(one.at for one in sample.acceptances.all())
