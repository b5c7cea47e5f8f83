"""A customer whose close fails is parked with the reason and a way out, and the others go on."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction

from accounts.models import Customer
from invoicing.cycle import assemble, park
from invoicing.cycle.models import CloseRun, Invoice, ParkedCustomer
from invoicing.cycle.rules import parking
from tests.builders import billing
from tests.builders.billing import CLOSING, NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def without_tax_rate(company: billing.Company, code: str = "acme") -> Customer:
    customer = billing.make_customer(code, tax_rate_code="fr-vat")
    billing.subscribe_to(company, customer)
    return customer


def add_rate(company: billing.Company) -> None:
    billing.prices.add_tax_rate(
        code="fr-vat",
        name="TVA",
        category="S",
        percent=Decimal(20),
        effective_at=OCTOBER,
        note="",
        actor=company.finance,
        at=OCTOBER,
    )


def test_a_customer_whose_close_fails_is_parked_and_the_others_are_drafted(company: billing.Company) -> None:
    without_tax_rate(company)
    billing.subscribe_to(company, billing.make_customer("globex"))
    billing.close_october()
    [parked] = park.open_parkings()
    assert (parked.customer.code, parked.code, parked.attempts, parked.periods) == ("acme", "no_tax_rate", 1, 1)
    assert parked.reason.startswith("No tax rate fr-vat is in force at the end of the period")
    assert (parked.parked_at, parked.last_tried_at, parked.period_start) == (CLOSING, CLOSING, OCTOBER)
    assert (parked.run, parked.left_at) == (CloseRun.objects.get(), None)
    assert Invoice.objects.get().customer.code == "globex"


def test_the_next_close_tries_again_and_counts(company: billing.Company) -> None:
    without_tax_rate(company)
    billing.close_october()
    billing.close_october(at=CLOSING + timedelta(days=1))
    [parked] = ParkedCustomer.objects.all()
    assert (parked.attempts, parked.parked_at, parked.last_tried_at) == (2, CLOSING, CLOSING + timedelta(days=1))
    assert parked.run == CloseRun.objects.latest("pk")


def test_a_close_that_succeeds_lets_the_customer_go_and_a_new_failure_parks_anew(company: billing.Company) -> None:
    customer = without_tax_rate(company)
    billing.close_october()
    add_rate(company)
    billing.close_october(at=CLOSING + timedelta(days=1))
    [parked] = ParkedCustomer.objects.all()
    assert (parked.left_at, parked.left_by) == (CLOSING + timedelta(days=1), CloseRun.objects.latest("pk"))
    Customer.objects.filter(pk=customer.pk).update(tax_rate_code="it-vat")
    billing.close_november()
    again = park.open_parkings().get()
    assert (again.parked_at, again.attempts, again.period_start) == (NEXT_CLOSING, 1, NOVEMBER)


def test_a_customer_without_anything_left_to_draft_is_let_go(company: billing.Company) -> None:
    without_tax_rate(company)
    billing.close_october()
    # Ten days of grace, so that on the second of November nothing of October is due any more.
    billing.sign_a_policy(author=company.meter.owner, terms={"late_usage": {"grace_hours": 240}}, at=CLOSING)
    billing.close_october(at=CLOSING + timedelta(hours=1), customer_codes=[])
    assert park.open_parkings().exists()  # that close was not about this customer
    billing.close_october(at=CLOSING + timedelta(hours=1))
    assert not park.open_parkings().exists()


def test_usage_beyond_what_can_be_billed_exactly_parks_its_customer_only(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("globex"))
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 10**15), ("e2", day(4), 10**15))
    billing.close_october()
    parked = park.open_parkings().get()
    assert (parked.customer.code, parked.code) == ("acme", "quantity_out_of_range")


def test_a_fault_of_the_program_parks_whom_it_meets(company: billing.Company, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("acme", "globex"):
        billing.subscribe_to(company, billing.make_customer(code))
    fill = assemble.fill_bills

    def stumble(bills: list[assemble.Bill], **rest: object) -> None:
        if any(bill.customer.code == "acme" for bill in bills):
            raise ZeroDivisionError("a defect")
        fill(bills, **rest)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(assemble, "fill_bills", stumble)
    billing.close_october()
    parked = park.open_parkings().get()
    assert (parked.customer.code, parked.code) == ("acme", parking.DEFECT)
    assert parked.reason == "ZeroDivisionError: a defect"
    assert "hand the reason and the log of that moment to engineering" in parking.way_out(parked.code)


@pytest.mark.parametrize("change", [{"customer_id": 0}, {"parked_at": NEXT_CLOSING}])
def test_who_was_parked_and_when_is_fixed(company: billing.Company, change: dict[str, object]) -> None:
    without_tax_rate(company)
    billing.close_october()
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        ParkedCustomer.objects.update(**change)
