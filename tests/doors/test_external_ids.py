"""Moving a customer's id in another system, over the API and in the back office."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import external_ids
from accounts.models import Customer, ExternalId
from tests.builders.people import NOW, ApiClient, key_for, make_customer, make_staff

pytestmark = pytest.mark.django_db
ADDRESS = "customers/acme/external-ids/stripe/cus_1"


@pytest.fixture
def ops() -> ApiClient:
    person = make_staff("opal", "ops")
    for code in ("acme", "beta"):
        make_customer(code)
    external_ids.add_external_id(customer_code="acme", system="stripe", external_id="cus_1", actor=person, at=NOW)
    return ApiClient(key_for(person))


def move(client: ApiClient, to: Any, **headers: str) -> Any:
    return client.call("PATCH", ADDRESS, {"customer": to}, **headers)


def test_an_id_moves_in_one_step_and_a_repeat_gets_the_same_answer(ops: ApiClient) -> None:
    first, again = (move(ops, "beta", Idempotency_Key="m1") for _ in range(2))
    assert (first.status_code, first.json()["customer"], first.json()["external_id"]) == (200, "beta", "cus_1")
    assert (again.content, again["Idempotency-Replayed"]) == (first.content, "true")
    assert ExternalId.objects.get().customer.code == "beta"
    assert move(ops, "beta", Idempotency_Key="m2").status_code == 404


def test_a_move_without_a_key_is_refused_and_changes_nothing(ops: ApiClient) -> None:
    refused = move(ops, "beta")
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_missing")
    assert refused["Content-Type"] == "application/problem+json"
    assert ExternalId.objects.get().customer.code == "acme"


@pytest.mark.parametrize(("to", "status"), [("nobody", 404), ("", 422), (None, 422), (["beta"], 422)])
def test_a_move_to_nobody_is_refused(ops: ApiClient, to: Any, status: int) -> None:
    assert move(ops, to, Idempotency_Key="m1").status_code == status
    assert ExternalId.objects.get().customer.code == "acme"


def test_a_person_moves_it_in_the_back_office(ops: ApiClient) -> None:
    page = Client()
    page.force_login(make_staff("enza", "engineering"))
    number = ExternalId.objects.get().pk
    shown = page.get(reverse("admin:accounts_externalid_change", args=[number]))
    assert "Move to another customer" in shown.content.decode()
    beta, url = Customer.objects.get(code="beta"), reverse("admin:accounts_externalid_move", args=[number])
    assert "What was captured before stays where it is." in page.get(url).content.decode()
    assert ExternalId.objects.get().customer.code == "acme"
    answer = page.post(url, {"_form_submitted": "True", "customer": beta.pk})
    assert answer["HX-Redirect"] == reverse("admin:accounts_externalid_changelist")
    assert ExternalId.objects.get().customer == beta
    page.post(url, {"_form_submitted": "True", "customer": Customer.objects.get(code="acme").pk})
    assert ExternalId.objects.get().customer == beta
