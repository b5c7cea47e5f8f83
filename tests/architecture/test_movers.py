"""A status changes in one place per machine; everywhere else it is only read."""

import ast
from pathlib import Path

from django.conf import settings

ROOMS = ("core", "accounts", "metering", "invoicing", "compliance", "billing_ops")
MOVERS = {
    "compliance/erasure/decide.py": "requests to erase a person",
    "compliance/disputes/move.py": "disputes",
    "compliance/payouts/gates.py": "gate checks",
    "core/http/idempotency.py": "no machine: the HTTP status of a stored answer",
    "core/work.py": "a job that was given up is queued again; its other moves are the SQL of job_rows.py",
    "invoicing/charge_controls/access.py": "whether customers may use more",
    "invoicing/charge_controls/reviews.py": "credit reviews",
    "invoicing/payments/move.py": "payments",
    "invoicing/notices/deliver.py": "deliveries of notices",
    "invoicing/cycle/delta_decide.py": "delta reports",
    "invoicing/effects/moves.py": "moves of subscriptions, and what became of each",
    "invoicing/pricing/proposals.py": "proposed versions of plans and prices",
    "invoicing/policy/propose.py": "versions of trigger policies",
    "metering/backfills.py": "backfills",
    "metering/contracts.py": "versions of event contracts",
    "metering/meter_versions.py": "versions of meters",
    "metering/quarantine.py": "quarantined events",
    "metering/reviews.py": "review items",
}  # invoices are moved by name, in invoicing/cycle/move.py
NAMES = {"status", "state"}


def sources() -> list[Path]:
    root = Path(settings.BASE_DIR)
    return [file for room in ROOMS for file in (root / room).rglob("*.py") if "migrations" not in file.parts]


def moves_in(tree: ast.AST) -> list[int]:
    """Lines that assign to `….status`, or give it to an `update(…)`."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in NAMES:
            lines.append(node.lineno)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            lines += [node.lineno for keyword in node.keywords if keyword.arg in NAMES]
    return lines


def test_only_movers_assign_a_status() -> None:
    root = Path(settings.BASE_DIR)
    found = {
        str(file.relative_to(root)): lines
        for file in sources()
        if (lines := moves_in(ast.parse(file.read_text(encoding="utf-8"))))
    }
    assert {path: lines for path, lines in found.items() if path not in MOVERS} == {}
    assert MOVERS.keys() <= found.keys(), "a mover that moves nothing any more"
