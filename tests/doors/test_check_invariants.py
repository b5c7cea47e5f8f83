"""`check_invariants` at the shell."""

import io
import json

import pytest
from django.core.management import call_command

from tests.builders import billing
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, int]:
    """What it printed, and its exit code."""
    out = io.StringIO()
    try:
        call_command("check_invariants", *arguments, stdout=out)
    except SystemExit as stop:
        return out.getvalue(), int(stop.code or 0)
    return out.getvalue(), 0


def test_a_sound_database_exits_with_0_and_shows_a_row_per_invariant() -> None:
    billing.billed_customer(billing.open_company())
    printed, code = run()
    assert code == 0
    assert "the audit chain verifies" in printed
    assert "an identity is accepted once, for ever" in printed


def test_an_offence_exits_with_1_and_is_named() -> None:
    draft = billing.billed_customer(billing.open_company())
    tamper("UPDATE cycle_invoiceline SET description = 'Something else'")
    printed, code = run()
    assert code == 1
    assert f"invoice {draft.pk}" in printed


def test_the_same_as_json() -> None:
    draft = billing.billed_customer(billing.open_company())
    tamper("UPDATE cycle_invoiceline SET description = 'Something else'")
    printed, code = run("--json")
    rows = {row["name"]: row for row in json.loads(printed)}
    assert code == 1
    assert rows["an invoice still says what was hashed when it was drafted"] == {
        "number": 20,
        "name": "an invoice still says what was hashed when it was drafted",
        "count": 1,
        "offenders": [f"invoice {draft.pk}"],
    }
    assert rows["the audit chain verifies"]["count"] == 0
