"""One object of every kind, in every state that a page of the back office needs, for the tests that walk all URLs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from accounts import external_ids, keys, portal_access, sign_in
from accounts.models import Customer, Scope
from compliance.disputes import decide as judge
from compliance.disputes import drills, keeping, move, opening
from compliance.disputes.models import Dispute, DisputeLetter, DisputePolicy
from compliance.erasure import decide
from compliance.erasure.models import RetentionRule
from compliance.launch import checklists, exceptions
from compliance.payouts import evidence
from compliance.payouts.models import GateRequirement
from core import heads, work
from core.invariants import Finding, Invariant
from core.models import AuditAnchor, AuditEntry, Job
from invoicing.alerts.models import AlertFiring
from invoicing.charge_controls import limits
from invoicing.charge_controls.models import AccessState, ControlFiring, CreditReview
from invoicing.cycle import bulk_reviews, credit_note, false_alarms, hold, offences, queue, stopped
from invoicing.cycle.models import (
    BillingCycle,
    Break,
    BulkReview,
    CloseRun,
    HoldReason,
    Invoice,
    InvoiceLine,
    Offence,
    ParkedCustomer,
    StoppedInterim,
)
from invoicing.documents import store
from invoicing.effects import moves
from invoicing.exposure.models import Exposure, ProgramCost
from invoicing.ledger.models import GeneralLedgerNumber, JournalEntry
from invoicing.notices import endpoints
from invoicing.notices import models as notices
from invoicing.payments import record
from invoicing.payments.models import GatewayEvent, Payment
from invoicing.payments.rules.lifecycle import Step
from invoicing.policy import propose
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import fee_programs, invoice_terms, plans, prices
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram, PriceVersion, Subscription, TaxRate
from invoicing.replay import run, sets
from invoicing.replay.rules import content as contents
from metering import backfills, contracts, ingest, meter_versions, quarantine, rollups, webhooks
from metering.models import (
    AggregationSnapshot,
    ArrivalMinute,
    ArrivalStream,
    BulkDecision,
    CaptureBatch,
    EventContract,
    EventContractVersion,
    HealthPolicy,
    ImportRun,
    QuarantinedEvent,
    ReviewItem,
    RollupRepair,
    RollupSeries,
    UsageEvent,
)
from metering.rules import drafting
from metering.rules.measures import MeterContent
from tests.builders import billing, launch, payouts, triggers
from tests.builders import payments as paid
from tests.builders import people as people_of
from tests.builders.addresses import PARAMETER, Address
from tests.builders.people import PASSWORD
from tests.builders.remembering import remembered

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
MAPPING = {"type": "=usage", "subject": "/customer", "data": {"units": "/units"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Ids by URL name, and by the model's part of it where all its pages take the same object."""

    ids: Mapping[str, int]
    file_id: int
    line_id: int

    def admin_path(self, address: Address) -> str:
        """The page on the object that it can be called for."""
        name = address.name.removeprefix("admin:")
        known = [key for key in self.ids if name == key or name.startswith(f"{key}_")]
        object_id = self.ids[max(known, key=len)] if known else 1
        if name.endswith("_simple_history"):
            model: Any = apps.get_model(".".join(name.split("_")[:2]))
            old = model.history.earliest()
            return reverse(address.name, args=[old.id, old.history_id])
        values: dict[str, Any] = {
            "object_id": object_id,
            "id": object_id,
            "invoice_id": object_id,
            "check_id": object_id,
        }
        values |= {"file_id": self.file_id, "app_label": "cycle", "line_id": self.line_id, "content_type_id": 1}
        values |= {"pack_id": object_id, "snapshot_id": object_id, "form": "csv"}
        wanted = PARAMETER.findall(address.route)
        return reverse(address.name, kwargs={part: values[part] for part in wanted})


def path_of(route: str) -> str:
    """An address that names nothing: enough to see who is let in."""
    return "/" + PARAMETER.sub("1", route)


