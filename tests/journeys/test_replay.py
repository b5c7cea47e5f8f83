"""Histories of every kind are run again from the shell, nothing patched, and come out as they were, in any order."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import pytest
from django.core.management import call_command

from invoicing.cycle import at_once, close
from invoicing.cycle.models import Invoice
from invoicing.pricing import subscribe
from invoicing.replay.models import ReplayRun
from metering import ingest
from tests.builders import billing, off_cycle, replayed
from tests.builders.billing import NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = [pytest.mark.django_db, pytest.mark.nightly]


def at(number: int, hour: int = 8) -> datetime:
    return datetime(2026, 10, number, hour, tzinfo=UTC)


def plan_change() -> None:
    """Two months with a tier crossed, a plan change and a late event."""
    replayed.bill_two_months(replayed.open_company())


def inside_the_period() -> None:
    """Two interim invoices and the rest by the close."""
    company = billing.open_company()
    off_cycle.sign(off_cycle.threshold_terms("10.00"), since=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", at(3), 1000), ("e2", at(10), 4500), at=at(11, 7))
    [first] = off_cycle.look(at(11))
    off_cycle.issue(company, first, at=at(11, 9))
    billing.use("acme", ("e3", at(9), 100), ("e4", at(20), 2900), ("e5", at(24), 2500), at=at(25, 7))
    [second] = off_cycle.look(at(25))
    off_cycle.issue(company, second, at=at(25, 9))
    billing.use("acme", ("e6", at(28), 1000))
    billing.close_october()


def corrected_at_once() -> None:
    """An event amended and another cancelled after October was issued, corrected on a document of its own."""
    company = billing.open_company()
    billing.sign_a_policy(
        author=company.meter.owner, terms={"late_usage": {"correction": "at_once"}}, at=datetime(2026, 2, 1, tzinfo=UTC)
    )
    billing.issue(company, [billing.billed_customer(company)])
    for name, corrects, correction in (("a1", "e1", "amend"), ("a2", "e2", "cancel")):
        event = {
            "specversion": "1.0",
            "source": "/meter/acme",
            "id": name,
            "type": "usage",
            "subject": "acme",
            "time": day(20).isoformat(),
            "corrects": corrects,
            "correction": correction,
            "correctionreason": "counted twice",
            "data": {"units": 700},
        }
        assert ingest.capture_events([event], channel="http", origin="test", at=NEXT_CLOSING).accepted == 1
    assert at_once.draft_adjustments(at=NEXT_CLOSING).waiting == []


def ended_in_a_period_that_was_begun(how: str) -> None:
    """October was begun whole, by an interim invoice or a draft that was discarded; then noon of the 20th was agreed.

    The fee of 31.00 is due for 20 of 31 days; then that end moves to the 22nd, and 22.00 are due.
    """
    company = billing.open_company()
    off_cycle.sign(off_cycle.threshold_terms("1.00"), since=OCTOBER)
    plan = billing.make_plan("daily", finance=company.finance, fee="31.00", meter=company.meter, unit_amount="0.002")
    acme = billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.use("acme", ("e1", at(3), 1000), at=at(4))
    if how == "interim":
        [interim] = off_cycle.look(at(5))
        off_cycle.issue(company, interim, at=at(6))
    else:
        close.close_cycles(as_of=NOVEMBER, at=at(5))
        billing.discard_draft(company, Invoice.objects.get(), at=at(6))
    for number in (20, 22):
        subscribe.end_subscription(subscription=acme, ends_at=day(number), actor=company.finance, at=at(number - 10))
    billing.close_october()
    last = Invoice.objects.exclude(status="discarded").get(kind="cycle")
    assert (f"{last.lines.get(meter_code='').amount:.2f}", last.period_end) == ("22.00", NOVEMBER)


@pytest.mark.parametrize(
    ("happened", "kinds", "orders"),
    [
        (plan_change, ["cycle", "cycle"], 20),
        (inside_the_period, ["cycle", "interim", "interim"], 3),
        (corrected_at_once, ["adjustment", "cycle"], 3),
        (partial(ended_in_a_period_that_was_begun, "interim"), ["cycle", "interim"], 3),
        (partial(ended_in_a_period_that_was_begun, "discarded"), ["cycle", "cycle"], 3),
    ],
)
def test_a_history_comes_out_as_it_was_in_any_order_of_arrival(
    happened: Callable[[], None], kinds: list[str], orders: int
) -> None:
    happened()
    assert sorted(Invoice.objects.values_list("kind", flat=True)) == kinds
    out = io.StringIO()
    call_command("replay", "autumn", "--make-from-history", "--customer", "acme", stdout=out)
    call_command("replay", "autumn", "--shuffle", str(orders), stdout=out)
    ended = ReplayRun.objects.get()
    assert (ended.verdict, ended.report["differences"], ended.report["orders"]["unequal"]) == ("passed", [], {})
    assert f"{orders} of {orders} shuffled orders of arrival give the same, byte for byte" in out.getvalue()
