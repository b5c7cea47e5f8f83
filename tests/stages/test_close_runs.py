"""A close is a row that says how far it has come, whoever asks and whatever stops it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from accounts.models import Seller
from invoicing.cycle import assemble, close, close_runs
from invoicing.cycle.close_runs import RunState
from invoicing.cycle.models import CloseRun, Invoice
from metering.models import Watermark
from tests.builders import billing
from tests.builders.billing import CLOSING, NOVEMBER, day

pytestmark = pytest.mark.django_db


def customers(company: billing.Company, *codes: str) -> None:
    for code in codes:
        billing.subscribe_to(company, billing.make_customer(code))


def state_of(run: CloseRun) -> RunState:
    return close_runs.states_of([run])[run.pk]


def test_a_close_leaves_a_row_with_what_it_did() -> None:
    company = billing.open_company()
    customers(company, "acme", "globex", "initech")
    billing.use("globex", ("e1", day(3), 10**15), ("e2", day(3), 10**15))  # more than can be billed exactly
    billing.make_meter("calls", event_type="calls", owner=company.meter.owner)
    billing.use("initech", ("c1", day(4), 1), event_type="calls")  # no price covers it
    billing.close_october()
    [run] = CloseRun.objects.all()
    assert (run.as_of, run.customer_codes, run.asked_by, run.asked_at) == (NOVEMBER, None, None, CLOSING)
    assert (run.total, run.done, run.drafted, run.held, run.breaks, run.failed) == (3, 3, 2, 1, 1, 1)
    assert (run.nothing_to_bill, run.adjusted, run.attempts, run.stopped_by) == (0, 0, 1, "")
    assert run.watermark == Watermark.objects.get()
    assert run.started_at is not None
    assert run.stepped_at is not None
    assert run.ended_at is not None
    assert run.started_at <= run.stepped_at <= run.ended_at
    assert (run.share_done, state_of(run)) == (100, RunState.ENDED)


def test_a_close_without_anything_to_do_has_ended_all_the_same() -> None:
    billing.open_company()
    billing.close_october(customer_codes=[])
    run = CloseRun.objects.get()
    assert (run.customer_codes, run.total, run.share_done, state_of(run)) == ([], 0, 0, RunState.ENDED)


def test_what_stops_a_close_stands_on_its_row() -> None:
    Seller.objects.all().delete()
    with pytest.raises(close.SellerMissingError):
        billing.close_october()
    run = CloseRun.objects.get()
    assert run.stopped_by.startswith("There is no seller yet")
    assert state_of(run) == RunState.STOPPED


def test_a_close_that_lost_its_database_is_taken_up_by_the_next_one_with_the_same_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    company = billing.open_company()
    customers(company, "acme", "globex", "initech")
    monkeypatch.setattr(close, "CHUNK_PERIODS", 1)
    original, calls = assemble.open_bills, []

    def fail_at_the_second(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise OperationalError("the server went away")
        return original(*args, **kwargs)

    monkeypatch.setattr(assemble, "open_bills", fail_at_the_second)
    with pytest.raises(OperationalError):
        billing.close_october()
    run = CloseRun.objects.get()
    assert (run.total, run.done, run.drafted, run.ended_at) == (3, 1, 1, None)
    assert (run.share_done, state_of(run)) == (33, RunState.INTERRUPTED)
    billing.close_october(customer_codes=["acme"])  # another question is another close
    assert CloseRun.objects.count() == 2
    report = billing.close_october(at=CLOSING + timedelta(minutes=1))
    run.refresh_from_db()
    assert report.drafted == 2
    assert (run.total, run.done, run.drafted, run.attempts) == (3, 3, 3, 2)
    assert (state_of(run), CloseRun.objects.count(), Invoice.objects.count()) == (RunState.ENDED, 2, 3)


def test_a_close_that_waits_for_its_process_is_queued() -> None:
    billing.open_company()
    run = close_runs.ask_for_run(as_of=NOVEMBER, customer_codes=["b", "a", "b"], actor=None, at=CLOSING)
    assert (run.customer_codes, state_of(run)) == (["a", "b"], RunState.QUEUED)


def test_a_close_can_pause_between_two_chunks_and_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    company = billing.open_company()
    customers(company, "acme", "globex")
    monkeypatch.setattr(close, "CHUNK_PERIODS", 1)
    run = close_runs.ask_for_run(as_of=NOVEMBER, customer_codes=None, actor=None, at=CLOSING)
    first = close.go_on(run, actor=None, at=CLOSING, is_over=lambda: True)
    run.refresh_from_db()
    assert first is not None
    assert (first.drafted, run.done, run.total, run.ended_at) == (1, 1, 2, None)
    second = close.go_on(run, actor=None, at=CLOSING)
    assert second is not None
    assert (second.drafted, run.drafted, state_of(run)) == (1, 2, RunState.ENDED)
    assert close.go_on(run, actor=None, at=CLOSING) is None  # it has ended


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"done": 4}, "cycle_closerun_done"),
        ({"drafted": 3}, "cycle_closerun_outcomes"),
        ({"as_of": CLOSING}, "question_is_fixed|Cannot update"),
        ({"ended_at": CLOSING}, "cycle_closerun_ended"),
    ],
)
def test_postgresql_refuses_progress_that_cannot_be(change: dict[str, object], refusal: str) -> None:
    run = CloseRun.objects.create(as_of=NOVEMBER, asked_at=CLOSING, total=3, done=2, started_at=CLOSING)
    with pytest.raises(IntegrityError if "cycle" in refusal else Exception, match=refusal), transaction.atomic():
        CloseRun.objects.filter(pk=run.pk).update(**change)
