"""The doors of changes to what was billed: delta reports and credit notes, by API and at the desk."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from invoicing.cycle.models import DeltaReport, Invoice
from tests.builders import billing, people
from tests.builders.billing import NEXT_CLOSING, NOVEMBER, day
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db
REASON = "The sender was down that day."


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    return billing.issue(company, [billing.billed_customer(company)])[0]


@pytest.fixture
def november(october: Invoice) -> Invoice:
    """Drafted with 250 tokens of October that came late: 0.50."""
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.close_november()
    return Invoice.objects.get(period_start=NOVEMBER)


def test_a_report_reads_line_by_line(company: billing.Company, october: Invoice, november: Invoice) -> None:
    finance = api_of(company.finance)
    listed = finance.get(f"delta-reports?status=proposed&invoice={november.pk}").json()["results"]
    assert [one["kind"] for one in listed] == ["adjustment"]
    read = finance.get(f"delta-reports/{listed[0]['id']}").json()
    (row,) = read["rows"]
    assert (row["before"], row["after"], row["difference"]) == (
        {"quantity": "1500", "amount": "3.00", "events": 2},
        {"quantity": "1750", "amount": "3.50", "events": 3},
        "0.50",
    )
    assert (row["customer"], row["cause"], row["corrects"]) == ("acme", "usage", october.lines.get(position=2).pk)


def test_a_report_is_approved_by_its_hash_and_only_once(company: billing.Company, november: Invoice) -> None:
    finance, report = api_of(company.finance), november.delta_reports.get()
    address = f"delta-reports/{report.pk}/approve"
    assert finance.post(address, {"content_hash": "0" * 64, "reason": REASON}).json()["code"] == "delta_report_changed"
    body = {"content_hash": report.content_hash, "reason": REASON}
    assert finance.post(address, body).json()["status"] == "approved"
    assert finance.post(address, body).json()["code"] == "delta_report_decided"
    approval = {"content_hash": november.content_hash}
    assert finance.post(f"invoices/{november.pk}/approve", approval).json()["status"] == "approved"


def test_an_invoice_waits_for_its_report(company: billing.Company, november: Invoice) -> None:
    finance = api_of(company.finance)
    refused = finance.post(f"invoices/{november.pk}/approve", {"content_hash": november.content_hash})
    assert (refused.status_code, refused.json()["code"]) == (409, "delta_report_open")
    shown = finance.get(f"invoices/{november.pk}").json()
    assert [one["status"] for one in shown["delta_reports"]] == ["proposed"]
    assert [one["number"] for one in shown["corrects"]] == ["INV-000001"]


def test_a_rejected_report_discards_its_draft(company: billing.Company, november: Invoice) -> None:
    report = november.delta_reports.get()
    answer = api_of(company.finance).post(f"delta-reports/{report.pk}/reject", {"reason": REASON}).json()
    assert (answer["status"], answer["decided_by"], answer["decision_reason"]) == ("rejected", "fiona", REASON)
    november.refresh_from_db()
    assert november.status == "discarded"


def test_part_of_an_invoice_is_credited_by_line(company: billing.Company, october: Invoice) -> None:
    line = october.lines.get(position=1)
    body = {"reason": REASON, "lines": [{"line": line.pk, "amount": "10.00"}]}
    note = api_of(company.finance).post(f"invoices/{october.pk}/credit", body).json()
    assert (note["document_type"], note["kind"], note["credits"]) == ("credit_note", "adjustment", october.pk)
    assert (note["subtotal"], note["tax"], note["total"]) == ("-10.00", "-1.90", "-11.90")
    assert [(one["credits"], one["amount"]) for one in note["credit_lines"]] == [(line.pk, "-10.00")]
    too_high = {"reason": REASON, "lines": [{"line": line.pk, "amount": "39.01"}]}
    refused = api_of(company.finance).post(f"invoices/{october.pk}/credit", too_high)
    assert (refused.status_code, refused.json()["code"]) == (422, "credit_too_high")


def test_the_page_shows_before_and_after_and_the_event_that_caused_it(
    company: billing.Company, november: Invoice
) -> None:
    client = desk_of(company.finance.username)
    html = client.get(f"/admin/cycle/deltareport/{november.delta_reports.get().pk}/change/").content.decode()
    for shown in ("1,500 unit", "3.00", "1,750 unit", "3.50", "+0.50", "INV-000001, line 2", "/meter/acme late"):
        assert shown in html


def test_the_desk_decides_with_a_reason(company: billing.Company, november: Invoice) -> None:
    report = november.delta_reports.get()
    address = f"/admin/cycle/deltareport/{report.pk}/approve_report/"
    given = {"reason": REASON, "content_hash": report.content_hash, "_form_submitted": "1"}
    assert desk_of("audrey", "auditor").post(address, given).status_code == 403
    assert desk_of("fiona", "finance").post(address, given).status_code == 200
    assert DeltaReport.objects.get().status == "approved"


def test_the_desk_credits_a_line(company: billing.Company, october: Invoice) -> None:
    line = october.lines.get(position=1)
    given = {"reason": REASON, f"line_{line.pk}": "9.50", "_form_submitted": "1"}
    client = desk_of("fiona", "finance")
    assert client.post(f"/admin/cycle/invoice/{october.pk}/give_back/", given).status_code == 200
    note = Invoice.objects.get(document_type="credit_note")
    assert (note.subtotal, note.drafted_by) == (Decimal("-9.50"), company.finance)
    html = client.get(f"/admin/cycle/invoice/{october.pk}/change/").content.decode()
    assert f"/admin/cycle/invoice/{note.pk}/change/" in html


def api_of(user: User) -> ApiClient:
    return ApiClient(people.key_for(user))


def desk_of(name: str, *roles: str) -> Client:
    client = Client()
    client.force_login(billing.person(name, *(roles or ("finance",))))
    return client
