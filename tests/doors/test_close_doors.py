"""Closes are started, followed and tried again over HTTP and in the back office."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core import work
from invoicing.cycle import close_runs, start_close
from invoicing.cycle.models import CloseRun, Invoice, ParkedCustomer
from tests.builders import billing, people
from tests.builders.billing import CLOSING, NOVEMBER, OCTOBER, day
from tests.builders.people import ApiClient

pytestmark = pytest.mark.django_db
AS_OF = "2026-11-01T00:00:00Z"


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def finance(company: billing.Company) -> ApiClient:
    return ApiClient(people.key_for(company.finance))


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(billing.person(f"some-{role}", role))
    return client


def shown(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def page(model: str, row: int) -> str:
    return reverse(f"admin:{model}_change", args=[row])


def submit(client: Client, name: str, row: int | None = None, **fields: Any) -> Any:
    url = reverse(f"admin:{name}", args=[] if row is None else [row])
    return client.post(url, {"_form_submitted": "True", **fields})


def park_acme(company: billing.Company) -> ParkedCustomer:
    billing.subscribe_to(company, billing.make_customer("acme", tax_rate_code="fr-vat"))
    billing.close_october()
    return ParkedCustomer.objects.get()


def test_a_close_is_started_done_by_a_worker_and_read(company: billing.Company, finance: ApiClient) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    answer = finance.post("closes", {"as_of": AS_OF})
    started = answer.json()
    assert (answer.status_code, started["state"], started["customers"], started["total"]) == (202, "queued", None, 0)
    work.run_due_jobs(at=CLOSING.replace(year=2126))
    read = finance.get(f"closes/{started['id']}").json()
    assert (read["state"], read["total"], read["done"], read["drafted"], read["asked_by"]) == (
        "ended",
        1,
        1,
        1,
        "fiona",
    )
    assert [row["id"] for row in finance.get("closes").json()["results"]] == [started["id"]]
    assert Invoice.objects.get().drafted_by == company.finance  # so a colleague has to approve it


def test_the_same_close_twice_is_one_until_it_has_ended(finance: ApiClient) -> None:
    first, second = (finance.post("closes", {"as_of": AS_OF}).json()["id"] for _ in range(2))
    assert first == second
    other = finance.post("closes", {"as_of": "2026-10-01T00:00:00Z"}).json()["id"]
    assert other != first


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"as_of": "2126-11-01T00:00:00Z"}, 422, "not_over_yet"),
        ({"as_of": AS_OF, "customers": ["nobody"]}, 422, "unknown_customer"),
        ({"as_of": "soon"}, 422, "invalid"),
        ({"as_of": AS_OF, "customers": []}, 422, "invalid"),
    ],
)
def test_a_close_that_cannot_be_is_refused(finance: ApiClient, body: dict[str, Any], status: int, code: str) -> None:
    answer = finance.post("closes", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not CloseRun.objects.exists()


def test_a_close_goes_on_slice_by_slice_and_tries_nobody_twice(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    billing.subscribe_to(company, billing.make_customer("parked-co", tax_rate_code="fr-vat"))
    for code in ("acme", "globex", "initech"):
        billing.subscribe_to(company, billing.make_customer(code))
    monkeypatch.setattr("invoicing.cycle.close.CHUNK_PERIODS", 1)
    monkeypatch.setattr("invoicing.cycle.tasks.SLICE_SECONDS", 0)  # so a slice is one chunk
    run = start_close.start_close(as_of=NOVEMBER, customer_codes=None, actor=company.finance, at=CLOSING)
    assert work.run_due_jobs(at=CLOSING.replace(year=2126)) == 4
    run.refresh_from_db()
    assert (run.drafted, run.failed, run.attempts) == (3, 1, 4)
    assert close_runs.states_of([run])[run.pk] == "ended"
    assert ParkedCustomer.objects.get().attempts == 1


def test_a_parked_customer_is_listed_with_a_way_out_and_tried_again(
    company: billing.Company, finance: ApiClient
) -> None:
    parked = park_acme(company)
    [row] = finance.get("parked-customers").json()["results"]
    assert (row["customer"], row["code"], row["attempts"], row["since"]) == (
        "acme",
        "no_tax_rate",
        1,
        "2026-11-02T08:00:00Z",
    )
    assert row["way_out"].startswith("Add a tax rate that is effective by the end of the period")
    assert (row["period_start"], row["left_at"]) == ("2026-10-01T00:00:00Z", None)
    answer = finance.post(f"parked-customers/{parked.pk}/try-again")
    assert (answer.status_code, answer.json()["customers"], answer.json()["as_of"]) == (202, ["acme"], AS_OF)
    work.run_due_jobs(at=CLOSING.replace(year=2126))
    parked.refresh_from_db()
    assert (parked.attempts, parked.left_at) == (2, None)
    billing.prices.add_tax_rate(
        code="fr-vat",
        name="TVA",
        category="S",
        percent=billing.Decimal(20),
        effective_at=OCTOBER,
        note="",
        actor=company.finance,
        at=OCTOBER,
    )
    finance.post(f"parked-customers/{parked.pk}/try-again")
    work.run_due_jobs(at=CLOSING.replace(year=2126))
    assert finance.get("parked-customers").json()["results"] == []
    [row] = finance.get("parked-customers?include_left=true&customer=acme").json()["results"]
    assert row["left_at"] is not None
    refused = finance.post(f"parked-customers/{parked.pk}/try-again")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_parked")


def test_the_back_office_starts_a_close_and_follows_it(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    ops = signed_in("ops")
    answer = submit(ops, "cycle_closerun_start", as_of="2026-11-01T00:00:00", customers="acme")
    run = CloseRun.objects.get()
    assert answer["HX-Redirect"] == reverse("admin:cycle_closerun_changelist")
    assert (run.as_of, run.customer_codes) == (NOVEMBER, ["acme"])
    waiting = ops.get(page("cycle_closerun", run.pk))
    assert waiting.headers["Refresh"] == "3"
    work.run_due_jobs(at=CLOSING.replace(year=2126))
    done = ops.get(page("cycle_closerun", run.pk))
    assert "Refresh" not in done.headers
    assert "This close has ended." in done.content.decode()
    assert "1 of 1" in shown(ops, reverse("admin:cycle_closerun_changelist"))


def test_the_back_office_shows_who_is_parked_and_tries_again(company: billing.Company) -> None:
    parked = park_acme(company)
    finance = signed_in("finance")
    text = shown(finance, page("cycle_parkedcustomer", parked.pk))
    for words in ("No tax rate fr-vat is in force", "Add a tax rate that is effective", "Try again", "Acme GmbH"):
        assert words in text, words
    assert "Try again" not in shown(signed_in("auditor"), page("cycle_parkedcustomer", parked.pk))
    listed = shown(finance, reverse("admin:cycle_parkedcustomer_changelist"))
    assert "check_small" not in listed  # who is parked does not look fine
    assert "No tax rate fr-vat" in shown(finance, page("cycle_closerun", parked.run_id))
    assert "could not be closed" in shown(finance, reverse("admin:index"))
    submit(finance, "cycle_parkedcustomer_try_again", parked.pk)
    work.run_due_jobs(at=CLOSING.replace(year=2126))
    parked.refresh_from_db()
    assert parked.attempts == 2


def test_what_stopped_a_close_is_shown() -> None:
    billing.Seller.objects.all().delete()
    run = close_runs.ask_for_run(as_of=NOVEMBER, customer_codes=[], actor=None, at=day(2, month=11))
    with pytest.raises(start_close.close.SellerMissingError):
        start_close.go_on(run_id=run.pk, at=CLOSING, is_over=lambda: False)
    text = shown(signed_in("auditor"), page("cycle_closerun", run.pk))
    assert "This close stopped." in text
    assert "There is no seller yet" in text
