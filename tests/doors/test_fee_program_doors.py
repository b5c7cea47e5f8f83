"""Fee programs in the back office and in the API: what is shown, tried, proposed and decided."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from invoicing.pricing.models import FeeProgram, FeeProgramVersion, InvoiceTerm
from tests.builders import agreements, billing, fees
from tests.builders.people import ApiClient, key_for, make_staff

pytestmark = pytest.mark.django_db
TERMS = {"tables": [{"currency": "USD", "rate_percent": "3.1", "fixed": "0.30"}]}
VERSION = {
    "terms": TERMS,
    "source": "our contract",
    "source_date": "2026-11-01",
    "source_kind": "primary",
    "effective_at": "2126-01-01T00:00:00Z",
}


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(billing.person(f"some-{role}", role))
    return client


def page(program: FeeProgram) -> str:
    return reverse("admin:pricing_feeprogram_change", args=[program.pk])


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture
def standard() -> FeeProgram:
    """The shipped card program, approved."""
    fees.approve_shipped("stripe-standard")
    return FeeProgram.objects.get(code="stripe-standard")


def test_the_page_says_where_the_figures_come_from_and_that_they_are_to_be_checked(standard: FeeProgram) -> None:
    text = shown(signed_in("auditor"), page(standard))
    for words in ("To be checked before go-live", "20 Sep 2026", "stripe.com/pricing", "USD: percentage", "2.9 %"):
        assert words in text


def test_versions_stand_side_by_side_and_what_differs_is_marked(standard: FeeProgram) -> None:
    fees.propose_figures("stripe-standard", TERMS, effective_at=datetime(2126, 1, 1, tzinfo=UTC))
    text = shown(signed_in("auditor"), page(standard))
    assert "Version 2" in text
    assert "<strong>3.1 %</strong>" in text
    assert "<strong>2.9 %</strong>" in text
    assert "<strong>0.30</strong>" not in text


def test_a_fee_is_tried_with_its_computation(standard: FeeProgram) -> None:
    version = standard.versions.get()
    asked = f"?version={version.pk}&currency=USD&amount=37.45&flags=international"
    text = shown(signed_in("ops"), page(standard) + asked)
    # 4.4 % of 37.45 = 1.6478, and 0.30; 35.50 is left
    for words in ("2.9% + 1.5% international = 4.4% of the volume", "1.95", "35.50"):
        assert words in text


def test_what_to_ask_for_is_worked_out(standard: FeeProgram) -> None:
    asked = f"?version={standard.versions.get().pk}&currency=USD&amount=100.00&is_net=on"
    text = shown(signed_in("ops"), page(standard) + asked)
    assert "Left of 103.30" in text


@pytest.mark.parametrize(
    "asked", ["amount=x", "amount=-1", "amount=1&currency=XXX", "amount=1&version=99999", "amount="]
)
def test_a_wrong_question_is_answered_on_the_form(standard: FeeProgram, asked: str) -> None:
    assert "Fee, rounded" not in shown(signed_in("ops"), f"{page(standard)}?{asked}")


def test_a_bounded_fee_is_not_grossed_up() -> None:
    fees.approve_shipped("stripe-ach-debit")
    ach = FeeProgram.objects.get(code="stripe-ach-debit")
    asked = f"?version={ach.versions.get().pk}&currency=USD&amount=100.00&is_net=on"
    assert "without bounds" in shown(signed_in("ops"), page(ach) + asked)


def test_new_figures_are_proposed_by_a_dialog_and_approved_by_another(standard: FeeProgram) -> None:
    url = reverse("admin:pricing_feeprogram_new_version", args=[standard.pk])
    author = signed_in("product")
    assert "rate_percent" in shown(author, url)
    given = {**VERSION, "terms": '{"tables": [{"currency": "USD", "rate_percent": "3.1"}]}', "note": ""}
    answer = author.post(url, {"_form_submitted": "True", **given, "effective_at": "2126-01-01T00:00"})
    assert answer["HX-Redirect"] == page(standard)
    version = standard.versions.get(version=2)
    assert (version.status, version.source) == ("proposed", "our contract")
    approve = reverse("admin:pricing_feeprogramversion_approve", args=[version.pk])
    signed_in("finance").post(approve, {"_form_submitted": "True"})
    version.refresh_from_db()
    assert version.status == "approved"
    assert "3.1 %" in shown(author, reverse("admin:pricing_feeprogramversion_change", args=[version.pk]))


def test_a_mistake_in_the_figures_is_named_in_the_dialog(standard: FeeProgram) -> None:
    url = reverse("admin:pricing_feeprogram_new_version", args=[standard.pk])
    given = {"source": "x", "source_date": "2026-11-01", "source_kind": "primary", "effective_at": "2126-01-01T00:00"}
    for terms, words in (("{", "This is not JSON"), ('{"tables": []}', "Needs 1 to 300 entries")):
        answer = signed_in("product").post(url, {"_form_submitted": "True", **given, "terms": terms})
        assert words in answer.content.decode()
    assert standard.versions.count() == 1


def test_a_program_is_made_in_the_back_office() -> None:
    given = {"code": "acquirer", "name": "Our acquirer", "description": "", "takes_effect": "at_once"}
    answer = signed_in("finance").post(reverse("admin:pricing_feeprogram_add"), given)
    assert answer.status_code == 302
    program = FeeProgram.objects.get()
    assert (program.code, program.versions.count()) == ("acquirer", 0)
    assert "charges nothing" in shown(signed_in("finance"), page(program))


def client(role: str) -> ApiClient:
    return ApiClient(key_for(make_staff(f"api-{role}", role)))


def test_programs_are_made_proposed_and_approved_by_the_api() -> None:
    product, finance = client("product"), client("finance")
    made = product.post("fee-programs", {"code": "acquirer", "name": "Our acquirer", "takes_effect": "at_once"})
    assert (made.status_code, made.json()["versions"]) == (201, [])
    proposed = product.post("fee-programs/acquirer/versions", VERSION)
    assert (proposed.status_code, proposed.json()["status"]) == (201, "proposed")
    assert product.post("fee-programs/acquirer/versions/1/approve").status_code == 403
    approved = finance.post("fee-programs/acquirer/versions/1/approve")
    assert (approved.status_code, approved.json()["decided_by"]) == (200, "api-finance")
    (listed,) = product.get("fee-programs").json()["results"]
    assert [(one["version"], one["status"]) for one in listed["versions"]] == [(1, "approved")]
    assert finance.post("fee-programs/acquirer/versions/1/withdraw").status_code == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"terms": {"tables": [{"currency": "USD", "fixed": "-1"}]}}, "/terms/tables/0/fixed"),
        ({"terms": None}, "/terms"),
        ({"source": ""}, "/source"),
        ({"source_date": "soon"}, "/source_date"),
        ({"source_kind": "hearsay"}, "/source_kind"),
        ({"effective_at": "2026-01-01T00:00:00"}, "/effective_at"),
    ],
)
def test_wrong_figures_are_refused_with_the_field_at_fault(change: dict[str, Any], pointer: str) -> None:
    product = client("product")
    product.post("fee-programs", {"code": "acquirer", "name": "Our acquirer", "takes_effect": "at_once"})
    answer = product.post("fee-programs/acquirer/versions", {**VERSION, **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert FeeProgramVersion.objects.count() == 0


def test_what_is_not_there_is_not_found() -> None:
    finance = client("finance")
    assert finance.post("fee-programs/none/versions", VERSION).status_code == 404
    assert finance.post("fee-programs/none/versions/1/approve").status_code == 404


def test_a_price_may_follow_a_program_that_is_there() -> None:
    fees.approve_shipped("stripe-standard")
    plan, meter = agreements.plan(currency="USD"), agreements.meter()
    body = {
        "plan": plan.code,
        "meter": meter.code,
        "model": "fee_program",
        "params": {"program": "stripe-standard", "amount": "units"},
        "effective_at": "2026-01-01T00:00:00Z",
    }
    assert client("product").post("price-versions", body).status_code == 201
    finance = client("finance")
    wrong = finance.post("price-versions", {**body, "params": {"program": "none"}})
    assert wrong.status_code == 404


def test_an_invoice_term_is_proposed_by_a_dialog_and_approved_by_another() -> None:
    plan = agreements.plan()
    url = reverse("admin:pricing_invoiceterm_new_term")
    author = signed_in("product")
    assert "Propose" in shown(author, url)
    given = {"code": "discount", "kind": "allowance", "reason": "Partner", "effective_at": "2026-01-01T00:00"}
    answer = author.post(url, {"_form_submitted": "True", **given, "percent": "10"})
    assert "either a plan or a subscription" in answer.content.decode()
    author.post(url, {"_form_submitted": "True", **given, "percent": "10", "plan": plan.pk})
    term = InvoiceTerm.objects.get()
    approve = reverse("admin:pricing_invoiceterm_approve", args=[term.pk])
    signed_in("finance").post(approve, {"_form_submitted": "True"})
    term.refresh_from_db()
    assert (term.status, term.percent) == ("approved", 10)
    assert "10 % of the lines" in shown(author, reverse("admin:pricing_invoiceterm_changelist"))
