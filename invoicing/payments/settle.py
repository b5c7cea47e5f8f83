"""Take the steps that follow from what a gateway told of a payment, whatever order it came in."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from core.errors import DomainError
from invoicing.cycle import move as cycle_move
from invoicing.cycle.models import Invoice
from invoicing.payments import move, record
from invoicing.payments.models import GatewayEvent, Payment, PaymentObject, PaymentTransition
from invoicing.payments.rules import told
from invoicing.payments.rules.lifecycle import Step
from invoicing.payments.rules.told import Due, Stands, Told
from invoicing.payments.taken import Taken

WAITING, APPLIED, NOTHING_NEW, REFUSED = "waiting", "applied", "nothing_new", "refused"
STEPS_MAX = 50  # of one payment at once; more would be a rule that never ends


@transaction.atomic
def settle_told(*, gateway: str, payment_ref: str, at: datetime) -> Payment | None:
    """Bring the payment up to all that was told of it; None while nothing names an issued invoice.

    The caller holds the lock of this payment's name, so that two deliveries do it one after the other.
    """
    events = list(GatewayEvent.objects.filter(gateway=gateway, payment_ref=payment_ref).exclude(outcome="unknown"))
    facts = [Told(event.pk, event.created_at, event.facts) for event in events]
    payment = _find(gateway, payment_ref)
    refusal = ""
    if payment is None and (first := told.begins_with(facts)) is not None:
        payment, refusal = _begin(gateway, payment_ref, first, events=events, at=at)
    if payment is None:
        _park(events, facts, refusal=refusal, at=at)
        return None
    refused = _take_steps(payment, facts, events=events, at=at)
    _keep_objects(payment, facts)
    _close(payment, events, facts, refused=refused, at=at)
    return payment


def _park(events: Sequence[GatewayEvent], facts: Sequence[Told], *, refusal: str, at: datetime) -> None:
    """Nothing follows yet, or never: then with why."""
    unknown = _unknown_states(facts)
    for event in events:
        why = refusal or unknown.get(event.pk, "")
        _note([event], outcome=REFUSED if why else WAITING, detail=why, at=at)


def _unknown_states(facts: Sequence[Told]) -> dict[int, str]:
    return {one.id: f"Nobody here knows the state {one.facts['raw']}." for one in facts if not one.facts["state"]}


def _find(gateway: str, payment_ref: str) -> Payment | None:
    pk = Payment.objects.filter(gateway=gateway, gateway_id=payment_ref).values_list("pk", flat=True).first()
    return None if pk is None else move.lock_payment(payment_id=pk)


def _begin(
    gateway: str, payment_ref: str, first: Told, *, events: Sequence[GatewayEvent], at: datetime
) -> tuple[Payment | None, str]:
    """The payment, begun by its first event; none while there is no such invoice, or with why it cannot be."""
    pk = Invoice.objects.filter(number=first.facts["invoice"]).values_list("pk", flat=True).first()
    if pk is None:
        return None, ""
    charges = {event.facts.get("charge") for event in events} - {None, ""}
    if PaymentObject.objects.filter(kind="charge", external_id__in=charges).exists():
        return None, "Its charge belongs to another payment here."
    invoice = cycle_move.lock_invoice(invoice_id=pk)
    try:
        record.require_payable(invoice, currency=first.facts["currency"])
    except DomainError as error:
        return None, error.message
    payment = Payment(
        invoice=invoice,
        amount=first.amount("amount"),
        currency=invoice.currency,
        method=first.facts["method"],
        gateway=gateway,
        gateway_id=payment_ref,
        created_at=at,
    )
    by = next(event for event in events if event.pk == first.id)
    record.begin_payment(payment, happened_at=first.at, by=by, at=at)
    return payment, ""


def _take_steps(
    payment: Payment, facts: Sequence[Told], *, events: Sequence[GatewayEvent], at: datetime
) -> dict[int, str]:
    """Step by step until nothing is left; by event, why the books or the table refuse one."""
    by_id = {event.pk: event for event in events}
    refused: dict[int, str] = {}
    for _ in range(STEPS_MAX):
        due = told.next_step(_stands(payment), [one for one in facts if one.id not in refused])
        if due is None:
            return refused
        try:
            with transaction.atomic():
                move.move_payment(payment, taken=_taken(due, by=by_id[due.by.id], at=at), at=at)
        except DomainError as error:
            refused[due.by.id] = error.message
            payment.refresh_from_db()
    return refused


def _stands(payment: Payment) -> Stands:
    steps = PaymentTransition.objects.filter(payment=payment, step__in=[Step.DISPUTED, Step.WON, Step.LOST])
    disputes = {(str(one.event.facts["dispute"]), one.step) for one in steps.select_related("event") if one.event}
    return Stands(status=payment.status, refunded=payment.refunded, disputes=frozenset(disputes))


def _taken(due: Due, *, by: GatewayEvent, at: datetime) -> Taken:
    """Clocks differ: what the gateway's says is ahead of ours happened now."""
    return Taken(
        step=due.step,
        amount=due.amount,
        fee=due.fee if due.step != Step.RECORDED else Decimal(0),
        happened_at=min(due.by.at, at),
        by=by,
        reason=str(due.by.facts.get("reason", "")),
    )


def _keep_objects(payment: Payment, facts: Sequence[Told]) -> None:
    """What else the gateway calls it: each name belongs to one payment for ever."""
    named = {(kind, one.facts.get(kind) or "") for one in facts for kind in ("charge", "dispute")}
    PaymentObject.objects.bulk_create(
        [PaymentObject(payment=payment, kind=kind, external_id=name) for kind, name in sorted(named) if name],
        ignore_conflicts=True,
    )


def _close(
    payment: Payment, events: Sequence[GatewayEvent], facts: Sequence[Told], *, refused: dict[int, str], at: datetime
) -> None:
    """Say of each event what came of it."""
    applied = set(payment.transitions.filter(event__isnull=False).values_list("event_id", flat=True))
    late = {one.id: "It says that the payment failed after it was settled." for one in told.contradictions(facts)}
    why = {**_unknown_states(facts), **late, **refused}
    for event in events:
        if event.pk in applied:
            _note([event], outcome=APPLIED, detail="", at=at)
        elif event.pk in why:
            _note([event], outcome=REFUSED, detail=why[event.pk][:300], at=at)
        else:
            _note([event], outcome=NOTHING_NEW, detail="", at=at)


def _note(events: Sequence[GatewayEvent], *, outcome: str, detail: str, at: datetime) -> None:
    """Only where it says something new: an event that was applied is never touched again."""
    for event in events:
        if (event.outcome, event.detail) != (outcome, detail) and event.outcome != APPLIED:
            event.outcome, event.detail, event.looked_at = outcome, detail, at
            event.save(update_fields=["outcome", "detail", "looked_at"])
