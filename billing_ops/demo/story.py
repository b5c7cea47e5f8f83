"""The month of the sample company, step by step, each through the same function that the product uses."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.models import Customer
from billing_ops.demo import company, usage
from billing_ops.demo.company import Company
from compliance.payouts import batches, gates, payables, register, release, requirements
from compliance.payouts.models import GateCheck, Payable, Payee, PayoutBatch, ReleaseDecision
from core.errors import DomainError
from invoicing.cycle import approve, close, finalize, pdf
from invoicing.cycle.close import CloseReport
from invoicing.cycle.models import Invoice
from invoicing.payments import record
from invoicing.payments.models import Payment
from invoicing.replay import run, sets
from invoicing.replay.models import ReplaySet

PDF_SECONDS_MAX = 90
PROGRAM, MARKET = "resellers", "EU"
REPLAYED = "initech-months"
GATES = ("kyb", "aml", "tax_form")


@dataclass(slots=True)
class Told:
    """What happened, for the tables at the end."""

    sent: list[tuple[str, usage.Sent]] = field(default_factory=list)
    closes: list[tuple[str, CloseReport]] = field(default_factory=list)
    pdfs: list[Path] = field(default_factory=list)
    decisions: list[ReleaseDecision] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story plays: the sample company, a running server, and what to say on the way."""

    company: Company
    address: str
    say: Callable[[str], None]
    told: Told

    def send(self, title: str, events: list[dict[str, Any]]) -> None:
        self.told.sent.append((title, usage.send(events, address=self.address, key=self.company.key)))

    def close(self, title: str, *, as_of: datetime) -> None:
        self.told.closes.append((title, close.close_cycles(as_of=as_of, at=_now())))


def tell(stage: Stage) -> None:
    """Usage in, invoices out, payouts decided; a second run finds everything done and adds only new usage."""
    calendar = stage.company.calendar
    stage.say("The month before last: Initech uses, is closed, reviewed and invoiced")
    stage.send(f"Usage of {calendar.before_last:%B}", _usage(stage, ["initech"], calendar.before_last, calendar.last))
    stage.close(f"Close of {calendar.before_last:%B}", as_of=calendar.last + timedelta(hours=12))
    _review("initech", stage=stage)
    stage.say("Last month: everybody uses; retries, bad events and a late event come along")
    _send_last_month(stage)
    stage.close(f"Close of {calendar.last:%B}", as_of=calendar.current + timedelta(hours=12))
    _review("acme", stage=stage)
    stage.say("Initech's first invoice is paid by bank transfer")
    _pay("initech", made=stage.company)
    stage.say("This month so far, for the portal")
    stage.send("Usage since then", _usage(stage, list(stage.company.customers), calendar.current, None))
    stage.say("Initech's closed months are kept as a replay set, which the worker runs again in a database of its own")
    _keep_for_replay(stage.company)
    stage.say("The worker renders the PDFs of final invoices")
    stage.told.pdfs.extend(_collect_pdfs())
    stage.say("Two resellers are to be paid; the gates of one are open")
    stage.told.decisions.extend(_pay_out(stage.company))


def _now() -> datetime:
    return datetime.now(tz=UTC)


def _usage(stage: Stage, codes: list[str], first: datetime, end: datetime | None) -> list[dict[str, Any]]:
    """From one local month to another, or until now."""
    events: list[dict[str, Any]] = []
    for code in codes:
        customer = stage.company.customers[code]
        until = _local(stage, end, customer) if end else _now()
        events += usage.daily_usage(customer=code, start=_local(stage, first, customer), end=until)
    return events


def _local(stage: Stage, moment: datetime, customer: Customer) -> datetime:
    return stage.company.calendar.local(moment, customer=customer)


def _send_last_month(stage: Stage) -> None:
    calendar = stage.company.calendar
    events = _usage(stage, ["acme", "globex", "initech"], calendar.last, calendar.current)
    stage.send(f"Usage of {calendar.last:%B}", events)
    stage.send("A client retries its first 200", events[:200])
    stage.send("Four events that must not be billed", usage.bad_events(moment=calendar.last + timedelta(days=9)))
    stage.send(f"A late event of {calendar.before_last:%B}", [late_event(stage.company)])


def late_event(made: Company) -> dict[str, Any]:
    """Used in the month that was closed and invoiced, delivered only now."""
    moment = made.calendar.before_last + timedelta(days=19, hours=3)
    data = {"input_tokens": 61_000, "output_tokens": 7_400, "model": "large", "feature": "search"}
    sent = usage.event(customer="initech", kind="llm.completion", number=0, moment=moment, day=moment, data=data)
    return {**sent, "id": f"late-{sent['id']}"}


