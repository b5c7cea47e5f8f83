"""Whether a payee may be paid: every required gate open, anything unknown shut."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.payouts.rules import documents, judgement
from compliance.payouts.rules.judgement import CheckFacts, Judgement, Requirement

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LAUNCH = datetime(2026, 1, 1, tzinfo=UTC)
BOTH = Requirement(requirement_id=7, effective_at=LAUNCH, gates=("kyc", "aml"))


def facts(stored: str, *, expires_at: datetime | None = None, check_id: int = 1) -> CheckFacts:
    return CheckFacts(
        check_id=check_id, stored=stored, expires_at=expires_at, decided_at=LAUNCH, audit_reference="AUD-0000000001"
    )


def judge(**checks: CheckFacts) -> Judgement:
    return judgement.judge_payee(requirement=BOTH, checks=checks, at=NOW)


def test_every_required_gate_open_releases() -> None:
    judged = judge(kyc=facts("approved"), aml=facts("approved", expires_at=NOW + timedelta(days=90)))
    assert judged.outcome == "released"
    assert judged.reasons == ()
    assert [(verdict.gate, verdict.detail) for verdict in judged.verdicts] == [
        ("kyc", "approved, without an end"),
        ("aml", "approved until 31 May 2026 12:00 UTC"),
    ]


def test_a_gate_in_its_last_days_still_releases_and_says_so() -> None:
    judged = judge(kyc=facts("approved", expires_at=NOW + timedelta(seconds=1)), aml=facts("approved"))
    assert judged.outcome == "released"
    assert judged.verdicts[0].detail == "approved, but only until 02 Mar 2026 12:00 UTC"


@pytest.mark.parametrize(
    ("aml", "reason"),
    [
        (facts("not_started"), "AML: not started"),
        (facts("pending"), "AML: waiting for documents"),
        (facts("needs_review"), "AML: waiting for a review"),
        (facts("rejected"), "AML: rejected"),
        (facts("suspended"), "AML: suspended"),
        (facts("approved", expires_at=NOW), "AML: expired on 02 Mar 2026 12:00 UTC"),
        (facts("completed"), "AML: waiting for a review"),
    ],
)
def test_one_gate_that_is_not_open_blocks_and_says_why(aml: CheckFacts, reason: str) -> None:
    judged = judge(kyc=facts("approved"), aml=aml)
    assert judged.outcome == "blocked"
    assert judged.reasons == (reason,)
    assert [verdict.is_open for verdict in judged.verdicts] == [True, False]


def test_a_gate_without_a_check_blocks() -> None:
    judged = judge(kyc=facts("approved"))
    assert judged.outcome == "blocked"
    assert judged.reasons == ("AML: not started",)


def test_a_gate_that_nobody_requires_changes_nothing() -> None:
    judged = judge(kyc=facts("approved"), aml=facts("approved"), tax_form=facts("rejected"))
    assert judged.outcome == "released"
    assert [verdict.gate for verdict in judged.verdicts] == ["kyc", "aml"]


@pytest.mark.parametrize("requirement", [None, Requirement(requirement_id=7, effective_at=LAUNCH, gates=())])
def test_without_requirements_in_force_nobody_is_paid(requirement: Requirement | None) -> None:
    checks = {"kyc": facts("approved"), "aml": facts("approved")}
    judged = judgement.judge_payee(requirement=requirement, checks=checks, at=NOW)
    assert judged.outcome == "blocked"
    assert judged.reasons == ("No gate requirements are in force for this program, market and kind of payee.",)


def test_the_record_names_check_and_decision_of_every_gate() -> None:
    judged = judge(kyc=facts("approved", expires_at=NOW + timedelta(days=90), check_id=11))
    assert judgement.gates_record(judged) == [
        {
            "gate": "kyc",
            "state": "approved",
            "passed": True,
            "detail": "approved until 31 May 2026 12:00 UTC",
            "gate_check": 11,
            "expires_at": "2026-05-31T12:00:00Z",
            "decided_at": "2026-01-01T00:00:00Z",
            "audit_reference": "AUD-0000000001",
        },
        {
            "gate": "aml",
            "state": "not_started",
            "passed": False,
            "detail": "not started",
            "gate_check": None,
            "expires_at": None,
            "decided_at": None,
            "audit_reference": None,
        },
    ]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"%PDF-1.7 ...", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n...", "image/png"),
        (b"\xff\xd8\xff\xe0...", "image/jpeg"),
        (b"<html><script>", None),
        (b" %PDF-1.7", None),
        (b"GIF89a", None),
    ],
)
def test_evidence_is_told_by_its_first_bytes(content: bytes, media_type: str | None) -> None:
    assert documents.media_type_of(content) == media_type


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("passport.pdf", "passport.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\papers\\Reisepass Müller.pdf", "Reisepass Müller.pdf"),
        ('a"\r\nSet-Cookie: x=1.pdf', "a___Set-Cookie_ x_1.pdf"),
        ("...", "document"),
        ("x" * 300, "x" * 120),
    ],
)
def test_a_file_name_keeps_only_what_no_header_takes_amiss(name: str, kept: str) -> None:
    assert documents.safe_name(name) == kept