@remembered
def make_world(*, at: datetime) -> World:
    """Make it through the stages, as people would."""
    ids: dict[str, int] = {}
    company = billing.open_company()
    _bill(ids, company)
    _replay(ids, company, at=at)
    _let_in(ids, at=at)
    _break_a_job(ids, at=at)
    _prepare_launch(ids, at=at)
    _book(ids, company)
    _trigger(ids, at=at)
    _contest(ids, company, at=at)
    ids["policy_triggerpolicy"] = _proposal(company, at=at).pk
    file_id = _pay_out(ids)
    ids["core_auditentry"] = AuditEntry.objects.earliest("id").pk
    ids["core_auditanchor"] = _anchor(at=at).pk
    ids["pricing_plan"] = company.plan.pk
    _propose(ids, company)
    ids["pricing_subscription"] = Subscription.objects.earliest("pk").pk
    ids["pricing_taxrate"] = TaxRate.objects.earliest("pk").pk
    ids["accounts_externalid"] = external_ids.add_external_id(
        customer_code="acme", system="stripe", external_id="cus_1", actor=company.finance, at=at
    ).pk
    ids["metering_webhooksource"] = webhooks.create_source(
        code="crm", description="The CRM.", mapping=MAPPING, actor=company.meter.owner, at=at
    ).source.pk
    ids["metering_meter"] = company.meter.pk
    _propose_measure(ids, company)
    ids["metering_eventcontract"] = EventContract.objects.earliest("pk").pk
    ids["metering_eventcontractversion"] = _draft_version(company).pk
    ids["metering_capturebatch"] = CaptureBatch.objects.earliest("pk").pk
    ids["metering_importrun"] = ImportRun.objects.create(path_name="usage.csv", started_at=at).pk
    ids["metering_usageevent"] = UsageEvent.objects.earliest("pk").pk
    _watch(ids, company)
    ids["metering_aggregationsnapshot"] = AggregationSnapshot.objects.earliest("pk").pk
    return World(ids=ids, file_id=file_id, line_id=InvoiceLine.objects.earliest("pk").pk)


def _prepare_launch(ids: dict[str, int], *, at: datetime) -> None:
    """A check, a drill, and rules of the checklist that wait for a colleague."""
    ids["launch_restoredrill"] = launch.keep_drill(at=at).pk
    ids["launch_samplewalk"] = launch.keep_sample(Invoice.objects.earliest("pk"), at=at).pk
    author = billing.person("pia", "product")
    ids["launch_launchexception"] = exceptions.propose_exception(
        program="standard",
        boxes=["books_tie"],
        reason="the ledger moves",
        ends_at=at + timedelta(days=3),
        actor=author,
        at=at,
    ).pk
    ids["launch_golivedecision"] = launch.keep_decision(at=at).pk
    ids["launch_launchcheck"] = launch.run_check(at=at).pk
    ids["launch_checklistversion"] = checklists.propose_version(
        terms={}, reason="as usual", actor=billing.person("pia", "product"), at=at
    ).pk


def _anchor(*, at: datetime) -> AuditAnchor:
    head = heads.sign_head(at=at)
    assert head is not None
    return AuditAnchor.objects.create(head=head, kind="file", place="/srv/anchors", placed_at=at)


