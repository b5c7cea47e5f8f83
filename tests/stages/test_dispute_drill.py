"""A drill runs both paths to their ends, breaks things only where it may, and touches nothing live."""

from datetime import datetime

import pytest
from django.core.management import call_command

from compliance.disputes import policies
from compliance.disputes.drill import rehearse, world
from compliance.disputes.models import Dispute, DisputeDrill
from core.models import AuditEntry

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")


@pytest.mark.django_db
def test_a_drill_refuses_every_database_that_was_not_made_for_it() -> None:
    with pytest.raises(world.NotADrillError):
        rehearse.rehearse(policy={}, clock=lambda: NOW)
    assert not Dispute.objects.exists()


@pytest.mark.django_db
def test_both_paths_are_run_to_their_ends_and_every_step_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "PREFIX", "")  # this database is dropped as well
    report = rehearse.rehearse(policy={}, clock=lambda: NOW)
    ops, engineering = report["paths"]
    assert report["is_passed"] is True
    assert (ops["went_to"], engineering["went_to"]) == ("ops, rejected", "engineering, upheld")
    assert ops["first_break"] is None
    assert engineering["first_break"]["step"] == "events stored as they were captured"
    assert [step["went_to"] for step in engineering["steps"]] == [
        "Evidence is being rebuilt",
        "With engineering",
        "With engineering",
        "With engineering",
        "Upheld, correction under way",
        "Upheld, correction under way",
        "Upheld",
    ]
    assert all(step["seconds"] >= 0 for path in report["paths"] for step in path["steps"])


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True, serialized_rollback=True)  # the first policy comes from a migration
def test_the_command_rehearses_beside_this_database_and_keeps_only_the_result() -> None:
    policies.current_policy()
    before = AuditEntry.objects.count()
    call_command("dispute_drill")
    drill = DisputeDrill.objects.get()
    assert (drill.is_passed, drill.error) == (True, "")
    assert (Dispute.objects.count(), AuditEntry.objects.count()) == (0, before)
