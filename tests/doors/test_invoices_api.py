"""The HTTP door of invoices."""

from typing import Any

import pytest

from accounts.models import Scope
from invoicing.cycle import finalize, tasks
from invoicing.cycle.api import schema
from invoicing.cycle.models import Hold, Invoice, InvoiceTransition
from tests.builders import billing, people
from tests.builders.billing import CLOSING, day
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db
OCTOBER = {"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    return billing.billed_customer(company)


@pytest.fixture
def finance(company: billing.Company) -> ApiClient:
    return ApiClient(people.key_for(company.finance))


@pytest.fixture
def colleague(company: billing.Company) -> ApiClient:
    return ApiClient(people.key_for(company.other_finance))


def code_of(response: Any) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_an_invoice_reads_as_the_contract_says(finance: ApiClient, draft: Invoice) -> None:
    answer = finance.get(f"invoices/{draft.pk}").json()
    line = draft.lines.get(meter_code="tokens")
    assert answer["lines"][1] == {
        "id": line.pk,
        "position": 2,
        "meter": "tokens",
        "unit": "unit",
        "description": "Tokens",
        "segment": OCTOBER,
        "quantity": "1500",
        "unit_price": "0.002",
        "price_version": line.rated_line.price_version_id,
        "effective_at": "2026-01-01T00:00:00Z",
        "fee_version": None,
        "amount": "3.00",
        "rounding": "0.00",
        "tax_category": "S",
        "tax_percent": "19",
        "adjusts": None,
        "deducts": [],
    }
    [moved] = answer.pop("transitions")
    assert (moved["from_status"], moved["to_status"], moved["actor"], moved["audit_reference"][:4]) == (
        "",
        "draft",
        None,
        "AUD-",
    )
    answer.pop("lines")
    assert answer == {
        "id": draft.pk,
        "kind": "cycle",
        "document_type": "invoice",
        "number": None,
        "status": "draft",
        "customer": "acme",
        "credits": None,
        "corrects": [],
        "credit_lines": [],
        "delta_reports": [],
        "currency": "EUR",
        "period": OCTOBER,
        "issue_date": None,
        "due_date": None,
        "taxes": [
            {"name": "VAT", "category": "S", "percent": "19", "taxable": "52.00", "tax": "9.88", "note": ""},
        ],
        "allowances_charges": [],
        "allowances": "0.00",
        "charges": "0.00",
        "subtotal": "52.00",
        "tax": "9.88",
        "total": "61.88",
        "prepaid": "0.00",
        "payable_rounding": "0.00",
        "payable": "61.88",
        "amount_due": None,
        "payments": [],
        "content_hash": draft.content_hash,
        "policy_version": "standard v1",
        "firing": None,
        "approvals_needed": 1,
        "approvals": [],
        "holds": [],
        "breaks": [],
        "unusual": [],
    }


def test_the_documented_shape_is_the_answered_shape(finance: ApiClient, company: billing.Company) -> None:
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    billing.close_october()
    answer = finance.get(f"invoices/{Invoice.objects.get().pk}").json()
    shapes: dict[str, Any] = {
        "lines": schema.LineShape,
        "taxes": schema.TaxShape,
        "holds": schema.HoldShape,
        "breaks": schema.BreakShape,
        "transitions": schema.TransitionShape,
    }
    assert set(answer) == set(schema.InvoiceShape().fields)
    for name, shape in shapes.items():
        assert set(answer[name][0]) == set(shape().fields), name


def test_an_invoice_walks_from_draft_to_final_over_http(
    finance: ApiClient, colleague: ApiClient, draft: Invoice
) -> None:
    path = f"invoices/{draft.pk}"
    held = finance.post(f"{path}/hold", {"reason": "price list is checked"}).json()
    assert (held["status"], held["holds"][0]["reason"], held["holds"][0]["placed_by"]) == (
        "held",
        "price list is checked",
        "fiona",
    )
    assert colleague.post(f"{path}/release", {"reason": "it is right"}).json()["status"] == "draft"
    approved = colleague.post(f"{path}/approve", {"content_hash": draft.content_hash}).json()
    assert approved["status"] == "approved"
    final = finance.post(f"{path}/finalize").json()
    assert (final["status"], final["number"]) == ("final", "INV-000001")
    assert final["issue_date"] is not None
    assert [move["to_status"] for move in final["transitions"]] == ["draft", "held", "draft", "approved", "final"]


def test_a_discarded_draft_says_so(finance: ApiClient, draft: Invoice) -> None:
    answer = finance.post(f"invoices/{draft.pk}/discard", {"reason": "the price was wrong"})
    assert (answer.status_code, answer.json()["status"]) == (200, "discarded")


def test_a_recheck_answers_with_the_invoice(finance: ApiClient, draft: Invoice) -> None:
    answer = finance.post(f"invoices/{draft.pk}/recheck")
    assert (answer.status_code, answer.json()["status"], draft.tie_outs.count()) == (200, "draft", 2)


def test_refusals_are_problems_with_a_code(finance: ApiClient, draft: Invoice) -> None:
    path = f"invoices/{draft.pk}"
    assert code_of(finance.post(f"{path}/finalize")) == (409, "wrong_state")
    assert code_of(finance.post(f"{path}/release", {"reason": "nothing to it"})) == (409, "wrong_state")
    assert code_of(finance.post(f"{path}/approve", {"content_hash": "0" * 64})) == (409, "content_changed")
    finance.post(f"{path}/hold", {"reason": "price list is checked"})
    assert code_of(finance.post(f"{path}/release", {"reason": "it is right"})) == (403, "second_person_needed")


@pytest.mark.parametrize("action", ["hold", "release", "discard"])
@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "no"}, {"reason": "x" * 1001}, {"reason": 5}, [], "x"])
def test_a_decision_without_a_usable_reason_is_refused(
    finance: ApiClient, draft: Invoice, action: str, body: Any
) -> None:
    response = finance.post(f"invoices/{draft.pk}/{action}", body)
    assert response.status_code in (400, 409, 422)
    assert InvoiceTransition.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"content_hash": None}, {"content_hash": "x" * 65}, {"content_hash": ["a"]}])
