"""Where raw events cannot be asked for, API and pages say so with a sentence and when to come again: 503, not 500."""

from typing import Any, NoReturn

import pytest
from django.test import Client
from django.urls import reverse

from metering.store import elsewhere
from metering.store.clickhouse import ClickHouseUnreachableError
from tests.builders import billing
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db
AWAY = "ClickHouse does not answer now: connection refused"


@pytest.fixture
def engineer(monkeypatch: pytest.MonkeyPatch) -> Any:
    def refuse(*_asked: Any, **_how: Any) -> NoReturn:
        raise ClickHouseUnreachableError(AWAY)

    for name in ("is_any_away", "showing_days", "showing_numbers"):
        monkeypatch.setattr(elsewhere, name, refuse)
    return billing.person("olaf", "engineering")


def test_the_api_answers_a_problem(engineer: Any) -> None:
    answer = ApiClient(key_for(engineer)).get("events")
    assert (answer.status_code, answer["Content-Type"], answer["Retry-After"]) == (503, "application/problem+json", "5")
    assert (answer.json()["code"], answer.json()["detail"]) == ("clickhouse_unreachable", AWAY)


@pytest.mark.parametrize("url", ["changelist", "change"])
def test_a_page_says_it_in_words(engineer: Any, url: str) -> None:
    client = Client()
    client.force_login(engineer)
    answer = client.get(reverse(f"admin:metering_usageevent_{url}", args=[7] if url == "change" else []))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    page = answer.content.decode()
    assert "Not available now" in page
    assert AWAY in page
