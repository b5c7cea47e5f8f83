"""The letter about a decided dispute: written once, from the evidence that decided, with the pack by its hash."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from compliance.disputes import fixing
from compliance.disputes.models import Dispute, DisputeEvidence, DisputeLetter
from compliance.disputes.rules import lifecycle
from compliance.evidence.models import EvidencePack
from core import personal_keys
from core.errors import DomainError
from invoicing.cycle.models import CreditLine, InvoiceLine
from invoicing.documents import letters, store
from invoicing.documents.document import DocumentParty
from invoicing.documents.letters import Letter, LetterRow
from invoicing.documents.models import StoredDocument
from invoicing.documents.rules import figures
from invoicing.rating.models import RatedLine

JOB = "write_dispute_letter"
LOCALE = "en"
ROWS_MAX = 60
WALKED = "We have worked this bill out again, step by step, from every event that it rests on to its amount"
ABOUT_THE_PACK = (
    "The evidence pack holds the events, what was counted, the price in force, every step to the amount, who decided "
    "what, and a program that works all of it out again on any computer with Python. You can download it with this "
    "letter. If its SHA-256 is the one below, it is the pack that we decided by."
)


class NotDecidedError(DomainError):
    """There is a letter once the dispute is upheld or rejected."""

    code = "dispute_not_decided"


def write_letter(*, dispute_id: int, at: datetime) -> DisputeLetter:
    """Compose, print and keep it; the one that is there, where there is one."""
    disputes = Dispute.objects.select_related("invoice", "line", "customer")
    dispute = disputes.get(pk=dispute_id)
    if found := DisputeLetter.objects.filter(dispute=dispute).first():
        return found
    evidence = dispute.evidence.filter(finished_at__isnull=False).select_related("pack").order_by("number").last()
    if dispute.outcome not in (lifecycle.UPHELD, lifecycle.REJECTED) or evidence is None or evidence.pack is None:
        raise NotDecidedError("A letter is written once a dispute is upheld or rejected.")
    letter = compose(dispute, evidence=evidence, pack=evidence.pack, at=at)
    with transaction.atomic():
        pdf = store.store_document(
            key=f"dispute_letter:{dispute.pk}",
            kind=StoredDocument.Kind.DISPUTE_LETTER,
            content=letters.render_letter(letter),
            key_id=dispute.invoice.personal_key_id,
            at=at,
        )
        made, _ = DisputeLetter.objects.get_or_create(
            dispute=dispute,
            defaults={
                "evidence": evidence,
                "pack_sha256": evidence.pack.sha256,
                "text": personal_keys.tell_about(dispute.invoice, letters.letter_text(letter)),
                "pdf": pdf,
                "made_at": at,
            },
        )
    return made


class LetterErasedError(DomainError):
    """The customer was erased, and no law keeps the invoice any more."""

    code = "letter_erased"
    http_status = 410


def content_of(letter: DisputeLetter) -> bytes:
    """The PDF as it was sent; LetterErasedError once the key of its invoice is gone."""
    content = letter.pdf.opened()
    if content is None:
        raise LetterErasedError("The customer was erased, and this letter with the invoice that it is about.")
    return content


def compose(dispute: Dispute, *, evidence: DisputeEvidence, pack: EvidencePack, at: datetime) -> Letter:
    """The letter as a value; who is addressed is whom the invoice addressed."""
    parties, invoice = dispute.invoice.opened_parties, dispute.invoice
    lines = _lines(dispute)
    zone = ZoneInfo(parties["customer"]["time_zone"])
    opened_on = figures.date_text(dispute.opened_at.astimezone(zone).date(), locale=LOCALE)
    return Letter(
        title=f"Your dispute of {_what(dispute)}",
        reference=f"Dispute {dispute.pk}",
        seller=_party(parties["seller"]),
        customer=_party(parties["customer"]),
        written_on=at.astimezone(zone).date(),
        facts=(
            ("Invoice", str(invoice)),
            ("Issued", figures.date_text(invoice.issue_date, locale=LOCALE) if invoice.issue_date else ""),
            ("Disputed", opened_on),
            ("Reason", dispute.get_reason_display()),
            ("Decision", dispute.get_outcome_display()),
        ),
        opening=(*_finding(evidence), _answer(dispute)),
        rows=tuple(_row(line, evidence=evidence) for line in lines[:ROWS_MAX]) + _total(dispute, evidence=evidence),
        more=f"The other {len(lines) - ROWS_MAX} lines are in the pack." if len(lines) > ROWS_MAX else "",
        closing=_closing(dispute),
        attachment=(
            ("Evidence pack", pack.file_name),
            ("Size", f"{pack.size:,} bytes"),
            ("SHA-256", pack.sha256),
            ("Check the hash", f"sha256sum {pack.file_name}"),
            ("Check the figures", f"python3 -I verify.py {pack.file_name}"),
        ),
    )


def _what(dispute: Dispute) -> str:
    name = f"{dispute.invoice.get_document_type_display().lower()} {dispute.invoice}"
    return name if dispute.line is None else f"{name}, line {dispute.line.position}"


def _party(said: dict[str, Any]) -> DocumentParty:
    address = tuple(line.strip() for line in said["address"].splitlines() if line.strip())
    return DocumentParty(name=said["name"], address=address, tax_id=said["tax_id"], email=said["email"])


def _finding(evidence: DisputeEvidence) -> tuple[str, ...]:
    """What came of working it out again, by the rule that chose the path."""
    if evidence.first_break is None:
        return (f"{WALKED}: {len(evidence.steps)} steps. Each comes to what was billed.",)
    first = evidence.first_break
    where = "the totals of the invoice" if first["line"] is None else f"line {first['line']}"
    differs = f"The first step that differs, in {where}, is: {first['step']}."
    found = f"The bill has {first['claimed']}; we find {first['found']}."
    return (f"{WALKED}. It does not come to what was billed. {differs} {found}",)


def _answer(dispute: Dispute) -> str:
    outcomes = [lifecycle.UPHELD, lifecycle.REJECTED]
    decided = dispute.transitions.filter(outcome__in=outcomes).order_by("revision").first()
    return decided.reason if decided else ""


def _closing(dispute: Dispute) -> tuple[str, ...]:
    if dispute.outcome == lifecycle.REJECTED:
        return ("The invoice stands as it was issued.", ABOUT_THE_PACK)
    issued = fixing.issued_fix(dispute)
    how = f"It is corrected by {issued}." if issued else "The correction comes as a document of its own."
    return (f"{how} The invoice itself is never changed.", ABOUT_THE_PACK)


def _lines(dispute: Dispute) -> list[InvoiceLine | CreditLine]:
    """The contested line, or all of them; what a credit note gives back has lines of its own kind."""
    lines = dispute.invoice.lines.select_related(
        "invoice", "rated_line__price_version", "rated_line__fee_version__program"
    ).order_by("position")
    if dispute.line is not None:
        return list(lines.filter(pk=dispute.line.pk))
    return [*lines, *dispute.invoice.credit_lines.select_related("invoice").order_by("position")]


def _row(line: InvoiceLine | CreditLine, *, evidence: DisputeEvidence) -> LetterRow:
    currency = line.invoice.currency
    billed = f"{figures.amount_text(line.amount, currency=currency, locale=LOCALE)} {currency}"
    if isinstance(line, CreditLine):
        return LetterRow(
            position=str(line.position), what=line.description, quantity="", price="", billed=billed, again=""
        )
    span = figures.span_text(
        line.segment_start, line.segment_end, zone=line.invoice.parties["customer"]["time_zone"], locale=LOCALE
    )
    return LetterRow(
        position=str(line.position),
        what=f"{line.description}, {span}",
        quantity=f"{figures.number_text(line.quantity, locale=LOCALE)} {line.unit}".strip(),
        price=_price(line.rated_line),
        billed=billed,
        again=_again([step for step in evidence.steps if step["line"] == line.position]),
    )


def _price(rated: RatedLine) -> str:
    """The version that priced it, and since when it is in force."""
    since = f"in force since {figures.date_text(rated.effective_at.date(), locale=LOCALE)}"
    if rated.fee_version is not None:
        return f"{rated.fee_version.program.name}, version {rated.fee_version.version}, {since}"
    return f"version {rated.price_version.version}, {since}"


def _again(steps: list[dict[str, Any]]) -> str:
    first = next((step for step in steps if step["claimed"] != step["found"]), None)
    return "the same" if first is None else f"differs: {first['found']} ({first['step']})"


def _total(dispute: Dispute, *, evidence: DisputeEvidence) -> tuple[LetterRow, ...]:
    """What the whole document comes to, where the whole of it is contested."""
    invoice = dispute.invoice
    if dispute.line is not None:
        return ()
    billed = f"{figures.amount_text(invoice.total, currency=invoice.currency, locale=LOCALE)} {invoice.currency}"
    again = _again([step for step in evidence.steps if step["line"] is None])
    return (LetterRow(position="", what="Total with tax", quantity="", price="", billed=billed, again=again),)
