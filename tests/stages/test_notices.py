"""Notices are told once per way, signed for systems, tried again, and every attempt is kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core import outbound, work
from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry, Job
from core.outbound import OutboundError
from invoicing.notices import deliver, endpoints, tell
from invoicing.notices.models import Address, Attempt, Delivery, Endpoint, EndpointSecret, Notice
from invoicing.notices.tell import News
from tests.builders import billing, guards
from tests.builders.billing import person

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/billing"


def now() -> datetime:
    """Signatures are only good for minutes, so these tests look at the clock."""
    return datetime.now(tz=UTC)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, dict[str, str]]]:
    """What would have been POSTed."""
    found: list[tuple[str, bytes, dict[str, str]]] = []
    monkeypatch.setattr(outbound, "post", lambda url, body, *, headers: found.append((url, body, dict(headers))))
    return found


def endpoint(*topics: str, code: str = "crm") -> endpoints.NewSecret:
    return endpoints.create_endpoint(
        code=code,
        description="The CRM.",
        url=URL,
        topics=topics or ("access.held",),
        actor=person("enza", "engineering"),
        at=now(),
    )


def news(key: str = "access:1", *, channels: tuple[str, ...] = ("webhook",), topic: str = "access.held") -> Notice:
    with transaction.atomic():
        return tell.tell(
            News(
                key=key,
                topic=topic,
                audience="ops",
                channels=channels,
                customer=billing.Customer.objects.first() or billing.make_customer("acme"),
                title="On hold: <Acme> & co",
                text="It reached its limit.",
                document={"customer": "acme", "access": "held"},
            ),
            at=now(),
        )


class TestWebhooks:
    def test_they_are_signed_by_standard_webhooks(self, sent: Any) -> None:
        secret = endpoint()
        notice = news()
        work.run_due_jobs(at=now())
        ((url, body, headers),) = sent
        assert url == URL
        assert Webhook(secret.text).verify(body, headers)["data"] == {"customer": "acme", "access": "held"}
        assert headers["webhook-id"] == f"msg_{notice.pk}"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret.text).verify(body + b" ", headers)
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.sent_to) == ("delivered", URL)
        assert [attempt.is_delivered for attempt in delivery.attempts.all()] == [True]

    def test_two_secrets_sign_while_one_is_replaced(self, sent: Any) -> None:
        old = endpoint()
        new = endpoints.rotate_secret(
            endpoint_id=old.endpoint.pk, overlap_hours=24, actor=person("opal", "ops"), at=now()
        )
        news()
        work.run_due_jobs(at=now())
        ((_, body, headers),) = sent
        for text in (old.text, new.text):
            assert Webhook(text).verify(body, headers)

    def test_an_ended_secret_signs_nothing(self) -> None:
        old = endpoint()
        keeper = person("enza", "engineering")
        new = endpoints.rotate_secret(endpoint_id=old.endpoint.pk, overlap_hours=0, actor=keeper, at=now())
        assert endpoints.signing_secrets(old.endpoint, at=now() + timedelta(seconds=1)) == [new.text]

    def test_only_the_topics_that_were_asked_for_are_sent(self, sent: Any) -> None:
        endpoint("access.allowed")
        news()
        work.run_due_jobs(at=now())
        assert sent == []
        assert Delivery.objects.get().status == "not_set_up"

    def test_a_closed_endpoint_is_not_called(self, sent: Any) -> None:
        made = endpoint()
        news()
        keeper = person("enza", "engineering")
        endpoints.close_endpoint(endpoint_id=made.endpoint.pk, reason="moved away", actor=keeper, at=now())
        work.run_due_jobs(at=now())
        assert sent == []
        assert Delivery.objects.get().status == "not_set_up"

    def test_a_host_of_this_machine_is_refused_and_the_refusal_is_kept(self) -> None:
        made = endpoint()
        Endpoint.objects.filter(pk=made.endpoint.pk).update(url="https://localhost/x")
        news()
        work.run_due_jobs(at=now())
        attempt = Attempt.objects.get()
        assert not attempt.is_delivered
        assert "not a public host" in attempt.detail
        assert Delivery.objects.get().status == "pending"


class TestDelivery:
    def test_it_is_tried_eight_times_with_growing_pauses_then_given_up_and_sent_again_by_a_person(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise OutboundError("hooks.example.com answered 503.")

        endpoint()
        news()
        with monkeypatch.context() as patch:
            patch.setattr(outbound, "post", refuse)
            at, pauses = now(), []
            for _ in range(8):
                work.run_due_jobs(at=at)
                job = Job.objects.get(kind="notices.deliver")
                pauses.append(job.run_after - at)
                at = max(at, job.run_after)
        assert pauses[:2] == [timedelta(seconds=10), timedelta(seconds=40)]
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts.count(), job.state) == ("failed", 8, "done")
        monkeypatch.setattr(outbound, "post", lambda *_, **__: None)
        deliver.send_again(delivery_id=delivery.pk, actor=person("opal", "ops"), at=at)
        work.run_due_jobs(at=at)
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts.count()) == ("delivered", 9)
        with pytest.raises(deliver.NotFailedError):
            deliver.send_again(delivery_id=delivery.pk, actor=person("opal", "ops"), at=at)

    def test_people_of_ops_and_the_addresses_of_the_audience_are_written_to_once(self, settings: Any) -> None:
        settings.ALERT_BY_EMAIL = True
        opal = person("opal", "ops")
        opal.email = "opal@example.com"
        opal.save()
        Address.objects.create(audience="ops", email="desk@example.com")
        Address.objects.create(audience="customer_success", email="cs@example.com")
        news(channels=("email",))
        work.run_due_jobs(at=now())
        (message,) = mail.outbox
        assert message.to == ["desk@example.com", "opal@example.com"]
        deliver.deliver(delivery_id=Delivery.objects.get().pk, at=now())
        assert len(mail.outbox) == 1

    def test_slack_is_told_in_plain_words(self, settings: Any, sent: Any) -> None:
        settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T/B/x"
        news(channels=("slack",))
        work.run_due_jobs(at=now())
        ((_, body, _headers),) = sent
        assert b"&lt;Acme&gt; &amp; co" in body

    def test_where_nobody_is_set_up_it_says_so(self, settings: Any) -> None:
        settings.ALERT_BY_EMAIL = False
        news(channels=("email", "slack", "webhook"))
        work.run_due_jobs(at=now())
        assert set(Delivery.objects.values_list("status", flat=True)) == {"not_set_up"}

    def test_what_rolls_back_tells_nobody(self) -> None:
        endpoint()
        with transaction.atomic():
            news()
            transaction.set_rollback(True)
        assert (Notice.objects.count(), Job.objects.count()) == (0, 0)

    def test_records_stand(self, sent: Any) -> None:
        made = endpoint()
        news()
        work.run_due_jobs(at=now())
        assert guards.refuses("UPDATE notices_notice SET text = 'other'")
        assert guards.refuses("UPDATE notices_delivery SET status = 'pending', finished_at = NULL")
        assert guards.refuses("UPDATE notices_attempt SET is_delivered = false")
        assert guards.refuses("UPDATE notices_endpointsecret SET nonce = 'mine'")
        for model in (Notice, Delivery, Attempt, Endpoint, EndpointSecret):
            assert guards.keeps_its_rows(model)
        assert made.text not in str(list(EndpointSecret.objects.values()))


class TestEndpoints:
    @pytest.mark.parametrize("url", ["http://example.com/x", "https://example.com:8443/x", "https://u:p@example.com/"])
    def test_an_address_must_be_https_to_a_usual_port_without_a_password(self, url: str) -> None:
        made = endpoint()
        with pytest.raises(InvalidInputError):
            endpoints.change_endpoint(
                endpoint_id=made.endpoint.pk, changes={"url": url}, actor=person("enza", "engineering"), at=now()
            )

    def test_only_engineering_and_ops_keep_them(self) -> None:
        made = endpoint()
        for role in ("finance", "product", "auditor"):
            with pytest.raises(NotAllowedError):
                endpoints.rotate_secret(
                    endpoint_id=made.endpoint.pk, overlap_hours=1, actor=person(role, role), at=now()
                )

    def test_every_step_stands_in_the_audit_chain(self) -> None:
        made = endpoint()
        keeper = person("enza", "engineering")
        endpoints.change_endpoint(
            endpoint_id=made.endpoint.pk, changes={"topics": ["access.allowed"]}, actor=keeper, at=now()
        )
        endpoints.rotate_secret(endpoint_id=made.endpoint.pk, overlap_hours=1, actor=keeper, at=now())
        endpoints.close_endpoint(endpoint_id=made.endpoint.pk, reason="gone", actor=keeper, at=now())
        with pytest.raises(endpoints.EndpointClosedError):
            endpoints.close_endpoint(endpoint_id=made.endpoint.pk, reason="gone", actor=keeper, at=now())
        actions = AuditEntry.objects.filter(subject="endpoint:crm").order_by("id").values_list("action", flat=True)
        assert list(actions) == [
            "endpoint.created",
            "endpoint.changed",
            "endpoint.secret_rotated",
            "endpoint.closed",
        ]
