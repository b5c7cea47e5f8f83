"""The trace by command, over HTTP and as a page of the back office."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from invoicing.cycle import credit_note, finalize
from invoicing.cycle.models import Invoice, InvoiceLine
from metering import ingest
from tests.builders import billing, people

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def invoice(company: billing.Company) -> Invoice:
    """Number 1: a fee of 49.00, and 1,500 tokens for 3.00."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


@pytest.fixture
def line(invoice: Invoice) -> InvoiceLine:
    return invoice.lines.get(meter_code="tokens")


def alter_an_event() -> None:
    alter("""UPDATE metering_usageevent SET data = '{"units": 999}' WHERE event_id = 'e1'""")


def alter(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


def run(name: str) -> tuple[int, str]:
    page = io.StringIO()
    try:
        call_command("trace", name, stdout=page)
    except SystemExit as ended:
        return int(ended.code or 0), page.getvalue()
    return 0, page.getvalue()


def reader(role: str = "auditor") -> people.ApiClient:
    return people.ApiClient(people.key_for(people.make_staff(f"a-{role}", role)))


def signed_in(*roles: str) -> Client:
    client = Client()
    client.force_login(people.make_staff("reader", *roles))
    return client


def page_of(line: InvoiceLine) -> str:
    return reverse("admin:evidence_trace", args=[line.pk])


def test_the_command_walks_one_line_by_number_and_position(invoice: Invoice, line: InvoiceLine) -> None:
    code, told = run(f"{invoice.number}:{line.position}")
    assert code == 0
    assert "1500 × 0.002 + 0 = 3" in told
    assert "The amount follows from its events." in told
    assert "what its lines add up to" not in told


def test_the_command_walks_a_whole_invoice_by_number_or_id(invoice: Invoice) -> None:
    for name in (str(invoice.number), str(invoice.pk)):
        code, told = run(name)
        assert code == 0
        assert told.count("The amount follows from its events.") == 2
        assert "subtotal from the lines" in told


def test_the_command_ends_with_1_where_the_walk_leaves_the_books(invoice: Invoice, line: InvoiceLine) -> None:
    alter_an_event()
    code, told = run(f"{invoice.number}:{line.position}")
    assert code == 1
    assert "They part at: events stored as they were captured." in told
    assert run(str(invoice.number))[0] == 1


@pytest.mark.parametrize("name", ["LUM-999999", "0", "", ":", "x:1", "9" * 40])
def test_the_command_ends_with_2_for_what_does_not_exist(invoice: Invoice, name: str) -> None:
    with pytest.raises(CommandError) as ended:
        call_command("trace", name, stdout=io.StringIO())
    assert ended.value.returncode == 2


@pytest.mark.parametrize("position", ["0", "99", "one", "-1", "9" * 30])
def test_the_command_ends_with_2_for_a_line_that_does_not_exist(invoice: Invoice, position: str) -> None:
    with pytest.raises(CommandError) as ended:
        call_command("trace", f"{invoice.number}:{position}", stdout=io.StringIO())
    assert ended.value.returncode == 2


def test_the_api_answers_the_walk_with_a_page_of_events(invoice: Invoice, line: InvoiceLine) -> None:
    caller = reader()
    answer = caller.get(f"invoices/{invoice.pk}/lines/{line.pk}/trace?limit=1")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    assert (told["line"]["number"], told["line"]["amount"], told["line"]["quantity"]) == (
        invoice.number,
        "3.00",
        "1500",
    )
    assert told["rating"]["params"] == {"unit_amount": "0.002"}
    assert [step["amount"] for step in told["rating"]["computation"]] == ["3"]
    assert (told["snapshot"]["event_count"], told["snapshot"]["quantity"]) == (2, "1500")
    assert (told["proof"]["verdict"], told["proof"]["first_difference"]) == ("equal", None)
    assert all(check["equal"] for check in told["proof"]["checks"])
    [event] = told["events"]["results"]
    assert (event["source"], event["id"], event["value"], event["as_captured"]) == ("/meter/acme", "e1", "1000", True)
    assert event["data"] == {"units": 1000}

    after = told["events"]["next_after"]
    later = caller.get(f"invoices/{invoice.pk}/lines/{line.pk}/trace?limit=1&events_after={after}").json()
    assert [found["id"] for found in later["events"]["results"]] == ["e2"]
    assert later["proof"] is None
    assert later["events"]["next_after"] is None


def test_the_api_says_where_the_walk_leaves_the_books(invoice: Invoice, line: InvoiceLine) -> None:
    alter_an_event()
    told = reader().get(f"invoices/{invoice.pk}/lines/{line.pk}/trace").json()
    assert told["proof"]["verdict"] == "different"
    assert told["proof"]["first_difference"] == "events stored as they were captured"
    assert [event["as_captured"] for event in told["events"]["results"]] == [False, True]


@pytest.fixture
def given_back(company: billing.Company, invoice: Invoice) -> InvoiceLine:
    """On the invoice of November: the 1,000 tokens of `e1` were cancelled after October was issued."""
    cancellation = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": "x1",
        "type": "usage",
        "subject": "acme",
        "time": "2026-11-05T12:00:00Z",
        "corrects": "e1",
        "correction": "cancel",
        "correctionreason": "a test run of ours",
    }
    assert ingest.capture_events([cancellation], channel="http", origin="test", at=billing.NEXT_CLOSING).accepted == 1
    billing.close_november()
    return InvoiceLine.objects.get(adjusts__isnull=False)


