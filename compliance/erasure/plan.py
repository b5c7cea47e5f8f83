"""What erasing somebody would do now: what goes, what the law keeps and until when, and what forbids it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import F, Max, Q

from accounts.models import PortalUser
from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle
from compliance.erasure import words
from compliance.erasure.models import Erasure, RetentionRule
from compliance.erasure.persons import Kind, Person
from compliance.erasure.rules import retention
from compliance.erasure.rules.retention import Kept, Rule
from compliance.payouts.models import EvidenceFile, Payable, Payout
from core import told_of_many
from invoicing.charge_controls.models import CreditReview
from invoicing.cycle.models import Invoice, ParkedCustomer
from invoicing.pricing.models import Subscription
from invoicing.replay import forgetting as replay_sets
from invoicing.replay.models import ReplaySetVersion
from metering import forgetting

UNDECIDED = ("draft", "held", "approved")
SHOWN = 3


@dataclass(frozen=True, slots=True)
class KeptDocument:
    """A final invoice that says who it was issued to, and until when the law wants that."""

    invoice_id: int
    number: str
    until: date
    basis: str

    def as_json(self) -> dict[str, str | int]:
        """As a proof keeps it."""
        return {"invoice": self.invoice_id, "until": self.until.isoformat(), "basis": self.basis}


@dataclass(slots=True)
class Plan:
    """In sentences for people; `keys` are the keys that would be destroyed."""

    person: Person
    keys: list[int] = field(default_factory=list)
    goes: list[str] = field(default_factory=list)
    kept: list[KeptDocument] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    forbids: list[str] = field(default_factory=list)
    sets: list[ReplaySetVersion] = field(default_factory=list)


def plan_of(person: Person, *, at: datetime) -> Plan:
    """What would happen at this instant; nothing is done."""
    plan = Plan(person)
    if person.row.personal_key_id is not None:
        plan.keys.append(person.row.personal_key_id)
    if person.kind == Kind.CUSTOMER:
        _plan_customer(plan, at)
    elif person.kind == Kind.PAYEE:
        _plan_payee(plan, at)
    else:
        _plan_portal_user(plan)
    known = words.words_of(person, sign_ins=sign_ins_of(person))
    if shared := told_of_many.keys_about(plan.keys, said=known.all()):
        plan.goes.append(f"Words about many at once, which are then erased for all of them: {len(shared)}.")
    plan.sets += replay_sets.versions_that_hold(
        words=known.words, ids=known.ids, customer_code=person.row.code if person.kind == Kind.CUSTOMER else ""
    )
    if plan.sets:
        plan.goes.append(
            f"What these replay sets hold, which cannot be run again as they were: {', '.join(map(str, plan.sets))}."
        )
    for name in forgetting.backfills_that_name(words=known.words, ids=known.ids):
        plan.forbids.append(f"Backfill {name} holds events that name them. Decide over it first.")
    return plan


def sign_ins_of(person: Person) -> list[PortalUser]:
    """The sign-ins that go with this person."""
    if person.kind == Kind.PORTAL_USER:
        return [person.row]
    if person.kind == Kind.CUSTOMER:
        return list(PortalUser.objects.select_related("user", "customer").filter(customer=person.row).order_by("pk"))
    return []


def rules_in_store() -> list[Rule]:
    """Every version of how long invoices are kept."""
    return [
        Rule(id=one.pk, country=one.country, years=one.years, effective_at=one.effective_at, basis=one.basis)
        for one in RetentionRule.objects.all()
    ]


def _plan_customer(plan: Plan, at: datetime) -> None:
    customer = plan.person.row
    sign_ins = sign_ins_of(plan.person)
    plan.keys += [one.personal_key_id for one in sign_ins if one.personal_key_id is not None]
    plan.goes += [
        "Name, address, tax id and e-mail of the customer, with all earlier versions and the words they are found by.",
        "Notices about the customer, what was written in disputes, and stored answers of the API that name it.",
        "What people wrote about its invoices, limits and access: reasons of holds and decisions, and comments.",
        "Events in quarantine that name the customer, in whatever way.",
    ]
    if sign_ins:
        plan.goes.append(f"Sign-ins to the portal, which are closed for good: {len(sign_ins)}.")
    plan.kept += documents_kept(customer.pk, at=at)
    if no_longer := keys_of_documents_not_kept(customer.pk, at=at):
        plan.keys += no_longer
        plan.goes.append(
            f"Drafts, and documents that no law keeps any more, with their PDFs and packs: {len(no_longer)}."
        )
    plan.stays += [
        f"The code {customer.code}, ids in other systems, country, currency and zone: events and invoices name them.",
        "Every amount, event, snapshot, journal entry and entry of the audit chain.",
    ]
    plan.forbids += [
        *_running(customer.pk, at),
        *_undecided(customer.pk),
        *_not_due(customer.pk, at),
        *_watched(customer.pk),
    ]


def _plan_portal_user(plan: Plan) -> None:
    plan.goes += [
        "User name, names, e-mail and password of the sign-in, which is closed for good.",
        "The user name in the audit chain.",
    ]
    plan.stays.append("That there was such a sign-in, of which customer, and when it was given and closed.")


def _plan_payee(plan: Plan, at: datetime) -> None:
    payee = plan.person.row
    plan.goes += [
        "Name and e-mail of the payee, with all earlier versions, also in decisions and the audit chain.",
        "Reasons and evidence in words about its gates and debts, and events in quarantine that name it.",
    ]
    if count := EvidenceFile.objects.filter(gate_check__payee=payee).count():
        plan.goes.append(f"Documents that were looked at for its gates: {count}. Their hashes stay.")
    plan.stays += [
        f"The code {payee.code}, kind, program, market and country.",
        "Every amount, gate decision, release and entry of the audit chain.",
    ]
    owed = Payable.objects.filter(payee=payee, withdrawn_at=None, payout=None).order_by("pk")
    if numbers := list(owed.values_list("reference", flat=True)[:SHOWN]):
        plan.forbids.append(f"Money is still owed: {', '.join(numbers)}. Pay it or withdraw it first.")
    paid = Payout.objects.filter(payable__payee=payee).aggregate(last=Max("instructed_at"))["last"]
    kept = paid and _kept(paid.date(), country=payee.country, at=at)
    if kept and kept.until >= at.date():
        plan.forbids.append(
            f"Who was paid is kept until {_day(kept.until)} ({kept.rule.basis}); the last payout was on {_day(paid)}."
        )


def documents_kept(customer_id: int, *, at: datetime) -> list[KeptDocument]:
    """The final invoices of a customer that the law still keeps, the one that is kept longest first."""
    rules, found = rules_in_store(), []
    final = Invoice.objects.filter(customer_id=customer_id, status=Invoice.Status.FINAL).select_related("seller")
    for invoice in final:
        assert invoice.issue_date is not None  # noqa: S101  a constraint: a final invoice has its day
        kept = retention.kept_until(issued_on=invoice.issue_date, country=invoice.seller.country, rules=rules, at=at)
        if kept is None or kept.until >= at.date():
            until, basis = (date.max, "no rule says how long") if kept is None else (kept.until, kept.rule.basis)
            found.append(KeptDocument(invoice.pk, invoice.number or "", until, basis))
    return sorted(found, key=lambda one: (one.until, one.invoice_id), reverse=True)


def kept_by(proof: Erasure) -> list[KeptDocument]:
    """What the law kept when this was erased, as the proof has it."""
    numbers = dict(Invoice.objects.filter(pk__in=[one["invoice"] for one in proof.kept]).values_list("pk", "number"))
    return [
        KeptDocument(one["invoice"], numbers.get(one["invoice"]) or "", date.fromisoformat(one["until"]), one["basis"])
        for one in proof.kept
    ]


def keys_of_documents_not_kept(customer_id: int, *, at: datetime) -> list[int]:
    """The keys that there still are of a customer's drafts and of documents that the law lets go."""
    kept = [one.invoice_id for one in documents_kept(customer_id, at=at)]
    alive = Invoice.objects.filter(customer_id=customer_id, personal_key__destroyed_at=None).exclude(pk__in=kept)
    numbers = alive.exclude(personal_key=None).order_by("pk").values_list("personal_key", flat=True)
    return [number for number in numbers if number is not None]


