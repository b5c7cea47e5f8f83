"""No event goes into a file in clear while what is personal in it is being sealed."""

import multiprocessing
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from metering import archive, contracts, ingest, late_sealing
from metering.models import EventArchive, EventContractVersion, LaterSealing, UsageEvent
from metering.store import archiving, partitions
from tests.builders import billing, dumps, racing, said_of_many
from tests.stages.test_personal_events import SCHEMA, draft

OCTOBER = date(2026, 10, 1)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
WORDS = ["+49 151 23456789", "+49 170 1111111"]
CLEAR = {**SCHEMA, "properties": {**SCHEMA["properties"], "caller": {}}}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company(tmp_path: Path, settings: Any) -> Iterator[billing.Company]:
    """Two events of October of which nobody is billed, with a caller in clear."""
    settings.EVENT_ARCHIVE = str(tmp_path)
    partitions.forget_months()
    made = billing.open_company()
    put_in_force(made, schema=CLEAR)
    billing.make_customer("acme")
    sent = [said_of_many.event(f"c{units}", subject="acme", units=units, caller=WORDS[units]) for units in (0, 1)]
    assert ingest.capture_events(sent, channel="http", origin="test", at=billing.CLOSING).accepted == 2
    yield made
    partitions.forget_months()


def put_in_force(company: billing.Company, **changes: Any) -> EventContractVersion:
    return contracts.draft_version(
        contract=company.meter.contract,
        draft=draft(**changes),
        is_activated=True,
        actor=company.meter.owner,
        at=billing.LONG_AGO,
    )


def seal(run: LaterSealing) -> None:
    late_sealing.go_on(sealing_id=run.pk, at=LATER)


def detach() -> EventArchive:
    return archive.detach_month(month=OCTOBER, at=LATER)


def test_a_month_waits_until_what_was_marked_is_sealed(company: billing.Company, tmp_path: Path) -> None:
    run = put_in_force(company).later_sealing
    with pytest.raises(archive.MonthNotDetachableError, match=r"being sealed \(caller of .*run this again once"):
        detach()
    assert list(tmp_path.iterdir()) == []
    seal(run)
    assert detach().event_count == 2
    assert dumps.find_words(WORDS) == []


@pytest.mark.parametrize("is_sealed", [True, False])
def test_what_is_marked_while_the_file_is_written_stops_it_and_the_file_goes(
    company: billing.Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_sealed: bool
) -> None:
    write = archive._write  # noqa: SLF001  the moment between the file and the drop

    def write_and_mark(*given: Any, **named: Any) -> Any:
        written = write(*given, **named)
        run = put_in_force(company).later_sealing
        if is_sealed:
            seal(run)
        return written

    with monkeypatch.context() as patch:
        patch.setattr(archive, "_write", write_and_mark)
        with pytest.raises(archive.MonthNotDetachableError, match="sealed"):
            detach()
    assert list(tmp_path.iterdir()) == []
    assert (EventArchive.objects.count(), UsageEvent.objects.count()) == (0, 2)
    seal(LaterSealing.objects.get())
    assert detach().event_count == 2
    [file] = tmp_path.iterdir()
    assert not any(word.encode() in file.read_bytes() for word in WORDS)


def test_whoever_marks_while_a_month_goes_waits_and_is_refused(company: billing.Company) -> None:
    going = multiprocessing.get_context("fork").Event()
    drop_month = archiving.drop_month

    def drop_slowly(month: date) -> None:
        drop_month(month)
        going.set()
        time.sleep(1)  # in which the other would get through if nothing held it

    def put_away() -> None:
        pytest.MonkeyPatch().setattr(archiving, "drop_month", drop_slowly)
        detach()

    def mark() -> None:
        assert going.wait(30)
        with pytest.raises(contracts.NotProvedError) as refused:
            put_in_force(company)
        assert [flaw.code for flaw in refused.value.flaws] == ["personal_put_away"]

    racing.run_together(put_away, mark)
    assert not LaterSealing.objects.exists()
