"""The desk, health and reviews as pages and as API: who sees what, and what a click does."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import external_ids
from accounts.models import ExternalId
from core import work
from metering import invariants, minutes
from metering.admin import health as health_page
from metering.health import Arrivals
from metering.health_minutes import MinuteArrivals
from metering.models import (
    ArrivalProgress,
    ArrivalStream,
    BulkDecision,
    HealthPolicy,
    QuarantinedEvent,
    ReviewItem,
    UsageEvent,
)
from metering.store.arrivals import Lag
from tests.builders import usage

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
GROUP = {"code": "value_not_number", "source": "api/eu", "event_type": usage.EVENT_TYPE}


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


@pytest.fixture
def held() -> QuarantinedEvent:
    usage.capture(usage.event("1", data={"input_tokens": "<b>many</b>", "output_tokens": 1}))
    return QuarantinedEvent.objects.get()


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(usage.person(f"some-{role}", role))
    return client


def shown(client: Client, name: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"admin:metering_{name}", args=args), query)
    assert answer.status_code == 200
    return str(answer.content.decode())


class TestDesk:
    def test_it_leads_from_groups_to_the_event_beside_its_rule(self, held: QuarantinedEvent) -> None:
        desk = shown(signed_in("auditor"), "quarantine_desk")
        assert "value_not_number" in desk
        assert "1 event wait" in " ".join(desk.split())
        group = shown(signed_in("auditor"), "quarantine_group", **GROUP)
        assert "&lt;b&gt;many&lt;/b&gt;" in group
        assert '<mark title="/data/input_tokens">' in group
        assert "&quot;minimum&quot;: 0" in group
        assert "Decide over" not in group
        one = shown(signed_in("auditor"), "quarantinedevent_change", held.pk)
        assert '<mark title="/data/input_tokens">' in one

    def test_ops_decides_over_a_group_and_sees_how_far_it_is(self, held: QuarantinedEvent) -> None:
        client = signed_in("ops")
        assert "Decide over 1 event" in shown(client, "quarantine_group", **GROUP)
        answer = client.post(
            reverse("admin:metering_quarantine_decide"), {**GROUP, "action": "discard", "reason": "A test of the SDK."}
        )
        decision = BulkDecision.objects.get()
        assert answer.headers["Location"] == reverse("admin:metering_bulkdecision_change", args=[decision.pk])
        page = client.get(answer.headers["Location"])
        assert page.headers["Refresh"] == "2"
        work.run_due_jobs(at=timezone.now())
        page = client.get(answer.headers["Location"])
        assert "Refresh" not in page.headers
        assert "Finished" in page.content.decode()
        undo = reverse("admin:metering_bulkdecision_undo_discard", args=[decision.pk])
        assert undo in page.content.decode()
        client.post(undo, {"_form_submitted": "True", "reason": "They were real."})
        work.run_due_jobs(at=timezone.now())
        again = QuarantinedEvent.objects.get(status="open")
        assert again.continues == held
        page = client.get(reverse("admin:metering_bulkdecision_change", args=[decision.pk]))
        assert undo not in page.content.decode()

    @pytest.mark.parametrize("change", [{"code": ""}, {"source": "x\x00y"}])
    def test_a_form_that_names_no_group_decides_nothing(self, held: QuarantinedEvent, change: dict[str, str]) -> None:
        given = {**GROUP, "action": "discard", "reason": "A test of the SDK.", **change}
        answer = signed_in("ops").post(reverse("admin:metering_quarantine_decide"), given)
        assert answer.status_code in (302, 400)
        assert not BulkDecision.objects.exists()

    @pytest.mark.parametrize("change", [{"reason": "why"}, {"action": "forget"}])
    def test_a_form_that_says_too_little_comes_back_with_what_was_typed(
        self, held: QuarantinedEvent, change: dict[str, str]
    ) -> None:
        given = {**GROUP, "action": "discard", "reason": "A test of the SDK.", **change}
        answer = signed_in("ops").post(reverse("admin:metering_quarantine_decide"), given)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert "Nothing was done." in page
        assert given["reason"] in page
        assert "Decide over 1 event" in page
        assert not BulkDecision.objects.exists()

    def test_a_group_is_paged_and_narrowed_to_a_subject_and_stays_so(self) -> None:
        """Fifty on a page, and the two subjects as links; naming one of them leads back to where one was."""
        usage.capture(*[usage.event(f"a{number:02}", subject="old-a") for number in range(51)])
        usage.capture(usage.event("b", subject="old b"))
        client, group = signed_in("ops"), {**GROUP, "code": "customer_unknown"}
        first = shown(client, "quarantine_group", **group)
        assert "subject=old-a" in first
        assert "subject=old+b" in first
        oldest_first = list(QuarantinedEvent.objects.order_by("pk"))
        last = oldest_first[49].pk
        assert f"after={last}" in first
        second = shown(client, "quarantine_group", **group, after=str(last))
        assert f">{oldest_first[50].event_id}</a>" in "".join(second.split())
        assert "after=" not in second
        narrow = shown(client, "quarantine_group", **group, subject="old b")
        assert "Every subject of this group" in narrow
        assert 'name="subject" value="old b"' in narrow
        given = {**group, "subject": "old b", "system": "subject", "external_id": "old b", "customer": "acme"}
        answer = client.post(reverse("admin:metering_quarantine_assign"), given)
        assert answer.headers["Location"].startswith(reverse("admin:metering_quarantine_group"))
        assert "1 event with the same reason" in " ".join(
            client.get(answer.headers["Location"]).content.decode().split()
        )

    def test_others_may_not(self, held: QuarantinedEvent) -> None:
        given = {**GROUP, "action": "discard", "reason": "A test of the SDK."}
        assert signed_in("finance").post(reverse("admin:metering_quarantine_decide"), given).status_code == 403
        assert signed_in("ops").get(reverse("admin:metering_quarantine_decide")).status_code == 403

    def test_an_unknown_subject_becomes_a_name_of_a_customer_and_its_events_are_accepted(self) -> None:
        usage.capture(usage.event("1", subject="old-name"))
        client, group = signed_in("ops"), {**GROUP, "code": "customer_unknown"}
        assert "Whose events are these?" in shown(client, "quarantine_group", **group)
        given = {"system": "subject", "external_id": "old-name", "customer": "acme"}
        assert signed_in("auditor").post(reverse("admin:metering_quarantine_assign"), given).status_code == 403
        client.post(reverse("admin:metering_quarantine_assign"), {**given, "customer": "nobody"})
        assert not ExternalId.objects.exists()
        client.post(reverse("admin:metering_quarantine_assign"), given)
        named = ExternalId.objects.get()
        assert (named.customer.code, named.system, named.external_id) == ("acme", "subject", "old-name")
        client.post(
            reverse("admin:metering_quarantine_decide"), {**group, "action": "release", "reason": "It is Acme."}
        )
        work.run_due_jobs(at=timezone.now())
        assert UsageEvent.objects.get().customer.code == "acme"
        assert usage.capture(usage.event("1", subject="old-name")).duplicates == 1
        assert usage.capture(usage.event("2", subject="old-name")).accepted == 1
        assert [one.name for one in invariants.INVARIANTS if one.number == 5 and list(one.find_offenders())] == []

    def test_a_name_never_takes_the_events_of_a_customer_whose_code_it_is(self) -> None:
        other = usage.customer("other")
        external_ids.add_external_id(
            customer_code="acme", system="subject", external_id="other", actor=usage.person("opal", "ops"), at=NOW
        )
        usage.capture(usage.event("1", subject="other"))
        assert UsageEvent.objects.get().customer == other

    def test_a_group_of_nothing_is_a_page_that_says_so(self) -> None:
        assert "Nothing of this group waits" in shown(signed_in("ops"), "quarantine_group", code="x" * 500)


class TestApi:
    def call(self, client: Client, path: str, body: Any = None, role: str = "engineering", **more: str) -> Any:
        key = usage.api_key(f"key-{role}", role)
        headers = {"Authorization": f"Bearer {key}", **more}
        if body is None:
            return client.get(f"/api/v1/{path}", headers=headers)
        return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)

    def test_groups_and_a_decision_over_one(self, client: Client, held: QuarantinedEvent) -> None:
        (group,) = self.call(client, "quarantine/groups").json()
        assert (group["code"], group["source"], group["type"], group["events"]) == (
            "value_not_number",
            "api/eu",
            usage.EVENT_TYPE,
            1,
        )
        body = {name: group[name] for name in ("code", "source", "type")} | {"action": "release", "reason": "Fixed."}
        answer = self.call(client, "quarantine/bulk", body)
        assert answer.status_code == 202
        work.run_due_jobs(at=timezone.now())
        done = self.call(client, f"quarantine/bulk/{answer.json()['id']}").json()
        assert (done["total"], done["done"], done["kept"], done["accepted"]) == (1, 1, 1, 0)
        assert self.call(client, "quarantine/bulk/0").status_code == 404
        assert self.call(client, "quarantine/bulk", {**body, "code": "none"}).status_code == 404
        assert self.call(client, "quarantine/bulk", {**body, "action": "x"}).status_code == 422

    def test_a_discard_of_a_group_is_taken_back_once(self, client: Client, held: QuarantinedEvent) -> None:
        body = {"action": "discard", "code": "value_not_number", "source": "api/eu", "type": usage.EVENT_TYPE}
        discard = self.call(client, "quarantine/bulk", body | {"reason": "A test of the SDK."}).json()
        undo, why = f"quarantine/bulk/{discard['id']}/undo-discard", {"reason": "They were real."}
        unfinished = self.call(client, undo, why)
        assert (unfinished.status_code, unfinished.json()["code"]) == (409, "not_discarded")
        work.run_due_jobs(at=timezone.now())
        assert self.call(client, undo, {"reason": ""}).status_code == 422
        assert self.call(client, undo, why, role="finance").status_code == 403
        answers = [self.call(client, undo, why, **{"Idempotency-Key": "k"}) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        made = answers[0].json()
        assert (made["action"], made["undoes"], made["total"], made["taken_up"]) == ("take_up", discard["id"], 1, 0)
        work.run_due_jobs(at=timezone.now())
        assert self.call(client, f"quarantine/bulk/{made['id']}").json()["taken_up"] == 1
        assert QuarantinedEvent.objects.get(status="open").continues == held
        assert self.call(client, undo, why).json()["code"] == "not_discarded"
        for number in ("0", "9" * 30):
            assert self.call(client, f"quarantine/bulk/{number}/undo-discard", why).status_code == 404

    def test_health_by_the_minute(self, client: Client) -> None:
        usage.capture(usage.event("1"), usage.event("1"), usage.event("2", subject="nobody"))
        found = self.call(client, "metering/health?window=minute").json()
        (minute,) = found["minutes"]
        assert (minute["received"], minute["accepted"], minute["duplicates"], minute["quarantined"]) == (3, 1, 1, 1)
        assert minute["acceptance_rate"] == "0.666667"
        minutes.record_minutes(until=minutes.floor_minute(timezone.now()) + minutes.MINUTE)
        recorded = self.call(client, "metering/health?window=minute").json()["minutes"]
        assert recorded == [minute]
        only = f"metering/health?window=minute&source=api/eu&type={usage.EVENT_TYPE}"
        assert self.call(client, only).json()["minutes"] == [minute]
        assert self.call(client, "metering/health?window=minute&source=api/eu").status_code == 422
        assert self.call(client, "metering/health?window=minute&source=x&type=y").status_code == 404
        assert self.call(client, "metering/health?window=hour").status_code == 422
        start = (timezone.now() - timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert self.call(client, f"metering/health?window=minute&start={start}").status_code == 422
        assert "minutes" not in self.call(client, "metering/health").json()

    def test_review_items_are_assigned_and_resolved(self, client: Client) -> None:
        item = review_item()
        usage.person("opal", "ops")
        (listed,) = self.call(client, "metering/review-items?status=open").json()["results"]
        assert (listed["id"], listed["source"], listed["kind"]) == (item.pk, "api/eu", "silent")
        path = f"metering/review-items/{item.pk}"
        assert self.call(client, f"{path}/assign", {"owner": "opal"}).json()["owner"] == "opal"
        assert self.call(client, f"{path}/assign", {"owner": "nobody"}).status_code == 422
        assert self.call(client, f"{path}/resolve", {"reason": "Switched off."}).json()["status"] == "resolved"
        assert self.call(client, f"{path}/resolve", {"reason": "Switched off."}).status_code == 409
        assert [step["status_after"] for step in self.call(client, path).json()["steps"]] == ["taken", "resolved"]
        assert self.call(client, "metering/review-items/0").status_code == 404


def review_item() -> ReviewItem:
    stream = ArrivalStream.objects.create(
        source="api/eu", event_type=usage.EVENT_TYPE, first_minute=NOW, last_minute=NOW
    )
    return ReviewItem.objects.create(
        kind="silent",
        stream=stream,
        policy=HealthPolicy.objects.get(),
        minute=NOW,
        last_seen_at=NOW,
        before="999 pauses, the longest of 1 min",
        now="silent for 6 min",
        chance="3e-09",
        opened_at=NOW,
    )


class TestHealth:
    def test_the_page_draws_what_came_in(self) -> None:
        usage.capture(usage.event("1"), usage.event("1"), usage.event("2", subject="nobody"))
        item = review_item()
        page = shown(signed_in("auditor"), "arrivalminute_changelist")
        assert 'aria-label="Events a minute' in page
        assert page.count("<svg") >= 3
        assert [page.count(f'd="M0 {y}H60"') for y in ("0.00", "50.00", "100.00")] == [3, 3, 3]
        assert "66.67 %" in page
        assert reverse("admin:metering_reviewitem_change", args=[item.pk]) in page

    def test_a_watch_that_stands_still_does_not_look_as_if_all_were_well(self) -> None:
        now = minutes.floor_minute(timezone.now())
        ArrivalProgress.objects.update_or_create(defaults={"recorded_until": now - timedelta(minutes=3)})
        page = shown(signed_in("ops"), "arrivalminute_changelist")
        assert "every source behaves as it did before" in page
        ArrivalProgress.objects.update(recorded_until=now - timedelta(minutes=90))
        page = " ".join(shown(signed_in("ops"), "arrivalminute_changelist").split())
        assert "Not watched" in page
        assert "Nobody has judged the last 9" in page  # ninety, or the minute after
        assert "every source behaves" not in page

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [
            ("0.2504", "0.25 s"),
            ("119.9", "119.9 s"),
            ("120", "2 min"),
            ("5400", "1 h 30 min"),
            ("7200", "2 h"),
            ("2782727.81", "32 d 4 h"),
        ],
    )
    def test_a_lag_is_told_in_units_that_people_know(self, seconds: str, text: str) -> None:
        lag = Lag(Decimal(seconds), Decimal(seconds), Decimal(seconds))
        arrivals = Arrivals(accepted=1, duplicates=0, quarantined=0, lag=lag)
        assert health_page.tell(MinuteArrivals(NOW, arrivals))["lags"] == [text] * 3

    @pytest.mark.parametrize("query", [{"hours": "24"}, {"hours": "99"}, {"stream": "abc"}, {"stream": "0"}])
    def test_whatever_is_asked_is_a_page(self, query: dict[str, str]) -> None:
        assert UsageEvent.objects.count() == 0
        assert "Nothing: every source" in shown(signed_in("ops"), "arrivalminute_changelist", **query)

    def test_ops_takes_and_resolves_an_item(self) -> None:
        item, client = review_item(), signed_in("ops")
        owner = usage.person("some-ops", "ops")
        submit = {"_form_submitted": "True"}
        client.post(
            reverse("admin:metering_reviewitem_assign", args=[item.pk]), {**submit, "owner": owner.pk, "reason": ""}
        )
        client.post(
            reverse("admin:metering_reviewitem_resolve", args=[item.pk]), {**submit, "reason": "It was switched off."}
        )
        item.refresh_from_db()
        assert (item.status, item.owner) == ("resolved", owner)
        assert "It was switched off." in shown(client, "reviewitem_change", item.pk)