def _propose(ids: dict[str, int], company: billing.Company) -> None:
    """Terms and a price that wait for their approval, beside those in force."""
    plan, author = company.plan, billing.person("pia", "product")
    terms = plans.propose_version(plan=plan, terms={}, effective_at=billing.DECEMBER, actor=author, at=billing.LONG_AGO)
    price = prices.propose_price_version(
        charge=plan.charges.get(meter=None),
        model="flat",
        params={"amount": "59"},
        effective_at=billing.DECEMBER,
        actor=author,
        at=billing.LONG_AGO,
    )
    discount = invoice_terms.propose_invoice_term(
        subject=plan,
        code="discount",
        kind="allowance",
        reason="Partner discount",
        percent=Decimal(10),
        effective_at=billing.DECEMBER,
        actor=author,
        at=billing.LONG_AGO,
    )
    program = fee_programs.create_program(
        code="acquirer", name="Our acquirer", takes_effect="at_once", actor=author, at=billing.LONG_AGO
    )
    figures = fee_programs.propose_version(
        program=program,
        terms={"tables": [{"currency": "EUR", "rate_percent": "1.4", "fixed": "0.25"}]},
        source=Source(text="our contract", read_on=date(2026, 1, 1), kind="primary"),
        effective_at=billing.DECEMBER,
        actor=author,
        at=billing.LONG_AGO,
    )
    ids["pricing_feeprogram"] = program.pk
    for name in ("", "_approve", "_withdraw"):
        ids[f"pricing_invoiceterm{name}"] = discount.pk
        ids[f"pricing_feeprogramversion{name}"] = figures.pk
    move = moves.propose_move(
        source=plan, target=plan, effective_at=billing.DECEMBER, actor=author, at=billing.LONG_AGO
    )
    ids["effects_planmove"], ids["effects_effectrun"] = move.pk, move.effect_runs.get().pk
    ids["effects_effectrun_ask_price"], ids["effects_effectrun_ask_terms"] = price.pk, terms.pk
    ids["pricing_planversion"] = plan.versions.earliest("pk").pk
    ids["pricing_priceversion"] = PriceVersion.objects.earliest("pk").pk
    ids["pricing_planversion_approve"] = ids["pricing_planversion_withdraw"] = terms.pk
    ids["pricing_priceversion_approve"] = ids["pricing_priceversion_withdraw"] = price.pk


def _propose_measure(ids: dict[str, int], company: billing.Company) -> None:
    """A version of the meter that waits for its owner."""
    version = meter_versions.propose_version(
        meter=company.meter,
        content=MeterContent(definition="Units, the highest.", aggregation="max", value_property="units"),
        effective_at=billing.DECEMBER,
        reason="Peaks are billed.",
        actor=billing.person("pia", "product"),
        at=billing.LONG_AGO,
    )
    for name in ("", "_approve", "_reject"):
        ids[f"metering_meterversion{name}"] = version.pk


def _watch(ids: dict[str, int], company: billing.Company) -> None:
    """A minute of capture, a shift in it to review, a decision over a group, and a repaired sum."""
    at = billing.LONG_AGO
    _shift(ids, at=at)
    ids["metering_bulkdecision"] = BulkDecision.objects.create(
        action="discard",
        code="x",
        up_to_id=0,
        total=0,
        reason="Nothing.",
        started_by=company.finance,
        started_at=at,
        finished_at=at,
    ).pk
    rollups.keep_series()
    ids["metering_rolluprepair"] = RollupRepair.objects.create(
        series=RollupSeries.objects.earliest("pk"),
        customer=Customer.objects.earliest("pk"),
        grain="hour",
        starts_at=at,
        groups=[],
        seq=0,
        repaired_at=at,
    ).pk


def _shift(ids: dict[str, int], *, at: datetime) -> None:
    """A minute of capture by a policy of its health, and a stream that fell silent in it."""
    stream = ArrivalStream.objects.create(source="api/eu", event_type="t", first_minute=at, last_minute=at)
    minute = ArrivalMinute.objects.create(stream=stream, minute=at, accepted=1, duplicates=0, quarantined=0)
    policy = HealthPolicy.objects.first() or HealthPolicy.objects.create(
        version=1,
        window_minutes=5,
        baseline_minutes=120,
        false_alarm_rate="0.0000001",
        events_min=50,
        share_shift_min="0.02",
        lag_shift_min=10,
        silence_days=7,
        silence_minutes_min=5,
        gaps_min=20,
        reason="A world to look at.",
    )
    item = ReviewItem.objects.create(
        kind="silent",
        stream=stream,
        policy=policy,
        minute=at,
        last_seen_at=at,
        before="b",
        now="n",
        chance="0",
        opened_at=at,
    )
    ids["metering_arrivalminute"], ids["metering_reviewitem"] = minute.pk, item.pk
    ids["metering_healthpolicy"] = HealthPolicy.objects.earliest("pk").pk


