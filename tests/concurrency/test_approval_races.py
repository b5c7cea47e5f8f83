"""Approvals at the same moment: two people make two, one person makes one, and a hold beats the one it meets."""

import multiprocessing
from contextlib import suppress
from functools import partial

import pytest
from django.db import transaction

from core.errors import DomainError
from invoicing.cycle import approve, hold
from invoicing.cycle.models import Invoice, InvoiceApproval
from tests.builders import billing, racing
from tests.builders.billing import CLOSING, day

pytestmark = pytest.mark.django_db(transaction=True)
FORK = multiprocessing.get_context("fork")
INVOICES = 40


@pytest.fixture
def company() -> billing.Company:
    """Forty drafts of 60.69 EUR each, under a policy that asks for two people above 50.00 EUR."""
    company = billing.open_company()
    billing.ask_for_two(company)
    with transaction.atomic():
        for number in range(INVOICES):
            code = f"customer{number}"
            billing.subscribe_to(company, billing.make_customer(code))
            billing.use(code, ("e1", day(3), 1000))
    billing.close_october()
    return company


def approve_all(person_id: int, start: object) -> None:
    """Every draft once, in the same order as everybody else."""
    person = billing.User.objects.get(pk=person_id)
    start.wait()  # type: ignore[attr-defined]  # a barrier of multiprocessing has no type to name
    for invoice in Invoice.objects.order_by("pk"):
        with suppress(DomainError):
            approve.approve_invoice(invoice_id=invoice.pk, content_hash=invoice.content_hash, actor=person, at=CLOSING)


def hold_all(person_id: int, start: object) -> None:
    person = billing.User.objects.get(pk=person_id)
    start.wait()  # type: ignore[attr-defined]  # as above
    for invoice_id in Invoice.objects.order_by("pk").values_list("pk", flat=True):
        with suppress(DomainError):
            hold.hold_invoice(invoice_id=invoice_id, reason="to be checked", actor=person, at=CLOSING)


def test_two_people_at_once_make_two_approvals(company: billing.Company) -> None:
    start = FORK.Barrier(2)
    people = (company.finance.pk, company.other_finance.pk)
    racing.run_together(*(partial(approve_all, person, start) for person in people))
    assert set(Invoice.objects.values_list("status", flat=True)) == {"approved"}
    assert InvoiceApproval.objects.count() == 2 * INVOICES


def test_one_person_twice_at_once_makes_one(company: billing.Company) -> None:
    start = FORK.Barrier(2)
    racing.run_together(*(partial(approve_all, company.finance.pk, start) for _ in range(2)))
    assert set(Invoice.objects.values_list("status", flat=True)) == {"draft"}
    assert InvoiceApproval.objects.count() == INVOICES


def test_a_hold_in_between_leaves_nothing_approved(company: billing.Company) -> None:
    start = FORK.Barrier(3)
    racing.run_together(
        partial(approve_all, company.finance.pk, start),
        partial(approve_all, company.other_finance.pk, start),
        partial(hold_all, billing.approver().pk, start),
    )
    assert set(Invoice.objects.values_list("status", flat=True)) == {"held"}
    for invoice in Invoice.objects.all():
        assert approve.standing_of(invoice).given == ()
