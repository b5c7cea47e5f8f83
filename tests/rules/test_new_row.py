"""Rows made by the thousand are as Django would make them."""

import pytest

from accounts.models import Customer
from core import bulk
from invoicing.cycle.models import Invoice, InvoiceLine
from metering.models import AggregationSnapshot


def facts(row: object) -> dict[str, object]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_a_row_has_what_was_named_and_the_defaults_of_the_rest() -> None:
    row = bulk.new_row(AggregationSnapshot, customer_id=7, quantity=3)
    assert facts(row) == facts(AggregationSnapshot(customer_id=7, quantity=3))
    assert row.kind == "cycle"


def test_a_row_that_is_named_by_its_field_is_there_without_a_question() -> None:
    customer = Customer(pk=7, code="acme")
    row = bulk.new_row(Invoice, customer=customer, cycle=None)
    assert (row.customer, row.customer_id, row.cycle_id) == (customer, 7, None)
    assert facts(row) == facts(Invoice(customer=customer, cycle=None))


def test_a_name_that_the_model_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="InvoiceLine has no sum_total"):
        bulk.new_row(InvoiceLine, sum_total=1)
