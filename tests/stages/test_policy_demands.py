"""What a policy asks of agreements and of evidence is asked when it matters: at the close, and when issuing."""

from datetime import timedelta
from typing import Any

import pgtrigger
import pytest
from django.db import connection

from invoicing.cycle import finalize, hold
from invoicing.cycle.kept import EvidenceMissingError
from invoicing.cycle.models import Hold, Invoice
from invoicing.policy import fitting
from invoicing.policy.rules import terms as policy_terms
from invoicing.pricing import arrange
from tests.builders import billing, guards
from tests.builders.billing import CLOSING, LONG_AGO, NOVEMBER, OCTOBER, Company

pytestmark = pytest.mark.django_db
LATER = LONG_AGO + timedelta(days=1)


@pytest.fixture
def company() -> Company:
    """Its plan charges by local day."""
    return billing.open_company()


def sign(**terms: Any) -> None:
    billing.sign_a_policy(author=billing.person("olaf", "engineering"), terms=terms, at=LATER)


class TestConventions:
    def test_a_plan_that_charges_otherwise_is_not_billed_and_named(self, company: Company) -> None:
        sign(conventions={"proration": "second"})
        billing.subscribe_to(company, billing.make_customer("acme"))
        report = billing.close_october()
        [failure] = report.failed
        assert (report.drafted, failure.code) == (0, "against_convention")
        assert "starter v1 charges a part of a period by local day, against the convention" in failure.reason

    def test_a_plan_that_follows_it_is_billed(self, company: Company) -> None:
        sign(conventions={"proration": "day"})
        billing.subscribe_to(company, billing.make_customer("acme"))
        assert billing.close_october().drafted == 1

    @pytest.mark.parametrize(("days", "drafted"), [(30, 0), (31, 1)])
    def test_prices_kept_for_longer_are_not_billed(self, company: Company, days: int, drafted: int) -> None:
        sign(conventions={"grandfathering": {"kept_days_max": days}})
        subscription = billing.subscribe_to(company, billing.make_customer("acme"))
        arrange.keep_prices(subscription=subscription, since=OCTOBER, until=NOVEMBER, actor=company.finance, at=OCTOBER)
        report = billing.close_october()
        assert (report.drafted, len(report.failed)) == (drafted, 1 - drafted)

    def test_what_does_not_fit_is_known_before_it_is_signed(self, company: Company) -> None:
        billing.subscribe_to(company, billing.make_customer("acme"))
        asked = policy_terms.parse_terms({"conventions": {"proration": "second"}})
        [flaw] = fitting.find_misfits(program="standard", terms=asked, at=CLOSING)
        assert flaw.startswith("starter v1 charges")
        assert fitting.find_misfits(program="other", terms=asked, at=CLOSING) == []
        assert fitting.find_misfits(program="standard", terms=policy_terms.SILENT, at=CLOSING) == []


class TestEvidence:
    @pytest.fixture
    def approved(self, company: Company) -> Invoice:
        sign(evidence={"keep": ["raw_events"]})
        return billing.approve_by(company.finance, billing.billed_customer(company))

    def test_with_all_of_it_an_invoice_is_issued(self, approved: Invoice) -> None:
        assert finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING).status == "final"

    @pytest.mark.parametrize(
        ("loss", "words"),
        [
            ("DELETE FROM cycle_tieout", "it was never recounted"),
            ("UPDATE cycle_invoicetransition SET content_hash = ''", "its approval is not in the audit chain"),
            ("DELETE FROM metering_usageevent WHERE event_id = 'e2'", "the raw events of tokens"),
        ],
    )
    def test_without_some_of_it_nothing_is_issued(self, approved: Invoice, loss: str, words: str) -> None:
        with pgtrigger.ignore(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(loss)
        with pytest.raises(EvidenceMissingError, match=words):
            finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
        assert Invoice.objects.get().number is None


class TestHolds:
    def test_a_hold_names_the_policy_that_decides_over_its_invoice(self, company: Company) -> None:
        invoice = billing.billed_customer(company)
        hold.hold_invoice(invoice_id=invoice.pk, reason="looks odd", actor=company.finance, at=CLOSING)
        assert Hold.objects.get().policy == invoice.policy
        assert guards.refuses(
            "INSERT INTO cycle_hold (invoice_id, cause, reason, placed_at, release_reason, released_at)"
            " SELECT invoice_id, cause, reason, placed_at, 'over', placed_at FROM cycle_hold"
        )
