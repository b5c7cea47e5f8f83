"""Fifty callers with one new Idempotency-Key: one effect, forty-nine copies of its answer."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts import customers
from accounts.models import Customer
from tests.builders.people import ApiClient, key_for, make_staff

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 50


def race(headers: dict[str, str], *, code: str, key: str) -> list[Any]:
    """All callers at once, each with its own connection."""
    start = Barrier(CALLERS)

    def call() -> Any:
        try:
            start.wait()
            values = {"code": code, "legal_name": "Raced", "currency": "EUR"}
            return ApiClient(headers).post("customers", values, Idempotency_Key=key)
        finally:
            connection.close()

    with ThreadPoolExecutor(CALLERS) as pool:
        return [future.result() for future in [pool.submit(call) for _ in range(CALLERS)]]


@pytest.mark.parametrize("turns", [3, pytest.param(100, marks=pytest.mark.nightly)])
def test_one_of_fifty_takes_effect_and_all_get_its_answer(turns: int) -> None:
    headers = key_for(make_staff("fiona", "finance"))
    for turn in range(turns):
        answers = race(headers, code=f"c{turn}", key=f"k{turn}")
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotency-Replayed" in answer for answer in answers) == CALLERS - 1
    assert Customer.objects.count() == turns


def test_when_the_first_fails_another_takes_effect(monkeypatch: pytest.MonkeyPatch) -> None:

    create, failures = customers.create_customer, iter([RuntimeError("first"), RuntimeError("second")])

    def fail_twice(**arguments: Any) -> Customer:
        made = create(**arguments)
        for failure in failures:
            raise failure
        return made

    monkeypatch.setattr(customers, "create_customer", fail_twice)
    answers = race(key_for(make_staff("fiona", "finance")), code="acme", key="k")
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201] * (CALLERS - 2) + [500, 500]
    assert Customer.objects.count() == 1