def test_what_was_corrected_is_told_over_http(given_back: InvoiceLine) -> None:
    told = reader().get(f"invoices/{given_back.invoice_id}/lines/{given_back.pk}/trace").json()
    assert (told["line"]["amount"], told["proof"]["verdict"]) == ("-2.00", "equal")
    assert [event["id"] for event in told["events"]["results"]] == ["e2"]
    (corrected,) = told["corrected"]
    assert (corrected["source"], corrected["id"], corrected["data"]) == ("/meter/acme", "e1", {"units": 1000})
    correction = corrected["correction"]
    assert (correction["action"], correction["id"], correction["data"]) == ("cancel", "x1", {})
    assert correction["reason"] == "a test run of ours"


def test_what_was_corrected_is_told_by_the_command(given_back: InvoiceLine) -> None:
    code, told = run(f"{given_back.invoice_id}:{given_back.position}")
    assert code == 0
    assert "left out  e1 of /meter/acme, cancelled by x1: a test run of ours" in told


def test_what_was_corrected_stands_on_the_page(given_back: InvoiceLine) -> None:
    client = signed_in("auditor")
    text = client.get(page_of(given_back)).content.decode()
    assert "What was corrected and therefore not counted" in text
    assert "a test run of ours" in text
    search = client.get(page_of(given_back), {"event": "e1"}).content.decode()
    assert "No event with this id was counted for this line." in search


def test_a_fee_has_no_events_over_http_either(invoice: Invoice) -> None:
    fee = invoice.lines.get(meter_code="")
    told = reader().get(f"invoices/{invoice.pk}/lines/{fee.pk}/trace").json()
    assert told["snapshot"] is None
    assert told["events"] == {"results": [], "next_after": None}
    assert told["proof"]["verdict"] == "equal"


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "events_after=-1", f"events_after={10**30}"])
def test_pages_that_nobody_can_give_are_refused(invoice: Invoice, line: InvoiceLine, query: str) -> None:
    assert reader().get(f"invoices/{invoice.pk}/lines/{line.pk}/trace?{query}").status_code == 422


def test_the_api_knows_no_line_of_another_invoice(invoice: Invoice, line: InvoiceLine) -> None:
    caller = reader()
    for path in (f"{invoice.pk + 1}/lines/{line.pk}", f"{invoice.pk}/lines/{line.pk + 99}", f"{10**30}/lines/{10**30}"):
        assert caller.get(f"invoices/{path}/trace").status_code == 404
    assert Client().get(f"/api/v1/invoices/{invoice.pk}/lines/{line.pk}/trace").status_code == 401


def test_the_page_tells_the_story_with_its_proof(line: InvoiceLine) -> None:
    shown = signed_in("finance").get(page_of(line))
    assert shown.status_code == 200
    text = shown.content.decode()
    assert "This amount follows from its events." in text
    assert "1,500" in text
    assert "/meter/acme" in text
    assert text.count("as captured") >= 2


def test_the_page_names_the_step_that_was_altered(line: InvoiceLine) -> None:
    alter_an_event()
    text = signed_in("finance").get(page_of(line)).content.decode()
    assert "The walk leaves the books at “events stored as they were captured”." in text
    assert "altered" in text


def test_the_page_finds_an_event_by_its_id(line: InvoiceLine) -> None:
    client = signed_in("finance")
    assert [row["event"].row.event_id for row in client.get(page_of(line), {"event": "e2"}).context["rows"]] == ["e2"]
    assert "No event with this id" in client.get(page_of(line), {"event": "<script>"}).content.decode()
    for query in ({"event": "a\x00b"}, {"after": "x"}, {"after": "9" * 30}, {"after": "-1"}):
        assert client.get(page_of(line), query).status_code in {200, 400}


def test_the_page_opens_for_staff_with_a_role_only(line: InvoiceLine) -> None:
    assert signed_in("auditor").get(page_of(line)).status_code == 200
    nobody = Client()
    nobody.force_login(people.make_staff("root", is_superuser=True))
    assert nobody.get(page_of(line)).status_code == 403
    assert Client().get(page_of(line)).status_code == 302
    assert nobody.post(page_of(line)).status_code in {403, 405}


def test_an_unknown_line_has_no_page(invoice: Invoice) -> None:
    client = signed_in("finance")
    for number in ("0", "999999", "9" * 30):
        assert client.get(f"/admin/evidence/trace/{number}/").status_code == 404


