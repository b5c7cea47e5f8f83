"""The metering desk in the back office: who may act, what a dialog does, and what every page shows."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from metering import aggregate, watermark
from metering.admin import facts
from metering.aggregate import UsageWindow
from metering.models import (
    AggregationSnapshot,
    CaptureBatch,
    EventContract,
    EventContractVersion,
    ImportRun,
    Meter,
    QuarantinedEvent,
    UsageEvent,
)
from tests.builders import usage

pytestmark = pytest.mark.django_db

MODELS = (
    "eventcontract",
    "eventcontractversion",
    "meter",
    "quarantinedevent",
    "usageevent",
    "capturebatch",
    "aggregationsnapshot",
    "importrun",
)


def signed_in(role: str, *, csrf: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf)
    client.force_login(usage.person(f"some-{role}", role))
    return client


def page(model: str, row: int | None = None) -> str:
    name = f"admin:metering_{model}"
    return reverse(f"{name}_changelist") if row is None else reverse(f"{name}_change", args=[row])


def action(model: str, name: str, row: int) -> str:
    return reverse(f"admin:metering_{model}_{name}", args=[row])


def submit(client: Client, url: str, **fields: Any) -> Any:
    return client.post(url, {"_form_submitted": "True", **fields})


def shown(client: Client, url: str, **query: str) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


@pytest.fixture
def held() -> QuarantinedEvent:
    """An event whose customer nobody knows yet."""
    usage.capture(usage.event("held", subject="newcomer"))
    return QuarantinedEvent.objects.get()


@pytest.fixture
def snapshot() -> AggregationSnapshot:
    """What acme used in March: two events."""
    usage.capture(usage.event("a"), usage.event("b", data={"input_tokens": 4, "output_tokens": "1.5"}))
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    window = UsageWindow(usage.customer().pk, Meter.objects.get().pk, start, end)
    mark = watermark.fix_watermark(at=usage.NOON)
    return aggregate.take_snapshots([window], watermark=mark, at=usage.NOON)[0]


class TestPages:
    @pytest.mark.usefixtures("held", "snapshot")
    def test_an_auditor_reads_every_page(self) -> None:
        ImportRun.objects.create(
            path_name="use.csv", file_sha256="0" * 64, mapping_hash="0" * 64, started_at=usage.NOON
        )
        client = signed_in("auditor")
        for model in MODELS:
            assert client.get(page(model)).status_code == 200, model
        rows = [EventContract, EventContractVersion, Meter, QuarantinedEvent, UsageEvent, CaptureBatch, ImportRun]
        for model_class in [*rows, AggregationSnapshot]:
            first: Any = model_class._base_manager.first()
            assert client.get(page(model_class._meta.model_name or "", first.pk)).status_code == 200, model_class

    @pytest.mark.parametrize("role", ["product", "finance", "ops", "engineering"])
    def test_every_other_role_reads_too(self, role: str) -> None:
        assert signed_in(role).get(page("usageevent")).status_code == 200

    def test_nobody_without_a_role_sees_any(self) -> None:
        stranger = usage.person("stranger")
        client = Client()
        client.force_login(stranger)
        for model in MODELS:
            assert client.get(page(model)).status_code == 403

    @pytest.mark.parametrize("model", ["usageevent", "capturebatch", "aggregationsnapshot", "importrun"])
    def test_facts_cannot_be_added_changed_or_deleted(self, model: str, snapshot: AggregationSnapshot) -> None:
        row = {"usageevent": UsageEvent, "capturebatch": CaptureBatch}.get(model, AggregationSnapshot)
        first: Any = row._base_manager.first()
        number = first.pk
        client = signed_in("engineering")
        assert client.get(reverse(f"admin:metering_{model}_add")).status_code == 403
        if model != "importrun":
            assert client.post(page(model, number), {"event_id": "z"}).status_code == 403
            assert client.get(reverse(f"admin:metering_{model}_delete", args=[number])).status_code == 403


class TestEvents:
    def test_an_event_is_found_by_its_exact_id(self, snapshot: AggregationSnapshot) -> None:
        client = signed_in("auditor")
        found = shown(client, page("usageevent"), q="b")
        assert page("usageevent", UsageEvent.objects.get(event_id="b").pk) in found
        assert page("usageevent", UsageEvent.objects.get(event_id="a").pk) not in found
        assert page("usageevent", UsageEvent.objects.get(event_id="b").pk) not in shown(
            client, page("usageevent"), q="B"
        )

    def test_its_data_is_shown_exactly(self, snapshot: AggregationSnapshot) -> None:
        event = UsageEvent.objects.get(event_id="b")
        assert "&quot;output_tokens&quot;: &quot;1.5&quot;" in shown(signed_in("auditor"), page("usageevent", event.pk))

    def test_a_list_is_counted_no_further_than_anybody_pages(
        self, snapshot: AggregationSnapshot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(facts, "LISTED_MAX", 1)
        client = signed_in("auditor")
        with CaptureQueriesContext(connection) as asked:
            shown(client, page("usageevent"))
        counts = [query["sql"] for query in asked if "COUNT(*)" in query["sql"] and "usageevent" in query["sql"]]
        assert counts
        assert all("LIMIT 1" in count for count in counts)


class TestSnapshots:
    def test_a_snapshot_shows_the_events_it_counted(self, snapshot: AggregationSnapshot) -> None:
        text = shown(signed_in("finance"), page("aggregationsnapshot", snapshot.pk))
        assert "7 token" in text
        assert "api/eu a" in text
        assert "api/eu b" in text
        assert page("usageevent", UsageEvent.objects.get(event_id="b").pk) in text

    def test_of_very_many_events_it_shows_the_first(
        self, snapshot: AggregationSnapshot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(facts, "EVENTS_SHOWN", 1)
        text = shown(signed_in("finance"), page("aggregationsnapshot", snapshot.pk))
        assert "api/eu a" in text
        assert "api/eu b" not in text
        assert "And 1 more." in text

    def test_an_empty_snapshot_says_so(self) -> None:
        start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
        window = UsageWindow(usage.customer().pk, Meter.objects.get().pk, start, end)
        mark = watermark.fix_watermark(at=usage.NOON)
        (empty,) = aggregate.take_snapshots([window], watermark=mark, at=usage.NOON)
        assert "No event" in shown(signed_in("finance"), page("aggregationsnapshot", empty.pk))


class TestMeters:
    words = {"name": "Output", "definition": "Tokens written.", "exclusions": "", "unit": "token"}

    def add(self, client: Client, **changes: str) -> Any:
        contract = EventContract.objects.get().pk
        measure = {"code": "out", "contract": contract, "aggregation": "sum", "value_property": "output_tokens"}
        return client.post(reverse("admin:metering_meter_add"), {**self.words, **measure, **changes})

    def test_whoever_defines_a_meter_answers_for_it(self) -> None:
        assert self.add(signed_in("product")).status_code == 302
        made = Meter.objects.get(code="out")
        assert (str(made.owner), made.versions.get().value_property) == ("some-product", "output_tokens")

    def test_a_value_that_no_event_must_carry_is_refused_where_it_was_typed(self) -> None:
        answer = self.add(signed_in("product"), value_property="model")
        assert answer.status_code == 200
        assert "requires input_tokens, output_tokens for billing" in answer.content.decode()
        assert not Meter.objects.filter(code="out").exists()

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"code": "input-tokens"}, "already exists"),
            ({"code": "no blanks"}, "1 to 60 letters"),
            ({"aggregation": "count"}, "is violated"),
            ({"value_property": ""}, "is violated"),
        ],
    )
    def test_a_meter_that_cannot_be_is_refused_on_its_page(self, changes: dict[str, str], says: str) -> None:
        answer = self.add(signed_in("engineering"), **changes)
        assert answer.status_code == 200
        assert says in answer.content.decode()

    def test_its_words_may_change_and_its_measure_may_not(self) -> None:
        meter = Meter.objects.get()
        changed = {**self.words, "name": "Input, renamed", "code": "other", "aggregation": "max"}
        assert signed_in("product").post(page("meter", meter.pk), changed).status_code == 302
        meter.refresh_from_db()
        assert (meter.name, meter.code, meter.versions.get().aggregation) == ("Input, renamed", "input-tokens", "sum")
        assert meter.history.first().history_user.username == "some-product"

    @pytest.mark.parametrize("role", ["finance", "ops", "auditor"])
    def test_other_roles_only_read(self, role: str) -> None:
        client = signed_in(role)
        assert self.add(client).status_code == 403
        assert client.post(page("meter", Meter.objects.get().pk), self.words).status_code == 403


class TestContracts:
    def content(self, **changes: str) -> dict[str, Any]:
        version = EventContractVersion.objects.get(version=1)
        return {
            "schema": json.dumps(version.schema),
            "billing_fields": json.dumps(version.billing_fields),
            "context_fields": '["model"]',
            "valid_examples": '[{"input_tokens": 0.10, "output_tokens": 1}]',
            "invalid_examples": json.dumps([usage.NOT_DATA]),
            "accepts_past_days": "35",
            "accepts_future_seconds": "60",
        } | changes

    def draft(self, client: Client, **changes: str) -> Any:
        contract = EventContract.objects.get()
        return submit(client, action("eventcontract", "new_version", contract.pk), **self.content(**changes))

    def test_a_contract_is_opened_and_described(self) -> None:
        client = signed_in("engineering")
        opened = {"event_type": "storage.used", "description": "Storage."}
        assert client.post(reverse("admin:metering_eventcontract_add"), opened).status_code == 302
        made = EventContract.objects.get(event_type="storage.used")
        assert str(made.owner) == "some-engineering"
        changed = {"event_type": "other", "description": "Storage, by the hour."}
        assert client.post(page("eventcontract", made.pk), changed).status_code == 302
        made.refresh_from_db()
        assert (made.event_type, made.description) == ("storage.used", "Storage, by the hour.")
        assert made.history.first().history_user.username == "some-engineering"
        assert "none: events are quarantined" in shown(client, page("eventcontract"))

    def test_a_new_version_starts_from_the_last_with_its_numbers_exact(self) -> None:
        client = signed_in("engineering")
        self.draft(client)
        text = shown(client, action("eventcontract", "new_version", EventContract.objects.get().pk))
        assert "&quot;input_tokens&quot;: 0.10" in text

    def test_a_version_is_drafted_and_then_put_in_force(self) -> None:
        client = signed_in("engineering")
        contract = EventContract.objects.get()
        assert self.draft(client)["HX-Redirect"] == page("eventcontract", contract.pk)
        drafted = EventContractVersion.objects.get(version=2)
        assert (drafted.status, drafted.context_fields, str(drafted.created_by)) == (
            "draft",
            ["model"],
            "some-engineering",
        )
        url = action("eventcontractversion", "put_in_force", drafted.pk)
        assert submit(client, url)["HX-Redirect"] == page("eventcontractversion", drafted.pk)
        drafted.refresh_from_db()
        assert (drafted.status, str(drafted.activated_by)) == ("active", "some-engineering")
        assert client.get(url).status_code == 403  # once is enough

    @pytest.mark.parametrize(
        ("changes", "says"),
        [
            ({"schema": "{"}, "This is not usable JSON"),
            ({"schema": "[]"}, "Write an object in JSON"),
            ({"schema": '{"type": 7}'}, "schema is not usable"),
            ({"schema": '{"a": NaN}'}, "This is not usable JSON"),
            ({"billing_fields": '["unknown"]'}, "is not among the properties"),
            ({"billing_fields": '[["input_tokens"]]'}, "names of properties, each in quotes"),
            ({"valid_examples": "{}"}, "Write a list in JSON"),
            ({"accepts_past_days": "-1"}, "greater than or equal to 0"),
        ],
    )
    def test_unusable_content_is_refused_where_it_was_typed(self, changes: dict[str, str], says: str) -> None:
        answer = self.draft(signed_in("engineering"), **changes)
        assert answer.status_code == 200
        assert says in answer.content.decode()
        assert EventContractVersion.objects.count() == 1

    def test_a_version_whose_examples_prove_nothing_stays_a_draft_and_says_why(self) -> None:
        client = signed_in("engineering")
        self.draft(client, invalid_examples='[{"input_tokens": 1, "output_tokens": 1}]')
        drafted = EventContractVersion.objects.get(version=2)
        submit(client, action("eventcontractversion", "put_in_force", drafted.pk))
        drafted.refresh_from_db()
        assert drafted.status == "draft"
        assert "This example should fail" in shown(client, page("eventcontractversion", drafted.pk))

    @pytest.mark.parametrize("role", ["product", "finance", "ops", "auditor"])
    def test_only_engineering_keeps_contracts(self, role: str) -> None:
        client = signed_in(role)
        assert self.draft(client).status_code == 403
        version = EventContractVersion.objects.get()
        assert submit(client, action("eventcontractversion", "put_in_force", version.pk)).status_code == 403


class TestQuarantine:
    def test_a_held_event_is_shown_beside_the_rules_it_broke(self, held: QuarantinedEvent) -> None:
        text = shown(signed_in("auditor"), page("quarantinedevent", held.pk))
        assert "customer_unknown" in text
        assert "newcomer" in text

    @pytest.mark.parametrize("role", ["ops", "engineering"])
    def test_once_its_flaw_is_mended_it_is_released(self, role: str, held: QuarantinedEvent) -> None:
        usage.customer("newcomer")
        client = signed_in(role)
        url = action("quarantinedevent", "release_event", held.pk)
        assert submit(client, url, reason="The customer is set up now.")["HX-Redirect"] == page(
            "quarantinedevent", held.pk
        )
        held.refresh_from_db()
        assert (held.status, held.decision_reason) == ("released", "The customer is set up now.")
        assert UsageEvent.objects.get(event_id="held").customer.code == "newcomer"
        assert "Released: accepted." in shown(client, page("quarantinedevent", held.pk))

    def test_what_is_still_wrong_keeps_it_here(self, held: QuarantinedEvent) -> None:
        client = signed_in("ops")
        submit(client, action("quarantinedevent", "release_event", held.pk), reason="Trying again.")
        held.refresh_from_db()
        assert held.status == "open"
        assert "It still breaks a rule" in shown(client, page("quarantinedevent", held.pk))

    def test_it_is_discarded_with_a_reason(self, held: QuarantinedEvent) -> None:
        client = signed_in("ops")
        url = action("quarantinedevent", "discard_event", held.pk)
        short = submit(client, url, reason="no")
        assert short.status_code == 200
        assert "at least 5" in short.content.decode()
        submit(client, url, reason="A test of the sender.")
        held.refresh_from_db()
        assert (held.status, str(held.decided_by)) == ("discarded", "some-ops")
        assert submit(client, url, reason="Once more.").status_code == 403

    @pytest.mark.parametrize("role", ["product", "finance", "auditor"])
    def test_other_roles_decide_nothing(self, role: str, held: QuarantinedEvent) -> None:
        for name in ("release_event", "discard_event"):
            url = action("quarantinedevent", name, held.pk)
            assert submit(signed_in(role), url, reason="I would like to.").status_code == 403
        held.refresh_from_db()
        assert held.status == "open"

    def test_a_dialog_needs_its_csrf_token(self, held: QuarantinedEvent) -> None:
        client = signed_in("ops", csrf=True)
        url = action("quarantinedevent", "discard_event", held.pk)
        assert submit(client, url, reason="From another site.").status_code == 403
        held.refresh_from_db()
        assert held.status == "open"

    def test_html_in_an_event_is_shown_as_text(self) -> None:
        usage.capture(usage.event("x", subject="<script>alert(1)</script>"))
        held = QuarantinedEvent.objects.get()
        client = signed_in("ops")
        for text in (shown(client, page("quarantinedevent")), shown(client, page("quarantinedevent", held.pk))):
            assert "<script>alert(1)" not in text
            assert "&lt;script&gt;alert(1)" in text
