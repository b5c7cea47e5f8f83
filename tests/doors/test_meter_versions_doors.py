"""Versions of meters by API and on their pages: proposed, compared, approved by the owner."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from metering import aggregate, watermark
from metering.aggregate import UsageWindow
from metering.models import Meter, MeterVersion
from tests.builders import usage
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
LARGE = {"property": "model", "operator": "equals", "value": "large"}
SUBMITTED = {"_form_submitted": "True"}
BODY: dict[str, Any] = {
    "effective_at": "2026-04-01T00:00:00Z",
    "reason": "Only large models are billed.",
    "definition": "Tokens read by large models.",
    "aggregation": "sum",
    "value_property": "input_tokens",
    "filters": [LARGE],
    "group_by": ["model"],
}


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


@pytest.fixture
def colleague() -> Sender:
    return Sender(usage.api_key("paul", "product"))


@pytest.fixture
def owner() -> Sender:
    return Sender(usage.api_key("enza", "engineering"))


class TestApi:
    def test_a_version_is_proposed_and_approved_by_the_owner(self, colleague: Sender, owner: Sender) -> None:
        made = colleague.post("meters/input-tokens/versions", BODY)
        assert (made.status_code, made.json()["version"], made.json()["status"]) == (201, 2, "proposed")
        assert colleague.post("meters/input-tokens/versions/2/approve").status_code == 403
        assert owner.post("meters/input-tokens/versions/2/approve").json()["status"] == "approved"
        assert [one["version"] for one in owner.get("meters/input-tokens/versions").json()] == [2, 1]
        assert owner.get("meters/input-tokens/versions/2").json()["filters"] == [LARGE]
        assert owner.get("meters/input-tokens/versions/9").status_code == 404

    def test_the_owner_does_not_approve_an_own_proposal(self, owner: Sender) -> None:
        owner.post("meters/input-tokens/versions", BODY)
        refused = owner.post("meters/input-tokens/versions/2/approve")
        assert (refused.status_code, MeterVersion.objects.get(version=2).status) == (403, "proposed")

    def test_a_version_is_rejected_with_a_reason(self, colleague: Sender, owner: Sender) -> None:
        colleague.post("meters/input-tokens/versions", BODY)
        assert owner.post("meters/input-tokens/versions/2/reject", {}).status_code == 422
        done = owner.post("meters/input-tokens/versions/2/reject", {"reason": "Not this year."}).json()
        assert (done["status"], done["decided_by"], done["decision_reason"]) == ("rejected", "enza", "Not this year.")

    def test_a_comparison_shows_what_differs_and_what_it_would_have_changed(self, colleague: Sender) -> None:
        for number, model in enumerate(("small", "large", "large")):
            data = {"input_tokens": 10, "output_tokens": 1, "model": model}
            usage.capture(usage.event(f"e{number}", data=data))
        usage.customer("zeta")
        meter = Meter.objects.get()
        windows = [UsageWindow(usage.customer(code).pk, meter.pk, MARCH, APRIL) for code in ("zeta", "acme")]
        aggregate.take_snapshots(windows, watermark=watermark.fix_watermark(at=APRIL), at=APRIL)
        colleague.post("meters/input-tokens/versions", BODY)
        found = colleague.get("meters/input-tokens/versions/2/comparison").json()
        assert [change["name"] for change in found["changes"]] == ["definition", "filters", "group_by"]
        assert (found["replaces"], found["customers_changed"]) == (1, 1)
        assert [(one["customer"], one["old_quantity"], one["new_quantity"]) for one in found["customers"]] == [
            ("acme", "30", "20"),
            ("zeta", "0", "0"),
        ]
        assert [found["customers"][0][name] for name in ("old_events", "new_events")] == [3, 2]

    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"filters": [{"property": "nothing", "operator": "equals", "value": 1}]}, "/filters/0/property"),
            ({"filters": "all"}, "/filters"),
            ({"group_by": ["nothing"]}, "/group_by/0"),
            ({"aggregation": "median"}, "/aggregation"),
            ({"decimals": 19}, "/decimals"),
            ({"effective_at": "2026-04-01T00:00:00"}, "/effective_at"),
            ({"value_property": "model"}, "/value_property"),
            ({"approver": "enza"}, "/approver"),
        ],
    )
    def test_a_body_that_cannot_be_is_refused_with_its_place(
        self, colleague: Sender, changes: dict[str, Any], pointer: str
    ) -> None:
        answer = colleague.post("meters/input-tokens/versions", BODY | changes)
        assert answer.status_code in (400, 422)
        assert answer.json()["errors"][0]["pointer"] == pointer

    def test_a_meter_is_handed_over_by_its_owner(self, colleague: Sender, owner: Sender) -> None:
        body = {"to": "paul", "reason": "Moves on."}
        assert colleague.post("meters/input-tokens/owner", body).status_code == 403
        assert owner.post("meters/input-tokens/owner", body).json()["owner"] == "paul"

    def test_a_meter_is_made_with_its_whole_measure(self, owner: Sender) -> None:
        body = {**BODY, "code": "large", "name": "Large", "unit": "token", "contract": "llm.tokens"}
        made = owner.post("meters", {name: body[name] for name in body if name not in ("effective_at", "reason")})
        assert (made.status_code, made.json()["version"], made.json()["filters"]) == (201, 1, [LARGE])


class TestPages:
    def page(self, who: str, role: str) -> Client:
        client = Client()
        client.force_login(usage.person(who, role))
        return client

    def test_the_page_shows_the_difference_and_the_effect(self, colleague: Sender) -> None:
        usage.capture(usage.event(data={"input_tokens": 10, "output_tokens": 1, "model": "small"}))
        meter = Meter.objects.get()
        window = UsageWindow(usage.customer().pk, meter.pk, MARCH, APRIL)
        aggregate.take_snapshots([window], watermark=watermark.fix_watermark(at=APRIL), at=APRIL)
        colleague.post("meters/input-tokens/versions", BODY)
        version = MeterVersion.objects.get(version=2)
        text = (
            self.page("enza", "engineering")
            .get(reverse("admin:metering_meterversion_change", args=[version.pk]))
            .content.decode()
        )
        assert "1 of 1 customer would have been measured differently" in text
        assert "Tokens read by large models." in text
        assert "model is large" in text
        assert "-10" in text

    def test_the_owner_approves_on_the_page(self, colleague: Sender) -> None:
        colleague.post("meters/input-tokens/versions", BODY)
        version = MeterVersion.objects.get(version=2)
        url = reverse("admin:metering_meterversion_approve", args=[version.pk])
        self.page("paul", "product").post(url, SUBMITTED)
        assert MeterVersion.objects.get(version=2).status == "proposed"
        self.page("enza", "engineering").post(url, SUBMITTED)
        assert MeterVersion.objects.get(version=2).status == "approved"

    def test_a_version_is_proposed_in_the_dialog_that_starts_as_the_present_one(self) -> None:
        client = self.page("paul", "product")
        url = reverse("admin:metering_meter_propose", args=[Meter.objects.get().pk])
        assert "Tokens read by a model." in client.get(url).content.decode()
        sent = {**SUBMITTED, **BODY, "effective_at": "2026-04-01 00:00", "filters": "[]", "group_by": '["nothing"]'}
        sent |= {"negative_total": "zero", "tie_break": "last_received", "decimals": "18", "rounding": "half_up"}
        assert "declares no property" in client.post(url, sent).content.decode()
        client.post(url, sent | {"group_by": '["model"]'})
        made = MeterVersion.objects.get(version=2)
        assert (made.negative_total, made.group_by, made.effective_at) == ("zero", ["model"], APRIL)
