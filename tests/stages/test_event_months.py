"""Raw events lie in a table per month of event time; where that table is missing nothing is lost."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from core.scratch import scratch_database
from metering import months
from metering.models import EventKey, UsageEvent
from metering.store import partitions
from tests.builders import guards, usage

NOW = datetime(2035, 3, 15, tzinfo=UTC)  # no other test makes these months


@pytest.fixture
def house(transactional_db: None) -> Iterator[None]:
    """Committed for real; the months of these tests are taken away again."""
    usage.house()
    partitions.forget_months()
    yield
    with connection.cursor() as cursor:
        for month in partitions.find_months():
            if month.year == 2035:
                cursor.execute(f"DROP TABLE metering_usageevent_{month:%Y%m}")
    partitions.forget_months()


def table_of(event_id: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM metering_usageevent WHERE event_id = %s", [event_id])
        ((name,),) = cursor.fetchall()
    return str(name)


def plan_of(statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())


def use(event_id: str, at: str) -> None:
    usage.capture(usage.event(event_id, time=at), at=NOW)


def use_unprepared(event_id: str, at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the tables could not be made."""
    with monkeypatch.context() as patch:
        patch.setattr(partitions, "prepare_months", lambda _instants: None)
        use(event_id, at)


@pytest.mark.usefixtures("house")
class TestCapture:
    def test_an_event_lies_in_the_month_in_which_it_happened(self) -> None:
        use("first", "2035-01-01T00:00:00Z")
        use("last", "2034-12-31T23:59:59.999999Z")
        assert table_of("first") == "metering_usageevent_203501"
        assert table_of("last") == "metering_usageevent_203412"

    def test_an_event_without_a_table_for_its_month_is_kept_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_unprepared("early", "2035-01-02T00:00:00Z", monkeypatch)
        assert table_of("early") == "metering_usageevent_rest"
        assert [(line.month, line.events) for line in partitions.find_rest()] == [(date(2035, 1, 1), 1)]

    def test_a_table_that_cannot_be_made_does_not_stop_capture(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with connection.cursor() as cursor:  # a table of that name that is no part of the events
            cursor.execute("CREATE VIEW metering_usageevent_203502 AS SELECT 1")
        try:
            use("one", "2035-02-01T00:00:00Z")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP VIEW metering_usageevent_203502")
        assert table_of("one") == "metering_usageevent_rest"

    def test_the_same_identity_in_another_month_is_not_counted_again(self) -> None:
        use("one", "2035-01-02T00:00:00Z")
        again = usage.capture(usage.event("one", time="2034-11-02T00:00:00Z"), at=NOW)
        assert (again.accepted, again.quarantined) == (0, 1)
        assert UsageEvent.objects.count() == 1

    def test_an_identity_knows_the_time_and_the_content_of_its_event(self) -> None:
        use("one", "2035-01-02T00:00:00Z")
        key, event = EventKey.objects.get(), UsageEvent.objects.get()
        assert (key.seq, key.occurred_at, key.batch_id) == (event.seq, event.occurred_at, event.batch_id)
        assert bytes(key.fingerprint) == bytes(event.fingerprint)


@pytest.mark.usefixtures("house")
class TestRepair:
    def test_events_that_waited_move_to_their_month_unchanged(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_unprepared("a", "2035-02-02T00:00:00Z", monkeypatch)
        use_unprepared("b", "2035-02-28T00:00:00Z", monkeypatch)
        before = list(UsageEvent.objects.order_by("seq").values())
        report = months.keep_months(at=NOW)
        assert (report.moved, report.left) == (2, [])
        assert table_of("a") == table_of("b") == "metering_usageevent_203502"
        assert list(UsageEvent.objects.order_by("seq").values()) == before
        assert partitions.find_rest() == []

    def test_the_next_two_months_are_there_ahead_of_time(self) -> None:
        months.keep_months(at=NOW)
        assert {date(2035, 3, 1), date(2035, 4, 1), date(2035, 5, 1)} <= set(partitions.find_months())
        assert months.find_state(at=NOW).alarms == []

    def test_it_says_what_is_wrong_until_it_is_mended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_unprepared("a", "2035-01-02T00:00:00Z", monkeypatch)
        assert months.find_state(at=NOW).alarms == [
            "No table of events is ready for 2035-03, 2035-04, 2035-05; run manage.py event_months prepare.",
            "1 events lie outside the table of their month; run manage.py event_months prepare.",
        ]
        months.keep_months(at=NOW)
        assert months.find_state(at=NOW).alarms == []

    def test_it_adds_nothing_the_second_time(self) -> None:
        months.keep_months(at=NOW)
        assert months.keep_months(at=NOW).made == []

    def test_a_long_reader_delays_it_and_breaks_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_unprepared("a", "2035-01-02T00:00:00Z", monkeypatch)
        monkeypatch.setattr(partitions, "LOCK_TIMEOUT", "100ms")
        with psycopg.connect(**_server()) as reader:
            reader.execute("SELECT count(*) FROM metering_usageevent").fetchone()
            report = months.keep_months(at=NOW)
            assert (report.made, report.moved) == ([], 0)
            assert UsageEvent.objects.count() == 1
        assert months.keep_months(at=NOW).moved == 1

    def test_the_command_prepares_and_reports(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("event_months", "prepare")
        call_command("event_months", "status")
        assert f"{datetime.now(UTC):%Y-%m}" in capsys.readouterr().out

    def test_the_command_fails_on_an_alarm(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_unprepared("a", "2035-01-02T00:00:00Z", monkeypatch)
        with pytest.raises(CommandError, match="1 events lie outside"):
            call_command("event_months", "status")


@pytest.mark.usefixtures("house")
@pytest.mark.parametrize("table", ["metering_usageevent", "metering_usageevent_203501", "metering_usageevent_rest"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET data = '{{}}'", "DELETE FROM {}", "TRUNCATE {}"])
def test_no_part_of_the_events_can_be_changed(table: str, statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use("kept", "2035-01-02T00:00:00Z")
    use_unprepared("waiting", "2035-02-02T00:00:00Z", monkeypatch)
    assert guards.refuses(statement.format(table))
    assert UsageEvent.objects.count() == 2


@pytest.mark.usefixtures("house")
def test_a_month_of_a_customer_and_an_identity_are_found_in_one_table() -> None:
    use("one", "2035-01-02T00:00:00Z")
    use("two", "2035-02-02T00:00:00Z")
    event = UsageEvent.objects.get(event_id="one")
    month = plan_of(
        "SELECT * FROM metering_usageevent WHERE customer_id = 1 AND contract_id = 1"
        " AND occurred_at >= '2035-01-01Z' AND occurred_at < '2035-02-01Z'"
    )
    identity = plan_of(
        f"SELECT * FROM metering_usageevent"  # noqa: S608  own values
        f" WHERE seq = {event.seq} AND occurred_at = '{event.occurred_at}'"
    )
    for plan in (month, identity):
        assert "metering_usageevent_203501" in plan
        assert "metering_usageevent_203502" not in plan
        assert "metering_usageevent_rest" not in plan


def _server() -> dict[str, Any]:
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "dbname": settings["NAME"],
    }


OLD_ROWS = """
INSERT INTO metering_usageevent (source, event_id, customer_id, contract_id, contract_version_id, batch_id,
                                 occurred_at, received_at, fingerprint, data)
SELECT 'api/eu', 'evt-' || number, 1, 1, 1, 1, '2026-01-15Z'::timestamptz + number * interval '10 days',
       '2026-11-20Z', sha256(number::text::bytea), jsonb_build_object('tokens', number)
FROM generate_series(1, 12) AS number;
INSERT INTO metering_eventkey (source, event_id, seq) SELECT source, event_id, seq FROM metering_usageevent;
"""


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
def test_the_table_of_an_older_installation_is_parted_with_all_it_holds() -> None:
    with scratch_database() as environment:

        def migrate(target: str) -> None:
            command = [sys.executable, "manage.py", "migrate", "--verbosity=0", "metering", target]
            subprocess.run(command, env=environment, check=True)

        name = environment["DATABASE_URL"].rpartition("/")[2]
        migrate("0001")
        with psycopg.connect(**_server() | {"dbname": name}) as own:
            own.execute(OLD_ROWS)
            rows = own.execute("SELECT * FROM metering_usageevent ORDER BY seq").fetchall()
        migrate("0002")
        with psycopg.connect(**_server() | {"dbname": name}) as own:
            assert own.execute("SELECT * FROM metering_usageevent ORDER BY seq").fetchall() == rows
            parts = own.execute(
                "SELECT DISTINCT tableoid::regclass::text FROM metering_usageevent ORDER BY 1"
            ).fetchall()
            assert [part for (part,) in parts] == [f"metering_usageevent_20260{month}" for month in range(1, 6)]
            (untold,) = own.execute(
                "SELECT count(*) FROM metering_usageevent e JOIN metering_eventkey k USING (source, event_id, seq)"
                " WHERE (e.occurred_at, e.batch_id, e.fingerprint) = (k.occurred_at, k.batch_id, k.fingerprint)"
            ).fetchone() or (0,)
            assert untold == 12
            assert own.execute("SELECT nextval('metering_usageevent_seq_seq')").fetchone() == (13,)
            with pytest.raises(psycopg.errors.RaiseException, match="Cannot update or delete"):
                own.execute("DELETE FROM metering_usageevent")