@pytest.fixture
def note(company: billing.Company, invoice: Invoice) -> Invoice:
    """Number 2: a credit note over all of number 1."""
    asked = credit_note.ask_for_credit(
        invoice_id=invoice.pk, reason="The service was down.", actor=company.finance, at=billing.NEXT_CLOSING
    )
    billing.approve_by(company.other_finance, asked, at=billing.NEXT_CLOSING)
    return finalize.finalize_invoice(invoice_id=asked.pk, actor=None, at=billing.NEXT_CLOSING)


def test_a_line_of_a_credit_note_is_walked_over_http_to_the_line_that_it_gives_back(
    note: Invoice, line: InvoiceLine
) -> None:
    credit = note.credit_lines.get(credits=line)
    told = reader().get(f"invoices/{note.pk}/credit-lines/{credit.pk}/trace").json()
    assert (told["amount"], told["given_back_in_all"], told["currency"]) == ("-3.00", "-3.00", "EUR")
    assert told["proof"]["verdict"] == "equal"
    assert told["credits"]["trace"] == f"/api/v1/invoices/{line.invoice_id}/lines/{line.pk}/trace"
    assert told["story"][0] == (
        f"Credit {credit.position} of {note} gives back 3.00 EUR of {line}, Tokens, which charged 3.00 EUR."
    )
    assert reader("ops").get(f"invoices/{line.invoice_id}/credit-lines/{credit.pk}/trace").status_code == 404


def test_a_credit_that_was_altered_is_seen_by_every_door(note: Invoice, line: InvoiceLine) -> None:
    credit = note.credit_lines.get(credits=line)
    alter("UPDATE cycle_creditline SET amount = -3.50 WHERE amount = -3")
    told = reader().get(f"invoices/{note.pk}/credit-lines/{credit.pk}/trace").json()
    assert (told["proof"]["verdict"], told["proof"]["first_difference"]) == (
        "different",
        "given back in all, no more than the line",
    )
    page = signed_in("auditor").get(reverse("admin:evidence_credit", args=[credit.pk])).content.decode()
    assert "The walk leaves the books at" in page
    assert run(f"{note.number}:{credit.position}")[0] == 1


def test_a_page_tells_a_credit_and_leads_to_its_line(note: Invoice, line: InvoiceLine) -> None:
    credit = note.credit_lines.get(credits=line)
    client = signed_in("auditor")
    page = client.get(reverse("admin:evidence_credit", args=[credit.pk])).content.decode()
    assert "gives back 3.00 EUR" in page
    assert page_of(line) in page
    assert client.get(reverse("admin:evidence_credit", args=[0])).status_code == 404
    shown = client.get(reverse("admin:cycle_invoice_change", args=[note.pk])).content.decode()
    assert reverse("admin:evidence_credit", args=[credit.pk]) in shown


def test_a_line_leads_forward_to_what_gives_it_back(note: Invoice, line: InvoiceLine) -> None:
    credit = note.credit_lines.get(credits=line)
    [later] = reader().get(f"invoices/{line.invoice_id}/lines/{line.pk}/trace").json()["followed"]
    assert (later["how"], later["number"], later["amount"]) == ("given back by", note.number, "-3.00")
    assert later["trace"] == f"/api/v1/invoices/{note.pk}/credit-lines/{credit.pk}/trace"
    page = signed_in("auditor").get(page_of(line)).content.decode()
    assert reverse("admin:evidence_credit", args=[credit.pk]) in page
    assert f"given back by {note} credit {credit.position}: -3.00 EUR" in run(f"{line.invoice.number}:2")[1]


def test_a_line_leads_forward_to_what_corrects_it(given_back: InvoiceLine, line: InvoiceLine) -> None:
    [later] = reader().get(f"invoices/{line.invoice_id}/lines/{line.pk}/trace").json()["followed"]
    assert (later["how"], later["line"], later["amount"]) == ("corrected by", given_back.pk, "-2.00")


def test_a_document_is_added_up_again_over_http_and_on_a_page(invoice: Invoice, line: InvoiceLine) -> None:
    told = reader().get(f"invoices/{invoice.pk}/trace").json()
    assert [(one["position"], one["amount"]) for one in told["lines"]] == [(1, "49.00"), (2, "3.00")]
    assert [(one["step"], one["found"]) for one in told["proof"]["checks"]] == [
        ("subtotal from the lines", "52"),
        ("VAT, 19 % of 52", "9.88"),
        ("tax from the tax lines", "9.88"),
        ("total", "61.88"),
    ]
    client, page = signed_in("auditor"), reverse("admin:evidence_document", args=[invoice.pk])
    shown = client.get(page).content.decode()
    assert "The total follows from the lines." in shown
    assert page_of(line) in shown
    assert client.get(reverse("admin:evidence_document", args=[0])).status_code == 404
    assert reader("ops").get("invoices/0/trace").status_code == 404
    alter("UPDATE cycle_invoicetax SET tax = 9.87")
    assert (
        reader("finance").get(f"invoices/{invoice.pk}/trace").json()["proof"]["first_difference"] == "VAT, 19 % of 52"
    )
    assert "The walk leaves the books at" in client.get(page).content.decode()
