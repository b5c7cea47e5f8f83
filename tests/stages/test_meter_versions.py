"""Versions of meters: proposed by one, approved by the owner, measured by the one in force."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry
from metering import aggregate, meter_versions, meters, queries, watermark
from metering.aggregate import UsageWindow
from metering.meter_versions import AlreadyCountedError, AlreadyDecidedError, NothingChangesError
from metering.meters import UnmeasurableError
from metering.models import AggregationSnapshot, Meter, MeterVersion
from metering.rules.measures import MeterContent
from tests.builders import guards, usage

pytestmark = pytest.mark.django_db

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
CLOSING = datetime(2026, 5, 1, 6, tzinfo=UTC)
LARGE = {"property": "model", "operator": "equals", "value": "large"}


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


@pytest.fixture
def owner() -> User:
    return usage.person("enza", "engineering")


@pytest.fixture
def colleague() -> User:
    return usage.person("paul", "product")


def content(**changes: Any) -> MeterContent:
    usual = {"definition": "Tokens read.", "aggregation": "sum", "value_property": "input_tokens"}
    return MeterContent(**{**usual, **changes})


def propose(by: User, *, since: datetime = APRIL, **changes: Any) -> MeterVersion:
    return meter_versions.propose_version(
        meter=Meter.objects.get(code="input-tokens"),
        content=content(**changes),
        effective_at=since,
        reason="Only large ones are billed.",
        actor=by,
        at=usage.NOON,
    )


def approve(version: MeterVersion, by: User) -> MeterVersion:
    return meter_versions.approve_version(version_id=version.pk, actor=by, at=usage.NOON)


def change(owner: User, colleague: User, **changes: Any) -> MeterVersion:
    return approve(propose(colleague, **changes), owner)


def use(event_id: str, tokens: object, *, at: str = "2026-03-02T11:00:00Z", **data: Any) -> None:
    event = usage.event(event_id, time=at, data={"input_tokens": tokens, "output_tokens": 0, **data})
    assert usage.capture(event, at=CLOSING).accepted == 1


def take(start: datetime = MARCH, end: datetime = APRIL) -> AggregationSnapshot:
    window = UsageWindow(usage.customer().pk, Meter.objects.get(code="input-tokens").pk, start, end)
    mark = watermark.fix_watermark(at=CLOSING)
    return aggregate.take_snapshots([window], watermark=mark, at=CLOSING)[0]


class TestApproval:
    def test_nothing_changes_before_the_owner_approves(self, owner: User, colleague: User) -> None:
        use("a", 3, model="small")
        version = propose(colleague, since=MARCH, filters=[LARGE])
        assert (version.version, version.status) == (2, "proposed")
        assert take().quantity == 3
        with pytest.raises(AlreadyCountedError, match="up to 2026-04-01T00:00:00Z"):
            approve(version, owner)

    def test_the_owner_approves_and_the_chain_says_so(self, owner: User, colleague: User) -> None:
        version = change(owner, colleague, filters=[LARGE])
        assert (version.status, version.decided_by) == ("approved", owner)
        entry = AuditEntry.objects.get(action="meter.version_approved")
        assert (entry.actor, entry.facts["version"]) == (owner, 2)

    def test_nobody_else_approves_however_high(self, colleague: User) -> None:
        version = propose(colleague)
        boss = usage.person("boss", "engineering", "product")
        boss.is_superuser = True
        with pytest.raises(NotAllowedError, match="only its owner"):
            approve(version, boss)

    def test_the_owner_does_not_approve_an_own_proposal(self, owner: User) -> None:
        version = propose(owner, definition="Tokens read by models.")
        with pytest.raises(NotAllowedError, match="proposed this yourself"):
            approve(version, owner)

    def test_an_owner_without_the_role_approves_nothing(self, owner: User, colleague: User) -> None:
        version = propose(colleague, filters=[LARGE])
        owner.groups.clear()
        with pytest.raises(NotAllowedError):
            approve(version, owner)

    @pytest.mark.parametrize(
        "change",
        [
            "status = 'approved', decided_by_id = proposed_by_id, decided_at = now()",
            "status = 'approved', decided_at = now(), decided_by_id = (SELECT max(id) FROM auth_user)",
            "status = 'approved'",
            "filters = '[]'",
            "effective_at = effective_at + interval '1 day'",
            "status = 'done', decided_by_id = proposed_by_id, decided_at = now()",
        ],
    )
    def test_postgresql_refuses_it_too(self, colleague: User, change: str) -> None:
        usage.person("boss", "engineering")
        version = propose(colleague, filters=[LARGE])
        assert guards.refuses(f"UPDATE metering_meterversion SET {change} WHERE id = %s", [version.pk])  # noqa: S608

    def test_a_decision_is_made_once(self, owner: User, colleague: User) -> None:
        version = propose(colleague, filters=[LARGE])
        meter_versions.reject_version(version_id=version.pk, reason="Too early.", actor=owner, at=usage.NOON)
        with pytest.raises(AlreadyDecidedError, match="is rejected"):
            approve(version, owner)
        sql = "UPDATE metering_meterversion SET status = 'approved' WHERE id = %s"
        assert guards.refuses(sql, [version.pk])
        assert guards.keeps_its_rows(MeterVersion)

    def test_whoever_proposed_it_may_withdraw_it(self, colleague: User) -> None:
        version = propose(colleague, filters=[LARGE])
        done = meter_versions.reject_version(version_id=version.pk, reason="Mistaken.", actor=colleague, at=usage.NOON)
        assert done.status == "withdrawn"

    def test_a_version_that_says_the_same_is_refused(self, colleague: User) -> None:
        same = MeterVersion.objects.get().definition
        with pytest.raises(NothingChangesError):
            propose(colleague, definition=same)

    def test_the_owner_hands_the_meter_over_and_nobody_takes_it(self, owner: User, colleague: User) -> None:
        meter = Meter.objects.get()
        with pytest.raises(NotAllowedError, match="only its owner hands it over"):
            meters.hand_over_meter(meter=meter, to=colleague, reason="Mine.", actor=colleague, at=usage.NOON)
        meters.hand_over_meter(meter=meter, to=colleague, reason="Moves on.", actor=owner, at=usage.NOON)
        assert Meter.objects.get().owner == colleague
        version = propose(owner, filters=[LARGE])
        assert approve(version, colleague).status == "approved"


class TestMeasuring:
    def test_a_window_is_measured_by_the_version_in_force(self, owner: User, colleague: User) -> None:
        change(owner, colleague, filters=[LARGE])
        for number, at in enumerate(("2026-03-05T00:00:00Z", "2026-04-05T00:00:00Z")):
            use(f"s{number}", 3, at=at, model="small")
            use(f"l{number}", 5, at=at, model="large")
        before, after = take(), take(APRIL, MAY)
        assert (before.quantity, before.event_count, before.meter_version.version) == (8, 2, 1)
        assert (after.quantity, after.event_count, after.meter_version.version) == (5, 1, 2)
        recounts = queries.recount([before, after])
        assert [(recounts[one.pk].quantity, recounts[one.pk].digest) for one in (before, after)] == [
            (before.quantity, before.digest),
            (after.quantity, after.digest),
        ]
        assert [row.event_id for row in queries.snapshot_events(after)] == ["l1"]

    def test_a_window_across_a_change_is_refused(self, owner: User, colleague: User) -> None:
        change(owner, colleague, filters=[LARGE])
        with pytest.raises(aggregate.MeterChangedError, match="Close again"):
            take(MARCH, MAY)

    def test_other_words_alone_cut_nothing(self, owner: User, colleague: User) -> None:
        first = MeterVersion.objects.get()
        change(owner, colleague, definition="Said better.")
        assert queries.measure_changes([first.meter_id]) == {first.meter_id: []}
        assert take(MARCH, MAY).meter_version == first

    def test_a_correction_is_measured_by_the_version_that_counted_first(self, owner: User, colleague: User) -> None:
        use("a", 3, model="small")
        base = take()
        change(owner, colleague, filters=[LARGE])
        use("late", 4, model="small")
        mark = watermark.fix_watermark(at=CLOSING)
        (again,) = aggregate.take_adjustment_snapshots([base], watermark=mark, at=CLOSING)
        assert (again.quantity, again.meter_version_id) == (7, base.meter_version_id)

    def test_an_event_that_the_filter_leaves_out_is_not_late(self, owner: User, colleague: User) -> None:
        change(owner, colleague, since=MARCH, filters=[LARGE])
        use("a", 3, model="large")
        base = take()
        use("b", 4, model="small")
        assert queries.late_windows() == []
        use("c", 4, model="large")
        assert [(one.snapshot_id, one.event_count) for one in queries.late_windows()] == [(base.pk, 1)]

    def test_live_totals_are_cut_where_the_measure_changes(self, owner: User, colleague: User) -> None:
        change(owner, colleague, since=MARCH + timedelta(days=10), filters=[LARGE])
        use("a", 3, at="2026-03-02T00:00:00Z", model="small")
        use("b", 4, at="2026-03-20T00:00:00Z", model="small")
        use("c", 5, at="2026-03-20T00:00:00Z", model="large")
        found = queries.live_usage(customer_id=usage.customer().pk, meter=Meter.objects.get(), start=MARCH, end=APRIL)
        assert [(row.start.day, row.end.day, row.quantity) for row in found.rows] == [(1, 11, 3), (11, 1, 5)]


class TestContent:
    @pytest.mark.parametrize(
        ("changes", "pointer"),
        [
            ({"value_property": "model"}, "/value_property"),
            ({"filters": [{"property": "nothing", "operator": "equals", "value": 1}]}, "/filters/0/property"),
            ({"filters": [{"property": "model", "operator": "like", "value": "x"}]}, "/filters/0/operator"),
            ({"filters": [{"property": "model", "operator": "in", "values": ["a", 1]}]}, "/filters/0"),
            ({"filters": [{"property": "input_tokens", "operator": "range"}]}, "/filters/0"),
            ({"filters": {}}, "/filters"),
            ({"group_by": ["nothing"]}, "/group_by/0"),
            ({"group_by": ["model", "model"]}, "/group_by/1"),
            ({"aggregation": "unique_count", "operation_property": "model"}, "/operation_property"),
        ],
    )
    def test_what_cannot_be_measured_is_refused_with_its_place(
        self, colleague: User, changes: dict[str, Any], pointer: str
    ) -> None:
        with pytest.raises(UnmeasurableError) as refusal:
            propose(colleague, **changes)
        assert refusal.value.problems()[0]["pointer"] == pointer

    @pytest.mark.parametrize("year", [1999, 2300])
    def test_an_instant_that_nobody_means_is_refused(self, colleague: User, year: int) -> None:
        with pytest.raises(InvalidInputError, match="2000 to 2199"):
            propose(colleague, since=datetime(year, 1, 1, tzinfo=UTC), filters=[LARGE])

    def test_negative_totals_count_as_0_where_the_version_says_so(self, owner: User, colleague: User) -> None:
        change(owner, colleague, since=MARCH, negative_total="zero", value_property="output_tokens")
        event = usage.event(data={"input_tokens": 1, "output_tokens": -25}, time="2026-03-02T11:00:00Z")
        assert usage.capture(event, at=CLOSING).accepted == 1
        snapshot = take()
        assert (snapshot.quantity, queries.recount([snapshot])[snapshot.pk].quantity) == (Decimal(0), Decimal(0))
