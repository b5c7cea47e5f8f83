"""Who reached an amount of the policy, by exposures alone, and what is drafted for them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from core.deciding import Kind, deciding
from invoicing.cycle import off_cycle as drafting
from invoicing.cycle.models import InterimFiring, Invoice
from invoicing.exposure import keep
from invoicing.off_cycle import evaluate
from metering import rollups
from tests.builders import billing, off_cycle
from tests.builders.billing import NOVEMBER, OCTOBER, Company
from tests.builders.triggers import MID, subscriber, use

pytestmark = pytest.mark.django_db
BILL = {"kind": "credit_exposure", "currency": "EUR", "amount": "60.00", "action": "interim_bill"}


@pytest.fixture
def company() -> Company:
    return billing.open_company()


def look(*, minutes: int = 0) -> list[Invoice]:
    """What the workers do within seconds: sums, exposures, invoice triggers."""
    at = MID + timedelta(minutes=minutes)
    rollups.roll_up()
    keep.keep_exposures(at=at)
    report = evaluate.evaluate_triggers(at=at)
    assert report.failed == []
    return list(Invoice.objects.filter(pk__in=report.invoice_ids))


def test_an_amount_that_is_reached_brings_a_draft_once(company: Company) -> None:
    off_cycle.sign(off_cycle.threshold_terms("5.00"), since=OCTOBER)
    subscriber(company)
    use("e1", 2000)  # 4.00
    assert look() == []
    use("e2", 1000)  # 6.00
    [draft] = look(minutes=1)
    assert off_cycle.lines_of(draft) == [("Tokens", "3000", "6.00")]
    off_cycle.issue(company, draft, at=MID + timedelta(minutes=2))
    use("e3", 2000)  # 10.00, of which 6.00 are billed
    assert look(minutes=4) == []
    use("e4", 600)  # 11.20
    [following] = look(minutes=5)
    assert off_cycle.lines_of(following) == [("Tokens", "2600", "5.20")]


def test_only_the_named_are_looked_for(company: Company) -> None:
    for code in ("acme", "globex"):
        subscriber(company, code)
    off_cycle.sign(off_cycle.threshold_terms("5.00", customers=["globex"], plans=["starter"]), since=OCTOBER)
    for code in ("acme", "globex"):
        use(f"{code}-1", 3000, code=code)
    assert [draft.customer.code for draft in look()] == ["globex"]


def test_a_look_reads_no_event(company: Company) -> None:
    off_cycle.sign(off_cycle.threshold_terms("5.00"), since=OCTOBER)
    for code in ("acme", "globex"):
        subscriber(company, code)
        use(f"{code}-1", 2000, code=code)
    rollups.roll_up()
    keep.keep_exposures(at=MID)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert evaluate.find_reached(at=MID) == evaluate.Reached()
    assert len(asked) <= 6
    assert not [one["sql"] for one in asked if "usageevent" in one["sql"]]


def test_a_control_that_bills_does_so_once_in_a_period(company: Company) -> None:
    """58.31 for the fee with tax, 2.38 for 1,000 tokens: 60.69 of exposure."""
    policy = off_cycle.sign({**off_cycle.threshold_terms("500.00"), "charge_controls": [BILL]}, since=OCTOBER)
    subscriber(company)
    use("e1", 500)
    assert look() == []
    use("e2", 500)
    [draft] = look(minutes=1)
    assert off_cycle.lines_of(draft) == [("Tokens", "1000", "2.00")]
    firing = InterimFiring.objects.get()
    assert (firing.cause, firing.policy, f"{firing.threshold:.2f}") == ("credit_exposure", policy, "60.00")
    off_cycle.issue(company, draft, at=MID + timedelta(minutes=2))
    use("e3", 500)
    assert look(minutes=4) == []


@pytest.mark.parametrize("kind", [Kind.ALERT, Kind.CHARGE_CONTROL])
def test_no_other_kind_of_trigger_drafts(company: Company, kind: Kind) -> None:
    off_cycle.sign(off_cycle.threshold_terms("5.00"), since=OCTOBER)
    subscriber(company)
    use("e1", 3000)
    [draft] = look()
    copy = InterimFiring.objects.get()
    copy.pk, copy.ordinal = None, 2
    with pytest.raises(IntegrityError, match="comes of this kind of trigger"), deciding(kind):
        copy.save(force_insert=True)
    assert draft.period_start == NOVEMBER
    assert drafting.draft_interims(at=MID).invoice_ids == []
