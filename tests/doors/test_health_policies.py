"""The health policy is followed by versions: who sets them, what is refused, and what is kept."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from core.models import AuditEntry
from metering.models import HealthPolicy
from tests.builders import billing, guards
from tests.builders.people import ApiClient, key_for

pytestmark = pytest.mark.django_db
PATH = "metering/health-policies"


@pytest.fixture
def ops() -> ApiClient:
    return ApiClient(key_for(billing.person("otto", "ops")))


def test_the_next_version_keeps_what_is_not_named(ops: ApiClient) -> None:
    before = HealthPolicy.objects.latest("version")
    answer = ops.post(PATH, {"events_min": 50, "share_shift_min": "0.2", "reason": "small sources cried wolf"})
    assert answer.status_code == 201
    made = HealthPolicy.objects.latest("version")
    assert (made.version, made.events_min, made.share_shift_min) == (before.version + 1, 50, Decimal("0.2"))
    assert (made.window_minutes, made.silence_days) == (before.window_minutes, before.silence_days)
    assert answer.json()["created_by"] == "otto"
    entry = AuditEntry.objects.get(action="health_policy.set")
    assert (entry.facts["events_min"], entry.facts["reason"]) == ("50", "small sources cried wolf")
    listed = [one["version"] for one in ops.get(PATH).json()["results"]]
    assert listed == sorted(listed, reverse=True)
    assert guards.keeps_its_rows(HealthPolicy)


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"window_minutes": 0}, "/window_minutes"),
        ({"window_minutes": 30, "baseline_minutes": 30}, "/baseline_minutes"),
        ({"false_alarm_rate": "0.5"}, "/false_alarm_rate"),
        ({"share_shift_min": "1.5"}, "/share_shift_min"),
        ({"silence_days": 32}, "/silence_days"),
        ({"gaps_min": 0}, "/gaps_min"),
        ({"rhythm_weeks": 9}, "/rhythm_weeks"),
        ({"events_min": "many"}, "/events_min"),
        ({"reason": ""}, "/reason"),
    ],
)
def test_figures_by_which_nothing_could_be_watched_are_refused(
    ops: ApiClient, given: dict[str, Any], pointer: str
) -> None:
    count = HealthPolicy.objects.count()
    answer = ops.post(PATH, {"reason": "to try it", **given})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert HealthPolicy.objects.count() == count


def test_the_back_office_offers_the_present_figures_and_sets_the_next() -> None:
    client = Client()
    client.force_login(billing.person("otto", "ops"))
    now = HealthPolicy.objects.latest("version")
    dialog = reverse("admin:metering_healthpolicy_new_version")
    assert f'value="{now.window_minutes}"' in client.get(dialog).content.decode()
    figures = {name: str(getattr(now, name)) for name in ("window_minutes", "baseline_minutes", "false_alarm_rate")}
    figures |= {name: str(getattr(now, name)) for name in ("share_shift_min", "lag_shift_min", "silence_days")}
    figures |= {"silence_minutes_min": str(now.silence_minutes_min), "gaps_min": str(now.gaps_min)}
    figures |= {"rhythm_weeks": str(now.rhythm_weeks)}
    client.post(dialog, {"_form_submitted": "True", **figures, "events_min": "77", "reason": "small sources"})
    made = HealthPolicy.objects.latest("version")
    assert (made.version, made.events_min, made.reason) == (now.version + 1, 77, "small sources")
    listed = client.get(reverse("admin:metering_healthpolicy_changelist")).content.decode()
    assert f">{made.version}<" in "".join(listed.split())


def test_others_read_it_only() -> None:
    product = ApiClient(key_for(billing.person("pia", "product")))
    assert product.get(PATH).status_code == 200
    assert product.post(PATH, {"reason": "no"}).status_code == 403
