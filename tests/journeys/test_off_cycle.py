"""Invoices inside a period, from usage to the close that bills the rest; every figure worked out by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from billing_ops.management.commands import check_invariants
from compliance.evidence import trace
from invoicing.cycle.models import Invoice
from tests.builders import billing, off_cycle
from tests.builders.billing import NOVEMBER, OCTOBER, Company

pytestmark = pytest.mark.django_db(transaction=True)


def at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


@pytest.fixture
def company() -> Iterator[Company]:
    """49.00 a month and 0.002 per token, 19 % tax; whatever was done, every invariant holds in the end."""
    yield billing.open_company()
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    assert {name: offenders for name, offenders in found.items() if offenders} == {}


def test_a_threshold_is_crossed_twice_and_the_close_bills_the_rest(company: Company) -> None:
    off_cycle.sign(off_cycle.threshold_terms("10.00"), since=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))

    billing.use("acme", ("e1", at(3), 1000), at=at(4))  # 2.00
    assert off_cycle.look(at(5)) == []

    billing.use("acme", ("e2", at(10), 4500), at=at(11, 7))  # 5,500 tokens, 11.00
    [first] = off_cycle.look(at(11))
    assert (first.kind, first.period_start, first.period_end) == ("interim", OCTOBER, at(11))
    assert off_cycle.lines_of(first) == [("Tokens", "5500", "11.00")]
    assert off_cycle.totals_of(first) == ("11.00", "2.09", "13.09")
    assert off_cycle.issue(company, first, at=at(11, 9)).number == "INV-000001"

    billing.use("acme", ("e3", at(9), 100), ("e4", at(20), 2900), at=at(21))  # 3,000 more, one of them from before
    assert off_cycle.look(at(22)) == []
    billing.use("acme", ("e5", at(24), 2500), at=at(25, 7))  # 11,000 tokens, 22.00, of them 11.00 not billed
    [second] = off_cycle.look(at(25))
    assert off_cycle.lines_of(second) == [("Tokens", "5500", "11.00")]
    off_cycle.issue(company, second, at=at(25, 9))

    billing.use("acme", ("e6", at(28), 1000))  # 12,000 tokens, 24.00
    assert billing.close_october().drafted == 1
    whole = Invoice.objects.get(kind="cycle")
    assert off_cycle.lines_of(whole) == [("Base", "1", "49.00"), ("Tokens", "1000", "2.00")]
    assert off_cycle.totals_of(whole) == ("51.00", "9.69", "60.69")
    taken_off = whole.lines.get(meter_code="tokens").deductions.values_list("billed__invoice__number", flat=True)
    assert list(taken_off) == ["INV-000001", "INV-000002"]
    assert billing.issue(company, [whole])[0].number == "INV-000003"
    assert sum(one.subtotal for one in Invoice.objects.all()) == 73  # 49.00 and 12,000 × 0.002
    for invoice in Invoice.objects.all():
        walked = trace.trace_invoice(invoice_id=invoice.pk).traces
        assert [line.first_difference for line in walked] == [None for _ in walked]


def test_increments_are_differences_of_rounded_sums(company: Company) -> None:
    meter = billing.make_meter("calls", event_type="call", owner=company.meter.owner)
    plan = billing.make_plan("calls", finance=company.finance, fee=None, meter=meter, unit_amount="0.00333")
    off_cycle.sign(off_cycle.threshold_terms("3.00"), since=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    amounts = []
    for day in (3, 6):  # 1,001 × 0.00333 = 3.33333; 2,002 × 0.00333 = 6.66666
        billing.use("acme", (f"c{day}", at(day), 1001), event_type="call", at=at(day, 12))
        [invoice] = off_cycle.look(at(day, 13))
        amounts.append(off_cycle.lines_of(off_cycle.issue(company, invoice, at=at(day, 14)))[0][2])
    billing.use("acme", ("c9", at(9), 1001), event_type="call")  # 3,003 × 0.00333 = 9.99999
    billing.close_october()
    amounts.append(off_cycle.lines_of(Invoice.objects.get(kind="cycle"))[0][2])
    assert amounts == ["3.33", "3.34", "3.33"]


def test_a_hybrid_policy_bills_the_named_off_the_cycle_and_the_others_by_it(company: Company) -> None:
    calls = billing.make_meter("calls", event_type="call", owner=company.meter.owner)
    billing.set_price(
        company.plan, meter=calls, model="standard", params={"unit_amount": "0.01"}, finance=company.finance
    )
    for code in ("acme", "globex"):
        billing.subscribe_to(company, billing.make_customer(code))
    terms = off_cycle.threshold_terms("5.00", customers=["acme"], meters=["tokens"])
    off_cycle.sign(terms, since=OCTOBER)
    for code in ("acme", "globex"):
        billing.use(code, (f"{code}-1", at(5), 3000), at=at(6))  # 6.00
        billing.use(code, (f"{code}-2", at(5), 700), event_type="call", at=at(6))  # 7.00

    [interim] = off_cycle.look(at(7))
    assert interim.customer.code == "acme"
    assert off_cycle.lines_of(interim) == [("Tokens", "3000", "6.00")]
    off_cycle.issue(company, interim, at=at(7, 9))

    billing.close_october()
    by_customer = {one.customer.code: off_cycle.lines_of(one) for one in Invoice.objects.filter(kind="cycle")}
    assert by_customer == {
        "acme": [("Base", "1", "49.00"), ("Tokens", "0", "0.00"), ("Calls", "700", "7.00")],
        "globex": [("Base", "1", "49.00"), ("Tokens", "3000", "6.00"), ("Calls", "700", "7.00")],
    }


def test_a_policy_that_changes_inside_the_period_decides_from_then_on(company: Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", at(3), 4000), at=at(4))  # 8.00
    assert off_cycle.look(at(14)) == []  # the cycle decides

    hybrid = off_cycle.sign(off_cycle.threshold_terms("5.00", plans=["starter"]), since=at(15, 0))
    [interim] = off_cycle.look(at(15))
    assert (interim.policy, off_cycle.lines_of(interim)) == (hybrid, [("Tokens", "4000", "8.00")])
    assert (interim.firing.policy, f"{interim.firing.threshold:.2f}") == (hybrid, "5.00")
    off_cycle.issue(company, interim, at=at(15, 9))

    dearer = off_cycle.sign(off_cycle.threshold_terms("20.00"), since=at(20, 0))
    billing.use("acme", ("e2", at(21), 4000), at=at(21, 13))  # 16.00, of them 8.00 not billed: reached under the old
    assert off_cycle.look(at(22)) == []
    billing.use("acme", ("e3", at(23), 6000), at=at(23, 13))  # 28.00, of them 20.00 not billed
    [second] = off_cycle.look(at(24))
    assert (second.policy, off_cycle.lines_of(second)) == (dearer, [("Tokens", "10000", "20.00")])
    off_cycle.issue(company, second, at=at(24, 9))

    calm = off_cycle.sign({}, since=at(28, 0))
    billing.use("acme", ("e4", at(29), 50_000), at=at(29, 13))  # 128.00
    assert off_cycle.look(at(30)) == []
    billing.close_october()
    whole = Invoice.objects.get(kind="cycle")
    assert whole.policy == calm
    assert off_cycle.lines_of(whole) == [("Base", "1", "49.00"), ("Tokens", "50000", "100.00")]
    assert off_cycle.totals_of(whole) == ("149.00", "28.31", "177.31")


def test_usage_that_comes_after_the_close_is_adjusted_by_the_whole_window(company: Company) -> None:
    off_cycle.sign(off_cycle.threshold_terms("5.00"), since=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", at(3), 3000), at=at(4))  # 6.00
    off_cycle.issue(company, off_cycle.look(at(5))[0], at=at(5, 9))
    billing.close_october()
    billing.issue(company, [Invoice.objects.get(kind="cycle")])
    billing.use(
        "acme", ("late", at(4), 500), ("e2", datetime(2026, 11, 3, tzinfo=UTC), 100), at=NOVEMBER.replace(day=4)
    )
    billing.close_november()
    november = Invoice.objects.get(kind="cycle", period_start=NOVEMBER)
    assert off_cycle.lines_of(november) == [
        ("Base", "1", "49.00"),
        ("Tokens", "100", "0.20"),
        ("Adjustment of 2026-10-01 to 2026-10-31: Tokens", "500", "1.00"),
    ]
    assert [one.first_difference for one in trace.trace_invoice(invoice_id=november.pk).traces] == [None, None, None]
