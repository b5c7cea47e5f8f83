"""Review items: taken, handed over and resolved by ops or engineering, each step kept; ops is told once per channel."""

import smtplib
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from core import outbound, work
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry, Job
from core.outbound import OutboundError
from metering import alerts, reviews
from metering.minutes import Finding
from metering.models import AlertDelivery, ArrivalStream, HealthPolicy, ReviewItem
from metering.reviews import WrongStatusError
from metering.rules.watching import Alarm, Shift
from tests.builders import usage

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def opened(source: str = "api/eu") -> ReviewItem:
    stream = ArrivalStream.objects.create(source=source, event_type="t", first_minute=NOON, last_minute=NOON)
    alarm = Alarm(shift=Shift.LAG_ROSE, chance=1.2e-9, before="p95 of at most 3.0 s", now="p95 of at least 60.0 s")
    policy = HealthPolicy.objects.get()
    with transaction.atomic():
        (item,) = reviews.open_items([Finding(stream.pk, alarm)], policy=policy, minute=NOON, at=NOON)
    return item


class TestDecisions:
    def test_it_is_taken_handed_over_and_resolved_with_every_step_on_record(self) -> None:
        opal, enza = usage.person("opal", "ops"), usage.person("enza", "engineering")
        item = opened()
        reviews.assign_item(item_id=item.pk, owner=opal, actor=opal, at=NOON)
        reviews.assign_item(item_id=item.pk, owner=enza, actor=opal, reason="Yours: the gateway.", at=NOON)
        reviews.resolve_item(item_id=item.pk, actor=enza, reason="The gateway had queued them.", at=NOON)
        steps = item.steps.values_list("status_before", "status_after", "owner__username", "actor__username", "reason")
        assert list(steps) == [
            ("", "open", None, None, "p95 of at least 60.0 s"),
            ("open", "taken", "opal", "opal", ""),
            ("taken", "taken", "enza", "opal", "Yours: the gateway."),
            ("taken", "resolved", "enza", "enza", "The gateway had queued them."),
        ]
        actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
        assert actions == ["review.assign", "review.assign", "review.resolve"]

    def test_who_resolves_what_nobody_took_owns_it(self) -> None:
        opal = usage.person("opal", "ops")
        item = reviews.resolve_item(item_id=opened().pk, actor=opal, reason="A test of the sender.", at=NOON)
        assert item.owner == opal

    def test_it_is_resolved_once_and_never_without_a_reason(self) -> None:
        opal, item = usage.person("opal", "ops"), opened()
        with pytest.raises(InvalidInputError):
            reviews.resolve_item(item_id=item.pk, actor=opal, reason=" ", at=NOON)
        reviews.resolve_item(item_id=item.pk, actor=opal, reason="Over.", at=NOON)
        with pytest.raises(WrongStatusError):
            reviews.resolve_item(item_id=item.pk, actor=opal, reason="Over.", at=NOON)
        with pytest.raises(WrongStatusError):
            reviews.assign_item(item_id=item.pk, owner=opal, actor=opal, at=NOON)

    @pytest.mark.parametrize("role", ["finance", "product", "auditor"])
    def test_others_may_not(self, role: str) -> None:
        someone, opal, item = usage.person("someone", role), usage.person("opal", "ops"), opened()
        with pytest.raises(NotAllowedError):
            reviews.resolve_item(item_id=item.pk, actor=someone, reason="Over.", at=NOON)
        with pytest.raises(NotAllowedError):
            reviews.assign_item(item_id=item.pk, owner=opal, actor=someone, at=NOON)
        with pytest.raises(InvalidInputError):
            reviews.assign_item(item_id=item.pk, owner=someone, actor=opal, at=NOON)

    def test_there_must_be_one(self) -> None:
        with pytest.raises(NotFoundError):
            reviews.resolve_item(item_id=0, actor=usage.person("opal", "ops"), reason="Over.", at=NOON)

    def test_the_database_allows_one_open_item_per_stream_and_kind(self) -> None:
        item = opened()
        item.pk = None
        with pytest.raises(IntegrityError):
            item.save(force_insert=True)


