"""`invoice-terms`: proposed by one person, decided by another, and refused with the field at fault."""

from typing import Any

import pytest

from invoicing.pricing.models import InvoiceTerm
from tests.builders import agreements
from tests.builders.people import ApiClient, key_for, make_staff

pytestmark = pytest.mark.django_db
TERM = {
    "plan": "basic",
    "code": "discount",
    "kind": "allowance",
    "reason": "Partner discount",
    "percent": "10",
    "effective_at": "2026-01-01T00:00:00Z",
}


def client(role: str) -> ApiClient:
    return ApiClient(key_for(make_staff(f"api-{role}", role)))


@pytest.fixture
def product() -> ApiClient:
    agreements.plan()
    return client("product")


def test_a_term_is_proposed_listed_and_approved(product: ApiClient) -> None:
    proposed = product.post("invoice-terms", TERM)
    assert proposed.status_code == 201
    assert {name: proposed.json()[name] for name in TERM} == TERM
    assert (proposed.json()["status"], proposed.json()["amount"]) == ("proposed", None)
    path = f"invoice-terms/{proposed.json()['id']}"
    assert product.post(f"{path}/approve").status_code == 403
    finance = client("finance")
    approved = finance.post(f"{path}/approve")
    assert (approved.status_code, approved.json()["decided_by"]) == (200, "api-finance")
    assert finance.post(f"{path}/withdraw").status_code == 409
    listed = {
        query: len(product.get(f"invoice-terms?{query}").json()["results"])
        for query in ("", "plan=basic", "status=approved", "status=proposed", "code=other", "subscription=1")
    }
    assert list(listed.values()) == [1, 1, 1, 0, 0, 0]


def test_a_term_may_be_for_one_subscription(product: ApiClient) -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan("pro"))
    body = {**TERM, "subscription": subscription.pk, "kind": "rounding", "amount": "0.05"}
    del body["plan"], body["percent"]
    proposed = product.post("invoice-terms", body)
    assert (proposed.status_code, proposed.json()["amount"], proposed.json()["plan"]) == (201, "0.05", None)
    assert proposed.json()["subscription"] == subscription.pk


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"plan": "none"}, "/plan"),
        ({"subscription": 99999}, "/subscription"),
        ({"percent": "101"}, "/percent"),
        ({"percent": "x"}, "/percent"),
        ({"amount": "1.00"}, "/percent"),
        ({"amount": "NaN"}, "/amount"),
        ({"kind": "gift"}, "/kind"),
        ({"reason": ""}, "/reason"),
        ({"code": "a b"}, "/code"),
        ({"effective_at": "soon"}, "/effective_at"),
    ],
)
def test_a_wrong_term_is_refused_with_the_field_at_fault(product: ApiClient, change: Any, pointer: str) -> None:
    answer = product.post("invoice-terms", {**TERM, **change})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not InvoiceTerm.objects.exists()


def test_a_term_is_for_a_plan_or_for_a_subscription(product: ApiClient) -> None:
    subscription = agreements.start(agreements.customer(), agreements.plan("pro"))
    for body in ({**TERM, "subscription": subscription.pk}, {k: v for k, v in TERM.items() if k != "plan"}):
        answer = product.post("invoice-terms", body)
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/plan"]


def test_what_is_not_there_is_not_found(product: ApiClient) -> None:
    assert client("finance").post("invoice-terms/99999/approve").status_code == 404
    assert product.post("invoice-terms/99999/withdraw").status_code == 404
    assert product.get("invoice-terms?subscription=x").status_code == 422