def _review(code: str, *, stage: Stage) -> None:
    """Fiona approves what she sees, Felix finalizes it; what is held stays for the desk."""
    people = stage.company.people
    for invoice in Invoice.objects.filter(customer__code=code, status=Invoice.Status.DRAFT).order_by("period_start"):
        if code == "initech" and invoice.period_start >= stage.company.calendar.last - timedelta(days=1):
            continue  # stays in the queue, for whoever looks at the desk
        approve.approve_invoice(
            invoice_id=invoice.pk, content_hash=invoice.content_hash, actor=people["fiona"], at=_now()
        )
        finalize.finalize_invoice(invoice_id=invoice.pk, actor=people["felix"], at=_now())


def _pay(code: str, *, made: Company) -> None:
    """Fiona finds the transfer on the statement of the bank; of a later run she finds it recorded."""
    invoice = Invoice.objects.filter(customer__code=code, status=Invoice.Status.FINAL).earliest("finalized_at")
    if invoice.payments.exists():
        return
    at = _now()
    record.record_payment(
        invoice=str(invoice.number),
        amount=invoice.payable,
        currency=invoice.currency,
        method=Payment.Method.BANK_TRANSFER,
        reference=f"Wire transfer, {invoice.number}",
        received_at=at,
        actor=made.people["fiona"],
        at=at,
    )


def _keep_for_replay(made: Company) -> None:
    """What Initech was billed, with everything that decided over it; a worker runs it while the story goes on."""
    if ReplaySet.objects.filter(name=REPLAYED).exists():
        return
    words = "Two closed months of Initech, with a retry and an event that came late."
    sets.make_from_history(
        name=REPLAYED,
        customer_codes=["initech"],
        until=made.calendar.current + timedelta(days=1),
        description=words,
        actor=made.people["fiona"],
        at=_now(),
    )
    run.ask(name=REPLAYED, orders=2, actor=made.people["fiona"], at=_now())


def _collect_pdfs() -> list[Path]:
    """Wait for the worker, then copy each stored PDF into the demo's folder."""
    deadline = time.monotonic() + PDF_SECONDS_MAX
    found = []
    for invoice in Invoice.objects.filter(status=Invoice.Status.FINAL).order_by("running_number"):
        path = company.folder() / f"{invoice.number}.pdf"
        path.write_bytes(_wait_for_pdf(invoice, deadline=deadline))
        found.append(path)
    return found


def _wait_for_pdf(invoice: Invoice, *, deadline: float) -> bytes:
    while True:
        try:
            return pdf.invoice_pdf(invoice=invoice).content
        except DomainError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def _pay_out(made: Company) -> list[ReleaseDecision]:
    """Finance gathers what is owed, ops releases it; the gates are asked again at that instant."""
    fiona, olga = made.people["fiona"], made.people["olga"]
    if not Payee.objects.filter(code="lighthouse").exists():
        _enter_resellers(made)
    batch = PayoutBatch.objects.filter(reference="resellers-1").first()
    if batch is None:
        owed = list(Payable.objects.filter(payee__program=PROGRAM).values_list("pk", flat=True))
        batch = batches.make_batch(reference="resellers-1", payable_ids=owed, actor=fiona, at=_now())
    return release.release_batch(batch_id=batch.pk, actor=olga, at=_now())


def _enter_resellers(made: Company) -> None:
    fiona, olga = made.people["fiona"], made.people["olga"]
    requirements.set_requirement(
        program=PROGRAM,
        market=MARKET,
        payee_kind="company",
        gates=GATES,
        effective_at=None,
        reason="Resellers in the EU are companies; know them, screen them, and hold their tax form.",
        actor=olga,
        at=_now(),
    )
    resellers = (
        ("lighthouse", "Lighthouse Partners B.V.", "NL", "1840.50"),
        ("driftwood", "Driftwood ApS", "DK", "615.00"),
    )
    for code, name, country, amount in resellers:
        payee = register.register_payee(
            code=code,
            legal_name=name,
            kind="company",
            program=PROGRAM,
            market=MARKET,
            country=country,
            email=f"finance@{code}.example",
            actor=fiona,
            at=_now(),
        )
        reference = f"commission-{code}"
        payables.record_payable(
            payee=payee, reference=reference, amount=Decimal(amount), currency="EUR", actor=fiona, at=_now()
        )
    _approve_gates("lighthouse", GATES, made=made)
    _approve_gates("driftwood", GATES[:1], made=made)


def _approve_gates(code: str, kinds: tuple[str, ...], *, made: Company) -> None:
    for check in GateCheck.objects.filter(payee__code=code, kind__in=kinds).order_by("kind"):
        gates.decide_gate(
            check_id=check.pk,
            verdict="approve",
            reason="Documents are complete and match the register.",
            evidence=f"Register extract and signed {check.get_kind_display()} file of {code}",
            expires_at=_now() + timedelta(days=365),
            actor=made.people["olga"],
            at=_now(),
        )
