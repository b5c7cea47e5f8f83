"""The review queue and the month-end page of the back office: what each role sees, and what a decision answers."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from invoicing.cycle import comment, hold
from invoicing.cycle.models import CloseRun, Invoice, InvoiceComment, ParkedCustomer
from tests.builders import billing
from tests.builders.billing import CLOSING, Company

pytestmark = pytest.mark.django_db
QUEUE, DECIDE, MONTH = (
    "/admin/cycle/invoice/queue/",
    "/admin/cycle/invoice/decide/",
    "/admin/cycle/billingcycle/month/",
)


@pytest.fixture
def company() -> Company:
    return billing.open_company()


def as_role(name: str, *roles: str) -> Client:
    client = Client()
    client.force_login(billing.person(name, *roles))
    return client


def ticked(*invoices: Invoice) -> list[str]:
    return [f"{one.pk}:{one.content_hash}" for one in invoices]


def decide(client: Client, action: str, *invoices: Invoice, **more: Any) -> str:
    answer = client.post(DECIDE, {"action": action, "invoice": ticked(*invoices), **more}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


class TestQueue:
    def test_it_shows_what_waits_with_what_changed(self, company: Company) -> None:
        billing.issue(company, [billing.billed_customer(company)])
        billing.use("acme", ("e3", billing.day(3, month=11), 51500), at=billing.NEXT_CLOSING)
        billing.close_november()  # 49.00 + 103.00 net, 28.88 tax
        html = as_role("felix", "finance").get(QUEUE).content.decode()
        for shown in ("Acme GmbH", "180.88", "61.88", "+119.00", "+192.3%", "1 – 30 Nov 2026"):
            assert shown in html, shown

    def test_filters_that_make_no_sense_filter_nothing(self, company: Company) -> None:
        billing.billed_customer(company)
        client = as_role("felix", "finance")
        for query in (
            "status=nonsense&order=x",
            "least=NaN&most=abc",
            "period=2026-13",
            "period=x&page=0",
            "page=99999999999999999999",
            "cause='; DROP TABLE x",
        ):
            answer = client.get(f"{QUEUE}?{query}")
            assert answer.status_code == 200, query

    def test_the_period_filter_takes_months_that_ended(self, company: Company) -> None:
        billing.billed_customer(company)
        client = as_role("felix", "finance")
        assert "Acme GmbH" in client.get(f"{QUEUE}?period=2026-10").content.decode()
        billing.close_november()
        html = client.get(f"{QUEUE}?period=2026-11").content.decode()
        assert ("1 – 30 Nov 2026" in html, "1 – 31 Oct 2026" in html) == (True, False)

    def test_an_auditor_reads_it_and_finds_nothing_to_tick(self, company: Company) -> None:
        draft = billing.billed_customer(company)
        html = as_role("audrey", "auditor").get(QUEUE).content.decode()
        assert "Acme GmbH" in html
        assert draft.content_hash not in html
        assert (
            as_role("audrey", "auditor").post(DECIDE, {"action": "approve", "invoice": ticked(draft)}).status_code
            == 403
        )

    def test_names_are_shown_as_text(self, company: Company) -> None:
        draft = billing.billed_customer(company, legal_name="<script>alert(1)</script>")
        comment.add_comment(invoice_id=draft.pk, text="<img src=x>", actor=company.finance, at=CLOSING)
        client = as_role("felix", "finance")
        for page in (QUEUE, f"/admin/cycle/invoice/{draft.pk}/change/"):
            html = client.get(page).content.decode()
            assert "<script>alert" not in html
            assert "<img src=x>" not in html


class TestDecisions:
    def test_bulk_approval_respects_the_second_person_and_says_so(self, company: Company) -> None:
        small = billing.billed_customer(company, "acme")
        billing.ask_for_two(company)
        large, held = (billing.billed_customer(company, code) for code in ("globex", "umbrella"))
        hold.hold_invoice(invoice_id=held.pk, reason="to be checked", actor=company.finance, at=CLOSING)
        html = decide(as_role("felix", "finance"), "approve", small, large, held)
        assert "1 approved, 1 first of two approvals, 1 refused" in " ".join(html.split())
        assert "a second person in finance has to approve it too" in html
        assert "release its hold first" in html
        statuses = dict(Invoice.objects.values_list("customer__code", "status"))
        assert statuses == {"acme": "approved", "globex": "draft", "umbrella": "held"}

    def test_holding_many_needs_a_reason(self, company: Company) -> None:
        drafts = [billing.billed_customer(company, code) for code in ("acme", "globex")]
        client = as_role("felix", "finance")
        html = decide(client, "hold", *drafts, reason="no")
        assert "2 refused" in html
        html = decide(client, "hold", *drafts, reason_code="usage-expected")
        assert "2 held" in html
        assert set(Invoice.objects.values_list("holds__reason", flat=True)) == {"Usage is still expected"}

    def test_own_holds_are_refused_and_others_released(self, company: Company) -> None:
        mine, theirs = (billing.billed_customer(company, code) for code in ("acme", "globex"))
        for invoice, person in ((mine, company.other_finance), (theirs, company.finance)):
            hold.hold_invoice(invoice_id=invoice.pk, reason="to be checked", actor=person, at=CLOSING)
        html = decide(as_role("felix", "finance"), "release", mine, theirs, reason_code="usage-complete")
        assert "1 released, 1 refused" in " ".join(html.split())
        assert "a colleague in finance has to release it" in html

    def test_figures_that_moved_since_are_refused(self, company: Company) -> None:
        draft = billing.billed_customer(company)
        answer = as_role("felix", "finance").post(DECIDE, {"action": "approve", "invoice": f"{draft.pk}:{'0' * 64}"})
        assert "look at it again" in answer.content.decode()
        assert Invoice.objects.get().status == "draft"

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"action": "approve"},
            {"action": "finalize", "invoice": f"1:{'0' * 64}"},
            {"action": "approve", "invoice": "1"},
            {"action": "approve", "invoice": f"x:{'0' * 64}"},
            {"action": "approve", "invoice": [f"{number}:{'0' * 64}" for number in range(501)]},
        ],
    )
    def test_what_is_not_a_decision_does_nothing(self, company: Company, sent: dict[str, Any]) -> None:
        billing.billed_customer(company)
        answer = as_role("felix", "finance").post(DECIDE, sent, follow=True)
        assert "Nothing was done." in answer.content.decode()
        assert Invoice.objects.get().status == "draft"


class TestInvoicePage:
    def test_it_says_who_is_needed_and_who_cannot(self, company: Company) -> None:
        billing.ask_for_two(company)
        draft = billing.billed_customer(company)
        billing.approve_by(company.finance, draft)
        html = " ".join(
            as_role("felix", "finance").get(f"/admin/cycle/invoice/{draft.pk}/change/").content.decode().split()
        )
        assert "1 of 2 approvals is given. Somebody else in finance has to approve it too." in html
        assert "fiona (approved it already)" in html
        assert "Can: felix" in html

    def test_it_compares_with_the_draft_before_and_the_period_before(self, company: Company) -> None:
        billing.issue(company, [billing.billed_customer(company)])
        billing.use("acme", ("e3", billing.day(3, month=11), 500), at=billing.NEXT_CLOSING)
        billing.close_november()
        first = Invoice.objects.get(status="draft")
        billing.discard_draft(company, first, at=billing.NEXT_CLOSING)
        later = billing.NEXT_CLOSING + timedelta(hours=1)
        billing.use("acme", ("e4", billing.day(4, month=11), 1000), at=later)
        billing.close_november(at=later)
        again = Invoice.objects.get(status="draft")
        html = " ".join(
            as_role("felix", "finance").get(f"/admin/cycle/invoice/{again.pk}/change/").content.decode().split()
        )
        assert f'Against the draft before: <a href="/admin/cycle/invoice/{first.pk}/change/">' in html
        assert "Discarded by fiona: to be counted afresh" in html
        assert "+2.00" in html  # 1,500 tokens instead of 500
        assert "Against the period before" in html
        assert "the same" in html  # the base fee on both sides

    def test_one_timeline_tells_everything_in_order(self, company: Company) -> None:
        billing.ask_for_two(company)
        draft = billing.billed_customer(company)
        at = [CLOSING + timedelta(minutes=number) for number in range(6)]
        comment.add_comment(invoice_id=draft.pk, text="Who knows them?", actor=company.finance, at=at[1])
        billing.approve_by(company.finance, draft, at=at[2])
        hold.hold_invoice(
            invoice_id=draft.pk, reason="", reason_code="price-in-question", actor=company.finance, at=at[3]
        )
        hold.release_invoice(
            invoice_id=draft.pk, reason="", reason_code="price-confirmed", actor=company.other_finance, at=at[4]
        )
        html = as_role("felix", "finance").get(f"/admin/cycle/invoice/{draft.pk}/change/").content.decode()
        timeline = html[html.index("<h2>Timeline</h2>") : html.index("<h2>Comments</h2>")]
        told = [
            "Draft",
            "Recounted",
            "Who knows them?",
            "Approval, 2 needed",
            "Price or contract to be checked",
            "Released",
            "Prices confirmed against the contract",
        ]
        places = [timeline.index(words) for words in told]
        assert places == sorted(places)
        assert "AUD-" in timeline
        # who changed which field, as the history of its hold has it
        assert "Fields of its hold" in timeline
        assert "released by: nothing → felix" in timeline

    def test_a_comment_is_kept_and_an_empty_one_is_not(self, company: Company) -> None:
        draft = billing.billed_customer(company)
        client, address = as_role("olga", "ops"), f"/admin/cycle/invoice/{draft.pk}/comment/"
        assert client.post(address, {"text": "They moved house."}).status_code == 302
        answer = client.post(address, {"text": "  "}, follow=True)
        assert "Nothing was kept." in answer.content.decode()
        assert [(one.text, one.author.username) for one in InvoiceComment.objects.all()] == [
            ("They moved house.", "olga")
        ]
        assert as_role("audrey", "auditor").post(address, {"text": "x"}).status_code == 403
        assert client.post("/admin/cycle/invoice/987654321/comment/", {"text": "x"}).status_code == 404


class TestMonth:
    def test_it_counts_each_stage_and_sums_each_currency(self, company: Company) -> None:
        draft, held, final = (billing.billed_customer(company, code) for code in ("acme", "globex", "umbrella"))
        hold.hold_invoice(
            invoice_id=held.pk, reason="", reason_code="price-in-question", actor=company.finance, at=CLOSING
        )
        billing.issue(company, [final])
        html = " ".join(as_role("audrey", "auditor").get(MONTH).content.decode().split())
        assert "3 invoices" in html
        assert "185.64" in html  # 3 × 61.88
        for words in (
            "Ready to approve",
            "Price or contract to be checked",
            "Raw, aggregated and rated agree everywhere",
        ):
            assert words in html, words
        assert f"{QUEUE}?period=2026-10&amp;status=held&amp;cause=price-in-question" in html
        assert draft.status == "draft"

    def test_it_says_who_is_parked_and_why(self, company: Company) -> None:
        draft = billing.billed_customer(company)
        run = CloseRun.objects.latest("pk")
        ParkedCustomer.objects.create(
            customer=draft.customer,
            run=run,
            code="price_missing",
            reason="A price is missing: approve one.",
            periods=1,
            subscription=draft.cycle.subscription,
            period_start=draft.period_start,
            period_end=draft.period_end,
            parked_at=CLOSING,
            last_tried_at=CLOSING,
        )
        html = as_role("audrey", "auditor").get(MONTH).content.decode()
        assert "A price is missing: approve one." in html

    def test_before_the_first_close_it_says_so(self) -> None:
        html = as_role("felix", "finance").get(f"{MONTH}?month=2026-10").content.decode()
        assert "Nothing was closed yet." in html


def test_finance_keeps_the_usual_reasons_and_deletes_none(company: Company) -> None:
    client = as_role("felix", "finance")
    new = {"use": "hold", "code": "audit", "label": "Asked for by the auditors", "is_in_use": "on"}
    assert client.post("/admin/cycle/holdreason/add/", new).status_code == 302
    draft = billing.billed_customer(company)
    decide(client, "hold", draft, reason_code="audit")
    assert draft.holds.get().reason == "Asked for by the auditors"
    assert as_role("olga", "ops").post("/admin/cycle/holdreason/add/", {**new, "code": "x"}).status_code == 403