def _draft_version(company: billing.Company) -> EventContractVersion:
    """The next version of the only contract, waiting to be put in force."""
    contract = company.meter.contract
    draft = drafting.ContractDraft(schema={"properties": {"units": {"type": "integer"}}}, billing_fields=["units"])
    return contracts.draft_version(contract=contract, draft=draft, actor=company.meter.owner, at=billing.LONG_AGO)


def _bill(ids: dict[str, int], company: billing.Company) -> None:
    """A draft, a held and an approved invoice, and an event in quarantine."""
    draft, held, approved = (billing.billed_customer(company, code) for code in ("acme", "held-co", "ready-co"))
    hold.hold_invoice(invoice_id=held.pk, reason="ask them first", actor=company.finance, at=billing.CLOSING)
    billing.approve_by(company.finance, approved)
    ingest.capture_events([{"id": "one"}, {"id": "two"}], channel="http", origin="test", at=billing.CLOSING)
    waiting, discarded = QuarantinedEvent.objects.order_by("pk")
    actor = billing.person("olga", "ops")
    quarantine.discard_event(quarantine_id=discarded.pk, reason="not ours", actor=actor, at=billing.CLOSING)
    ids["metering_quarantinedevent"] = waiting.pk
    ids["metering_quarantinedevent_take_up_event"] = discarded.pk
    ids["accounts_customer"] = draft.customer_id
    ids["accounts_seller"] = company.seller.pk
    ids["cycle_billingcycle"] = BillingCycle.objects.earliest("pk").pk
    ids["cycle_invoice"] = draft.pk
    ids["cycle_invoice_release_hold"] = held.pk
    ids["cycle_invoice_finalize_now"] = approved.pk
    _stop(ids, company)
    _review(ids, company)


def _stop(ids: dict[str, int], company: billing.Company) -> None:
    """A customer whose close is parked, a draft with a break, and an interim that fails."""
    billing.subscribe_to(company, billing.make_customer("parked-co", tax_rate_code="nobody-knows"))
    billing.close_october(customer_codes=["parked-co"])
    billing.make_meter("strays", event_type="strays", owner=company.meter.owner)
    billing.subscribe_to(company, billing.make_customer("broken-co"))
    billing.use("broken-co", ("s1", billing.day(3), 1), event_type="strays")
    billing.close_october(customer_codes=["broken-co"])
    ids["cycle_break"] = Break.objects.get().pk
    ids["cycle_invoice_repair_draft"] = Break.objects.get().invoice_id
    ids["cycle_parkedcustomer"] = ParkedCustomer.objects.get().pk
    parked = ParkedCustomer.objects.get()
    stopped.note_failure(
        customer_id=parked.customer_id,
        subscription_ids=[parked.subscription_id],
        error=RuntimeError("a fault"),
        at=billing.CLOSING,
    )
    ids["cycle_stoppedinterim"] = StoppedInterim.objects.get().pk


def _review(ids: dict[str, int], company: billing.Company) -> None:
    """A contradiction, a decision over a whole list, and a reason to choose."""
    nobody = Invariant(number=1, name="all is well", find_offenders=list)
    offences.keep([Finding(nobody, ["something that names nobody"])], at=billing.CLOSING)
    listed = queue.find_list(queue.Wanted(statuses=("held",)))
    bulk_reviews.start_review(
        wanted=queue.Wanted(statuses=("held",)),
        list_hash=listed.list_hash,
        action="release",
        reason="checked",
        reason_code="",
        actor=company.finance,
        at=billing.CLOSING,
    )
    ids["cycle_bulkreview"] = BulkReview.objects.get().pk
    ids["cycle_offence"] = Offence.objects.get().pk
    _call_false(ids, company, ParkedCustomer.objects.get().customer_id)
    ids["cycle_closerun"] = CloseRun.objects.earliest("pk").pk
    ids["cycle_holdreason"] = HoldReason.objects.create(code="audit", use="hold", label="Asked for by the auditors").pk