def test_an_approval_without_a_usable_hash_is_refused(finance: ApiClient, draft: Invoice, body: Any) -> None:
    assert finance.post(f"invoices/{draft.pk}/approve", body).status_code == 422


@pytest.mark.parametrize("number", ["0", "987654321", str(10**30), "abc", "-1", "1.0"])
@pytest.mark.parametrize("action", ["", "/pdf"])
def test_an_invoice_that_does_not_exist_is_not_found(finance: ApiClient, number: str, action: str) -> None:
    assert code_of(finance.get(f"invoices/{number}{action}")) == (404, "not_found")


def test_a_decision_on_an_invoice_that_does_not_exist_is_not_found(finance: ApiClient) -> None:
    assert code_of(finance.post(f"invoices/{10**30}/finalize")) == (404, "not_found")


@pytest.mark.parametrize("role", ["product", "ops", "engineering", "auditor"])
def test_other_roles_read_and_do_not_decide(company: billing.Company, draft: Invoice, role: str) -> None:
    reader = ApiClient(people.key_for(people.make_staff("rita", role)))
    assert reader.get(f"invoices/{draft.pk}").status_code == 200
    assert reader.get("invoices").status_code == 200
    for action in ("hold", "release", "approve", "finalize", "discard", "recheck"):
        assert reader.post(f"invoices/{draft.pk}/{action}", {"reason": "because of this"}).status_code == 403


def test_a_key_without_the_scope_does_not_decide(company: billing.Company, draft: Invoice) -> None:
    reader = ApiClient(people.key_for(company.finance, scopes=[Scope.READ]))
    assert reader.post(f"invoices/{draft.pk}/hold", {"reason": "because of this"}).status_code == 403
    assert reader.post("invoices/preview", {"customer": "acme", "period": OCTOBER}).status_code == 200


def test_nobody_reads_without_a_key(draft: Invoice) -> None:
    stranger = ApiClient({})
    for path in ("invoices", f"invoices/{draft.pk}", f"invoices/{draft.pk}/pdf"):
        assert stranger.get(path).status_code == 401


def test_a_repeated_key_places_one_hold(finance: ApiClient, draft: Invoice) -> None:
    body = {"reason": "price list is checked"}
    first = finance.post(f"invoices/{draft.pk}/hold", body, Idempotency_Key="once")
    again = finance.post(f"invoices/{draft.pk}/hold", body, Idempotency_Key="once")
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert Hold.objects.count() == 1


