"""Packs, the ways forward and the files of events by command, over HTTP and in the back office."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from compliance.evidence import recount, trace
from compliance.evidence.models import EvidencePack, EvidenceRequest, LineRecount
from compliance.evidence.pack import ask
from core.models import AuditEntry, Job
from invoicing.cycle.models import Invoice, InvoiceLine
from metering import ingest
from tests.builders import billing, packs, people
from tests.builders.billing import CLOSING, NEXT_CLOSING

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def invoice(company: billing.Company) -> Invoice:
    """Number 1: a fee of 49.00, and 1,500 tokens for 3.00 in two events."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


@pytest.fixture
def line(invoice: Invoice) -> InvoiceLine:
    return invoice.lines.get(meter_code="tokens")


def reader(role: str = "auditor") -> people.ApiClient:
    return people.ApiClient(people.key_for(people.make_staff(f"a-{role}", role)))


def signed_in(*roles: str) -> Client:
    client = Client()
    client.force_login(people.make_staff("reader", *roles))
    return client


def run(*arguments: str) -> tuple[int, str]:
    page = io.StringIO()
    try:
        call_command(*arguments, stdout=page)
    except SystemExit as ended:
        return int(ended.code or 0), page.getvalue()
    return 0, page.getvalue()


def test_the_command_writes_a_pack_that_the_other_command_checks(invoice: Invoice, tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    code, told = run("evidence", str(invoice.number), "-o", str(path))
    assert (code, "2 events" in told, "sealed as AUD-" in told) == (0, True, True)
    code, told = run("verify_evidence", str(path))
    assert (code, told.splitlines()[-1].split()) == (0, ["PASS", "pack.zip"])
    path.write_bytes(path.read_bytes().replace(b"README.txt", b"README.tXt"))
    code, told = run("verify_evidence", str(path))
    assert code == 1
    assert told.splitlines()[-1].startswith("FAILS")


def test_the_command_writes_a_pack_of_one_line(invoice: Invoice, line: InvoiceLine, tmp_path: Path) -> None:
    path = tmp_path / "line.zip"
    assert run("evidence", f"{invoice.number}:{line.position}", "-o", str(path))[0] == 0
    assert packs.verify_bare(path).code == 0  # the other line is a fee, which needs no events


@pytest.mark.parametrize("name", ["INV-999999", "", "x:1", f"{'9' * 40}"])
def test_the_command_ends_with_2_for_an_invoice_that_does_not_exist(invoice: Invoice, name: str) -> None:
    with pytest.raises(CommandError) as ended:
        run("evidence", name)
    assert ended.value.returncode == 2


@pytest.mark.parametrize("position", ["0", "99", "one", "-1", "9" * 30])
def test_the_command_ends_with_2_for_a_line_that_does_not_exist(invoice: Invoice, position: str) -> None:
    with pytest.raises(CommandError) as ended:
        run("evidence", f"{invoice.number}:{position}")
    assert ended.value.returncode == 2


def test_a_small_pack_comes_at_once_over_http(invoice: Invoice, tmp_path: Path) -> None:
    answer = reader().get(f"invoices/{invoice.pk}/evidence")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert answer["Content-Disposition"] == f'attachment; filename="evidence-{invoice.number}.zip"'
    path = tmp_path / "pack.zip"
    path.write_bytes(answer.getvalue())
    assert int(answer["Content-Length"]) == path.stat().st_size
    assert packs.verify_bare(path).code == 0
    again = reader("finance").get(f"invoices/{invoice.pk}/evidence")
    assert again.getvalue() == path.read_bytes()
    assert EvidencePack.objects.count() == 1
    sealed = AuditEntry.objects.get(action="evidence.sealed")
    assert sealed.actor is not None
    assert sealed.actor.get_username() == "a-auditor"


def test_a_large_pack_is_made_by_a_job_that_says_how_far_it_is(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ask, "AT_ONCE_EVENTS_MAX", 1)
    answer = reader().get(f"invoices/{invoice.pk}/evidence")
    assert (answer.status_code, answer["Retry-After"]) == (202, "5")
    assert answer.json() == {"events_done": 0, "events_total": 2, "percent": 0}
    assert reader("ops").get(f"invoices/{invoice.pk}/evidence").status_code == 202
    assert Job.objects.filter(kind=ask.JOB).count() == 1
    request = EvidenceRequest.objects.get()
    ask.run_request(request_id=request.pk, at=CLOSING)
    ask.run_request(request_id=request.pk, at=NEXT_CLOSING)
    request.refresh_from_db()
    assert (request.events_done, request.pack) == (2, EvidencePack.objects.get())
    assert reader("finance").get(f"invoices/{invoice.pk}/evidence").status_code == 200


def test_a_job_that_was_given_up_is_said(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "AT_ONCE_EVENTS_MAX", 1)
    reader().get(f"invoices/{invoice.pk}/evidence")
    Job.objects.filter(kind=ask.JOB).update(state="dead", last_error="OSError: disk full", finished_at=CLOSING)
    answer = reader("ops").get(f"invoices/{invoice.pk}/evidence")
    assert (answer.status_code, answer.json()["code"]) == (503, "evidence_failed")
    assert "disk full" in answer.json()["detail"]


def test_the_address_knows_one_line_and_no_other(invoice: Invoice, line: InvoiceLine) -> None:
    client = reader()
    answer = client.get(f"invoices/{invoice.pk}/evidence?line={line.position}")
    assert answer["Content-Disposition"].endswith(f'-line-{line.position}.zip"')
    for path, status in (
        (f"invoices/{invoice.pk}/evidence?line=9", 404),
        (f"invoices/{invoice.pk}/evidence?line=0", 422),
        (f"invoices/{invoice.pk + 9}/evidence", 404),
    ):
        assert client.get(path).status_code == status
    assert Client().get(f"/api/v1/invoices/{invoice.pk}/evidence").status_code == 401


def test_the_page_makes_packs_and_gives_them_out(invoice: Invoice, line: InvoiceLine) -> None:
    client, url = signed_in("finance"), reverse("admin:evidence_packs", args=[invoice.pk])
    assert "None yet." in client.get(url).content.decode()
    for asked in ({"line": ""}, {"line": str(line.position)}):
        assert client.post(url, asked).status_code == 302
    text = client.get(url).content.decode()
    assert f"evidence-{invoice.number}.zip" in text
    assert f"evidence-{invoice.number}-line-{line.position}.zip" in text
    pack = EvidencePack.objects.earliest("pk")
    file = client.get(reverse("admin:evidence_pack_file", args=[pack.pk]))
    assert file["Content-Type"] == "application/zip"
    assert hashlib.sha256(file.getvalue()).hexdigest() == pack.sha256
    assert bytes(pack.parts.get().content)[:4] != b"PK\x03\x04", "it lies sealed"
    for wrong in ("99", "x", "9" * 30):
        assert "has no" in client.post(url, {"line": wrong}, follow=True).content.decode()
    assert client.get(reverse("admin:evidence_packs", args=[invoice.pk + 9])).status_code == 404


def test_the_page_shows_how_far_a_large_pack_is(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "AT_ONCE_EVENTS_MAX", 1)
    client, url = signed_in("ops"), reverse("admin:evidence_packs", args=[invoice.pk])
    text = client.post(url, {"line": ""}, follow=True).content.decode()
    assert "Being made: the whole invoice" in text
    assert "0 of about 2 events written" in text


def test_the_events_of_a_line_are_a_file(invoice: Invoice, line: InvoiceLine) -> None:
    client = reader()
    answer = client.get(f"invoices/{invoice.pk}/lines/{line.pk}/events")
    assert answer["Content-Type"] == "application/x-ndjson; charset=utf-8"
    told = [json.loads(row) for row in answer.getvalue().splitlines()]
    assert [(row["id"], row["value"], row["data"]) for row in told] == [
        ("e1", "1000", {"units": 1000}),
        ("e2", "500", {"units": 500}),
    ]
    sheet = client.get(f"invoices/{invoice.pk}/lines/{line.pk}/events?form=csv").getvalue().decode().splitlines()
    assert sheet[0] == "seq,source,id,time,received_at,value,data,fingerprint"
    assert sheet[1].split(",")[1:4] == ["/meter/acme", "e1", "2026-10-03T12:00:00Z"]
    fee = invoice.lines.get(meter_code="")
    assert client.get(f"invoices/{invoice.pk}/lines/{fee.pk}/events").getvalue() == b""
    assert client.get(f"invoices/{invoice.pk}/lines/{line.pk}/events?form=xml").status_code == 422


def test_the_page_gives_the_events_as_files_too(line: InvoiceLine) -> None:
    client = signed_in("auditor")
    for form, first in (("ndjson", b'{"seq":'), ("csv", b"seq,source")):
        answer = client.get(reverse("admin:evidence_events", args=[line.pk, form]))
        assert answer.getvalue().startswith(first)
        assert answer["Content-Disposition"] == f'attachment; filename="events-{line.invoice}-line-2.{form}"'
    assert client.get(reverse("admin:evidence_events", args=[line.pk, "xml"])).status_code == 404
    assert client.get(reverse("admin:evidence_events", args=[line.pk + 99, "csv"])).status_code == 404


def late_and_cancelled(company: billing.Company) -> None:
    """After October was issued: `late` came, and `e1` was cancelled; both are on the invoice of November."""
    common: dict[str, Any] = {"specversion": "1.0", "source": "/meter/acme", "type": "usage", "subject": "acme"}
    sent: list[dict[str, Any]] = [
        {**common, "id": "late", "time": "2026-10-09T12:00:00Z", "data": {"units": 3000}},
        {**common, "id": "x1", "time": "2026-10-10T12:00:00Z", "corrects": "e1", "correction": "cancel"},
    ]
    assert ingest.capture_events(sent, channel="http", origin="test", at=NEXT_CLOSING).accepted == 2
    billing.close_november()


def test_an_event_leads_forward_to_the_lines_that_bill_it(
    company: billing.Company, invoice: Invoice, line: InvoiceLine
) -> None:
    late_and_cancelled(company)
    told = reader().get("trace/events?source=/meter/acme&id=e1").json()
    assert told["corrected"] == "Cancelled"
    (first, again) = told["snapshots"]
    assert (first["counted"], first["why"], first["quantity"]) == (True, "counted", "1500")
    assert [(one["number"], one["line"], one["amount"]) for one in first["lines"]] == [
        (invoice.number, line.pk, "3.00")
    ]
    assert (again["counted"], again["why"], again["quantity"]) == (False, "cancelled by then", "3500")
    assert [one["adjusts"] for one in again["lines"]] == [line.pk]
    late = reader("ops").get("trace/events?source=/meter/acme&id=late").json()
    assert [one["why"] for one in late["snapshots"]] == ["captured after this was counted", "counted"]
    assert reader("product").get("trace/events?source=/meter/acme&id=never").status_code == 404
    assert reader("finance").get("trace/events?source=/meter/acme").status_code == 422


def test_the_page_leads_from_an_event_to_its_lines(
    company: billing.Company, invoice: Invoice, line: InvoiceLine
) -> None:
    late_and_cancelled(company)
    client, url = signed_in("ops"), reverse("admin:evidence_event")
    text = client.get(url, {"source": "/meter/acme", "id": "e1"}).content.decode()
    assert "cancelled by then" in text
    assert reverse("admin:evidence_trace", args=[line.pk]) in text
    assert "No event with this source and id" in client.get(url, {"source": "a", "id": "<b>"}).content.decode()
    assert client.get(url).status_code == 200


def test_a_snapshot_leads_forward_to_its_line(invoice: Invoice, line: InvoiceLine) -> None:
    snapshot = line.rated_line.snapshot
    assert snapshot is not None
    told = reader().get(f"trace/snapshots/{snapshot.pk}").json()
    assert (told["quantity"], told["event_count"], told["digest"]) == ("1500", 2, snapshot.digest)
    assert [one["line"] for one in told["lines"]] == [line.pk]
    assert reader("ops").get("trace/snapshots/999999").status_code == 404
    client = signed_in("finance")
    page = client.get(reverse("admin:evidence_snapshot", args=[snapshot.pk]))
    assert reverse("admin:evidence_trace", args=[line.pk]) in page.content.decode()
    assert client.get(reverse("admin:evidence_snapshot", args=[999999])).status_code == 404


def test_the_page_tells_the_line_in_words(line: InvoiceLine) -> None:
    text = signed_in("finance").get(reverse("admin:evidence_trace", args=[line.pk])).content.decode()
    for sentence in (
        "Line 2 of INV-000001 charges Acme GmbH 3.00 EUR for Tokens, 1 Oct 2026 to 31 Oct 2026.",
        "In that time Tokens measured 1,500 unit: the sum over 2 events.",
        "Per unit: 1,500 × 0.002 = 3.",
        "Together that is 3, rounded once to 3.00 EUR.",
        "signed by signs-for-product for product, signs-for-finance for finance, signs-for-ops for ops.",
        "Its states: draft 2 Nov 2026, then approved 2 Nov 2026 by fiona, then final 2 Nov 2026.",
    ):
        assert sentence in text


def test_too_many_events_are_not_said_to_have_been_counted_again(
    line: InvoiceLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "EVENT_BY_EVENT_MAX", 0)
    monkeypatch.setattr(trace, "AT_ONCE_MAX", 1)
    path = f"invoices/{line.invoice_id}/lines/{line.pk}/trace"
    proof = reader().get(path).json()["proof"]
    assert (proof["counted"], proof["event_by_event"], proof["verdict"]) == ("not now", False, "equal")
    assert "events counted" not in [check["step"] for check in proof["checks"]]
    thorough = reader("ops").get(f"{path}?recount=true").json()["proof"]
    assert thorough["counted"] == "by the database"
    assert "events counted" in [check["step"] for check in thorough["checks"]]


def test_a_job_counts_them_again_and_the_page_says_what_was_found(
    line: InvoiceLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "EVENT_BY_EVENT_MAX", 0)
    monkeypatch.setattr(trace, "AT_ONCE_MAX", 1)
    client, url = signed_in("finance"), reverse("admin:evidence_trace", args=[line.pk])
    assert "Count all 2 events again" in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 302
    assert "They are being counted now" in client.get(url).content.decode()
    asked = LineRecount.objects.get()
    recount.run_recount(recount_id=asked.pk, at=CLOSING)
    recount.run_recount(recount_id=asked.pk, at=NEXT_CLOSING)
    text = client.get(url).content.decode()
    assert "All of them were last counted again 02 Nov 2026 08:00 UTC" in text
    assert "every step gave the same figure" in text
    recounted = reader().get(f"invoices/{line.invoice_id}/lines/{line.pk}/trace").json()["recounted"]
    assert recounted["equal"] is True
    assert {"step": "events counted", "claimed": "2", "found": "2", "equal": True} in recounted["checks"]
