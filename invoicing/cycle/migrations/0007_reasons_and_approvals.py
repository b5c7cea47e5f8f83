"""The usual reasons to begin with, and one approval for each invoice that was approved before approvals had rows."""

from typing import Any

import pgtrigger
from django.db import connection, migrations

USUAL = [
    ("hold", "usage-in-question", "Usage to be checked with the customer"),
    ("hold", "price-in-question", "Price or contract to be checked"),
    ("hold", "usage-expected", "Usage is still expected"),
    ("hold", "details-in-question", "Address, tax or purchase order to be checked"),
    ("hold", "credit-in-question", "A credit is being agreed"),
    ("release", "checked-with-customer", "Checked with the customer"),
    ("release", "price-confirmed", "Prices confirmed against the contract"),
    ("release", "usage-complete", "Usage is complete"),
    ("release", "details-confirmed", "Details confirmed"),
    ("release", "held-by-mistake", "Held by mistake"),
]


def write_usual_reasons(apps: Any, schema_editor: Any) -> None:
    reasons = apps.get_model("cycle", "HoldReason")
    reasons.objects.bulk_create(reasons(use=use, code=code, label=label) for use, code, label in USUAL)


def keep_earlier_approvals(apps: Any, schema_editor: Any) -> None:
    """By the move that stands in the audit chain; a draft that was final or approved by then has no other record."""
    with pgtrigger.ignore("cycle.InvoiceApproval:of_a_draft_by_an_outsider"), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO cycle_invoiceapproval
                (invoice_id, revision, person_id, content_hash, people_needed, given_at, audit_entry_id)
            SELECT invoice.id, move.revision - 1, invoice.approved_by_id, invoice.approved_hash, 1,
                   invoice.approved_at, move.audit_entry_id
            FROM cycle_invoice invoice JOIN LATERAL (
                SELECT revision, audit_entry_id FROM cycle_invoicetransition
                WHERE invoice_id = invoice.id AND to_status = 'approved' ORDER BY revision DESC LIMIT 1
            ) move ON true
            WHERE invoice.status IN ('approved', 'final')
            """
        )


class Migration(migrations.Migration):
    dependencies = [("cycle", "0006_review")]

    operations = [
        migrations.RunPython(write_usual_reasons, migrations.RunPython.noop),
        migrations.RunPython(keep_earlier_approvals, migrations.RunPython.noop),
    ]