def test_the_list_pages_and_filters(company: billing.Company, finance: ApiClient) -> None:
    for code in ("acme", "globex", "initech"):
        billing.billed_customer(company, code)
    billing.issue(company, [Invoice.objects.get(customer__code="globex")])
    first = finance.get("invoices?page_size=2").json()
    assert [one["customer"] for one in first["results"]] == ["initech", "globex"]
    rest = finance.get("invoices?page_size=2&" + first["next"].partition("?")[2]).json()
    assert [one["customer"] for one in rest["results"]] == ["acme"]
    assert [one["customer"] for one in finance.get("invoices?status=final").json()["results"]] == ["globex"]
    assert [one["id"] for one in finance.get("invoices?customer=acme").json()["results"]] == [
        Invoice.objects.get(customer__code="acme").pk
    ]
    assert finance.get("invoices?customer=nobody").json()["results"] == []


def test_a_nul_character_is_refused_wherever_it_stands(finance: ApiClient, draft: Invoice) -> None:
    for path in ("invoices/%00", "invoices/%00/pdf", "invoices?customer=%00"):
        assert code_of(finance.get(path)) == (400, "malformed")
    assert finance.post(f"invoices/{draft.pk}/approve", {"content_hash": "\x00"}).status_code == 400


@pytest.mark.parametrize("query", ["status=paid", "customer=" + "x" * 61])
def test_a_filter_that_cannot_be_used_is_refused(finance: ApiClient, query: str) -> None:
    assert code_of(finance.get(f"invoices?{query}")) == (422, "invalid")


def test_the_list_asks_a_fixed_number_of_questions(
    company: billing.Company, finance: ApiClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(6):
        billing.billed_customer(company, f"customer{number}")
    with django_assert_max_num_queries(14):
        assert len(finance.get("invoices").json()["results"]) == 6


def test_the_pdf_of_a_draft_is_drawn_and_that_of_a_final_invoice_is_served_as_stored(
    company: billing.Company, finance: ApiClient, draft: Invoice
) -> None:
    drawn = finance.get(f"invoices/{draft.pk}/pdf")
    assert (drawn.status_code, drawn.headers["Content-Type"]) == (200, "application/pdf")
    assert drawn.headers["Content-Disposition"] == f'attachment; filename="draft-{draft.pk}.pdf"'
    billing.approve_by(company.finance, draft)
    finalize.finalize_invoice(invoice_id=draft.pk, actor=None, at=CLOSING)
    waiting = finance.get(f"invoices/{draft.pk}/pdf")
    assert code_of(waiting) == (409, "pdf_not_ready")
    assert waiting.headers["Retry-After"] == "3"
    tasks.render_invoice_pdf(invoice_id=draft.pk)
    first, again = finance.get(f"invoices/{draft.pk}/pdf"), finance.get(f"invoices/{draft.pk}/pdf")
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content != drawn.content


def test_a_client_may_ask_for_the_pdf_by_type(finance: ApiClient, draft: Invoice) -> None:
    for accept in ("application/pdf", "*/*", "application/json"):
        assert finance.call("GET", f"invoices/{draft.pk}/pdf", Accept=accept).content.startswith(b"%PDF-")
    assert code_of(finance.call("GET", "invoices/987654321/pdf", Accept="application/pdf")) == (404, "not_found")


def test_a_preview_has_the_shape_of_an_invoice_that_does_not_exist(
    company: billing.Company, finance: ApiClient
) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1500))
    answer = finance.post("invoices/preview", {"customer": "acme", "period": OCTOBER}).json()
    assert set(answer) == set(schema.InvoiceShape().fields)
    assert (answer["id"], answer["status"], answer["period"], answer["total"]) == (None, "draft", OCTOBER, "61.88")
    assert [(line["id"], line["description"], line["amount"]) for line in answer["lines"]] == [
        (None, "Base", "49.00"),
        (None, "Tokens", "3.00"),
    ]
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/customer"),
        ({"customer": "acme"}, 422, "/period"),
        ({"customer": "acme", "period": {"start": "yesterday", "end": OCTOBER["end"]}}, 422, "/period/start"),
        ({"customer": "acme", "period": {"start": OCTOBER["end"], "end": OCTOBER["start"]}}, 422, "/period/end"),
        ({"customer": "acme", "period": {"start": OCTOBER["start"], "end": "9999-12-31T00:00:00Z"}}, 422, "/period"),
        ({"customer": "acme", "period": []}, 422, "/period"),
    ],
)
def test_a_preview_that_cannot_be_asked_points_at_the_field(
    company: billing.Company, finance: ApiClient, body: Any, status: int, pointer: str
) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    response = finance.post("invoices/preview", body)
    assert response.status_code == status
    assert response.json()["errors"][0]["pointer"].startswith(pointer)


