"""The review queue: what waits, against the period before, the unusual first."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.cycle import comment, hold, queue
from invoicing.cycle.models import Invoice
from invoicing.cycle.queue import Row, Wanted
from tests.builders import billing
from tests.builders import off_cycle as looking
from tests.builders.billing import CLOSING, NEXT_CLOSING, day
from tests.builders.remembering import remembered

pytestmark = pytest.mark.django_db


@remembered
def bill_two_months() -> billing.Company:
    """Three customers over two months: October final for acme and globex, November drafted for all.

    acme 61.88 then 61.88; globex 61.88 then 181.00 (51,550 tokens: 49.00 + 103.10, 28.90 tax); umbrella 58.31, new.
    """
    company = billing.open_company()
    for code in ("acme", "globex"):
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    billing.issue(company, list(Invoice.objects.order_by("pk")))
    billing.subscribe_to(company, billing.make_customer("umbrella", program="partners"), since=billing.NOVEMBER)
    billing.sign_a_policy(author=company.meter.owner, program="partners")
    billing.use("acme", ("e3", day(3, month=11), 1500), at=NEXT_CLOSING)
    billing.use("globex", ("e3", day(3, month=11), 51550), at=NEXT_CLOSING)
    billing.close_november()
    return company


@pytest.fixture
def company() -> billing.Company:
    return bill_two_months()


def rows(company: billing.Company, **filters: Any) -> list[Row]:
    return queue.find_rows(Wanted(**filters), person_id=company.finance.pk)


def codes(found: list[Row]) -> list[str]:
    return [row.customer.split()[0].lower() for row in found]


def test_each_row_says_what_changed_against_the_period_before(company: billing.Company) -> None:
    found = {row.customer: (row.before_total, row.total, row.change, row.percent) for row in rows(company)}
    assert found == {
        "Globex GmbH": (Decimal("61.88"), Decimal("181.00"), Decimal("119.12"), Decimal("192.5")),
        "Acme GmbH": (Decimal("61.88"), Decimal("61.88"), Decimal("0.00"), Decimal("0.0")),
        "Umbrella GmbH": (None, Decimal("58.31"), None, None),
    }


def test_holds_come_before_large_changes_and_what_is_new_last(company: billing.Company) -> None:
    assert codes(rows(company)) == ["globex", "acme", "umbrella"]
    umbrella = Invoice.objects.get(customer__code="umbrella")
    hold.hold_invoice(
        invoice_id=umbrella.pk, reason="", reason_code="price-in-question", actor=company.finance, at=NEXT_CLOSING
    )
    found = rows(company)
    assert codes(found) == ["umbrella", "globex", "acme"]
    assert (found[0].hold_cause, found[0].hold_reason) == ("person", "Price or contract to be checked")


def test_an_open_break_comes_first_of_all(company: billing.Company) -> None:
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.subscribe_to(company, billing.make_customer("hooli"), since=billing.NOVEMBER)
    billing.use("hooli", ("s1", day(5, month=11), 3), event_type="storage", at=NEXT_CLOSING)
    acme = Invoice.objects.get(customer__code="acme", status="draft")
    hold.hold_invoice(invoice_id=acme.pk, reason="to be checked", actor=company.finance, at=NEXT_CLOSING)
    billing.close_november()
    found = rows(company)
    assert codes(found) == ["hooli", "acme", "globex", "umbrella"]
    assert (found[0].breaks, found[0].hold_cause) == (1, "break")


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"statuses": ("final",)}, ["acme", "globex"]),
        ({"statuses": ("held",)}, []),
        ({"customer": "gLob"}, ["globex"]),
        ({"customer": "%"}, []),
        ({"program": "partners"}, ["umbrella"]),
        ({"currency": "USD"}, []),
        ({"kind": "cycle"}, ["globex", "acme", "umbrella"]),
        ({"kind": "credit_note"}, []),
        ({"least": Decimal("61.88")}, ["globex", "acme"]),
        ({"least": Decimal("58.32"), "most": Decimal("61.88")}, ["acme"]),
        (
            {"statuses": ("final", "draft"), "ended_from": datetime(2026, 11, 1, tzinfo=UTC)},
            ["globex", "acme", "umbrella"],
        ),
        ({"statuses": ("final", "draft"), "ended_before": datetime(2026, 11, 1, tzinfo=UTC)}, ["acme", "globex"]),
        ({"cause": "person"}, []),
        ({"order": "total"}, ["globex", "acme", "umbrella"]),
        ({"order": "customer"}, ["acme", "globex", "umbrella"]),
        ({"order": "change"}, ["globex", "umbrella", "acme"]),
    ],
)
def test_it_filters_and_orders(company: billing.Company, filters: dict[str, Any], expected: list[str]) -> None:
    assert codes(rows(company, **filters)) == expected


def test_held_ones_are_found_by_cause_and_by_usual_reason(company: billing.Company) -> None:
    for code, usual in (("acme", "price-in-question"), ("globex", "usage-expected")):
        draft = Invoice.objects.get(customer__code=code, status="draft")
        hold.hold_invoice(invoice_id=draft.pk, reason="", reason_code=usual, actor=company.finance, at=NEXT_CLOSING)
    assert codes(rows(company, cause="usage-expected")) == ["globex"]
    assert sorted(codes(rows(company, cause="person"))) == ["acme", "globex"]
    assert codes(rows(company, cause="break")) == []


def test_it_counts_approvals_comments_and_who_gave_them() -> None:
    company = billing.open_company()
    billing.ask_for_two(company)
    draft = billing.billed_customer(company)
    comment.add_comment(invoice_id=draft.pk, text="Looks right.", actor=company.finance, at=CLOSING)
    billing.approve_by(company.finance, draft)
    [mine] = rows(company)
    assert (mine.approvals, mine.approvals_needed, mine.is_approved_by_me, mine.comments) == (1, 2, True, 1)
    [theirs] = queue.find_rows(Wanted(), person_id=company.other_finance.pk)
    assert not theirs.is_approved_by_me


def test_a_draft_after_a_discarded_one_is_compared_with_the_period_before(company: billing.Company) -> None:
    draft = Invoice.objects.get(customer__code="globex", status="draft")
    billing.discard_draft(company, draft, at=NEXT_CLOSING)
    billing.close_november()
    [row] = rows(company, customer="globex")
    assert (row.before_total, row.change) == (Decimal("61.88"), Decimal("119.12"))


def test_a_period_is_compared_with_what_interim_invoices_billed_of_it() -> None:
    company = billing.open_company()
    looking.sign(looking.threshold_terms("5.00"), since=billing.OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 2500), at=day(4))
    [interim] = looking.look(day(5))
    looking.issue(company, interim, at=day(5))  # 5.00 net: 5.95
    billing.close_october()
    billing.issue(company, [Invoice.objects.get(status="draft")])  # the base fee alone: 58.31
    billing.use("acme", ("e2", day(3, month=11), 2500), at=NEXT_CLOSING)
    billing.close_november()  # 49.00 and 5.00 net: 64.26
    [november] = rows(company)
    assert (november.before_total, november.total, november.change) == (Decimal("64.26"), Decimal("64.26"), 0)
    [october] = rows(company, statuses=("final",), kind="cycle")
    assert (october.total, october.interim_total) == (Decimal("58.31"), Decimal("5.95"))


def test_sums_are_by_currency_over_everything_wanted(company: billing.Company) -> None:
    [euro] = queue.sum_up(Wanted())
    assert (euro.currency, euro.count, euro.total) == ("EUR", 3, Decimal("301.19"))
    assert queue.sum_up(replace(Wanted(), statuses=("held",))) == []


def test_pages_follow_each_other(company: billing.Company) -> None:
    pages = [queue.find_rows(Wanted(), person_id=0, page=page, rows=2) for page in (1, 2, 3)]
    assert [codes(page) for page in pages] == [["globex", "acme"], ["umbrella"], []]


def test_the_rows_take_one_statement_however_many(company: billing.Company) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert len(rows(company)) == 3
    assert len(asked) == 1


def test_months_are_those_in_which_periods_ended(company: billing.Company) -> None:
    assert [f"{month:%Y-%m}" for month in queue.months()] == ["2026-11", "2026-10"]