def _call_false(ids: dict[str, int], company: billing.Company, customer_id: int) -> None:
    """Two offences of a customer who has no invoice: of one somebody in finance says that it is none."""
    told = Invariant(number=27, name="a pencil lies on the desk", find_offenders=list)
    words = [f"customer {customer_id}", f"customer {customer_id}, red"]
    nobody = Invariant(number=1, name="all is well", find_offenders=list)
    offences.keep([Finding(nobody, ["something that names nobody"]), Finding(told, words)], at=billing.CLOSING)
    stops, said = Offence.objects.filter(number=27).order_by("pk")
    false_alarms.state(offence_id=said.pk, reason="no pencil is there", actor=company.finance, at=billing.CLOSING)
    ids["cycle_offence_call_false"] = stops.pk
    ids["cycle_offence_agree_false"] = ids["cycle_offence_refuse_false"] = said.pk


def _book(ids: dict[str, int], company: billing.Company) -> None:
    """An issued invoice in the books, and the number of an account."""
    issued = billing.issue(company, [billing.billed_customer(company, "booked-co")])[0]
    note = credit_note.ask_for_credit(
        invoice_id=issued.pk,
        reason="a free month",
        amounts={issued.lines.earliest("pk").pk: Decimal(1)},
        actor=company.finance,
        at=billing.CLOSING,
    )
    ids["cycle_invoice_give_back"] = issued.pk
    ids["metering_backfill"] = backfills.create_backfill(
        name="old-logs", reason="a day of logs", actor=company.finance, at=billing.CLOSING
    ).pk
    ids["cycle_deltareport"] = note.delta_reports.get().pk
    ids["ledger_journalentry"] = JournalEntry.objects.earliest("pk").pk
    ids["ledger_generalledgernumber"] = GeneralLedgerNumber.objects.create(account="tax_payable", number="1776").pk
    _pay(ids, company, issued)


def _pay(ids: dict[str, int], company: billing.Company, invoice: Invoice) -> None:
    """A payment on its way, one that came in, one in dispute, a refund that waits, and an event of a gateway."""
    at, desk = billing.CLOSING, paid.Desk(company=company, customer=invoice.customer, invoice=invoice)

    def pay(reference: str, received_at: datetime | None = at) -> Payment:
        return paid.pay(desk, "1.00", reference=reference, received_at=received_at, at=at)

    settled, pending, disputed, refunding = pay("one"), pay("two", None), pay("three"), pay("four")
    record.record_step(
        payment_id=disputed.pk,
        step=Step.DISPUTED,
        happened_at=at,
        reason="as the bank says",
        actor=company.finance,
        at=at,
    )
    paid.ask_for_refund(refunding, actor=company.finance, at=at)
    ids["payments_payment"] = settled.pk
    ids["payments_payment_of_invoice"] = invoice.pk
    ids["payments_payment_settle"] = ids["payments_payment_fail"] = pending.pk
    ids["payments_payment_win"] = ids["payments_payment_lose"] = disputed.pk
    ids["payments_payment_confirm_refund"] = ids["payments_payment_withdraw_refund"] = refunding.pk
    ids["payments_gatewayevent"] = GatewayEvent.objects.create(
        gateway="stripe",
        event_id="evt_1",
        kind="customer.created",
        facts={},
        created_at=at,
        received_at=at,
        body_sha256="0" * 64,
        outcome="unknown",
    ).pk


