"""Signed webhooks: configured by engineers, told by their signature, captured once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from standardwebhooks.webhooks import Webhook

from core.models import AuditEntry
from metering import webhooks
from metering.models import CaptureBatch, QuarantinedEvent, UsageEvent, WebhookSecret, WebhookSource
from tests.builders import guards, people, usage
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db
MAPPING = {"type": "=llm.tokens", "subject": "/account", "data": {"input_tokens": "/in", "output_tokens": "/out"}}
BODY = b'{"account": "acme", "in": 3, "out": 5}'
ADDRESS = "/api/v1/capture/webhooks/crm"


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


@pytest.fixture
def engineer() -> Sender:
    return Sender()


@pytest.fixture
def secret(engineer: Sender) -> str:
    answer = engineer.post("webhook-sources", {"code": "crm", "description": "The CRM.", "mapping": MAPPING})
    assert answer.status_code == 201, answer.json()
    return str(answer.json()["secret"])


def signed(secret: str, body: bytes = BODY, *, message: str = "msg_1", ago: timedelta = timedelta(0)) -> dict[str, str]:
    at = datetime.now(UTC) - ago
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message, at, body.decode()),
    }


def post(headers: dict[str, str], body: bytes = BODY) -> Any:
    return Client(raise_request_exception=False).post(ADDRESS, body, "application/json", headers=headers)


def nothing_was_written() -> bool:
    return not (CaptureBatch.objects.exists() or QuarantinedEvent.objects.exists() or UsageEvent.objects.exists())


def test_a_signed_webhook_is_captured(secret: str) -> None:
    assert post(signed(secret)).json() == {"received": 1, "accepted": 1, "duplicates": 0, "quarantined": 0, "items": []}
    stored = UsageEvent.objects.get()
    assert (stored.source, stored.event_id, stored.customer.code) == ("webhook/crm", "msg_1", "acme")
    assert stored.data == {"input_tokens": 3, "output_tokens": 5}
    assert CaptureBatch.objects.get().origin == "webhook:crm"


def test_a_webhook_sent_again_is_counted_once_although_its_timestamp_is_another(secret: str) -> None:
    post(signed(secret, ago=timedelta(seconds=90)))
    assert post(signed(secret)).json()["duplicates"] == 1
    assert (
        post(
            signed(secret, b'{"account": "acme", "in": 4, "out": 5}'), b'{"account": "acme", "in": 4, "out": 5}'
        ).json()["quarantined"]
        == 1
    )
    assert UsageEvent.objects.count() == 1


def test_a_webhook_that_its_mapping_missed_is_released_once_the_mapping_is_right(engineer: Sender, secret: str) -> None:
    """The sender says `used` where it said `in`; what was sent is kept, and mapped anew by the release."""
    body = b'{"account": "acme", "used": 3, "out": 5, "at": 1772449200}'
    assert post(signed(secret, body), body).json()["quarantined"] == 1
    held = QuarantinedEvent.objects.get()
    assert [one["code"] for one in held.reasons] == ["billing_field_missing"]
    assert json.loads(held.raw)["webhook"]["body"] == {"account": "acme", "used": 3, "out": 5, "at": 1772449200}
    assert engineer.post(f"quarantine/{held.pk}/release").json()["outcome"] == "quarantined"
    mapping = MAPPING | {"data": {"input_tokens": "/used", "output_tokens": "/out"}, "time": "/at"}
    enza = usage.person("enza", "engineering")
    webhooks.change_source(code="crm", changes={"mapping": mapping}, actor=enza, at=datetime.now(UTC))
    assert engineer.post(f"quarantine/{held.pk}/release").json()["outcome"] == "accepted"
    stored = UsageEvent.objects.get()
    assert (stored.source, stored.event_id, stored.customer.code) == ("webhook/crm", "msg_1", "acme")
    assert (stored.data, stored.extras) == ({"input_tokens": 3, "output_tokens": 5}, None)
    assert stored.occurred_at == datetime(2026, 3, 2, 11, tzinfo=UTC)
    assert post(signed(secret, body), body).json()["duplicates"] == 1


def test_a_held_webhook_without_a_time_of_its_own_happened_when_it_was_sent(engineer: Sender, secret: str) -> None:
    sent = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=2)
    body = b'{"account": "newco", "in": 3, "out": 5}'
    assert post(signed(secret, body, ago=timedelta(minutes=2)), body).json()["quarantined"] == 1
    usage.customer("newco")
    assert engineer.post(f"quarantine/{QuarantinedEvent.objects.get().pk}/release").json()["outcome"] == "accepted"
    assert abs(UsageEvent.objects.get().occurred_at - sent) <= timedelta(seconds=2)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_more_than_five_minutes_ago_or_ahead_is_refused(secret: str, minutes: int) -> None:
    answer = post(signed(secret, ago=timedelta(minutes=minutes)))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert nothing_was_written()


@pytest.mark.parametrize("minutes", [-4, 4])
def test_within_five_minutes_clocks_may_differ(secret: str, minutes: int) -> None:
    assert post(signed(secret, ago=timedelta(minutes=minutes))).status_code == 200


WRONG: list[dict[str, str]] = [
    {"webhook-signature": ""},
    {"webhook-signature": "v1"},
    {"webhook-signature": "v1,"},
    {"webhook-signature": "v1,a"},
    {"webhook-signature": "v1,AAAA v2,AAAA"},
    {"webhook-signature": "v1a,AAAA"},
    {"webhook-signature": "v1,====,v1"},
    {"webhook-signature": "v1,\u00e9"},
    {"webhook-id": ""},
    {"webhook-id": "msg_2"},
    {"webhook-timestamp": ""},
    {"webhook-timestamp": "now"},
    {"webhook-timestamp": "nan"},
    {"webhook-timestamp": "1e400"},
    {"webhook-timestamp": "-1"},
    {"webhook-timestamp": "9" * 400},
]


@pytest.mark.parametrize("changes", WRONG, ids=str)
def test_a_wrong_signature_writes_nothing(secret: str, changes: dict[str, str]) -> None:
    answer = post(signed(secret) | changes)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_signature")
    assert nothing_was_written()


def test_another_body_or_another_secret_is_refused(secret: str) -> None:
    other = "whsec_" + "A" * 44
    for headers, body in ((signed(secret), BODY + b" "), (signed(other), BODY), (signed(secret), b"\xff"), ({}, BODY)):
        assert post(headers, body).json()["code"] == "bad_signature"
    assert nothing_was_written()


def test_a_signed_body_that_is_no_event_is_refused_or_held_and_never_a_server_error(secret: str) -> None:
    for body, status in ((b"", 400), (b"[]", 400), (b"[1,2]", 400), (b"nonsense", 400), (b"5", 400), (b"{}", 200)):
        assert post(signed(secret, body, message=f"m{len(body)}{body[:2]!r}"), body).status_code == status
    assert QuarantinedEvent.objects.count() == 1


def test_an_unknown_and_a_closed_source_are_not_there(engineer: Sender, secret: str) -> None:
    headers = signed(secret)
    assert Client().post("/api/v1/capture/webhooks/other", BODY, "application/json", headers=headers).status_code == 404
    assert engineer.post("webhook-sources/crm/close", {"reason": "gone"}).status_code == 200
    assert post(headers).status_code == 404
    assert engineer.post("webhook-sources/crm/rotate").json()["code"] == "source_closed"
    assert nothing_was_written()


def test_while_a_secret_is_replaced_both_sign(engineer: Sender, secret: str) -> None:
    second = engineer.post("webhook-sources/crm/rotate", {"overlap_hours": 2}).json()["secret"]
    assert post(signed(secret, message="a")).status_code == 200
    assert post(signed(second, message="b")).status_code == 200
    third = engineer.post("webhook-sources/crm/rotate", {"overlap_hours": 2}).json()["secret"]
    assert post(signed(secret, message="c")).json()["code"] == "bad_signature"
    assert post(signed(second, message="d")).status_code == 200
    fourth = engineer.post("webhook-sources/crm/rotate", {"overlap_hours": 0}).json()["secret"]
    assert post(signed(third, message="e")).json()["code"] == "bad_signature"
    assert post(signed(fourth, message="f")).status_code == 200


def test_a_secret_is_shown_once_and_stands_nowhere(engineer: Sender, secret: str) -> None:
    assert secret not in json.dumps(engineer.get("webhook-sources/crm").json())
    assert secret not in json.dumps(list(WebhookSecret.objects.values("nonce")))
    assert secret not in json.dumps(list(AuditEntry.objects.values_list("facts", flat=True)))
    actions = AuditEntry.objects.filter(subject="webhook_source:crm").values_list("action", flat=True)
    assert list(actions) == ["webhook_source.created"]


def test_a_secret_outlives_the_change_of_the_installations_key(secret: str, settings: Any) -> None:
    with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert post(signed(secret)).status_code == 200


def test_the_mapping_may_be_changed_and_must_be_usable(engineer: Sender, secret: str) -> None:
    changed = MAPPING | {"subject": "=acme"}
    assert engineer.patch("webhook-sources/crm", {"mapping": changed}).json()["mapping"] == changed
    assert post(signed(secret, b'{"in": 1, "out": 1}'), b'{"in": 1, "out": 1}').json()["accepted"] == 1
    refused = engineer.patch("webhook-sources/crm", {"mapping": {"type": "x"}})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/mapping")
    again = engineer.post("webhook-sources", {"code": "crm", "description": "Again.", "mapping": MAPPING})
    assert again.status_code == 422


def test_sources_and_secrets_are_kept_by_the_database(secret: str) -> None:
    for statement in (
        "DELETE FROM metering_webhooksource",
        "DELETE FROM metering_webhooksecret",
        "UPDATE metering_webhooksource SET code = 'other'",
        "UPDATE metering_webhooksecret SET nonce = 'known'",
    ):
        assert guards.refuses(statement), statement


class TestBackOffice:
    @pytest.fixture
    def client(self) -> Client:
        client = Client()
        client.force_login(people.make_staff("eva", "engineering"))
        return client

    def test_a_source_is_made_its_secret_shown_once_and_replaced(self, client: Client) -> None:
        form = {"code": "crm", "description": "The CRM.", "mapping": json.dumps(MAPPING)}
        shown = client.post(reverse("admin:metering_webhooksource_add"), form)
        text = shown.content.decode()
        secret = text[text.index("whsec_") :].partition("<")[0]
        assert "no-store" in shown.headers["Cache-Control"]
        assert post(signed(secret)).status_code == 200
        source = WebhookSource.objects.get()
        page = client.get(reverse("admin:metering_webhooksource_change", args=[source.pk])).content.decode()
        assert secret not in page
        rotate = reverse("admin:metering_webhooksource_rotate", args=[source.pk])
        assert "24 hours more" in client.get(rotate).content.decode()
        assert "whsec_" in client.post(rotate).content.decode()
        assert source.secrets.count() == 2

    def test_a_mapping_that_cannot_be_used_is_told_in_the_form(self, client: Client) -> None:
        form = {"code": "crm", "description": "The CRM.", "mapping": '{"type": "x"}'}
        text = client.post(reverse("admin:metering_webhooksource_add"), form).content.decode()
        assert "It cannot be used" in text
        assert not WebhookSource.objects.exists()

    def test_the_mapping_is_changed_and_the_source_closed(self, client: Client) -> None:
        webhooks.create_source(code="crm", description="x", mapping=MAPPING, actor=usage.person("enza"), at=usage.NOON)
        source = WebhookSource.objects.get()
        change = reverse("admin:metering_webhooksource_change", args=[source.pk])
        form = {"description": "Another.", "mapping": json.dumps(MAPPING | {"subject": "=acme"})}
        assert client.post(change, form).status_code == 302
        assert WebhookSource.objects.get().mapping["subject"] == "=acme"
        close = reverse("admin:metering_webhooksource_close", args=[source.pk])
        client.post(close, {"_form_submitted": "True", "reason": "gone for good"})
        assert WebhookSource.objects.get().closed_at is not None
