"""Sample accounts that people accepted, and replays that came out the same: the boxes that need more than a look."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from compliance.launch import samples
from compliance.launch.boxes import accounts, replays
from compliance.launch.boxes.found import Found
from compliance.launch.models import SampleAcceptance, SampleWalk
from core import audit, personal_keys
from core.errors import NotAllowedError
from core.models import AuditEntry
from invoicing.cycle.models import Invoice
from invoicing.replay.models import ReplaySet
from tests.builders import billing, dumps, guards, launch, replayed, shared
from tests.builders.billing import NEXT_CLOSING
from tests.builders.launch import CHECKED
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
LATER = NEXT_CLOSING + timedelta(hours=2)


@pytest.fixture(scope="module")
def november(django_db_setup: None, django_db_blocker: Any) -> Iterator[Invoice]:
    """Two plans in November, 100 tokens of October that came late: 50.10 net, 59.62. Every test stands on it."""
    with shared.world(django_db_blocker):
        yield replayed.bill_two_months(replayed.open_company())[1]


def walk(kind: str, document: Invoice) -> SampleWalk:
    return samples.walk_sample(
        program="standard", kind=kind, invoice=str(document.pk), actor=billing.person("olaf", "engineering"), at=LATER
    )


def accept(sample: SampleWalk, role: str, *, by: str = "", **given: Any) -> SampleWalk:
    usual = {"proof_hash": sample.proof_hash, "role": role, "at": LATER}
    actor = billing.person(by or f"signs-for-{role}", role)
    return samples.accept_sample(sample_id=sample.pk, actor=actor, **{**usual, **given})


def look() -> Found:
    [found] = accounts.look(at=LATER)
    return found


class TestSamples:
    def test_both_walks_accepted_by_three_people_close_the_box(self, november: Invoice) -> None:
        assert not look().is_closed
        for kind in ("mid_cycle_change", "late_event"):
            launch.accept(walk(kind, november), at=LATER)
        found = look()
        assert (found.is_closed, found.proved_at) == (True, LATER)
        people = ["signs-for-product", "signs-for-finance", "signs-for-ops"]
        assert [row[3] for row in found.proof.rows] == [*people, *people]

    def test_what_somebody_comments_lies_under_the_key_of_the_customer(self, november: Invoice) -> None:
        sample = accept(walk("late_event", november), "ops", comment="brother Egon called")
        assert dumps.find_words(["Egon"]) == []
        key_id = november.customer.personal_key_id
        assert key_id is not None
        personal_keys.destroy_keys([key_id], at=LATER)
        assert sample.acceptances.get().comment.startswith("erased on ")

    def test_a_walk_shows_the_lines_the_change_and_the_correction(self, november: Invoice) -> None:
        assert [one.pk for one in samples.suggest("late_event")] == [november.pk]
        sample = walk("late_event", november)
        told = dict(sample.proof["facts"])
        corrections = [words for name, words in told.items() if name.startswith("Line") and "corrects line" in words]
        assert len(corrections) == 1
        assert corrections[0].endswith(", 1500 before (3 events) and 1600 after (4 events)")
        assert told["Total"] == "59.62 EUR"
        assert all(claimed == found for _, _, claimed, found in sample.proof["table"]["rows"])

    def test_a_document_that_shows_nothing_of_the_kind_is_no_sample(self, november: Invoice) -> None:
        october = Invoice.objects.earliest("pk")
        for kind in ("mid_cycle_change", "late_event"):
            with pytest.raises(samples.ShowsNothingError):
                walk(kind, october)

    def test_what_does_not_walk_is_no_sample(self, november: Invoice) -> None:
        tamper("UPDATE cycle_invoiceline SET amount = amount + 1 WHERE adjusts_id IS NOT NULL")
        with pytest.raises(samples.SampleDiffersError, match=r"0\.1 done again"):
            walk("late_event", november)

    def test_each_role_and_each_person_accepts_once_and_what_they_read(self, november: Invoice) -> None:
        sample = accept(walk("late_event", november), "finance")
        with pytest.raises(NotAllowedError, match="Finance has signed already"):
            accept(sample, "finance", by="another")
        billing.person("signs-for-finance", "finance", "ops")
        with pytest.raises(NotAllowedError, match="three different people"):
            samples.accept_sample(
                sample_id=sample.pk,
                proof_hash=sample.proof_hash,
                role="ops",
                actor=billing.person("signs-for-finance", "finance", "ops"),
                at=LATER,
            )
        with pytest.raises(samples.OtherProofError):
            accept(sample, "ops", proof_hash="0" * 64)
        with pytest.raises(NotAllowedError, match="Only product"):
            samples.accept_sample(
                sample_id=sample.pk,
                proof_hash=sample.proof_hash,
                role="product",
                actor=billing.person("audra", "auditor"),
                at=LATER,
            )
        assert samples.missing_roles(sample) == ["product", "ops"]
        assert not look().is_closed
        assert AuditEntry.objects.filter(action="launch.sample_accepted").count() == 1

    def test_an_accepted_sample_that_no_longer_walks_the_same_opens_the_box(self, november: Invoice) -> None:
        for kind in ("mid_cycle_change", "late_event"):
            launch.accept(walk(kind, november), at=LATER)
        tamper("UPDATE cycle_invoice SET content_hash = repeat('0', 64) WHERE status = 'draft'")
        found = look()
        assert not found.is_closed
        assert "no longer walks as it was accepted" in found.said

    def test_the_accounts_of_another_program_do_not_count(self, november: Invoice) -> None:
        for kind in ("mid_cycle_change", "late_event"):
            launch.accept(walk(kind, november), at=LATER)
        billing.make_customer("other", program="partners")
        assert {one.program: one.is_closed for one in accounts.look(at=LATER)} == {"standard": True, "partners": False}

    def test_postgresql_keeps_walks_and_acceptances(self, november: Invoice) -> None:
        sample = accept(walk("late_event", november), "finance")
        assert guards.keeps_its_rows(SampleWalk)
        assert guards.keeps_its_rows(SampleAcceptance)
        entry = audit.append_entry(action="x", subject="x", actor=None, facts={}, at=LATER)
        another = billing.person("another", "ops")
        for role, person_id, proof_hash in (
            ("ops", sample.acceptances.get().person_id, sample.proof_hash),  # the same person
            ("finance", another.pk, sample.proof_hash),  # the same role
            ("ops", another.pk, "0" * 64),  # another proof
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                SampleAcceptance.objects.create(
                    sample=sample, role=role, person_id=person_id, proof_hash=proof_hash, at=LATER, audit_entry=entry
                )


class TestReplays:
    @pytest.fixture
    def required(self) -> ReplaySet:
        return launch.require_replay()

    def look(self) -> Found:
        [found] = replays.look(at=LATER)
        return found

    def test_without_a_required_set_the_box_is_open_and_says_how_to_make_one(self) -> None:
        found = self.look()
        assert (found.is_closed, found.said) == (
            False,
            "No replay set of standard is required, so nothing was replayed.",
        )
        assert "manage.py replay SET --make-from-history" in found.remedy

    def test_a_pass_in_twenty_shuffled_orders_closes_it_with_the_date_of_the_run(self, required: ReplaySet) -> None:
        launch.keep_run(required, orders=20)
        found = self.look()
        assert (found.is_closed, found.proved_at) == (True, CHECKED)
        [row] = found.proof.rows
        assert (row[0], row[2], row[4]) == ("spring", "7", "passed")
        assert row[6].startswith("20 (run ")

    def test_a_later_run_without_shuffling_keeps_the_older_date(self, required: ReplaySet) -> None:
        launch.keep_run(required, orders=20)
        launch.keep_run(required, orders=0, at=CHECKED + timedelta(hours=3))
        assert (self.look().is_closed, self.look().proved_at) == (True, CHECKED)

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"orders": 19}, "was not run in 20 shuffled orders"),
            ({"orders": 20, "verdict": "failed"}, "differs from what is expected"),
            ({"orders": 20, "code": "ef" * 32}, "another version of the program"),
        ],
    )
    def test_a_run_that_says_too_little_leaves_it_open(
        self, required: ReplaySet, given: dict[str, Any], words: str
    ) -> None:
        launch.keep_run(required, **given)
        assert not self.look().is_closed
        assert words in self.look().said
