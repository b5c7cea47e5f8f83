"""Somebody is forgotten in the back office: what is seen before it is decided, and what the pages say after it."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from compliance.erasure import decide
from compliance.erasure.models import RetentionRule
from compliance.payouts.models import GateCheck
from invoicing.cycle.models import BulkReview
from metering.models import Backfill, BulkDecision, QuarantinedEvent
from tests.builders import erasable
from tests.builders.browsing import enter, show
from tests.builders.erasable import Known

pytestmark = [pytest.mark.browser, pytest.mark.nightly, pytest.mark.django_db(transaction=True)]
WIDTHS = (1400, 390)


def look(page: Page, name: str, address: str = "") -> str:
    """What the page says, at the widths of a desk and of a telephone; nothing sticks out of either."""
    if address:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        beyond = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert beyond <= 0, f"{name} at {width}"
        show(page, f"{name}-{width}")
    page.set_viewport_size({"width": WIDTHS[0], "height": 1000})
    return page.locator("#main, body").first.inner_text()


def test_a_person_is_erased_and_no_page_names_them_but_what_the_law_keeps(page: Page) -> None:
    known = erasable.make_known()
    asked = [
        decide.ask_erasure(kind=kind, code=code, ground="asked", reference="T-9", actor=known.ops, at=timezone.now()).pk
        for kind, code in (("customer", "c-17"), ("payee", "anna"))
    ]
    enter(page, known.finance)
    assert "What the law keeps, with name and address" in look(
        page, "asked", f"/admin/erasure/erasurerequest/{asked[0]}/change/"
    )
    for request_id in asked:
        page.goto(f"/admin/erasure/erasurerequest/{request_id}/change/")
        page.get_by_role("link", name="Erase").click()
        page.locator("#dialog").get_by_role("checkbox").check()
        page.locator("#dialog").get_by_role("button", name="Erase for good").click()
        expect(page.get_by_text("Proved by")).to_be_visible()
        look(page, f"erased-{request_id}")
    for name, address in pages_about(known).items():
        said = look(page, name, address)
        assert [word for word in erasable.WORDS if word in said] == [], name
    invoice = look(page, "invoice", f"/admin/cycle/invoice/{known.invoice.pk}/change/")
    assert "The customer was erased on" in invoice
    assert "Erika Mustermann" in invoice, "the law keeps it"
    assert "Egon" not in invoice


def pages_about(known: Known) -> dict[str, str]:
    """Pages that spoke of them."""
    held = {one.event_id: one.pk for one in QuarantinedEvent.objects.all()}
    return {
        "customer": f"/admin/accounts/customer/{known.customer.pk}/change/",
        "customer-history": f"/admin/accounts/customer/{known.customer.pk}/history/",
        "customers": "/admin/accounts/customer/",
        "portal-users": "/admin/accounts/portaluser/",
        "invoices": "/admin/cycle/invoice/",
        "invoice-history": f"/admin/cycle/invoice/{known.invoice.pk}/history/",
        "dispute": f"/admin/disputes/dispute/{known.dispute.pk}/change/",
        "quarantined-by-code": f"/admin/metering/quarantinedevent/{held['bad-1']}/change/",
        "quarantined-by-name": f"/admin/metering/quarantinedevent/{held['bad-3']}/change/",
        "quarantine": "/admin/metering/quarantinedevent/",
        "quarantine-desk": "/admin/metering/quarantinedevent/desk/",
        "bulk-decision": f"/admin/metering/bulkdecision/{BulkDecision.objects.get().pk}/change/",
        "bulk-review": f"/admin/cycle/bulkreview/{BulkReview.objects.earliest('pk').pk}/change/",
        "backfill": f"/admin/metering/backfill/{Backfill.objects.earliest('pk').pk}/change/",
        "contract": f"/admin/metering/eventcontract/{known.company.meter.contract_id}/change/",
        "payee": f"/admin/payouts/payee/{known.payee.pk}/change/",
        "gate": f"/admin/payouts/gatecheck/{GateCheck.objects.get(kind='kyc').pk}/change/",
        "limits": "/admin/charge_controls/creditlimit/",
        "audit": "/admin/core/auditentry/",
        "retention": "/admin/erasure/retentionrule/",
        "retention-rule": f"/admin/erasure/retentionrule/{RetentionRule.objects.earliest('pk').pk}/change/",
    }
