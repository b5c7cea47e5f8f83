"""What machines ask first: is it alive, is it ready, what does the API offer."""

import re
from contextlib import closing
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from drf_spectacular import validation

from billing_ops import health
from core import heartbeats


@pytest.fixture
def client() -> Client:
    return Client()


def test_a_process_that_answers_is_alive_whatever_the_database_does(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_it_is_ready_when_the_database_is_migrated(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "workers": 0}
    monkeypatch.setenv("BILLING_OPS_WORKER", "here")
    heartbeats.beat()
    assert client.get("/readyz").json() == {"status": "ok", "workers": 1}


@pytest.mark.django_db
def test_it_is_not_ready_while_migrations_wait(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    health._find_migrated.cache_clear()  # noqa: SLF001  another test may have found it migrated
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["one that waits"])
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "not migrated"})
    monkeypatch.undo()
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise OperationalError("connection refused")

    monkeypatch.setattr(heartbeats, "live_workers", fail)
    monkeypatch.setattr("django.db.connection.close", lambda: None)  # the test needs its own again
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"status": "no database"})


def schema(client: Client) -> Any:
    return client.get("/api/v1/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()


def test_every_call_is_described_with_its_refusals(client: Client) -> None:
    document = schema(client)
    assert document["openapi"] == "3.1.1"
    assert {"/api/v1/events", "/api/v1/customers", "/api/v1/invoices/{invoice_id}/finalize"} <= document["paths"].keys()
    undescribed = [
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, call in methods.items()
        if not {"401", "403"} <= call["responses"].keys() or not (call.get("summary") or call.get("description"))
    ]
    assert undescribed == []


def test_every_call_has_a_name_of_its_own(client: Client) -> None:
    names = [call["operationId"] for methods in schema(client)["paths"].values() for call in methods.values()]
    assert len(names) == len(set(names))


@pytest.mark.django_db  # a response that is closed looks after the connection
def test_the_page_loads_nothing_from_elsewhere_and_runs_no_script_of_its_own(client: Client) -> None:
    page = client.get("/api/v1/docs/")
    text = page.content.decode()
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    assert not re.search(r"<script>|<script(?![^>]*src=)", text)
    assert "'unsafe-inline'" not in page["Content-Security-Policy"].partition("script-src")[2].partition(";")[0]
    scripts = re.findall(r'<script src="([^"]+)"', text)
    assert len(scripts) == 3
    for script in scripts:
        with closing(client.get(script)) as answer:
            assert (answer.status_code, "javascript" in answer["Content-Type"]) == (200, True)


def test_the_description_is_valid_openapi(client: Client) -> None:
    validation.validate_schema(schema(client))
