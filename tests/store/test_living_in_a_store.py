"""The house counts, traces, recounts and proves its events wherever they live, and nothing else changes."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from billing_ops.management.commands import check_invariants
from compliance.evidence import events, trace
from invoicing.cycle.models import Invoice
from metering import archive, health, ingest, lookup, minutes, queries, shipping, switching, watermark
from metering.models import AggregationSnapshot, ArrivalMinute, CaptureBatch, Meter, Shipment, Store, UsageEvent
from metering.rules.arrivals import Arrived
from metering.store import chosen, partitions, postgres
from metering.store.protocol import Span
from tests.builders import billing, correcting, stores

NOW = billing.NEXT_CLOSING


@pytest.fixture
def company(store_name: str) -> billing.Company:
    """A company whose raw events live in this store from the beginning."""
    partitions.forget_months()
    if store_name != Store.POSTGRES:
        switching.switch_store(name=store_name, at=billing.LONG_AGO)
    return billing.open_company()


@pytest.fixture
def invoice(company: billing.Company, store_name: str) -> Invoice:
    """1,000 and 500 tokens at 0.002, issued; every event is in its store by now."""
    made = billing.issue(company, [billing.billed_customer(company)])[0]
    ship()
    assert UsageEvent.objects.exists() is (store_name == Store.POSTGRES)
    return made


def ship() -> int:
    settled, total = watermark.settle().seq, 0
    while count := shipping.ship_pending(settled_seq=settled, at=NOW):
        total += count
    return total


def snapshot_of(invoice: Invoice) -> AggregationSnapshot:
    return AggregationSnapshot.objects.get(kind="cycle", event_count__gt=0, customer=invoice.customer_id)


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_a_period_is_closed_and_traced(invoice: Invoice) -> None:
    assert invoice.subtotal == Decimal("52.00")
    line = invoice.lines.get(meter_code="tokens")
    assert line.quantity == 1500
    assert trace.trace_line(line_id=line.pk).is_equal


def test_events_of_a_snapshot_are_paged_and_proved(invoice: Invoice) -> None:
    page = events.page_of_events(snapshot_of(invoice), after_seq=0, limit=10)
    assert [(found.row.value, found.is_as_captured) for found in page.events] == [(1000, True), (500, True)]


def test_an_event_is_found_by_its_identity(invoice: Invoice) -> None:
    assert lookup.find_event("/meter/acme/e1").data == {"units": 1000}


def test_a_snapshot_is_recounted(invoice: Invoice) -> None:
    snapshot = snapshot_of(invoice)
    again = queries.recount([snapshot])[snapshot.pk]
    assert (again.quantity, again.event_count, again.digest) == (1500, 2, snapshot.digest)


def test_usage_of_this_moment_is_shown_with_what_has_not_been_shipped(invoice: Invoice) -> None:
    billing.use("acme", ("new", billing.day(20), 7))
    meter = snapshot_of(invoice).meter
    shown = queries.live_usage(
        customer_id=invoice.customer_id, meter=meter, start=billing.OCTOBER, end=billing.NOVEMBER
    )
    assert [(row.quantity, row.event_count) for row in shown.rows] == [(1507, 3)]


def test_late_usage_becomes_an_adjustment(invoice: Invoice) -> None:
    billing.use("acme", ("late", billing.day(30), 250), at=NOW)
    report = billing.close_november()
    assert (report.drafted, report.held, report.adjusted) == (1, 0, 1)
    assert AggregationSnapshot.objects.get(kind="adjustment").quantity == 1750


def test_a_repeat_is_a_duplicate_and_another_content_a_conflict(invoice: Invoice) -> None:
    with pytest.raises(AssertionError, match="duplicate"):
        billing.use("acme", ("e1", billing.day(3), 1000))
    with pytest.raises(AssertionError, match="conflict"):
        billing.use("acme", ("e1", billing.day(3), 1001))


def correct(event_id: str, target: str, *, action: str = "cancel") -> ingest.CaptureResult:
    body = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": event_id,
        "type": "usage",
        "subject": "acme",
        "time": billing.day(20).isoformat(),
        "data": {"units": 400},
        "corrects": target,
        "correction": action,
    }
    return ingest.capture_events([body], channel="http", origin="test", at=NOW)


def test_an_event_is_corrected_wherever_it_lies(invoice: Invoice) -> None:
    assert correct("c1", "e2", action="amend").accepted == 1
    ship()
    meter = snapshot_of(invoice).meter
    shown = queries.live_usage(
        customer_id=invoice.customer_id, meter=meter, start=billing.OCTOBER, end=billing.NOVEMBER
    )
    assert [row.quantity for row in shown.rows] == [1400]
    again = correct("c2", "e2")
    assert (again.accepted, again.quarantined) == (0, 1)
    assert "c1" in again.items[0].reasons[0].detail
    assert offences() == {}


def test_a_cancelled_event_of_a_meter_with_filters_is_late_and_billed_back(company: billing.Company) -> None:
    large = correcting.price_large_events(company)
    billing.issue(company, [billing.billed_customer(company)])
    ship()
    correcting.correct("e2", when=billing.day(21))
    ship()
    assert [late.snapshot_id for late in queries.late_windows()] == [snapshot_of_meter(company.meter).pk]
    correcting.correct("e1", when=billing.day(20), by="c2")
    ship()
    assert [late.snapshot_id for late in queries.late_windows()] == [
        snapshot_of_meter(company.meter).pk,
        snapshot_of_meter(large).pk,
    ]
    billing.close_november()
    assert AggregationSnapshot.objects.get(kind="adjustment", meter=large).quantity == 0
    assert queries.late_windows() == []


def test_a_correction_from_outside_of_the_window_is_told_and_counts_from_its_arrival(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", billing.day(3), 1000), ("e2", billing.day(20), 500))
    correcting.correct("e2", when=billing.day(1, month=11), units=400, at=billing.CLOSING)
    billing.close_october()
    ship()
    october = snapshot_of_meter(company.meter)
    (told,) = queries.snapshot_corrections(october)
    assert (told.event_id, told.by_event_id, told.by_data) == ("e2", "c1", {"units": 400})
    known = [
        queries.live_usage(
            customer_id=october.customer_id,
            meter=company.meter,
            start=billing.OCTOBER,
            end=billing.NOVEMBER,
            arrived=Arrived(before=before),
        )
        for before in (told.by_received_at, told.by_received_at + timedelta(microseconds=1))
    ]
    assert [found.rows[0].quantity for found in known] == [1500, 1000]


def snapshot_of_meter(meter: Meter) -> AggregationSnapshot:
    return AggregationSnapshot.objects.get(kind="cycle", event_count__gt=0, meter=meter)


def test_the_invariants_hold(invoice: Invoice) -> None:
    billing.use("acme", ("new", billing.day(20), 7))
    assert offences() == {}


def test_a_watermark_covers_only_what_has_arrived(
    invoice: Invoice, store_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = watermark.find_last_seq()
    billing.use("acme", ("new", billing.day(20), 7))
    monkeypatch.setattr(shipping, "ship_pending", lambda **_named: 0)  # the other store is away
    fixed = watermark.fix_watermark(at=NOW)
    assert fixed.seq == (watermark.find_last_seq() if store_name == Store.POSTGRES else before)


def test_fixing_a_watermark_ships_first(invoice: Invoice, store_name: str) -> None:
    billing.use("acme", ("new", billing.day(20), 7))
    assert watermark.fix_watermark(at=NOW).seq == watermark.find_last_seq()
    assert chosen.store_of(store_name).count(Span()).event_count == 3


def test_the_lag_of_a_minute_is_of_its_events_wherever_they_lie(invoice: Invoice) -> None:
    """Those of the invoice have been shipped, a new one has not."""
    billing.use("acme", ("new", billing.day(20), 7))
    began = minutes.floor_minute(CaptureBatch.objects.earliest("received_at").received_at)
    until = minutes.floor_minute(postgres.read_clock()) + minutes.MINUTE
    found = health.measure_health(start=began, end=until).whole.lag
    minutes.record_minutes(until=until)
    recorded = ArrivalMinute.objects.filter(stream=None).values_list("lag_count", "lag_max")
    assert sum(count or 0 for count, _highest in recorded) == 3
    assert found.max in [highest for _count, highest in recorded]


class TestShipping:
    @pytest.fixture(autouse=True)
    def only_where_there_is_shipping(self, store_name: str) -> None:
        if store_name == Store.POSTGRES:
            pytest.skip("nothing is shipped")

    def test_what_was_shipped_leaves_postgresql_once_it_is_counted(self, company: billing.Company) -> None:
        billing.make_customer("acme")
        billing.use("acme", ("a", billing.day(3), 1), ("b", billing.day(4), 2))
        assert ship() == 2
        assert UsageEvent.objects.count() == 0
        shipment = Shipment.objects.get()
        assert (shipment.event_count, shipment.shipped_at) == (2, NOW)

    def test_a_block_ends_with_the_event_that_fills_it(
        self, company: billing.Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Events of 12 and 13 bytes as PostgreSQL writes them: `{"units": 1}`."""
        monkeypatch.setattr(shipping, "BLOCK_BYTES", 25)
        billing.make_customer("acme")
        billing.use("acme", *((f"{number}", billing.day(3), units) for number, units in enumerate((1, 22, 3, 4, 5))))
        assert ship() == 5
        assert [shipment.event_count for shipment in Shipment.objects.order_by("pk")] == [2, 3]
        assert UsageEvent.objects.count() == 0

    def test_a_shipment_that_was_killed_goes_again_and_counts_once(
        self, company: billing.Company, store_name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        billing.make_customer("acme")
        billing.use("acme", ("a", billing.day(3), 1), ("b", billing.day(4), 2))
        store = chosen.store_of(store_name)
        with monkeypatch.context() as patch:
            patch.setattr(shipping, "_remove", die)
            with pytest.raises(KeyboardInterrupt):
                shipping.ship_pending(settled_seq=watermark.find_last_seq(), at=NOW)
        assert (UsageEvent.objects.count(), store.count(Span()).event_count) == (2, 2)
        billing.use("acme", ("c", billing.day(5), 3))
        assert ship() == 3
        assert [shipment.event_count for shipment in Shipment.objects.order_by("pk")] == [2, 1]
        assert store.count(Span()).event_count == 3

    def test_what_is_in_both_counts_once(
        self, company: billing.Company, store_name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        billing.subscribe_to(company, billing.make_customer("acme"))
        billing.use("acme", ("a", billing.day(3), 1))
        with monkeypatch.context() as patch:
            patch.setattr(shipping, "_remove", die)
            with pytest.raises(KeyboardInterrupt):
                shipping.ship_pending(settled_seq=watermark.find_last_seq(), at=NOW)
        shown = queries.live_usage(
            customer_id=UsageEvent.objects.get().customer_id,
            meter=company.meter,
            start=billing.OCTOBER,
            end=billing.NOVEMBER,
        )
        assert [(row.quantity, row.event_count) for row in shown.rows] == [(1, 1)]

    def test_what_does_not_arrive_stays(
        self, company: billing.Company, store_name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        billing.make_customer("acme")
        billing.use("acme", ("a", billing.day(3), 1))
        store = chosen.store_of(store_name)
        monkeypatch.setattr(type(store), "insert", lambda *_call, **_named: None)  # answered, and not kept
        with pytest.raises(shipping.ShipmentDiffersError, match="they stay here"):
            shipping.ship_pending(settled_seq=watermark.find_last_seq(), at=NOW)
        assert UsageEvent.objects.count() == 1

    def test_nothing_moves_while_somebody_counts(self, company: billing.Company) -> None:
        invoice = billing.issue(company, [billing.billed_customer(company)])[0]
        with transaction.atomic():
            queries.recount([snapshot_of(invoice)])
            assert stores.months_kept_in_place() == 1

    def test_a_month_is_not_put_into_a_file(self, company: billing.Company) -> None:
        with pytest.raises(archive.MonthNotDetachableError, match="live in ClickHouse"):
            archive.detach_month(month=billing.OCTOBER.date(), at=NOW)


def die(*_call: Any) -> None:
    raise KeyboardInterrupt