def _kept(issued_on: date, *, country: str, at: datetime) -> Kept | None:
    return retention.kept_until(issued_on=issued_on, country=country, rules=rules_in_store(), at=at)


def _running(customer_id: int, at: datetime) -> Iterator[str]:
    running = Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), customer_id=customer_id)
    if count := running.count():
        yield f"Subscriptions that still run: {count}. End them first."
    ended = Subscription.objects.filter(customer_id=customer_id, ends_at__lte=at)
    unbilled = ended.annotate(billed_to=Max("cycles__period_end")).filter(
        Q(billed_to=None) | Q(billed_to__lt=F("ends_at"))
    )
    if count := unbilled.count():
        yield f"Subscriptions that ended and are not billed to their end: {count}. Close their last period first."


def _undecided(customer_id: int) -> Iterator[str]:
    open_ones = Invoice.objects.filter(customer_id=customer_id, status__in=UNDECIDED).order_by("pk")
    if names := [str(one) for one in open_ones[:SHOWN]]:
        yield f"Invoices are not decided: {', '.join(names)}. Finalize or discard them first."


def _not_due(customer_id: int, at: datetime) -> Iterator[str]:
    latest = Invoice.objects.filter(customer_id=customer_id, status="final", due_date__gte=at.date()).order_by(
        "due_date"
    )
    for invoice in latest.reverse()[:1]:
        due = invoice.due_date or at.date()
        again = due + timedelta(days=1)
        yield f"Invoice {invoice} is not due before {_day(due)}. Ask again from {_day(again)} on."


def _watched(customer_id: int) -> Iterator[str]:
    if ParkedCustomer.objects.filter(customer_id=customer_id, left_at=None).exists():
        yield "The customer is parked: its close failed. Repair that first."
    if CreditReview.objects.filter(customer_id=customer_id, status=CreditReview.Status.OPEN).exists():
        yield "A credit review is open. Close it first."
    disputed = Dispute.objects.filter(customer_id=customer_id).exclude(status=lifecycle.CLOSED).order_by("pk")
    if numbers := list(disputed.values_list("pk", flat=True)[:SHOWN]):
        yield f"Disputes are open: {', '.join(map(str, numbers))}. Close them first."


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