def _contest(ids: dict[str, int], company: billing.Company, *, at: datetime) -> None:
    """Disputes to decide, to correct and with a letter, an invoice on hold for collection, and a drill."""
    ops = billing.person("olga", "ops")
    booked = Invoice.objects.get(pk=ids["cycle_invoice_give_back"])
    held = billing.issue(company, [billing.billed_customer(company, "unpaid-co")])[0]

    def contest(invoice: Invoice, position: int | None) -> Dispute:
        claim = opening.Claim(invoice_id=invoice.pk, position=position, reason="price", text="Too much.")
        made = opening.open_for_staff(claim=claim, origin="api", actor=ops, at=at)
        made.path = "ops"
        move.move_dispute(made, to_status="ops", actor=None, at=at)
        return made

    with transaction.atomic():
        waiting, upheld, rejected = (contest(booked, position) for position in (None, 1, 2))
        kept = contest(held, None)
    keeping.hold_collection(dispute_id=kept.pk, reason="contested", actor=ops, at=at)
    judge.uphold(dispute_id=upheld.pk, answer="You are right.", actor=ops, at=at)
    judge.reject(dispute_id=rejected.pk, answer="It is right.", actor=ops, at=at)
    pdf = store.store_document(key="letter", kind="dispute_letter", content=b"%PDF-", at=at)
    DisputeLetter.objects.create(
        dispute=rejected,
        evidence=rejected.evidence.get(),
        pack_sha256="0" * 64,
        text="Dear customer",
        pdf=pdf,
        made_at=at,
    )
    ids["disputes_dispute"], ids["disputes_dispute_link_fix"] = waiting.pk, upheld.pk
    ids["disputes_dispute_letter"], ids["disputes_dispute_lift_collection"] = rejected.pk, kept.pk
    ids["disputes_disputepolicy"] = DisputePolicy.objects.earliest("pk").pk
    ids["disputes_disputedrill"] = drills.start_drill(actor=ops, at=at).pk


def _trigger(ids: dict[str, int], *, at: datetime) -> None:
    """An alert and a hold that fired, a review to resolve, a limit, and a notice that could not be delivered."""
    review, near = {**triggers.HOLD, "action": "require_review"}, {**triggers.NEAR, "limit": "1", "percent": "100"}
    triggers.decide(alerts=[near], charge_controls=[triggers.HOLD, review])
    billing.use("acme", ("november", billing.day(3, month=11), 1), at=max(at, triggers.MID))
    triggers.look(at=at)
    keeper, finance = billing.person("enza", "engineering"), billing.person("fiona", "finance")
    made = endpoints.create_endpoint(
        code="crm", description="The CRM.", url="https://crm.example/x", topics=["access.held"], actor=keeper, at=at
    )
    notices.Delivery.objects.filter(channel="email").update(status="failed", finished_at=at)
    limit = limits.set_limit(
        customer_code="acme",
        currency="EUR",
        amount=None,
        reason="as ever",
        actor=finance,
        at=at,
    )
    ids["alerts_alertfiring"] = AlertFiring.objects.earliest("pk").pk
    ids["charge_controls_accessstate"] = AccessState.objects.earliest("pk").pk
    ids["charge_controls_controlfiring"] = ControlFiring.objects.earliest("pk").pk
    ids["charge_controls_creditreview"] = CreditReview.objects.earliest("pk").pk
    ids["charge_controls_creditlimit"], ids["exposure_programcost"] = limit.pk, _program_cost(at=at).pk
    ids["exposure_exposure"] = Exposure.objects.earliest("pk").pk
    ids["notices_address"] = notices.Address.objects.create(audience="ops", email="desk@example.com").pk
    ids["notices_delivery"] = notices.Delivery.objects.filter(status="failed").earliest("pk").pk
    ids["notices_endpoint"] = made.endpoint.pk


def _program_cost(*, at: datetime) -> ProgramCost:
    """What a fee program costs a subscription so far."""
    subscription = Subscription.objects.earliest("pk")
    return ProgramCost.objects.create(
        subscription=subscription,
        customer_id=subscription.customer_id,
        program=FeeProgram.objects.first()
        or fee_programs.create_program(
            code="connect", name="Connect", takes_effect="at_once", actor=billing.person("pia", "product"), at=at
        ),
        charge_code="fees",
        currency="EUR",
        period_start=billing.NOVEMBER,
        period_end=billing.DECEMBER,
        so_far=Decimal(1),
        at_end=Decimal(2),
        active_accounts=1,
        expected_accounts=1,
        as_of=at,
        watermark_seq=0,
    )


