"""The portal: its own customer's usage and final invoices, and nothing else for anybody."""

import hashlib
import html
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from accounts.models import PortalUser
from core import work
from invoicing.cycle.models import Invoice
from invoicing.documents.models import StoredDocument
from invoicing.portal import urls, views
from tests.builders import billing, portal

NOW = datetime(2026, 11, 10, 15, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tenth_of_november(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow by intent
    monkeypatch.setattr(views, "timezone", SimpleNamespace(now=lambda: NOW))


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def issued(company: billing.Company) -> Invoice:
    """October of acme: 49.00 + 1,500 tokens for 3.00, with 19 % tax 61.88."""
    return billing.issue(company, [billing.billed_customer(company, "acme")])[0]


@pytest.fixture
def acme(issued: Invoice) -> Client:
    return signed_in(portal.portal_person(issued.customer))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """What a person reads: no tags, no runs of white space, no figures hidden in attributes."""
    content = response.content.decode()
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content)))


def pages_of(invoice: Invoice) -> list[str]:
    base = f"/portal/invoices/{invoice.pk}/"
    return [base, f"{base}pdf", f"{base}lines.csv"]


# Signing in and out


def test_a_person_of_a_customer_signs_in_and_sees_the_overview(issued: Invoice) -> None:
    user = portal.portal_person(issued.customer)
    answer = Client().post("/portal/login/", {"username": user.username, "password": portal.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/portal/")


def test_staff_who_sign_in_here_go_on_to_the_back_office(company: billing.Company) -> None:
    company.finance.set_password(portal.PASSWORD)
    company.finance.save()
    answer = Client().post("/portal/login/", {"username": "fiona", "password": portal.PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_is_refused_without_saying_which_part_was_wrong(issued: Invoice, password: str) -> None:
    user = portal.portal_person(issued.customer)
    known = Client().post("/portal/login/", {"username": user.username, "password": password})
    unknown = Client().post("/portal/login/", {"username": "nobody", "password": password})
    assert known.status_code == unknown.status_code == 200
    assert text_of(known).replace(user.username, "") == text_of(unknown).replace("nobody", "")
    assert "_auth_user_id" not in known.wsgi_request.session


def test_a_name_is_locked_after_ten_wrong_passwords_and_told_until_when(issued: Invoice) -> None:
    user = portal.portal_person(issued.customer)
    client = Client()
    for _ in range(10):
        client.post("/portal/login/", {"username": user.username, "password": "wrong"})
    answer = client.post("/portal/login/", {"username": user.username, "password": portal.PASSWORD})
    assert "Too many wrong passwords for this name. Try again after" in text_of(answer)
    assert "_auth_user_id" not in answer.wsgi_request.session


def test_a_person_of_no_customer_is_told_so_and_stays_out() -> None:
    User.objects.create_user("stray", password=portal.PASSWORD)
    answer = Client().post("/portal/login/", {"username": "stray", "password": portal.PASSWORD})
    assert "This sign-in belongs to no customer yet." in text_of(answer)
    assert "_auth_user_id" not in answer.wsgi_request.session


def test_who_is_not_active_stays_out(issued: Invoice) -> None:
    user = portal.portal_person(issued.customer)
    client = signed_in(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/portal/").status_code == 302
    answer = Client().post("/portal/login/", {"username": user.username, "password": portal.PASSWORD})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("target", "arrival"),
    [
        ("/portal/invoices/", "/portal/invoices/"),
        ("https://evil.example/", "/portal/"),
        ("//evil.example/", "/portal/"),
        ("javascript:alert(1)", "/portal/"),
        ("", "/portal/"),
    ],
)
def test_after_signing_in_people_arrive_on_this_host_only(issued: Invoice, target: str, arrival: str) -> None:
    user = portal.portal_person(issued.customer)
    form = {"username": user.username, "password": portal.PASSWORD, "next": target}
    assert Client().post("/portal/login/", form)["Location"] == arrival


def test_signing_in_gives_a_new_session_and_signing_out_ends_it(issued: Invoice) -> None:
    user = portal.portal_person(issued.customer)
    client = Client()
    client.get("/portal/login/")
    client.session.save()
    before = client.session.session_key
    client.post("/portal/login/", {"username": user.username, "password": portal.PASSWORD})
    assert client.session.session_key != before
    assert client.get("/portal/logout/").status_code == 405  # a link cannot sign anybody out
    assert client.post("/portal/logout/")["Location"] == "/portal/login/"
    assert client.get("/portal/")["Location"] == "/portal/login/?next=/portal/"


@pytest.mark.parametrize("path", ["/portal/login/", "/portal/logout/", "/portal/password/"])
def test_every_form_wants_its_token(issued: Invoice, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(portal.portal_person(issued.customer))
    answer = client.post(path, {})
    assert answer.status_code == 403
    assert "Nothing was changed" in text_of(answer)


def test_a_new_password_works_and_ends_other_sessions(issued: Invoice) -> None:
    user = portal.portal_person(issued.customer)
    here, elsewhere = signed_in(user), signed_in(user)
    new = "staple battery horse"
    form = {"old_password": portal.PASSWORD, "new_password1": new, "new_password2": new}
    assert "Your password is changed." in text_of(here.post("/portal/password/", form, follow=True))
    assert elsewhere.get("/portal/").status_code == 302
    assert Client().login(username=user.username, password=new)


def test_a_short_password_is_refused(acme: Client) -> None:
    form = {"old_password": portal.PASSWORD, "new_password1": "short", "new_password2": "short"}
    assert "at least 10 characters" in text_of(acme.post("/portal/password/", form))


# Who sees what


def portal_paths() -> dict[str, Any]:
    return {f"/portal/{one.pattern}": one.callback for one in urls.urlpatterns}


def test_every_address_but_sign_in_and_out_is_guarded() -> None:
    open_to_all = [path for path, view in portal_paths().items() if not getattr(view, "portal_required", False)]
    assert open_to_all == ["/portal/login/", "/portal/logout/"]


def test_who_is_not_signed_in_is_asked_to_and_comes_back(issued: Invoice) -> None:
    paths = [path.replace("<int:invoice_id>", str(issued.pk)) for path in portal_paths()]
    for path in sorted({*paths} - {"/portal/login/", "/portal/logout/"}):
        answer = Client().get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/portal/login/?next={path}")


def test_staff_without_a_customer_are_led_to_the_back_office(company: billing.Company, issued: Invoice) -> None:
    for path in ["/portal/", "/portal/invoices/", *pages_of(issued)]:
        answer = signed_in(company.finance).get(path)
        assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_a_person_of_no_customer_finds_nothing(issued: Invoice) -> None:
    client = signed_in(User.objects.create_user("stray"))
    for path in ["/portal/", "/portal/invoices/", *pages_of(issued)]:
        assert client.get(path).status_code == 404


def test_another_customers_invoice_cannot_be_told_from_none(company: billing.Company, issued: Invoice) -> None:
    other = billing.issue(company, [billing.billed_customer(company, "globex", legal_name="Globex & Söhne")])[0]
    work.run_due_jobs(at=billing.CLOSING)
    client = signed_in(portal.portal_person(issued.customer))
    for theirs, missing in zip(pages_of(other), pages_of(Invoice(pk=10**9)), strict=True):
        answer, none = client.get(theirs), client.get(missing)
        assert answer.status_code == none.status_code == 404
        assert answer.content == none.content
    assert "globex" not in text_of(client.get("/portal/")).lower()
    assert str(other.number) not in text_of(client.get("/portal/invoices/"))


def test_no_draft_held_or_approved_invoice_is_shown(company: billing.Company) -> None:
    draft = billing.billed_customer(company, "acme")
    client = signed_in(portal.portal_person(draft.customer))
    assert {client.get(path).status_code for path in pages_of(draft)} == {404}
    billing.approve_by(company.finance, draft)
    assert {client.get(path).status_code for path in pages_of(draft)} == {404}
    assert "There are no invoices yet." in text_of(client.get("/portal/invoices/"))
    billing.issue(company, [])
    assert Invoice.objects.get().status == Invoice.Status.APPROVED


def test_a_person_whose_access_is_taken_away_finds_nothing_from_then_on(acme: Client, issued: Invoice) -> None:
    assert acme.get(pages_of(issued)[0]).status_code == 200
    PortalUser.objects.get().delete()
    assert acme.get(pages_of(issued)[0]).status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written_through_the_pages(acme: Client, issued: Invoice, method: str) -> None:
    for path in ["/portal/", "/portal/invoices/", *pages_of(issued)]:
        assert getattr(acme, method)(path).status_code == 405


# Invoices


def test_the_list_shows_number_period_dates_and_total(acme: Client, issued: Invoice) -> None:
    text = text_of(acme.get("/portal/invoices/"))
    assert f"{issued.number} 1 – 31 Oct 2026 2 Nov 2026 16 Nov 2026 61.88 EUR" in text


def test_an_invoice_shows_its_lines_taxes_and_total(acme: Client, issued: Invoice) -> None:
    text = text_of(acme.get(pages_of(issued)[0]))
    assert f"Invoice {issued.number}" in text
    assert "1 – 31 Oct 2026 1,500 unit 0.002 3.00" in text
    assert "Subtotal 52.00 VAT 19% on 52.00 9.88 Total 61.88" in text
    assert "Please pay by 16 Nov 2026." in text


def test_a_tiered_line_opens_to_its_computation(company: billing.Company) -> None:
    tiers = {"tiers": [{"up_to": "1000", "unit_amount": "0.01"}, {"up_to": None, "unit_amount": "0.005"}]}
    plan = billing.make_plan("tiered", finance=company.finance, fee=None, meter=None)
    billing.set_price(plan, meter=company.meter, model="graduated", params=tiers, finance=company.finance)
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer, plan=plan)
    billing.use("acme", ("e1", billing.day(3), 1500))
    billing.close_october()
    invoice = billing.issue(company, list(Invoice.objects.all()))[0]
    text = text_of(signed_in(portal.portal_person(customer)).get(pages_of(invoice)[0]))
    assert "How this was computed" in text
    assert "1,500 unit by tier 12.50" in text
    assert "1,000 0.01 10.00" in text
    assert "500 0.005 2.50" in text


def test_the_pdf_is_the_stored_bytes_as_a_download(acme: Client, issued: Invoice) -> None:
    path = pages_of(issued)[1]
    waiting = acme.get(path)
    assert (waiting.status_code, waiting["Retry-After"]) == (503, "5")
    assert "The PDF is being rendered" in text_of(waiting)

    work.run_due_jobs(at=billing.CLOSING)
    answer = acme.get(path)
    stored = StoredDocument.objects.get()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{issued.number}.pdf"'
    assert hashlib.sha256(answer.content).hexdigest() == stored.sha256
    assert acme.get(path).content == answer.content


def test_the_lines_come_as_csv(acme: Client, issued: Invoice) -> None:
    answer = acme.get(pages_of(issued)[2])
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{issued.number}.csv"'
    assert (
        "2026-10-01T00:00:00+00:00,2026-11-01T00:00:00+00:00,1500,unit,0.002,3.00,EUR,S,19," in answer.content.decode()
    )


def test_many_invoices_come_in_pages(
    company: billing.Company, issued: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "INVOICES_PER_PAGE", 1)
    billing.close_november()
    second = billing.issue(company, list(Invoice.objects.filter(status="draft")), at=billing.NEXT_CLOSING)[0]
    client = signed_in(portal.portal_person(issued.customer))
    first_page, last_page = text_of(client.get("/portal/invoices/")), text_of(client.get("/portal/invoices/?page=2"))
    assert str(second.number) in first_page
    assert str(issued.number) not in first_page
    assert str(issued.number) in last_page
    assert text_of(client.get("/portal/invoices/?page=999")) == last_page
    assert text_of(client.get("/portal/invoices/?page=x")) == first_page


# Usage


def test_usage_of_the_running_period_stands_with_its_days_and_its_cost(acme: Client) -> None:
    billing.use("acme", ("n1", billing.day(2, month=11), 700), ("n2", billing.day(9, month=11), 800), at=NOW)
    answer = acme.get("/portal/")
    text = text_of(answer)
    assert "1 – 30 Nov 2026" in text
    assert "Starter · days in UTC · as of 10 Nov 2026, 15:30" in text
    assert "1,500 unit" in text
    assert "2 Nov 2026 700 9 Nov 2026 800" in text
    assert "Invoice if the period ended now 61.88 EUR including 9.88 tax" in text
    assert answer.content.decode().count('class="bar"') == 2
    assert "<title>2 Nov 2026: 700</title>" in answer.content.decode()


def test_days_are_those_of_the_customers_zone(company: billing.Company) -> None:
    customer = billing.make_customer("kiwi", time_zone="Pacific/Auckland")
    since = datetime(2026, 9, 30, 11, tzinfo=UTC)  # 1 October there
    billing.subscribe_to(company, customer, since=since)
    billing.use("kiwi", ("n1", datetime(2026, 11, 4, 11, 30, tzinfo=UTC), 5), at=NOW)  # 00:30 on the 5th there
    text = text_of(signed_in(portal.portal_person(customer)).get("/portal/"))
    assert "days in Pacific/Auckland" in text
    assert "5 Nov 2026 5" in text
    assert "4 Nov 2026" not in text


def test_a_period_without_usage_says_nothing_yet(acme: Client) -> None:
    text = text_of(acme.get("/portal/"))
    assert "0 unit" in text
    assert "Nothing yet." in text


def test_a_customer_without_a_plan_is_told_so() -> None:
    client = signed_in(portal.portal_person(billing.make_customer("quiet")))
    assert "No plan is running for you at the moment." in text_of(client.get("/portal/"))


def test_a_plan_of_fees_alone_shows_no_meter(company: billing.Company) -> None:
    customer = billing.make_customer("flat")
    billing.subscribe_to(
        company, customer, plan=billing.make_plan("fee", finance=company.finance, fee="10", meter=None)
    )
    text = text_of(signed_in(portal.portal_person(customer)).get("/portal/"))
    assert "Your plan charges nothing by usage." in text
    assert "11.90 EUR" in text


def test_a_highest_value_is_not_the_sum_of_its_days(company: billing.Company) -> None:
    peak = billing.make_meter("peak", event_type="load", owner=company.finance, aggregation="max")
    plan = billing.make_plan("peaks", finance=company.finance, fee=None, meter=peak, unit_amount="1")
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer, plan=plan)
    billing.use(
        "acme",
        ("p1", billing.day(2, month=11), 40),
        ("p2", billing.day(3, month=11), 30),
        event_type="load",
        at=NOW,
    )
    assert "40 unit" in text_of(signed_in(portal.portal_person(customer)).get("/portal/"))


def test_another_customers_usage_does_not_count(acme: Client, company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("globex"))
    billing.use("globex", ("g1", billing.day(2, month=11), 4242), at=NOW)
    assert "4,242" not in text_of(acme.get("/portal/"))


def test_hostile_names_are_text(company: billing.Company) -> None:
    name = "<script>alert(1)</script>"
    customer = billing.make_customer("evil", legal_name=name)
    billing.subscribe_to(company, customer)
    page = signed_in(portal.portal_person(customer)).get("/portal/").content.decode()
    assert name not in page
    assert html.escape(name) in page


def test_pages_are_kept_nowhere_run_no_script_and_load_nothing_from_elsewhere(acme: Client, issued: Invoice) -> None:
    for path in ["/portal/", "/portal/invoices/", pages_of(issued)[0], "/portal/password/"]:
        answer = acme.get(path)
        assert "no-store" in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]
        assert "script-src 'none'" in answer["Content-Security-Policy"]
        assert "unsafe" not in answer["Content-Security-Policy"]
        page = answer.content.decode()
        assert "<script" not in page
        assert " style=" not in page
        assert re.findall(r"(?:href|src|action)=\"(?!/|#|\?)[^\"]*", page) == []
