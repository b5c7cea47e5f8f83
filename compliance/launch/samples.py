"""Walk a sample account, and accept what the walk shows: product, finance and ops, three people, one proof."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse

from accounts import roles
from accounts.roles import Role
from compliance.evidence import trace
from compliance.evidence.trace import InvoiceTrace
from compliance.launch.models import SampleAcceptance, SampleWalk
from compliance.launch.rules.proof import Link, Proof
from core import audit, canonical, money, personal_keys
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from invoicing.cycle.models import DeltaRow, Invoice, InvoiceLine
from invoicing.policy.rules import signing
from invoicing.policy.rules.signing import Signature

Kind = SampleWalk.Kind
WALKERS = (Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING)
SUGGESTED = 5


class ShowsNothingError(InvalidInputError):
    """The document has nothing of the kind that it is to be a sample of."""

    code = "sample_shows_nothing"


class SampleDiffersError(DomainError):
    """A step of the walk does not arrive at what the books say; nobody may accept that."""

    code = "sample_differs"


class OtherProofError(DomainError):
    """The hash is not that of the proof; look at the page again."""

    code = "proof_differs"


def walk_sample(*, program: str, kind: str, invoice: str, actor: Any, at: datetime) -> SampleWalk:
    """Walk a document, by number or id, that shows a change inside its period or an event that came late."""
    roles.require_role(actor, *WALKERS, to="walk a sample account")
    if kind not in Kind.values:
        raise InvalidInputError(f"A sample is one of: {', '.join(Kind.values)}.", pointer="/kind")
    document = trace.find_invoice(name=invoice)
    if document.status == Invoice.Status.DISCARDED or not showing(kind).filter(invoice=document).exists():
        words = Kind(kind).label.lower()
        detail = f"{document} shows no such thing ({words}). Choose another; the page suggests some."
        raise ShowsNothingError(detail, pointer="/invoice")
    proof = prove(document, kind=kind).as_json()
    return SampleWalk.objects.create(
        program=program,
        kind=kind,
        invoice=document,
        proof=proof,
        proof_hash=canonical.content_hash(proof),
        made_by=actor,
        made_at=at,
    )


@transaction.atomic
def accept_sample(
    *, sample_id: int, proof_hash: str, role: str, comment: str = "", actor: Any, at: datetime
) -> SampleWalk:
    """Accept the proof by its hash, in a role that the person holds; each role and each person once."""
    sample = SampleWalk.objects.select_for_update(no_key=True, of=("self",)).filter(pk=sample_id).first()
    if sample is None:
        raise NotFoundError(f"There is no sample {sample_id}.")
    given = [Signature(one.role, one.person_id) for one in sample.acceptances.all()]
    flaw = signing.flaw_of(role=role, person_id=actor.pk, author_id=None, signatures=given)
    if flaw is not None:
        raise NotAllowedError(flaw, pointer="/role")
    roles.require_role(actor, Role(role), to=f"accept for {role}")
    if proof_hash != sample.proof_hash:
        detail = "This is not the hash of the proof as it stands; look at it again and accept what you see."
        raise OtherProofError(detail, pointer="/proof_hash")
    facts = {"role": role, "proof_hash": proof_hash, "program": sample.program, "kind": sample.kind}
    entry = audit.append_entry(
        action="launch.sample_accepted", subject=f"sample:{sample.pk}", actor=actor, facts=facts, at=at
    )
    SampleAcceptance.objects.create(
        sample=sample,
        role=role,
        person=actor,
        proof_hash=proof_hash,
        comment=personal_keys.tell_about(sample.invoice.customer, comment.strip()),
        at=at,
        audit_entry=entry,
    )
    return sample


def missing_roles(sample: SampleWalk) -> list[str]:
    """Who has not accepted it."""
    return signing.missing_roles(Signature(one.role, one.person_id) for one in sample.acceptances.all())


def showing(kind: str) -> QuerySet[InvoiceLine]:
    """The lines that show it: parts that begin inside their period, or corrections for usage."""
    lines = InvoiceLine.objects.exclude(invoice__status=Invoice.Status.DISCARDED)
    if kind == Kind.LATE_EVENT:
        return lines.filter(adjusts__isnull=False, delta_rows__cause=DeltaRow.Cause.USAGE)
    period = F("invoice__period_start"), F("invoice__period_end")
    return lines.filter(adjusts=None, invoice__kind="cycle", segment_start__gt=period[0], segment_start__lt=period[1])


def suggest(kind: str) -> list[Invoice]:
    """The latest documents that show it."""
    ids = showing(kind).values("invoice")
    return list(Invoice.objects.filter(pk__in=ids).select_related("customer").order_by("-pk")[:SUGGESTED])


def prove(document: Invoice, *, kind: str) -> Proof:
    """Do every step again; the same proof for as long as the document and what it rests on are the same."""
    walked = trace.trace_invoice(invoice_id=document.pk)
    rows = list(_steps(walked))
    for line, step, claimed, found in rows:
        if claimed != found:
            where = f"line {line}" if line else "its totals"
            raise SampleDiffersError(
                f"{document} parts at {where}, {step}: {claimed} in the books, {found} done again."
            )
    total = money.amount_text(document.total, currency=document.currency)
    facts = [
        ("Shows", Kind(kind).label),
        ("Account", document.customer.code),  # no name: a proof is kept when a person is not
        ("Document", f"id {document.pk}, {document.get_document_type_display().lower()}"),
        ("Period", f"{document.period_start:%Y-%m-%d %H:%M} to {document.period_end:%Y-%m-%d %H:%M} UTC"),
        ("Content hash", document.content_hash),
        *_lines(walked),
        ("Total", f"{total} {document.currency}"),
        ("Steps done again", f"{len(rows)}, SHA-256 {hashlib.sha256(canonical.canonical_bytes(rows)).hexdigest()}"),
    ]
    page = reverse("admin:cycle_invoice_change", args=[document.pk])
    links = [Link(text="The document", path=page), *_traces(walked)]
    return Proof(facts=facts, head=("Line", "Step", "In the books", "Done again"), rows=rows, links=links)


def _steps(walked: InvoiceTrace) -> Iterator[tuple[str, str, str, str]]:
    for traced in walked.traces:
        for check in traced.checks:
            yield str(traced.line.position), check.step, check.claimed, check.found
    for check in walked.checks:
        yield "", check.step, check.claimed, check.found


def _lines(walked: InvoiceTrace) -> Iterator[tuple[str, str]]:
    for traced in walked.traces:
        line, version = traced.line, traced.rated.price_version
        amount = money.amount_text(line.amount, currency=walked.invoice.currency)
        segment = f"{line.segment_start:%Y-%m-%d %H:%M} to {line.segment_end:%Y-%m-%d %H:%M}"
        priced = f"{version.charge.plan.code} price version {version.version}"
        quantity = f"{money.plain(line.quantity)} {line.unit}".strip()
        said = f"{line.description}: {segment}, {quantity}, {priced}, {amount}"
        yield f"Line {line.position}", said + _correction(line)


def _correction(line: InvoiceLine) -> str:
    if line.adjusts is None:
        return ""
    row = line.delta_rows.order_by("pk").first()
    corrected = f"; corrects line {line.adjusts.position} of document {line.adjusts.invoice_id}"
    if row is None:
        return corrected
    before, after = (money.plain(quantity) for quantity in (row.before_quantity, row.after_quantity))
    return f"{corrected}, {before} before ({row.before_events} events) and {after} after ({row.after_events} events)"


def _traces(walked: InvoiceTrace) -> list[Link]:
    return [
        Link(
            text=f"Line {traced.line.position} down to its events",
            path=reverse("admin:evidence_trace", args=[traced.line.pk]),
        )
        for traced in walked.traces
    ]
