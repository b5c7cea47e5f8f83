"""The launch checklist: each box is closed by what is there, and open over an offence planted in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from compliance.launch import check, checklists, standing, tasks, walk
from compliance.launch.boxes import gates, invariants
from compliance.launch.boxes.found import Found
from compliance.launch.invariants import INVARIANTS
from compliance.launch.models import (
    BoxResult,
    ChecklistApproval,
    ChecklistVersion,
    CloseWalk,
    LaunchCheck,
    RestoreDrill,
)
from compliance.launch.rules.boxes import Box
from compliance.payouts import release
from core import searching
from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry, Job
from invoicing.cycle.models import Invoice
from tests.builders import billing, guards, launch, payouts, shared
from tests.builders.launch import CHECKED
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
BACKUP = "backup_restored"
OF_PEOPLE = {"replay_stable", "samples_accepted"}  # tests/stages/test_launch_samples.py


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[billing.Company]:
    """One issued invoice: 49.00 + 3.00 net, 9.88 tax, 61.88. Every test of this file stands on it."""
    with shared.world(django_db_blocker):
        company = billing.open_company()
        billing.issue(company, [billing.billed_customer(company)])
        yield company


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is as if it had not been."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def open_boxes(run: LaunchCheck) -> set[str]:
    return {box for box, result in launch.results(run).items() if not result.is_closed}


def test_a_sound_month_closes_every_box_with_its_figures(company: billing.Company) -> None:
    launch.keep_drill()
    found = launch.results(launch.run_check())
    assert {box for box, result in found.items() if not result.is_closed} == OF_PEOPLE
    signed = launch.rows(found["policy_signed"])
    assert [(row[0], row[1]) for row in signed] == [
        ("Product", "signs-for-product"),
        ("Finance", "signs-for-finance"),
        ("Ops", "signs-for-ops"),
    ]
    assert launch.rows(found["contracts_proved"]) == [["usage", "1", "2026-01-01 00:00 UTC", "1", "1", "proved"]]
    assert launch.rows(found["books_tie"]) == [["EUR", *["61.88"] * 3, *["9.88"] * 3, "equal"]]
    lines = launch.facts(found["last_close_traced"])
    assert (lines["Documents walked"], lines["Lines walked"], lines["Steps that differ"]) == ("1", "2", "0")
    assert launch.facts(found[BACKUP])["Made by"] == "root"
    assert {box: result.owner for box, result in found.items()} == {
        "policy_signed": "product",
        "contracts_proved": "engineering",
        "replay_stable": "engineering",
        "samples_accepted": "product",
        "last_close_traced": "finance",
        "books_tie": "finance",
        "gates_rechecked": "ops",
        "invariants_clean": "engineering",
        "backup_restored": "ops",
    }


TAMPERED = [
    ("policy_signed", "UPDATE policy_triggerpolicy SET terms = jsonb_set(terms, '{late_usage,grace_hours}', '\"9\"')"),
    ("contracts_proved", "UPDATE metering_eventcontractversion SET valid_examples = '[{}]'"),
    ("contracts_proved", "UPDATE metering_eventcontractversion SET status = 'retired'"),
    (
        "books_tie",
        """
        ALTER TABLE ledger_posting DISABLE TRIGGER ALL;
        UPDATE ledger_posting SET debit = debit + 1 WHERE account = 'accounts_receivable';
        ALTER TABLE ledger_posting ENABLE TRIGGER ALL
        """,
    ),
    ("invariants_clean", "UPDATE metering_capturebatch SET accepted = accepted + 1, received = received + 1"),
]


def test_an_offence_opens_its_box(company: billing.Company) -> None:
    for box, planted in TAMPERED:
        with undone():
            tamper(planted)
            found = look(box)
            assert not found.is_closed, planted
            assert found.remedy
        found = look(box)
        assert found.is_closed, found.said


def look(box: str) -> Found:
    """As a check does; what takes slices is done before."""
    if box != Box.INVARIANTS_CLEAN:
        [found] = check.LOOKS[Box(box)](at=CHECKED)
        return found
    run = check.begin_run(actor=None, at=CHECKED)
    assert searching.go_on(run, at=CHECKED, is_over=lambda: False, seconds_max=None)
    [found] = invariants.look(list(run.searches.all()), at=CHECKED)
    return found


def test_a_line_that_does_not_follow_is_named_with_both_figures(company: billing.Company) -> None:
    tamper("UPDATE cycle_invoiceline SET amount = 4 WHERE meter_code = 'tokens'")
    result = launch.results(launch.run_check())["last_close_traced"]
    line = next(row for row in launch.rows(result) if row[1])
    assert (line[3], line[4]) == ("4", "3")


class TestGates:
    @pytest.fixture
    def released(self) -> None:
        desk = payouts.open_desk()
        batch = payouts.batch(desk, [payouts.payable(desk, payouts.approved_payee(desk))])
        release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=payouts.NOON)

    def test_a_release_shows_every_gate_that_was_asked_then(self, released: None) -> None:
        [found] = gates.look(at=CHECKED)
        assert found.is_closed
        [(reference, payee, _, checked, entry)] = found.proof.rows
        assert (payee, checked) == ("anna", "kyc, aml, tax_form")
        assert reference.startswith("ORDER-")
        assert AuditEntry.objects.filter(reference=entry, action="payable.released").exists()

    def test_a_release_without_its_gates_opens_the_box(self, released: None) -> None:
        for planted in (
            "UPDATE payouts_releasedecision SET gates = '[]'",
            "UPDATE payouts_releasedecision SET gates = jsonb_set(gates, '{0,passed}', 'false')",
            "UPDATE payouts_payout SET instructed_at = instructed_at + interval '1 second'",
            "UPDATE payouts_gatedecision SET to_state = 'rejected' WHERE to_state = 'approved'",
        ):
            with undone():
                tamper(planted)
                [found] = gates.look(at=CHECKED)
                assert not found.is_closed, planted


class TestRunning:
    def test_a_stopped_check_goes_on_where_it_was_and_doubles_nothing(self, company: billing.Company) -> None:
        billing.billed_customer(company, "globex")
        begun = check.begin_run(actor=None, at=CHECKED)
        for _ in range(40):
            calls = iter([False, True])
            check.go_on(run_id=begun.pk, at=CHECKED, is_over=lambda calls=calls: next(calls, True))  # type: ignore[misc]
            begun.refresh_from_db()
            if begun.finished_at:
                break
        else:
            check.go_on(run_id=begun.pk, at=CHECKED)
        check.go_on(run_id=begun.pk, at=CHECKED)
        assert begun.results.count() == 9
        assert (begun.walk.invoices_done, begun.walk.lines_done) == (2, 4)

    def test_the_walk_is_the_same_however_it_was_cut(self, company: billing.Company) -> None:
        billing.billed_customer(company, "globex")
        whole = walk.find_or_begin(check.begin_run(actor=None, at=CHECKED))
        cut = walk.find_or_begin(check.begin_run(actor=None, at=CHECKED))
        assert whole is not None
        assert cut is not None
        walk.go_on(whole, at=CHECKED, is_over=lambda: False, progress=lambda *_: None)
        while cut.finished_at is None:
            calls = iter([False])
            walk.go_on(cut, at=CHECKED, is_over=lambda calls=calls: next(calls, True), progress=lambda *_: None)  # type: ignore[misc]
        assert (cut.digest, cut.lines_done) == (whole.digest, 4)

    def test_a_box_that_cannot_be_looked_at_is_open_and_the_others_are_looked_at(
        self, company: billing.Company, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*, at: Any) -> Any:
            raise ZeroDivisionError("no days")

        monkeypatch.setitem(check.LOOKS, Box.BOOKS_TIE, fail)
        found = launch.results(launch.run_check())
        assert found["books_tie"].said == "It could not be looked at: ZeroDivisionError: no days"
        assert found["invariants_clean"].is_closed

    def test_a_worker_does_what_somebody_asked_for_once(self, company: billing.Company) -> None:
        asked = [check.ask_for_check(actor=company.finance, at=CHECKED) for _ in range(2)]
        assert asked[0].pk == asked[1].pk
        assert Job.objects.filter(kind="launch.check").count() == 1

    def test_an_auditor_reads_and_does_not_ask(self) -> None:
        with pytest.raises(NotAllowedError):
            check.ask_for_check(actor=billing.person("audra", "auditor"), at=CHECKED)


class TestStanding:
    def test_before_any_check_every_box_is_open(self) -> None:
        assert {state.state for state in launch.states().values()} == {"not_checked"}
        assert len(launch.states()) == 9

    def test_a_proof_is_closed_until_it_is_too_old(self, company: billing.Company) -> None:
        launch.run_check()
        day = CHECKED + timedelta(hours=24)  # as long as invariants count
        assert launch.states(at=day - timedelta(microseconds=1))["invariants_clean"].state == "closed"
        aged = launch.states(at=day)["invariants_clean"]
        assert (aged.state, aged.remedy) == ("too_old", "Check again.")
        assert aged.said.startswith("The proof of 2026-11-03 08:00 UTC is older than 24 hours.")
        assert launch.states(at=day)["books_tie"].state == "closed"

    def test_the_age_of_a_restore_is_that_of_the_drill(self) -> None:
        launch.keep_drill(at=CHECKED - timedelta(days=40))
        launch.run_check()
        assert launch.states()[BACKUP].state == "too_old"

    def test_a_restore_that_was_not_sound_leaves_the_box_open(self) -> None:
        launch.keep_drill(flaws=("Entry 7 of the restored audit chain is not that of the live one.",))
        launch.run_check()
        assert launch.states()[BACKUP].said.endswith("Entry 7 of the restored audit chain is not that of the live one.")

    def test_an_unfinished_check_counts_for_nothing(self, company: billing.Company) -> None:
        launch.run_check()
        check.go_on(run_id=check.begin_run(actor=None, at=CHECKED).pk, at=CHECKED, is_over=lambda: True)
        assert launch.states()["books_tie"].state == "closed"
        assert standing.latest_check() == LaunchCheck.objects.earliest("pk")


class TestOneBoxAgain:
    def test_it_counts_in_the_place_of_what_was_found_before_it_and_leaves_the_others_alone(
        self, company: billing.Company
    ) -> None:
        launch.run_check()
        assert not launch.states()[BACKUP].is_closed
        launch.keep_drill()
        later = CHECKED + timedelta(hours=1)
        again = check.ask_for_check(actor=company.finance, at=later, only=BACKUP)
        assert not launch.states()[BACKUP].is_closed  # it has not run yet
        check.go_on(run_id=again.pk, at=later)
        assert [one.box for one in again.results.all()] == [BACKUP]
        states = launch.states(at=later)
        assert states[BACKUP].is_closed
        assert len(states) == 9
        found = {box: state.result.run_id for box, state in states.items() if state.result is not None}
        assert {box for box, run in found.items() if run == again.pk} == {BACKUP}
        assert [one.find_offenders() for one in INVARIANTS if "looked at every box" in one.name] == [[]]

    def test_the_next_whole_check_counts_again(self, company: billing.Company) -> None:
        launch.run_check()
        later = CHECKED + timedelta(hours=1)
        check.go_on(run_id=check.begin_run(actor=None, at=later, only=BACKUP).pk, at=later)
        whole = launch.run_check(at=later + timedelta(hours=1))
        result = launch.states(at=later)[BACKUP].result
        assert result is not None
        assert result.run == whole

    @pytest.mark.parametrize("box", ["invariants_clean", "last_close_traced"])
    def test_what_goes_in_slices_does_so_alone_too(self, company: billing.Company, box: str) -> None:
        launch.run_check()
        later = CHECKED + timedelta(hours=1)
        run = check.ask_for_check(actor=company.finance, at=later, only=box)
        while run.finished_at is None:
            calls = iter([False, False])
            run = check.go_on(run_id=run.pk, at=later, is_over=lambda calls=calls: next(calls, True))  # type: ignore[misc]
        found = launch.states(at=later)[box]
        assert (found.is_closed, found.result is not None and found.result.run_id) == (True, run.pk)

    def test_it_waits_for_a_check_of_everything_and_for_a_box_that_there_is(self, company: billing.Company) -> None:
        with pytest.raises(check.NotLookedAtError):
            check.ask_for_check(actor=company.finance, at=CHECKED, only=BACKUP)
        launch.run_check()
        with pytest.raises(InvalidInputError, match="There is no box sunshine"):
            check.ask_for_check(actor=company.finance, at=CHECKED, only="sunshine")
        with pytest.raises(NotAllowedError):
            check.ask_for_check(actor=billing.person("audra", "auditor"), at=CHECKED, only=BACKUP)
        asked = [check.ask_for_check(actor=company.finance, at=CHECKED, only=BACKUP) for _ in range(2)]
        assert asked[0] == asked[1]
        assert check.ask_for_check(actor=company.finance, at=CHECKED).only == ""


class TestRules:
    def propose(self, hours: int = 12) -> ChecklistVersion:
        terms = {"invariants_clean": {"max_age_hours": hours, "owner": "ops"}}
        return checklists.propose_version(
            terms=terms, reason="we release twice a day", actor=billing.person("olaf", "engineering"), at=CHECKED
        )

    def test_two_people_make_a_version_count(self, company: billing.Company) -> None:
        launch.run_check()
        late = CHECKED + timedelta(hours=13)
        proposed = self.propose()
        assert launch.states(at=late)["invariants_clean"].state == "closed"
        with pytest.raises(NotAllowedError, match="a colleague has to approve it"):
            checklists.approve_version(version=2, actor=billing.person("olaf", "engineering"), at=CHECKED)
        checklists.approve_version(version=2, actor=company.finance, at=CHECKED)
        assert checklists.in_force() == proposed
        assert launch.states(at=late)["invariants_clean"].state == "too_old"
        assert launch.states(at=late)["invariants_clean"].owner == "ops"

    def test_postgresql_refuses_the_approval_of_ones_own(self, company: billing.Company) -> None:
        version = self.propose()
        assert guards.refuses(
            "INSERT INTO launch_checklistapproval (checklist_id, person_id, at, audit_entry_id)"
            " SELECT id, proposed_by_id, now(), %s FROM launch_checklistversion WHERE id = %s",
            [AuditEntry.objects.latest("pk").pk, version.pk],
        )


def test_what_a_check_wrote_down_stays(company: billing.Company) -> None:
    launch.keep_drill()
    launch.run_check()
    checklists.approve_version(version=TestRules().propose().version, actor=company.finance, at=CHECKED)
    for model in (LaunchCheck, BoxResult, CloseWalk, ChecklistVersion, ChecklistApproval, RestoreDrill):
        assert guards.keeps_its_rows(model), model
    assert guards.refuses("UPDATE launch_boxresult SET is_closed = true")
    assert guards.refuses("UPDATE launch_closewalk SET differing = '[]'")
    assert guards.refuses("UPDATE launch_launchcheck SET finished_at = NULL")
    assert guards.refuses("UPDATE launch_restoredrill SET flaws = '[]'")
    assert guards.refuses(
        "INSERT INTO launch_boxresult (run_id, box, program, is_closed, said, remedy, proof, proof_hash, owner,"
        " proved_at, looked_at) SELECT run_id, box, 'late', true, said, '', proof, proof_hash, owner, proved_at,"
        " looked_at FROM launch_boxresult LIMIT 1"
    )


OFFENCES = {
    "the proof of every box is what was written down with it": (
        "UPDATE launch_boxresult SET proof = jsonb_set(proof, '{facts}', '[]') WHERE box = 'books_tie'"
    ),
    "a finished launch check looked at every box, or at the one that it was for": (
        "DELETE FROM launch_boxresult WHERE box = 'books_tie'"
    ),
    "the lines of the last close are called traced only after a walk in which no step differed": (
        'UPDATE launch_closewalk SET differing = \'[["INV-1", "1", "total", "1", "2"]]\''
    ),
    "nobody approved a checklist of their own": (
        "UPDATE launch_checklistversion SET proposed_by_id = (SELECT person_id FROM launch_checklistapproval)"
        " WHERE version = 2"
    ),
    "a sample is accepted by three people over its own proof, each in the audit chain": (
        "UPDATE launch_sampleacceptance SET proof_hash = repeat('0', 64)"
    ),
    "invariants that were clean for a check were searched one by one, each to its end": (
        "UPDATE launch_invariantsearch SET proof_hash = repeat('0', 64) WHERE number = 43"
    ),
    "a restore drill stands in the audit chain as it was": "UPDATE launch_restoredrill SET sha256 = repeat('0', 64)",
}


def test_an_offence_against_an_invariant_is_found(company: billing.Company) -> None:
    launch.keep_drill()
    launch.run_check()
    checklists.approve_version(version=TestRules().propose().version, actor=company.finance, at=CHECKED)
    assert [found for one in INVARIANTS for found in one.find_offenders()] == []
    launch.accept(launch.keep_sample(Invoice.objects.earliest("pk")))
    assert [found for one in INVARIANTS for found in one.find_offenders()] == []
    for one in INVARIANTS:
        if one.name not in launch.DECISION_OFFENCES:  # tests/stages/test_launch_decisions.py
            tamper(OFFENCES[one.name])
            assert one.find_offenders(), one.name
    assert OFFENCES.keys() | launch.DECISION_OFFENCES.keys() == {one.name for one in INVARIANTS}


def test_a_worker_runs_the_check_that_was_asked_for(company: billing.Company) -> None:
    asked = check.ask_for_check(actor=company.finance, at=CHECKED)
    job = Job.objects.get(kind=check.JOB)
    tasks.go_on_with_check(**job.arguments)
    asked.refresh_from_db()
    assert asked.finished_at is not None
    assert open_boxes(asked) == {BACKUP, *OF_PEOPLE}


def test_a_slice_that_is_over_queues_the_next(company: billing.Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "SLICE_SECONDS", -1)
    asked = check.ask_for_check(actor=company.finance, at=CHECKED)
    Job.objects.update(key="being worked on")
    tasks.go_on_with_check(run_id=asked.pk)
    assert Job.objects.filter(kind=check.JOB, arguments={"run_id": asked.pk}).count() == 2