class TestAlerts:
    @pytest.fixture
    def ops(self) -> None:
        for name in ("opal", "otto"):
            person = usage.person(name, "ops")
            person.email = f"{name}@example.com"
            person.save()
        usage.person("oz", "ops")

    def test_nothing_is_queued_where_no_channel_is_set_up(self) -> None:
        opened()
        assert not Job.objects.exists()

    def test_ops_gets_one_email_however_often_the_job_runs(self, ops: None, settings: Any) -> None:
        settings.ALERT_BY_EMAIL = True
        item = opened()
        assert work.run_due_jobs(at=NOON) == 1
        alerts.deliver(item_id=item.pk, channel="email", at=NOON)
        (message,) = mail.outbox
        assert isinstance(message, EmailMessage)
        assert message.to == ["opal@example.com", "otto@example.com"]
        assert message.subject == "Billing Ops: Lag rose: t from api/eu"
        assert "Now: p95 of at least 60.0 s." in message.body
        assert "Before: p95 of at most 3.0 s." in message.body
        assert "1.2e-09" in message.body
        assert AlertDelivery.objects.get().sent_to == "opal@example.com, otto@example.com"

    def test_slack_is_told_in_plain_words(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.SLACK_WEBHOOK_URL = "https://hooks.slack.com/services/T/B/x"
        said: list[tuple[str, Any]] = []
        monkeypatch.setattr(outbound, "post_json", lambda url, document: said.append((url, document)))
        opened(source="<!channel> & co")
        work.run_due_jobs(at=NOON)
        ((url, document),) = said
        assert url == "https://hooks.slack.com/services/T/B/x"
        assert "&lt;!channel&gt; &amp; co" in document["text"]
        assert "<" not in document["text"]

    def test_a_failure_is_tried_again_and_the_item_stands(
        self, ops: None, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ALERT_BY_EMAIL = True

        def refuse(*_: Any, **__: Any) -> None:
            raise smtplib.SMTPServerDisconnected

        with monkeypatch.context() as patch:
            patch.setattr(EmailMessage, "send", refuse)
            item = opened()
            work.run_due_jobs(at=NOON)
        job = Job.objects.get()
        assert (job.state, job.attempts, ReviewItem.objects.get().pk) == ("queued", 1, item.pk)
        work.run_due_jobs(at=job.run_after)
        assert len(mail.outbox) == 1

    def test_an_item_that_rolls_back_tells_nobody(self, settings: Any) -> None:
        settings.ALERT_BY_EMAIL = True
        with transaction.atomic():
            opened()
            transaction.set_rollback(True)
        assert not Job.objects.exists()


class TestOutbound:
    @pytest.mark.parametrize(
        ("address", "is_public"),
        [
            ("3.217.5.6", True),
            ("2a00:1450:4001::1", True),
            ("127.0.0.1", False),
            ("10.1.2.3", False),
            ("172.16.0.1", False),
            ("192.168.1.1", False),
            ("169.254.169.254", False),  # the metadata of clouds
            ("100.64.0.1", False),
            ("0.0.0.0", False),  # noqa: S104  the point is that it is refused
            ("224.0.0.1", False),
            ("::1", False),
            ("fe80::1", False),
            ("fd00::1", False),
            ("::ffff:127.0.0.1", False),
            ("::ffff:3.217.5.6", True),
            ("64:ff9b::a01:203", False),  # 10.1.2.3, translated
            ("2002:7f00:1::", False),  # 127.0.0.1, by 6to4
        ],
    )
    def test_which_addresses_are_public(self, address: str, is_public: bool) -> None:
        assert outbound.is_public(address) is is_public

    @pytest.mark.parametrize(
        "url",
        [
            "http://hooks.slack.com/x",
            "https:///x",
            "https://user:word@hooks.slack.com/x",
            "https://hooks.slack.com:8443/x",
            "https://hooks.slack.com:port/x",
            "file:///etc/passwd",
            "hooks.slack.com",
            "https://[::1",
        ],
    )
    def test_which_texts_are_refused_at_once(self, url: str) -> None:
        assert outbound.find_flaw(url)
        with pytest.raises(OutboundError):
            outbound.post_json(url, {})

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "2130706433", "0x7f.1"])
    def test_hosts_of_this_machine_are_not_called(self, host: str) -> None:
        with pytest.raises(OutboundError):
            outbound.post_json(f"https://{host}/x", {})

    def test_one_private_address_among_public_ones_is_enough(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = [(0, 0, 0, "", (address, 443)) for address in ("3.217.5.6", "10.0.0.1")]
        monkeypatch.setattr(outbound.socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(OutboundError, match="not a public host"):
            outbound.find_public_address("rebound.example")

    @pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
    def test_only_a_success_is_one_and_a_redirect_is_not_followed(
        self, status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        connection = mock.Mock()
        connection.getresponse.return_value = mock.Mock(status=status)
        monkeypatch.setattr(outbound, "_PinnedConnection", mock.Mock(return_value=connection))
        monkeypatch.setattr(outbound, "find_public_address", lambda _host: "3.217.5.6")
        if status < 300:
            outbound.post_json("https://hooks.slack.com/services/x?y=1", {"text": "z"})
        else:
            with pytest.raises(OutboundError, match=f"answered {status}"):
                outbound.post_json("https://hooks.slack.com/services/x?y=1", {"text": "z"})
        connection.request.assert_called_once_with(
            "POST", "/services/x?y=1", b'{"text":"z"}', {"Content-Type": "application/json"}
        )
        connection.close.assert_called_once()
