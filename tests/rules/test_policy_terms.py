"""What a trigger policy may say, and who signs it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.policy.rules import signing, terms
from invoicing.policy.rules.signing import Signature

BEGINS = datetime(2026, 11, 1, tzinfo=UTC)


def test_silence_is_the_normal_cycle() -> None:
    assert terms.parse_terms({}) == terms.SILENT
    assert terms.write_terms(terms.SILENT) == {"late_usage": {"correction": "next_invoice", "grace_hours": "0"}}


def test_what_is_written_down_reads_as_the_same_terms() -> None:
    read = terms.parse_terms({"late_usage": {"grace_hours": "36.5"}})
    assert read.late_usage.grace_hours == Decimal("36.5")
    assert terms.parse_terms(terms.write_terms(read)) == read


def test_grace_is_a_length_of_time() -> None:
    assert terms.grace_of({"late_usage": {"grace_hours": "36.5"}}) == timedelta(hours=36, minutes=30)
    assert terms.grace_of({}) == timedelta(0)


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (None, "/terms", "type"),
        ([], "/terms", "type"),
        ({"late_usage": 5}, "/terms/late_usage", "type"),
        ({"late_usage": {"grace_hours": 36.5}}, "/terms/late_usage/grace_hours", "number"),
        ({"late_usage": {"grace_hours": "-1"}}, "/terms/late_usage/grace_hours", "out_of_range"),
        ({"late_usage": {"grace_hours": "745"}}, "/terms/late_usage/grace_hours", "out_of_range"),
        ({"late_usage": {"correction": "forget"}}, "/terms/late_usage/correction", "choice"),
        ({"late_usage": {"grace": "1"}}, "/terms/late_usage/grace", "unknown_field"),
        ({"threshold": "100"}, "/terms/threshold", "unknown_field"),
    ],
)
def test_what_cannot_be_used_is_named(document: Any, pointer: str, code: str) -> None:
    with pytest.raises(terms.TermsError) as refused:
        terms.parse_terms(document)
    assert {"pointer": pointer, "code": code} in [
        {name: problem[name] for name in ("pointer", "code")} for problem in refused.value.problems()
    ]


def test_the_hash_covers_every_word() -> None:
    usual: dict[str, Any] = {"program": "standard", "version": 1, "effective_at": BEGINS, "terms": {"a": "1"}}
    hashes = {
        terms.hash_of(**{**usual, **change})
        for change in (
            {},
            {"program": "other"},
            {"version": 2},
            {"effective_at": BEGINS + timedelta(microseconds=1)},
            {"terms": {"a": "2"}},
        )
    }
    assert len(hashes) == 5


SIGNED = [Signature("product", 1), Signature("finance", 2)]


@pytest.mark.parametrize(
    ("role", "person", "flaw"),
    [
        ("ops", 3, None),
        ("ops", 9, "Whoever proposed a policy does not sign it; ask a colleague."),
        ("finance", 3, "Finance has signed already."),
        ("ops", 2, "You have signed for finance already; three different people sign."),
        ("engineering", 3, "A policy is signed by product, finance, ops; engineering does not sign."),
    ],
)
def test_three_different_people_sign_and_not_the_author(role: str, person: int, flaw: str | None) -> None:
    assert signing.flaw_of(role=role, person_id=person, author_id=9, signatures=SIGNED) == flaw


def test_the_missing_roles_are_named_in_order() -> None:
    assert signing.missing_roles([]) == ["product", "finance", "ops"]
    assert signing.missing_roles(SIGNED) == ["ops"]


def test_a_signature_lapses_with_the_role() -> None:
    held = {1: {"product"}, 2: {"ops"}}
    assert signing.lapsed(SIGNED, held=held) == [Signature("finance", 2)]
    assert signing.lapsed([Signature("ops", 7)], held={}) == [Signature("ops", 7)]