def test_a_preview_for_nobody_is_not_found(finance: ApiClient) -> None:
    assert code_of(finance.post("invoices/preview", {"customer": "nobody", "period": OCTOBER})) == (404, "not_found")


def test_the_first_of_two_approvals_leaves_a_draft_and_says_so(
    finance: ApiClient, colleague: ApiClient, company: billing.Company
) -> None:
    billing.ask_for_two(company)
    draft = billing.billed_customer(company)
    body = {"content_hash": draft.content_hash}
    first = finance.post(f"invoices/{draft.pk}/approve", body).json()
    assert (first["status"], first["approvals_needed"]) == ("draft", 2)
    assert [(one["person"], one["counts"]) for one in first["approvals"]] == [("fiona", True)]
    assert set(first["approvals"][0]) == set(schema.ApprovalShape().fields)
    assert code_of(finance.post(f"invoices/{draft.pk}/approve", body)) == (403, "second_person_needed")
    assert code_of(finance.post(f"invoices/{draft.pk}/finalize")) == (409, "wrong_state")
    second = colleague.post(f"invoices/{draft.pk}/approve", body).json()
    assert (second["status"], [one["counts"] for one in second["approvals"]]) == ("approved", [True, True])
    held = finance.post(f"invoices/{draft.pk}/hold", {"reason_code": "price-in-question"}).json()
    assert (held["holds"][0]["reason_code"], held["holds"][0]["reason"]) == (
        "price-in-question",
        "Price or contract to be checked",
    )
    assert [one["counts"] for one in held["approvals"]] == [False, False]


def test_many_are_approved_in_one_call_and_each_answers(finance: ApiClient, company: billing.Company) -> None:
    small, large = (billing.billed_customer(company, code) for code in ("acme", "globex"))
    wanted = [{"id": small.pk, "content_hash": small.content_hash}, {"id": large.pk, "content_hash": "0" * 64}]
    answer = finance.post("invoices/approve", {"invoices": wanted}).json()
    assert set(answer) == set(schema.OutcomesShape().fields)
    assert (answer["approved"], answer["first_of_two"], answer["refused"]) == (1, 0, 1)
    assert [(one["id"], one["outcome"], one["code"]) for one in answer["items"]] == [
        (small.pk, "approved", None),
        (large.pk, "refused", "content_changed"),
    ]
    assert large.content_hash in answer["items"][1]["detail"]


@pytest.mark.parametrize("wanted", [[], [{"id": 1}], [{"id": 0, "content_hash": "x"}], "x", [{}] * 501])
def test_a_call_over_nothing_or_too_much_is_refused(finance: ApiClient, wanted: Any) -> None:
    assert finance.post("invoices/approve", {"invoices": wanted}).status_code == 422


def test_remarks_are_added_and_read_back(finance: ApiClient, colleague: ApiClient, draft: Invoice) -> None:
    written = finance.post(f"invoices/{draft.pk}/comments", {"text": " Ask Ada about the 3rd. "})
    assert (written.status_code, written.json()["text"]) == (201, "Ask Ada about the 3rd.")
    assert set(written.json()) == set(schema.CommentShape().fields)
    kept = colleague.get(f"invoices/{draft.pk}/comments").json()
    assert [(one["author"], one["text"]) for one in kept] == [("fiona", "Ask Ada about the 3rd.")]
    for text in ("", "   ", "x" * 4001, "a\x00b"):
        assert finance.post(f"invoices/{draft.pk}/comments", {"text": text}).status_code in (400, 422)
    for answer in (finance.get("invoices/987654321/comments"), finance.post("invoices/9/comments", {"text": "x"})):
        assert code_of(answer) == (404, "not_found")


def test_the_usual_reasons_are_listed(finance: ApiClient) -> None:
    listed = finance.get("hold-reasons").json()
    assert {"code": "usage-complete", "use": "release", "reason": "Usage is complete"} in listed
    assert len(listed) == 10
