"""A pack of every kind of line is worked out again by its own verifier, under a Python without any package."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import Error, connection, transaction

from compliance.evidence import invariants, trace
from core.models import AuditEntry
from invoicing.cycle import close, credit_note, finalize, pdf
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.documents import store
from invoicing.pricing import arrange, invoice_terms, plans, subscribe
from invoicing.pricing.models import Subscription
from metering import contracts, ingest, meters
from metering.models import EventContract
from metering.rules.drafting import ContractDraft
from tests.builders import billing, fees, forgery, off_cycle, pack_changes, packs
from tests.builders.billing import CLOSING, DECEMBER, LONG_AGO, NEXT_CLOSING, NOVEMBER, OCTOBER, day
from tests.stages.test_measuring import KINDS, random_events

pytestmark = pytest.mark.django_db

MID_OCTOBER = datetime(2026, 10, 15, tzinfo=UTC)
TIERS = {
    "tiers": [
        {"up_to": "100", "unit_amount": "0.05", "flat_amount": "1"},
        {"up_to": "1000", "unit_amount": "0.03", "flat_amount": "0"},
        {"up_to": None, "unit_amount": "0.012345", "flat_amount": "7.5"},
    ]
}
BLOCKS = {
    "tiers": [
        {"up_to": "1000", "package_size": "100", "package_amount": "2", "flat_amount": "5"},
        {"up_to": None, "package_size": "1000", "package_amount": "15", "flat_amount": "0"},
    ]
}
RATES = {
    "tiers": [
        {"up_to": "500", "rate_percent": "2", "flat_amount": "1"},
        {"up_to": None, "rate_percent": "1.5", "flat_amount": "0"},
    ]
}
UNITS = {"unit_conversion": {"operation": "divide", "factor": "7", "rounding": "ceiling"}}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "standard": ("standard", {"unit_amount": "0.002", "discount_percent": "12.5", "minimum_amount": "40"}),
    "converted": ("standard", {"unit_amount": "0.5", "included_quantity": "10", **UNITS}),
    "committed": ("graduated", {**TIERS, "committed_quantity": "5000", "overage_factor": "1.5"}),
    "graduated": ("graduated", TIERS),
    "volume": ("volume", TIERS),
    "package": ("package", {"package_amount": "3", "package_size": "400", "free_units": "100"}),
    "graduated-package": ("graduated_package", BLOCKS),
    "volume-package": ("volume_package", BLOCKS),
    "graduated-percentage": ("graduated_percentage", RATES),
    "percentage": ("percentage", {"rate_percent": "2.9", "fixed_amount_per_event": "0.30"}),
    "percentage-each": (
        "percentage",
        {"rate_percent": "2.9", "free_events": 1, "per_transaction_min": "0.5", "per_transaction_max": "8"},
    ),
    "filters": ("standard", {"unit_amount": "0.1", "filters": [{"region": "eu", "unit_amount": "0.08"}]}),
    "dynamic": ("dynamic", {"price_from": "event amount in minor units", "multiplier": "1.2"}),
    "bucketed": ("bucketed", {"inner": "graduated", **TIERS, "bucket": "day", "maximum_amount": "50"}),
    "dimensional": (
        "dimensional",
        {
            "inner": "volume",
            "prices": [{"match": {"region": "eu"}, "params": TIERS}, {"match": {"region": "5"}, "params": TIERS}],
            "default": {**TIERS, "minimum_amount": "31"},
        },
    ),
}
EVENTS: list[tuple[str, int, dict[str, Any]]] = [
    ("e1", 3, {"units": 1000, "region": "eu", "amount_minor": "40.2"}),
    ("e2", 3, {"units": 250.5, "region": "us", "amount_minor": 12}),
    ("e3", 20, {"units": 499.25, "region": 5}),
    ("e4", 20, {"units": 0, "region": {"b": [1, 2.50], "aa": None}, "note": 'Ä\u2028"\\'}),
    ("e5", 29, {"units": 80}),
]


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def use(customer: str, events: list[tuple[str, int, dict[str, Any]]], *, at: datetime = CLOSING, **more: Any) -> None:
    sent = [
        {
            "specversion": "1.0",
            "source": f"/meter/{customer}",
            "id": name,
            "type": "usage",
            "subject": customer,
            "time": day(number).isoformat(),
            "data": {key: Decimal(str(value)) if isinstance(value, float) else value for key, value in data.items()},
            **more,
        }
        for name, number, data in events
    ]
    result = ingest.capture_events(sent, channel="http", origin="test", at=at)
    assert result.accepted == len(events), result.items


def holds(invoice: Invoice, folder: Path, *, line: InvoiceLine | None = None, at: datetime = CLOSING) -> packs.Told:
    """Everything in the pack is worked out again, nothing is left out, and a change to any of its files is found."""
    path = packs.write_pack(packs.make_pack(invoice, line=line, at=at), folder)
    told = packs.verify_bare(path)
    assert told.code == 0, told.text
    assert "PASS" in told.text
    assert pack_changes.sampled(packs.contents(path)) == []
    return told


def test_usage_and_a_fee(company: billing.Company, tmp_path: Path) -> None:
    (invoice,) = billing.issue(company, [billing.billed_customer(company)])
    content = b"%PDF-1.7 of INV-000001"
    key, kind = pdf.document_key(invoice.pk), "invoice_pdf"
    store.store_document(key=key, kind=kind, content=content, at=CLOSING)
    told = holds(invoice, tmp_path)
    assert "INV-000001 line 2 (tokens): 1500 at version 1 since 2026-01-01 = 3" in told.text
    assert "decisions: draft → approved → final" in told.text
    assert "the PDF stored 2026-11-02T08:00:00Z" in told.text


def test_every_model_of_usage_with_what_stands_around_it(company: billing.Company, tmp_path: Path) -> None:
    for code, (model, params) in MODELS.items():
        plan = billing.make_plan(code, finance=company.finance, fee=None, meter=None)
        billing.set_price(plan, meter=company.meter, model=model, params=params, finance=company.finance)
        billing.subscribe_to(company, billing.make_customer(code, time_zone="Europe/Berlin"), plan=plan)
        use(code, EVENTS)
    billing.close_october()
    for code in MODELS:
        invoice = Invoice.objects.get(customer__code=code)
        assert invoice.lines.count() == 1
        holds(invoice, tmp_path)


def test_every_kind_of_meter(company: billing.Company, tmp_path: Path) -> None:
    owner = company.meter.owner
    names = ("seats", "user", "operation", "plan", "paid")
    draft = ContractDraft(
        schema={"type": "object", "properties": {name: {} for name in names}},
        billing_fields=["seats", "user", "operation"],
        valid_examples=[dict.fromkeys(names, 1)],
        invalid_examples=[{"data": [], "code": "data_not_object", "pointer": "/data"}],
        accepts_past_days=3650,
    )
    contract = contracts.open_contract(
        event_type="seats", description="Seats.", draft=draft, is_activated=True, actor=owner, at=LONG_AGO
    )
    plan = billing.make_plan("kinds", finance=company.finance, fee=None, meter=None)
    for code, measure in KINDS.items():
        price_a_meter(company, plan, contract, code, {"value_property": "seats", **measure})
    customer = billing.make_customer("acme", time_zone="Europe/Paris")
    billing.subscribe_to(company, customer, plan=plan, since=datetime(2026, 3, 1, tzinfo=UTC))
    for event in random_events(7):
        told = dict(event)
        name, at = told.pop("event_id"), told.pop("at")
        sent = {"specversion": "1.0", "source": "/s", "id": name, "type": "seats", "subject": "acme", "data": told}
        sent["time"] = at.isoformat()
        assert ingest.capture_events([sent], channel="http", origin="test", at=CLOSING).accepted == 1
    close.close_cycles(as_of=datetime(2026, 4, 2, tzinfo=UTC), at=CLOSING)
    for invoice in Invoice.objects.filter(customer=customer):
        assert holds(invoice, tmp_path).text.count("holds           snapshot") == len(KINDS) * (
            1 + (invoice.lines.count() > len(KINDS))
        )


def price_a_meter(
    company: billing.Company, plan: Any, contract: EventContract, code: str, measure: dict[str, Any]
) -> None:
    meter = meters.create_meter(
        code=code,
        name=code.capitalize(),
        definition="Seats.",
        exclusions="",
        unit="seat",
        contract=contract,
        owner=company.meter.owner,
        **measure,
    )
    billing.set_price(plan, meter=meter, model="standard", params={"unit_amount": "3.1"}, finance=company.finance)


def test_lines_of_a_whole_plan_over_a_change_of_plan(company: billing.Company, tmp_path: Path) -> None:
    """Each plan prorates its own minimum; discount and credits follow; a fee for seats changes inside."""
    finance = company.finance
    for code, model, params in (
        ("discount", "plan_discount", {"discount_percent": "10"}),
        ("commitment", "commitment", {"minimum_amount": "310"}),
        ("credits", "prepaid_credits", {"opening_balance": "30", "credit_rate": "1"}),
        ("seats", "graduated", TIERS),
    ):
        billing.set_price(company.plan, charge=code, model=model, params=params, finance=finance)
    pro = billing.make_plan("pro", finance=finance, fee="62", meter=company.meter, unit_amount="0.01")
    billing.set_price(pro, charge="cap", model="commitment", params={"maximum_amount": "9"}, finance=finance)
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    seats(subscription, "150", OCTOBER, company)
    seats(subscription, "200", datetime(2026, 10, 5, tzinfo=UTC), company)
    change_plan(subscription, pro, datetime(2026, 10, 11, tzinfo=UTC), company)
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    invoice = Invoice.objects.get()
    assert {line.rated_line.charge.code for line in invoice.lines.all()} == {
        *("base", "tokens", "seats", "discount", "commitment", "credits", "cap"),
    }
    holds(invoice, tmp_path)
    billing.issue(company, [invoice])
    subscribe.end_subscription(
        subscription=subscription, ends_at=datetime(2026, 10, 30, tzinfo=UTC), actor=company.finance, at=CLOSING
    )
    holds(invoice, tmp_path, at=NEXT_CLOSING)  # that it was to end earlier, as agreed since, changes nothing of it


def seats(subscription: Subscription, count: str, since: datetime, company: billing.Company) -> None:
    arrange.set_quantity(
        subscription=subscription,
        charge_code="seats",
        quantity=Decimal(count),
        effective_at=since,
        actor=company.finance,
        at=OCTOBER,
    )


def change_plan(subscription: Subscription, plan: Any, since: datetime, company: billing.Company) -> None:
    subscribe.change_plan(subscription=subscription, plan=plan, effective_at=since, actor=company.finance, at=OCTOBER)


def test_a_price_that_changes_inside_and_one_that_is_kept(company: billing.Company, tmp_path: Path) -> None:
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="graduated",
        params=TIERS,
        finance=company.finance,
        effective_at=MID_OCTOBER,
    )
    billing.subscribe_to(company, billing.make_customer("moves"))
    keeps = billing.subscribe_to(company, billing.make_customer("keeps"))
    arrange.keep_prices(subscription=keeps, since=OCTOBER, until=DECEMBER, actor=company.finance, at=OCTOBER)
    for code in ("moves", "keeps"):
        billing.use(code, ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    assert [Invoice.objects.get(customer__code=code).lines.count() for code in ("moves", "keeps")] == [3, 2]
    for code in ("moves", "keeps"):
        holds(Invoice.objects.get(customer__code=code), tmp_path)


def test_prices_that_were_kept_are_told_as_they_were_kept_then(company: billing.Company, tmp_path: Path) -> None:
    """Billed in advance while they were kept until Christmas; released for the middle of November, and corrected."""
    subscription, plan = pay_plan_in_advance(company)
    since, until = NOVEMBER, datetime(2026, 12, 25, tzinfo=UTC)
    kept = arrange.keep_prices(subscription=subscription, since=OCTOBER, until=until, actor=company.finance, at=OCTOBER)
    params = {"amount": "62.00", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance, effective_at=since)
    billing.close_october()
    (october,) = billing.issue(company, [Invoice.objects.get()])
    arrange.release_prices(
        subscription=subscription,
        kept_id=kept.pk,
        ends_at=datetime(2026, 11, 16, tzinfo=UTC),
        reason="Agreed by mail.",
        actor=company.finance,
        at=CLOSING + timedelta(days=3),
    )
    assert [line.amount for line in october.lines.order_by("position")] == [Decimal(31), Decimal(31)]
    holds(october, tmp_path, at=NEXT_CLOSING)  # drafted before, so what is kept is kept until Christmas
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER)
    assert november.lines.get(adjusts__isnull=False).amount == Decimal("-15.50")
    path = packs.write_pack(packs.make_pack(november, at=NEXT_CLOSING), tmp_path)
    assert packs.verify_bare(path).code == 0
    assert_every_word_about_kept_prices_counts(packs.contents(path))


def assert_every_word_about_kept_prices_counts(files: dict[str, bytes]) -> None:
    """Each may be changed, or an end left out, with every hash and the seal made anew."""
    told = pack_changes.documents(files)["prices.json"]
    places = [place for place, _ in forgery.leaves(told) if "kept" in place]
    assert len(places) == 4 + 2 * 4
    places = [one for one in places if "plan" in one or 1 in one[-2:]]  # the chain in it begins after they were kept
    assert len(places) == 5
    assert pack_changes.missed(files, "prices.json", places, times=3) == []
    for number in range(2):
        cut = pack_changes.documents(files)["prices.json"]
        del cut["subscriptions"][0]["kept"][0]["ends"][number]
        changed = files | {"prices.json": pack_changes.write("prices.json", cut)}
        assert pack_changes.found_by_figures(changed) is not None, f"end {number} taken out"


@pytest.mark.parametrize("is_interim", [True, False])
def test_a_period_that_was_begun_before_its_subscription_ended(
    company: billing.Company, tmp_path: Path, *, is_interim: bool
) -> None:
    """By an interim invoice, or by a draft that was discarded since: the period stays, what is billed of it ends."""
    if is_interim:
        billing.sign_a_policy(author=company.meter.owner, terms=off_cycle.threshold_terms("1.00"), at=OCTOBER)
    acme = billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000), at=day(4))
    if is_interim:
        [interim] = off_cycle.look(day(5))
        off_cycle.issue(company, interim, at=day(6))
    else:
        billing.close_october()
        billing.discard_draft(company, Invoice.objects.get())
    subscribe.end_subscription(subscription=acme, ends_at=day(20), actor=company.finance, at=day(12))
    billing.close_october(at=NEXT_CLOSING)
    invoice = Invoice.objects.exclude(status="discarded").get(kind="cycle")
    assert [line.segment_end for line in invoice.lines.all()] == [day(20), day(20)]
    assert trace.trace_invoice(invoice_id=invoice.pk).is_equal
    holds(invoice, tmp_path, at=NEXT_CLOSING)


def pay_plan_in_advance(company: billing.Company) -> tuple[Subscription, Any]:
    """31.00 in advance for each month from October on."""
    plan = billing.make_plan("ahead", finance=company.finance, fee=None, meter=None)
    params = {"amount": "31.00", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    return billing.subscribe_to(company, billing.make_customer("acme"), plan=plan), plan


def test_usage_that_came_late_and_usage_that_was_cancelled(company: billing.Company, tmp_path: Path) -> None:
    """Two corrections of one window, on two invoices, and the minimum that stands on the line goes with them."""
    billing.set_price(
        company.plan, charge="pledge", model="commitment", params={"minimum_amount": "60"}, finance=company.finance
    )
    billing.issue(company, [billing.billed_customer(company)])
    use("acme", [("late", 9, {"units": 3000})], at=NEXT_CLOSING)
    use("acme", [("x1", 10, {})], at=NEXT_CLOSING, corrects="e1", correction="cancel", correctionreason="a test")
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER)
    told = holds(november, tmp_path, at=NEXT_CLOSING)
    assert november.lines.filter(adjusts__isnull=False).count() == 2
    assert "of tokens: 2 events, sum = 1500" in told.text  # the line that it corrects, as it was billed
    billing.issue(company, [november], at=NEXT_CLOSING)
    later = NEXT_CLOSING + timedelta(days=31)
    use("acme", [("later", 11, {"units": 7})], at=later)
    amended = {"corrects": "e2", "correction": "amend"}
    use("acme", [("e2b", 21, {"units": 501})], at=later, **amended)
    close.close_cycles(as_of=datetime(2027, 1, 1, tzinfo=UTC), at=later)
    december = Invoice.objects.get(period_start=DECEMBER)
    holds(december, tmp_path, at=later)
    line = december.lines.get(adjusts__rated_line__charge__code="tokens")
    assert line.quantity == 8


def test_a_fee_in_advance_and_what_of_it_was_not_used(company: billing.Company, tmp_path: Path) -> None:
    plan = billing.make_plan("ahead", finance=company.finance, fee=None, meter=None)
    params = {"amount": "31.00", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    subscription = billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.close_october()
    october = Invoice.objects.get()
    holds(october, tmp_path)
    billing.issue(company, [october])
    subscribe.end_subscription(
        subscription=subscription, ends_at=datetime(2026, 11, 11, tzinfo=UTC), actor=company.finance, at=CLOSING
    )
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER)
    told = holds(november, tmp_path, at=NEXT_CLOSING)
    # 31.00 for November, of which 10 of 30 days were used: 10.33
    assert "= 10.33" in told.text


def test_fee_programs(tmp_path: Path) -> None:
    fees.open_platform()
    payments = [("100.00", {}), ("37.45", {"international": True}), ("5.00", {}), ("20.00", {"manual": True})]
    payouts = [("north", "1000.00"), ("north", "500.00"), ("south", "250.50")]
    sent = [
        fees.event("payment.succeeded", str(number), {"amount": amount, **flags}, at=day(number + 1))
        for number, (amount, flags) in enumerate(payments)
    ]
    sent += [
        fees.event("payout.sent", str(number), {"amount": amount, "account": account, "country": "US"}, at=day(28))
        for number, (account, amount) in enumerate(payouts)
    ]
    assert ingest.capture_events(sent, channel="http", origin="test", at=CLOSING).accepted == 7
    billing.close_october()
    invoice = Invoice.objects.get()
    assert invoice.lines.count() == 3
    holds(invoice, tmp_path)


def test_what_is_taken_off_added_and_rounded_on_the_document(company: billing.Company, tmp_path: Path) -> None:
    terms: list[dict[str, Any]] = [
        {"code": "discount", "kind": "allowance", "reason": "Partner discount", "percent": Decimal(10)},
        {"code": "handling", "kind": "charge", "reason": "Handling", "amount": Decimal("5.00")},
        {"code": "rounding", "kind": "rounding", "reason": "Whole euros", "amount": Decimal(1)},
    ]
    for one in terms:
        author = billing.person("pia", "product")
        proposed = invoice_terms.propose_invoice_term(
            subject=company.plan, **one, effective_at=LONG_AGO, actor=author, at=LONG_AGO
        )
        invoice_terms.approve_invoice_term(pk=proposed.pk, actor=billing.approver(), at=LONG_AGO)
    (invoice,) = billing.issue(company, [billing.billed_customer(company)])
    assert invoice.payable_rounding
    holds(invoice, tmp_path)


def test_a_draft_of_a_part_of_a_period_without_tax(company: billing.Company, tmp_path: Path) -> None:
    """Local days: the subscription ends inside a day of the period; that day is charged in full."""
    customer = billing.make_customer("acme", time_zone="Europe/Berlin", tax_rate_code="")
    subscription = billing.subscribe_to(company, customer, since=datetime(2026, 9, 30, 22, tzinfo=UTC))
    ends_at = datetime(2026, 10, 20, 10, tzinfo=UTC)
    subscribe.end_subscription(subscription=subscription, ends_at=ends_at, actor=company.finance, at=OCTOBER)
    billing.use("acme", ("e1", day(3), Decimal("12.5")))
    close.close_cycles(as_of=NOVEMBER, at=CLOSING)
    invoice = Invoice.objects.get()
    assert invoice.lines.get(meter_code="").amount == Decimal("31.61")  # 49 × 20/31 = 31.6129
    holds(invoice, tmp_path)


def test_a_pack_of_one_line_holds_its_events_and_says_what_it_leaves_out(
    company: billing.Company, tmp_path: Path
) -> None:
    other = billing.make_meter("images", event_type="image", owner=company.meter.owner)
    billing.set_price(company.plan, meter=other, model="standard", params={"unit_amount": "1"}, finance=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000))
    billing.use("acme", ("i1", day(4), 3), event_type="image")
    billing.close_october()
    line = InvoiceLine.objects.get(meter_code="images")
    pack = packs.make_pack(line.invoice, line=line)
    assert (pack.file_name, pack.event_count) == (f"evidence-draft-{line.invoice_id}-line-{line.position}.zip", 1)
    path = packs.write_pack(pack, tmp_path)
    told = packs.verify_bare(path)
    assert (told.code, told.left_out) == (0, []), told.text
    assert "of other lines  snapshot" in told.text
    assert "of tokens: its events are in the pack of its line" in told.text
    told = packs.verify_bare(forgery.forge(as_of_whole_invoice(packs.contents(path)), path))
    assert told.code == 1
    assert "of tokens: its events are not in this pack" in told.text


def as_of_whole_invoice(files: dict[str, bytes]) -> dict[str, bytes]:
    """A pack of one line that pretends to be of the invoice, every hash and the seal made anew."""
    return files | {"manifest.json": orjson.dumps(orjson.loads(files["manifest.json"]) | {"line": None})}


def test_lines_that_are_rounded_together(company: billing.Company, tmp_path: Path) -> None:
    """Three fees of 10.006 are 30.02 and not 30.03; a correction keeps what its line got of that."""
    plan = plans.create_plan(
        code="whole", name="Whole", currency="EUR", rounding_level="invoice", actor=company.finance, at=LONG_AGO
    )
    plans.approve_version(pk=plan.versions.get().pk, actor=billing.approver(), at=LONG_AGO)
    for name in ("first", "second", "third"):
        billing.set_price(plan, charge=name, model="flat", params={"amount": "10.006"}, finance=company.finance)
    billing.set_price(
        plan, meter=company.meter, model="standard", params={"unit_amount": "0.0017"}, finance=company.finance
    )
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.use("acme", ("e1", day(3), 1001))
    billing.close_october()
    (invoice,) = billing.issue(company, [Invoice.objects.get()])
    # 30.018 and 1.7017 are 31.72 together; what is left over goes to the largest remainders, the fees
    amounts = [str(line.amount.quantize(Decimal("0.01"))) for line in invoice.lines.order_by("position")]
    assert amounts == ["10.01", "10.01", "10.00", "1.70"]
    holds(invoice, tmp_path)
    line = invoice.lines.get(description="Third")
    assert holds(invoice, tmp_path, line=line).left_out == []
    billing.use("acme", ("late", day(9), 10), at=NEXT_CLOSING)
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER)
    assert november.lines.filter(adjusts__isnull=False).count() == 1
    holds(november, tmp_path, at=NEXT_CLOSING)


def test_the_same_facts_give_the_same_pack_and_one_seal(company: billing.Company, tmp_path: Path) -> None:
    (invoice,) = billing.issue(company, [billing.billed_customer(company)])
    first = packs.make_pack(invoice)
    again = packs.make_pack(invoice, at=NEXT_CLOSING)
    assert first == again
    assert AuditEntry.objects.filter(action="evidence.sealed").count() == 1
    other = billing.make_customer("other")
    billing.subscribe_to(company, other)
    holds(invoice, tmp_path)


def test_other_customers_are_not_in_the_pack_but_for_hashes(company: billing.Company, tmp_path: Path) -> None:
    invoice = billing.billed_customer(company)
    billing.billed_customer(company, "secretive")
    billing.issue(company, [invoice])
    path = packs.write_pack(packs.make_pack(invoice), tmp_path)
    assert packs.verify_bare(path).code == 0
    with_all = b"".join(packs.contents(path).values())
    assert b"secretive" not in with_all
    assert f"invoice:{Invoice.objects.get(customer__code='secretive').pk}".encode() not in with_all


def test_another_key_than_the_published_one_is_said(company: billing.Company, tmp_path: Path) -> None:
    path = packs.write_pack(packs.make_pack(billing.billed_customer(company)), tmp_path)
    told = packs.verify_bare(path, "--key", "00" * 32)
    assert told.code == 1
    assert "FAILS           the head is signed by another key than the one given" in told.text


def offenders(name: str) -> list[str]:
    (invariant,) = [one for one in invariants.INVARIANTS if one.name == name]
    return list(invariant.find_offenders())


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("the parts of a pack are the ZIP that it names", "UPDATE evidence_evidencepackpart SET content = 'x'"),
        ("the parts of a pack are the ZIP that it names", "DELETE FROM evidence_evidencepackpart"),
        (
            "the audit chain names the manifest of every pack",
            "UPDATE evidence_evidencepack SET manifest_sha256 = repeat('0', 64)",
        ),
        (
            "the audit chain names the manifest of every pack",
            "UPDATE evidence_evidencepack SET audit_entry_id = 1",
        ),
    ],
)
def test_a_stored_pack_that_was_changed_is_an_offence(company: billing.Company, name: str, planted: str) -> None:
    packs.make_pack(billing.billed_customer(company))
    assert offenders(name) == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(planted)
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert len(offenders(name)) == 1


@pytest.mark.parametrize("table", ["evidence_evidencepack", "evidence_evidencepackpart"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "UPDATE {} SET id = id + 1", "TRUNCATE {} CASCADE"])
def test_the_database_refuses_to_change_a_pack(company: billing.Company, table: str, statement: str) -> None:
    packs.make_pack(billing.billed_customer(company))
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))


def test_a_credit_note_and_a_correction_after_it(company: billing.Company, tmp_path: Path) -> None:
    """2.00 of 3.00 are given back; then 1,000 of 1,500 tokens turn out never to have been used: nothing more is due."""
    (october,) = billing.issue(company, [billing.billed_customer(company)])
    tokens, later = october.lines.get(meter_code="tokens"), CLOSING + timedelta(days=3)
    note = credit_note.ask_for_credit(
        invoice_id=october.pk,
        reason="The service was down.",
        amounts={tokens.pk: Decimal(2)},
        actor=company.finance,
        at=later,
    )
    billing.approve_by(company.other_finance, note, at=later)
    issued = finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=later)
    told = holds(issued, tmp_path, at=later)
    assert "1 delta reports" in told.text
    use("acme", [("x1", 10, {})], at=NEXT_CLOSING, corrects="e1", correction="cancel")
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER, kind="cycle")
    assert november.lines.get(adjusts=tokens).amount == 0
    assert trace.trace_invoice(invoice_id=november.pk).is_equal
    holds(november, tmp_path, at=NEXT_CLOSING)


def test_an_invoice_that_is_given_back_as_a_whole_with_what_was_agreed_on_it(
    company: billing.Company, tmp_path: Path
) -> None:
    proposed = invoice_terms.propose_invoice_term(
        subject=company.plan,
        code="discount",
        kind="allowance",
        reason="Partner discount",
        percent=Decimal(10),
        effective_at=LONG_AGO,
        actor=billing.person("pia", "product"),
        at=LONG_AGO,
    )
    invoice_terms.approve_invoice_term(pk=proposed.pk, actor=billing.approver(), at=LONG_AGO)
    (october,) = billing.issue(company, [billing.billed_customer(company)])
    later = CLOSING + timedelta(days=3)
    note = credit_note.ask_for_credit(invoice_id=october.pk, reason="All of it.", actor=company.finance, at=later)
    billing.approve_by(company.other_finance, note, at=later)
    holds(finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=later), tmp_path, at=later)


def test_invoices_inside_a_period_and_the_one_that_bills_the_rest(company: billing.Company, tmp_path: Path) -> None:
    """A price with included units: an invoice inside the period takes all of them, whatever is left of it."""
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="standard",
        params={"unit_amount": "0.002", "included_quantity": "310"},
        finance=company.finance,
        effective_at=OCTOBER - timedelta(days=30),
    )
    off_cycle.sign(off_cycle.threshold_terms("10.00"), since=OCTOBER)
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 5500), at=day(4))
    (first,) = off_cycle.look(day(5))
    issued = off_cycle.issue(company, first, at=day(6))
    holds(issued, tmp_path, at=day(7))
    pro = billing.make_plan("pro", finance=company.finance, fee="62", meter=company.meter, unit_amount="0.01")
    subscribe.change_plan(subscription=subscription, plan=pro, effective_at=day(15), actor=company.finance, at=day(8))
    holds(issued, tmp_path, at=day(9))  # what was agreed since changes nothing of it
    billing.use("acme", ("e2", day(20), 1000))
    billing.close_october()
    whole = Invoice.objects.get(kind="cycle")
    assert whole.lines.get(meter_code="tokens", segment_start=OCTOBER).deductions.count() == 1
    holds(whole, tmp_path)