def _proposal(company: billing.Company, *, at: datetime) -> TriggerPolicy:
    """The next version of the policy, waiting for signatures."""
    return propose.propose_policy(
        program="standard", terms={}, effective_at=at, reason="as before", actor=company.meter.owner, at=at
    )


def _replay(ids: dict[str, int], company: billing.Company, *, at: datetime) -> None:
    """A set with a run that waits, and one of another program that is required."""
    made = sets.make_from_history(name="autumn", customer_codes=["acme"], until=None, actor=company.finance, at=at)
    asked = run.write_down(name="autumn", orders=0, with_version=None, actor=company.finance, at=at)
    content = sets.content_of(made) | {"program": "elsewhere"}
    content["steps"][0]["rows"]["accounts_customer"][0]["program"] = "elsewhere"
    text = contents.canonical_text(content)
    required = sets.upload(name="required", text=text, actor=company.finance, at=at).replay_set
    sets.decide_requirement(
        name="required", is_required=True, statement="A world to look at.", actor=company.finance, at=at
    )
    ids["replay_replayset"], ids["replay_replayrun"] = made.replay_set_id, asked.pk
    ids["replay_replayset_release_it"] = required.pk


def _let_in(ids: dict[str, int], *, at: datetime) -> None:
    """A live key, an open and a closed portal access, and a name that is locked."""
    owner = User.objects.get(username="olaf")
    key, _ = keys.new_key(name="collector", user=owner, scopes=[Scope.EVENTS_WRITE], at=at)
    customer = Invoice.objects.earliest("pk").customer
    people = [
        portal_access.give_access(customer=customer, person={"username": name}, password=PASSWORD, actor=None, at=at)
        for name in ("ada", "bob")
    ]
    portal_access.set_open(portal_user_id=people[1].pk, is_open=False, actor=None, at=at)
    for _ in range(sign_in.FAILURES_MAX):
        sign_in.count_attempt(name=owner.username, at=at)
    asker = people_of.make_staff("olivia", "ops")
    ids["erasure_erasurerequest"] = decide.ask_erasure(
        kind="portal_user", code="bob", ground="asked", reference="TICKET-9", actor=asker, at=at
    ).pk
    ids["erasure_retentionrule"] = RetentionRule.objects.earliest("pk").pk
    ids["accounts_apikey"] = key.pk
    ids["accounts_portaluser"] = people[0].pk
    ids["accounts_portaluser_open_access"] = people[1].pk
    ids["auth_user"] = owner.pk


def _break_a_job(ids: dict[str, int], *, at: datetime) -> None:
    with transaction.atomic():
        work.enqueue(kind="render_invoice_pdf", key="0", arguments={"invoice_id": 0}, at=at)
    job = Job.objects.get(key="0")
    Job.objects.filter(pk=job.pk).update(state=Job.State.DEAD, finished_at=at)
    ids["core_job"] = job.pk


def _pay_out(ids: dict[str, int]) -> int:
    """A payee at every gate, one payable in a batch and one that is not; the id of a piece of evidence."""
    desk = payouts.open_desk()
    payee = payouts.payee(desk)
    first, second = (payouts.payable(desk, payee, reference=f"ORDER-{number}") for number in (1, 2))
    batch = payouts.batch(desk, [first])
    check, approved = payouts.check_of(payee, "kyc"), payouts.check_of(payee, "aml")
    payouts.decide(approved, "approve", desk=desk)
    ids["payouts_payee"], ids["payouts_payable"], ids["payouts_payoutbatch"] = payee.pk, second.pk, batch.pk
    ids["payouts_gatecheck"] = check.pk
    ids["payouts_gatecheck_suspend_gate"] = approved.pk
    ids["payouts_gaterequirement"] = GateRequirement.objects.earliest("pk").pk
    file = evidence.add_file(check_id=check.pk, name="passport.png", content=PNG, actor=desk.ops, at=payouts.NOON)
    return file.pk
