"""The invoice desk of the back office: what each role sees and may press."""

from decimal import Decimal

import pytest
from django.test import Client

from core import work
from invoicing.cycle import hold
from invoicing.cycle.models import Invoice
from tests.builders import billing
from tests.builders.billing import CLOSING, Company

pytestmark = pytest.mark.django_db
REASON = {"reason": "The customer asked for time.", "_form_submitted": "1"}


@pytest.fixture
def company() -> Company:
    return billing.open_company()


@pytest.fixture
def draft(company: Company) -> Invoice:
    return billing.billed_customer(company)


def as_role(name: str, *roles: str) -> Client:
    client = Client()
    client.force_login(billing.person(name, *roles))
    return client


def page_of(invoice: Invoice) -> str:
    return f"/admin/cycle/invoice/{invoice.pk}/change/"


def press(client: Client, invoice: Invoice, action: str, data: dict[str, str]) -> int:
    return client.post(f"/admin/cycle/invoice/{invoice.pk}/{action}/", data).status_code


def test_the_page_opens_each_line_to_its_computation_snapshot_and_events(draft: Invoice) -> None:
    html = as_role("fiona", "finance").get(page_of(draft)).content.decode()
    line = draft.lines.get(position=2)
    assert line.rated_line.snapshot is not None
    for shown in ("61.88 EUR", "1,500 unit", "0.002", "VAT 19% on 52.00", line.rated_line.snapshot.digest):
        assert shown in html
    assert f"/admin/evidence/trace/{line.pk}/" in html


def test_the_page_says_that_the_pdf_is_being_made_until_it_is_there(company: Company, draft: Invoice) -> None:
    client, frame = as_role("fiona", "finance"), f'<iframe class="bo-pdf" src="/admin/cycle/invoice/{draft.pk}/pdf/'
    assert frame in client.get(page_of(draft)).content.decode()  # as it would print
    billing.issue(company, [draft])
    html = client.get(page_of(draft)).content.decode()
    assert "The PDF is being rendered; ask again in a few seconds." in html
    assert "<iframe" not in html
    work.run_due_jobs(at=CLOSING)
    html = client.get(page_of(draft)).content.decode()
    assert frame in html
    assert "being rendered" not in html


def test_an_auditor_reads_but_finds_no_decision(draft: Invoice) -> None:
    html = as_role("audrey", "auditor").get(page_of(draft)).content.decode()
    assert "61.88 EUR" in html
    assert "approve_figures" not in html
    assert press(as_role("audrey", "auditor"), draft, "hold_back", REASON) == 403
    assert Invoice.objects.get().status == "draft"


def test_only_decisions_that_the_status_allows_are_offered(company: Company, draft: Invoice) -> None:
    client = as_role("felix", "finance")
    offered = client.get(page_of(draft)).content.decode()
    assert ("approve_figures" in offered, "finalize_now" in offered, "release_hold" in offered) == (True, False, False)
    hold.hold_invoice(invoice_id=draft.pk, reason="Not before Friday.", actor=company.finance, at=CLOSING)
    offered = client.get(page_of(draft)).content.decode()
    assert ("approve_figures" in offered, "finalize_now" in offered, "release_hold" in offered) == (False, False, True)
    assert "Not before Friday." in offered


def test_opening_a_dialog_changes_nothing(draft: Invoice) -> None:
    answer = as_role("fiona", "finance").get(f"/admin/cycle/invoice/{draft.pk}/hold_back/")
    assert (answer.status_code, Invoice.objects.get().status) == (200, "draft")


def test_holding_asks_for_a_reason_and_keeps_it(draft: Invoice) -> None:
    client = as_role("fiona", "finance")
    assert press(client, draft, "hold_back", {"reason": "no", "_form_submitted": "1"}) == 200
    assert Invoice.objects.get().status == "draft"
    assert press(client, draft, "hold_back", REASON) == 200
    placed = Invoice.objects.get().holds.get()
    assert (placed.reason, placed.placed_by) == (REASON["reason"], billing.person("fiona", "finance"))


def test_figures_other_than_those_on_the_page_are_not_approved(draft: Invoice) -> None:
    client = as_role("fiona", "finance")
    press(client, draft, "approve_figures", {"content_hash": "0" * 64, "_form_submitted": "1"})
    assert Invoice.objects.get().status == "draft"
    press(client, draft, "approve_figures", {"content_hash": draft.content_hash, "_form_submitted": "1"})
    assert Invoice.objects.get().status == "approved"


def test_the_pdf_of_a_draft_is_a_preview_and_of_a_final_invoice_the_stored_one(
    company: Company, draft: Invoice
) -> None:
    client, address = as_role("audrey", "auditor"), f"/admin/cycle/invoice/{draft.pk}/pdf/"
    assert client.get(address).content.startswith(b"%PDF")
    billing.issue(company, [draft])
    assert client.get(address).status_code == 409
    work.run_due_jobs(at=CLOSING)
    stored = client.get(address)
    assert stored.headers["Content-Disposition"] == 'inline; filename="INV-000001.pdf"'
    assert client.get(address).content == stored.content


def test_what_waits_for_a_person_comes_first_in_the_list(company: Company, draft: Invoice) -> None:
    held = billing.billed_customer(company, "globex")
    hold.hold_invoice(invoice_id=held.pk, reason="Look at this.", actor=company.finance, at=CLOSING)
    html = as_role("fiona", "finance").get("/admin/cycle/invoice/").content.decode()
    assert html.index(f"Draft {held.pk}") < html.index(f"Draft {draft.pk}")
    assert "Look at this." in html


def test_the_first_page_counts_what_waits_and_says_why(company: Company, draft: Invoice) -> None:
    hold.hold_invoice(invoice_id=draft.pk, reason="The contract is being amended.", actor=company.finance, at=CLOSING)
    html = as_role("fiona", "finance").get("/admin/").content.decode()
    assert "The contract is being amended." in html
    assert "61.88 EUR" in html
    assert draft.total == Decimal("61.88")


def test_staff_without_a_role_see_no_figures(draft: Invoice) -> None:
    client = as_role("nobody")
    assert "no role yet" in client.get("/admin/").content.decode()
    assert client.get(page_of(draft)).status_code == 403


def test_a_draft_that_a_break_holds_is_repaired_from_its_own_page(company: Company) -> None:
    billing.make_meter("strays", event_type="strays", owner=company.meter.owner)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("s1", billing.day(3), 1), event_type="strays")
    billing.close_october(customer_codes=["acme"])
    held = Invoice.objects.get()
    finance = as_role("felix", "finance")
    assert f"/admin/cycle/invoice/{held.pk}/repair_draft/" in finance.get(page_of(held)).content.decode()
    listed = finance.get("/admin/cycle/break/").content.decode()
    assert "check_small" not in listed  # an open break does not look fine
    assert press(as_role("audrey", "auditor"), held, "repair_draft", REASON) == 403
    assert press(finance, held, "repair_draft", REASON) == 200
    fresh = Invoice.objects.exclude(pk=held.pk).get()
    held.refresh_from_db()
    assert (held.status, fresh.status) == ("discarded", "held")  # the event is still priced by nobody
