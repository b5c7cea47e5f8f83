"""Clients that exist already, unmodified but for their base address, over real HTTP: what they send is billed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import stripe
from cloudevents.core.bindings import http as cloudevents_http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pytest_django.live_server_helper import LiveServer

from accounts import external_ids
from accounts.models import ApiKey
from metering import quarantine
from metering.models import EventCorrection, QuarantinedEvent, UsageEvent
from tests.builders import usage

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC)  # Stripe's form takes only the last 35 days, and these clients have clocks of their own


@pytest.fixture(autouse=True)
def house() -> None:
    """Acme is cus_123 in Stripe and sub-1 in Lago; `api_request` is counted by its `value`."""
    usage.house()
    usage.contract(
        "api_request", schema={"properties": {"value": {"type": ["number", "string"]}}}, billing_fields=["value"]
    )
    usage.meter("requests", value_property="value", event_type="api_request")
    for system, name in (("stripe", "cus_123"), ("lago", "sub-1"), ("subject", "customer-1")):
        external_ids.add_external_id(
            customer_code="acme", system=system, external_id=name, actor=usage.person("enza"), at=usage.NOON
        )


@pytest.fixture
def key() -> str:
    return usage.api_key(scopes=["events:write"])


@pytest.fixture
def client(live_server: LiveServer, key: str) -> stripe.StripeClient:
    return stripe_client(live_server, key)


def stripe_client(live_server: LiveServer, key: str) -> stripe.StripeClient:
    addresses: Any = {"api": live_server.url, "meter_events": live_server.url}
    return stripe.StripeClient(key, base_addresses=addresses, max_network_retries=0)


def sent_to(live_server: LiveServer, path: str, key: str, body: Any, **headers: str) -> requests.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers}
    return requests.post(f"{live_server.url}{path}", data=content, headers=asked, timeout=30)


class TestStripe:
    def test_a_meter_event_is_captured_for_the_customer_with_that_id(self, client: stripe.StripeClient) -> None:
        made = client.v1.billing.meter_events.create(
            {
                "event_name": "api_request",
                "identifier": "req-1",
                "payload": {"stripe_customer_id": "cus_123", "value": "25", "model": "large"},
                "timestamp": int(NOW.timestamp()),
            }
        )
        assert (made.object, made.identifier, made.event_name) == ("billing.meter_event", "req-1", "api_request")
        assert (made.payload["value"], made.timestamp) == ("25", int(NOW.timestamp()))
        stored = UsageEvent.objects.get()
        assert (stored.source, stored.event_id, stored.customer.code) == ("stripe", "req-1", "acme")
        assert stored.data == {"value": "25", "model": "large"}
        assert stored.occurred_at == NOW.replace(microsecond=0)
        assert stored.extras == {"subjectsystem": "stripe", "subjectid": "cus_123"}

    def test_the_same_event_again_is_a_success_and_counted_once(self, client: stripe.StripeClient) -> None:
        event: Any = {"event_name": "api_request", "identifier": "a", "payload": payload("1")}
        for _attempt in range(2):
            assert client.v1.billing.meter_events.create(event).identifier == "a"
        assert UsageEvent.objects.count() == 1
        assert (UsageEvent.objects.get().extras or {})["timeassigned"] is True

    def test_without_identifier_the_retry_of_a_call_is_told_by_its_idempotency_key(
        self, client: stripe.StripeClient
    ) -> None:
        event: Any = {"event_name": "api_request", "payload": payload("1")}
        for _attempt in range(2):
            client.v1.billing.meter_events.create(event, {"idempotency_key": "call-7"})
        client.v1.billing.meter_events.create(event)
        assert UsageEvent.objects.count() == 2
        assert UsageEvent.objects.filter(event_id="call-7").exists()

    @pytest.mark.parametrize("key", ["k" * 101, "k" * 255, "clé-1"])
    def test_a_key_that_could_be_no_identifier_tells_a_retry_all_the_same(
        self, live_server: LiveServer, key: str
    ) -> None:
        """At Stripe a key has up to 255 characters, an identifier 100."""
        made = [
            form(live_server, usage.api_key(scopes=["events:write"]), **{"Idempotency-Key": key})
            for _attempt in range(2)
        ]
        assert [answer.status_code for answer in made] == [200, 200]
        assert made[0].json()["identifier"] == made[1].json()["identifier"]
        assert UsageEvent.objects.count() == 1

    def test_a_key_that_is_longer_than_stripe_allows_is_refused(self, client: stripe.StripeClient) -> None:
        event: Any = {"event_name": "api_request", "payload": payload("1")}
        with pytest.raises(stripe.InvalidRequestError, match="at most 255 characters"):
            client.v1.billing.meter_events.create(event, {"idempotency_key": "k" * 256})
        assert not UsageEvent.objects.exists()

    def test_the_key_may_come_as_a_user_without_password(self, live_server: LiveServer, key: str) -> None:
        """As in the commands of Stripe's documentation: `curl -u KEY:`."""
        address = f"{live_server.url}/v1/billing/meter_events"
        assert requests.post(address, data=FORM, auth=(key, ""), timeout=30).status_code == 200
        for wrong in ("Basic", "Basic ***", "Basic 77+9", "Basic Og=="):
            answer = requests.post(address, data=FORM, headers={"Authorization": wrong}, timeout=30)
            assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
        assert UsageEvent.objects.count() == 1

    def test_letters_of_any_language_may_stand_in_a_form_as_they_are(self, live_server: LiveServer, key: str) -> None:
        body = "event_name=api_request&payload[stripe_customer_id]=cus_123&payload[value]=1&payload[model]=größe"
        media = {"Content-Type": "application/x-www-form-urlencoded"}
        assert sent_to(live_server, "/v1/billing/meter_events", key, body.encode(), **media).status_code == 200
        assert UsageEvent.objects.get().data["model"] == "größe"

    @pytest.mark.parametrize("media", ["application/json", "multipart/form-data; boundary=x"])
    def test_what_is_no_form_is_told_so(self, live_server: LiveServer, key: str, media: str) -> None:
        answer = sent_to(live_server, "/v1/billing/meter_events", key, {"event_name": "a"}, **{"Content-Type": media})
        assert answer.status_code == 400
        assert answer.json()["error"]["message"] == (
            f"Send the body as application/x-www-form-urlencoded, not as {media.partition(';')[0]}."
        )

    def test_an_address_that_is_not_served_is_told_so_without_a_page(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.APIError, match="There is no such address") as refused:
            client.v1.billing.meters.list()
        assert refused.value.http_status == 404

    def test_what_is_missing_is_named_as_stripe_names_it(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.billing.meter_events.create({"event_name": "api_request", "payload": {"value": "1", "org": "a"}})
        assert str(refused.value.user_message) == (
            "Missing required param: payload[stripe_customer_id], whatever else customer_mapping names at Stripe."
            " The event was kept for review: put this right, then release it or send it again."
        )
        with pytest.raises(stripe.InvalidRequestError, match="No event contract has this event_name"):
            client.v1.billing.meter_events.create({"event_name": "unheard_of", "payload": payload("1")})

    def test_another_event_with_the_same_identifier_is_refused_as_stripe_refuses_it(
        self, client: stripe.StripeClient
    ) -> None:
        client.v1.billing.meter_events.create({"event_name": "api_request", "identifier": "a", "payload": payload("1")})
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.billing.meter_events.create(
                {"event_name": "api_request", "identifier": "a", "payload": payload("2")}
            )
        assert (refused.value.code, refused.value.param) == ("duplicate_meter_event", "identifier")
        assert QuarantinedEvent.objects.get().event_id == "a"

    @pytest.mark.parametrize(
        ("changes", "code", "param", "is_kept"),
        [
            ({"event_name": "unheard_of"}, "type_unknown", "event_name", True),
            ({"payload": {"value": "1"}}, "subject_missing", "payload[stripe_customer_id]", True),
            (
                {"payload": {"stripe_customer_id": "cus_9", "value": "1"}},
                "customer_unknown",
                "payload[stripe_customer_id]",
                True,
            ),
            ({"payload": {"stripe_customer_id": "cus_123"}}, "billing_field_missing", "payload[value]", True),
            ({"timestamp": int(NOW.timestamp()) - 36 * 86_400}, "timestamp_too_far_in_past", "timestamp", False),
            ({"timestamp": int(NOW.timestamp()) + 3600}, "timestamp_in_future", "timestamp", False),
            ({"timestamp": "soon"}, "parameter_invalid_integer", "timestamp", False),
            ({"identifier": "x" * 101}, "parameter_invalid_string", "identifier", False),
            ({"payload": {}}, "parameter_missing", "payload", False),
            ({"colour": "red"}, "parameter_unknown", "colour", False),
        ],
    )
    def test_what_cannot_be_billed_is_refused_with_the_parameter_at_fault(
        self,
        client: stripe.StripeClient,
        changes: dict[str, Any],
        code: str,
        param: str,
        is_kept: bool,
    ) -> None:
        event: Any = {"event_name": "api_request", "identifier": "a", "payload": payload("1"), **changes}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.billing.meter_events.create(event)
        assert (refused.value.http_status, refused.value.code, refused.value.param) == (400, code, param)
        assert QuarantinedEvent.objects.exists() is is_kept
        assert not UsageEvent.objects.exists()

    def test_a_customer_of_stripes_is_not_the_one_of_ours_whose_code_reads_the_same(
        self, client: stripe.StripeClient
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError, match="No customer has the id 'acme' in 'stripe'"):
            client.v1.billing.meter_events.create(
                {"event_name": "api_request", "payload": payload("1", customer="acme")}
            )
        assert not UsageEvent.objects.exists()

    def test_a_held_event_is_released_once_its_customer_is_known(self, client: stripe.StripeClient) -> None:
        event: Any = {"event_name": "api_request", "identifier": "a", "payload": payload("1", customer="cus_new")}
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.billing.meter_events.create(event)
        enza = usage.person("enza", "engineering")
        external_ids.add_external_id(
            customer_code="acme", system="stripe", external_id="cus_new", actor=enza, at=usage.NOON
        )
        held = QuarantinedEvent.objects.get()
        assert quarantine.release_event(quarantine_id=held.pk, actor=enza, at=datetime.now(UTC)).outcome == "accepted"

    def test_a_wrong_key_and_a_key_without_the_scope_are_errors_the_sdk_knows(self, live_server: LiveServer) -> None:
        event: Any = {"event_name": "api_request", "payload": payload("1")}
        with pytest.raises(stripe.AuthenticationError):
            stripe_client(live_server, "bo_0000_nothing").v1.billing.meter_events.create(event)
        with pytest.raises(stripe.PermissionError):
            stripe_client(live_server, usage.api_key(scopes=["read"])).v1.billing.meter_events.create(event)
        assert not UsageEvent.objects.exists()

    def test_the_second_version_of_the_address_takes_json(self, client: stripe.StripeClient) -> None:
        made = client.v2.billing.meter_events.create(
            {"event_name": "api_request", "identifier": "v2", "payload": payload("7"), "timestamp": NOW.isoformat()}
        )
        assert (made.object, made.identifier) == ("v2.billing.meter_event", "v2")
        assert UsageEvent.objects.get().data == {"value": "7"}

    def test_a_stream_of_a_hundred_is_sent_with_the_token_of_a_session(
        self, live_server: LiveServer, client: stripe.StripeClient
    ) -> None:
        session = client.v2.billing.meter_event_session.create()
        stream = stripe_client(live_server, session.authentication_token)
        events: Any = [
            {"event_name": "api_request", "identifier": f"s{number}", "payload": payload(str(number))}
            for number in range(99)
        ]
        events.append({"event_name": "api_request", "identifier": "bad", "payload": {"value": "1"}})
        stream.v2.billing.meter_event_stream.create({"events": events})
        assert UsageEvent.objects.count() == 99
        assert QuarantinedEvent.objects.get().event_id == "bad"
        with pytest.raises(stripe.InvalidRequestError):
            stream.v2.billing.meter_event_stream.create({"events": [*events, events[0]]})

    def test_a_session_ends_with_its_key(self, live_server: LiveServer, client: stripe.StripeClient) -> None:
        session = client.v2.billing.meter_event_session.create()
        ApiKey.objects.update(revoked_at=NOW)
        with pytest.raises(stripe.AuthenticationError):
            stripe_client(live_server, session.authentication_token).v2.billing.meter_event_stream.create(
                {"events": [{"event_name": "api_request", "payload": payload("1")}]}
            )

    def test_an_adjustment_cancels_the_event(self, client: stripe.StripeClient) -> None:
        client.v1.billing.meter_events.create({"event_name": "api_request", "identifier": "a", "payload": payload("1")})
        for _attempt in range(2):
            made = client.v1.billing.meter_event_adjustments.create(
                {"event_name": "api_request", "type": "cancel", "cancel": {"identifier": "a"}}
            )
            assert made.object == "billing.meter_event_adjustment"
        assert set(EventCorrection.objects.values_list("kind", flat=True)) == {"cancelled", "cancels"}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.billing.meter_event_adjustments.create(
                {"event_name": "api_request", "type": "cancel", "cancel": {"identifier": "b"}}
            )
        assert refused.value.code == "resource_missing"


FORM = {"event_name": "api_request", "payload[stripe_customer_id]": "cus_123", "payload[value]": "1"}


def form(live_server: LiveServer, key: str, **headers: str) -> requests.Response:
    asked = {"Authorization": f"Bearer {key}".encode(), **{name: value.encode() for name, value in headers.items()}}
    return requests.post(f"{live_server.url}/v1/billing/meter_events", data=FORM, headers=asked, timeout=30)


def payload(value: str, *, customer: str = "cus_123") -> dict[str, str]:
    return {"stripe_customer_id": customer, "value": value}


def cloud_event(event_id: str) -> CloudEvent:
    attributes = {
        "id": event_id,
        "source": "/svc/eu",
        "type": usage.EVENT_TYPE,
        "specversion": "1.0",
        "subject": "acme",
        "time": datetime(2026, 3, 2, 11, tzinfo=UTC),
        "datacontenttype": "application/json",
        "region": "eu",
    }
    return CloudEvent(attributes, {"input_tokens": 3, "output_tokens": 5})


class TestCloudEvents:
    @pytest.mark.parametrize("form", ["structured", "binary"])
    def test_what_the_sdk_writes_is_captured(self, live_server: LiveServer, key: str, form: str) -> None:
        write = cloudevents_http.to_structured if form == "structured" else cloudevents_http.to_binary
        message = write(cloud_event("a"), JSONFormat())
        answer = sent_to(live_server, "/api/v1/events", key, message.body, **message.headers)
        assert answer.json() == {"received": 1, "accepted": 1, "duplicates": 0, "quarantined": 0, "items": []}
        stored = UsageEvent.objects.get()
        assert (stored.source, stored.event_id, stored.customer.code) == ("/svc/eu", "a", "acme")
        assert (stored.data, stored.extras) == ({"input_tokens": 3, "output_tokens": 5}, {"region": "eu"})

    def test_a_body_without_its_media_type_is_told_which_one_it_needs(self, live_server: LiveServer, key: str) -> None:
        """`curl -d` says by itself that a body is a form."""
        message = cloudevents_http.to_binary(cloud_event("a"), JSONFormat())
        attributes = {name: value for name, value in message.headers.items() if name.lower().startswith("ce-")}
        asked = attributes | {"Content-Type": "application/x-www-form-urlencoded"}
        (item,) = sent_to(live_server, "/api/v1/events", key, message.body, **asked).json()["items"]
        assert item["reasons"] == [
            {
                "code": "data_not_object",
                "detail": "`data_base64` has no properties: send `data` as JSON, in binary mode as application/json.",
                "pointer": "/data_base64",
            }
        ]

    def test_both_forms_of_an_event_are_the_same_event(self, live_server: LiveServer, key: str) -> None:
        for write in (cloudevents_http.to_structured, cloudevents_http.to_binary):
            message = write(cloud_event("a"), JSONFormat())
            sent_to(live_server, "/api/v1/events", key, message.body, **message.headers)
        assert UsageEvent.objects.count() == 1
        assert not QuarantinedEvent.objects.exists()

    def test_a_batch_of_what_the_sdk_writes_is_captured(self, live_server: LiveServer, key: str) -> None:
        bodies = [cloudevents_http.to_structured(cloud_event(str(n)), JSONFormat()).body for n in range(10)]
        batch = b"[" + b",".join(bodies) + b"]"
        media = {"Content-Type": "application/cloudevents-batch+json"}
        assert sent_to(live_server, "/api/v1/events", key, batch, **media).json()["accepted"] == 10


class TestLago:
    def event(self, transaction: str, **changes: Any) -> dict[str, Any]:
        sent = {
            "transaction_id": transaction,
            "external_subscription_id": "sub-1",
            "code": "api_request",
            "timestamp": 1772449200,
            "properties": {"value": "10"},
        }
        return sent | changes

    def test_an_event_is_captured_and_answered_as_lago_answers(self, live_server: LiveServer, key: str) -> None:
        answer = sent_to(live_server, "/api/v1/events", key, {"event": self.event("t-1")})
        assert answer.status_code == 200
        assert answer.json()["event"]["transaction_id"] == "t-1"
        stored = UsageEvent.objects.get()
        assert (stored.source, stored.event_id, stored.customer.code) == ("lago/sub-1", "t-1", "acme")
        assert stored.occurred_at == datetime(2026, 3, 2, 11, tzinfo=UTC)

    def test_a_subscription_of_lagos_is_not_the_customer_of_ours_whose_code_reads_the_same(
        self, live_server: LiveServer, key: str
    ) -> None:
        sent = self.event("t-1", external_subscription_id="acme")
        answer = sent_to(live_server, "/api/v1/events", key, {"event": sent})
        assert answer.json()["error_details"] == {"external_subscription_id": ["subscription_not_found"]}
        assert not UsageEvent.objects.exists()
        assert QuarantinedEvent.objects.get().event_id == "t-1"

    def test_a_transaction_that_is_known_is_refused_as_lago_refuses_it(self, live_server: LiveServer, key: str) -> None:
        for _attempt in range(2):
            answer = sent_to(live_server, "/api/v1/events", key, {"event": self.event("t-1")})
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_errors")
        assert answer.json()["error_details"] == {"transaction_id": ["value_is_missing_or_already_exists"]}
        assert "detail" not in answer.json()  # nothing is kept that has to be reviewed
        assert UsageEvent.objects.count() == 1

    def test_of_a_batch_the_good_ones_are_captured_and_the_others_told_by_their_place(
        self, live_server: LiveServer, key: str
    ) -> None:
        bad = self.event("t-2", properties={"value": "many"})
        stranger = self.event("t-3", external_subscription_id="sub-9", code="other")
        batch = {"events": [self.event("t-1"), bad, stranger, 5]}
        answer = sent_to(live_server, "/api/v1/events/batch", key, batch)
        assert answer.status_code == 422
        assert answer.json()["error_details"] == {
            "1": {"properties": ["value_is_not_valid_number"]},
            "2": {"code": ["billable_metric_not_found"], "external_subscription_id": ["subscription_not_found"]},
            "3": {"event": ["not_an_object"]},
        }
        assert answer.json()["detail"] == (
            "Kept for review: 3. Put right what is wrong, then release it or send it again."
        )
        assert UsageEvent.objects.get().event_id == "t-1"
        assert QuarantinedEvent.objects.count() == 3

    def test_a_whole_batch_is_answered_with_its_events(self, live_server: LiveServer, key: str) -> None:
        batch = {"events": [self.event(f"t-{number}", timestamp=f"1772449200.{number}5") for number in range(3)]}
        batch["events"][2]["precise_total_amount_cents"] = "12.5"
        answer = sent_to(live_server, "/api/v1/events/batch", key, batch)
        assert [event["precise_total_amount_cents"] for event in answer.json()["events"]] == [None, None, "12.5"]
        assert [event["transaction_id"] for event in answer.json()["events"]] == ["t-0", "t-1", "t-2"]
        times = UsageEvent.objects.order_by("event_id").values_list("occurred_at", flat=True)
        assert [time.microsecond for time in times] == [50_000, 150_000, 250_000]

    @pytest.mark.parametrize("body", [{}, {"events": []}, {"events": [{}] * 101}, {"events": 5}, [], [1, 2], "x"])
    def test_what_is_no_batch_is_refused(self, live_server: LiveServer, key: str, body: Any) -> None:
        assert sent_to(live_server, "/api/v1/events/batch", key, body).status_code in (400, 422)
        assert not QuarantinedEvent.objects.exists()


class TestOpenMeter:
    EVENT = {
        "specversion": "1.0",
        "type": usage.EVENT_TYPE,
        "id": "00001",
        "source": "service-0",
        "subject": "acme",
        "data": {"input_tokens": 100, "output_tokens": "1", "path": "/api/v1"},
    }
    MEDIA = {"Content-Type": "application/cloudevents+json"}
    MANY = {"Content-Type": "application/cloudevents-batch+json"}
    PATH = "/openmeter/api/v1/events"

    def test_an_event_without_a_time_happened_when_it_arrived_and_a_retry_is_the_same(
        self, live_server: LiveServer, key: str
    ) -> None:
        for _attempt in range(2):
            answer = sent_to(live_server, self.PATH, key, self.EVENT, **self.MEDIA)
            assert (answer.status_code, answer.content) == (204, b"")
        stored = UsageEvent.objects.get()
        assert abs((stored.received_at - stored.occurred_at).total_seconds()) < 60
        assert not QuarantinedEvent.objects.exists()

    def test_a_subject_may_be_another_name_of_the_customer(self, live_server: LiveServer, key: str) -> None:
        answer = sent_to(live_server, self.PATH, key, self.EVENT | {"subject": "customer-1"}, **self.MEDIA)
        assert answer.status_code == 204
        assert UsageEvent.objects.get().customer.code == "acme"

    def test_one_event_that_cannot_be_billed_is_told_why(self, live_server: LiveServer, key: str) -> None:
        answer = sent_to(live_server, self.PATH, key, self.EVENT | {"data": {"method": "GET"}}, **self.MEDIA)
        assert answer.status_code == 400
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {error["pointer"] for error in answer.json()["errors"]} == {"/data/input_tokens", "/data/output_tokens"}
        assert QuarantinedEvent.objects.count() == 1

    def test_a_batch_is_never_stopped_by_one_of_its_events(self, live_server: LiveServer, key: str) -> None:
        batch = [self.EVENT, self.EVENT | {"id": "2", "subject": "nobody"}, self.EVENT | {"id": "3"}]
        assert sent_to(live_server, self.PATH, key, batch, **self.MANY).status_code == 204
        assert set(UsageEvent.objects.values_list("event_id", flat=True)) == {"00001", "3"}
