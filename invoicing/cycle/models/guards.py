"""What PostgreSQL itself refuses on invoices, whoever writes: Django, the admin, or a person with psql."""

import pgtrigger

from core.models import APPEND_ONLY

NO_TRUNCATE = APPEND_ONLY[1]
NO_DELETE = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)
REFUSED = "USING ERRCODE = 'integrity_constraint_violation'"

FIXED_FIGURES = [
    "cycle",
    "customer",
    "seller",
    "watermark",
    "currency",
    "period_start",
    "period_end",
    "parties",
    "terms_days",
    "subtotal",
    "tax",
    "total",
    "content_hash",
    "drafted_by",
    "drafted_at",
]

# Read when an invoice is approved or issued, and when the transaction that drafted it commits.
_ADDS_UP = f"""
IF NEW.subtotal <> (SELECT COALESCE(SUM(amount), 0) FROM cycle_invoiceline WHERE invoice_id = NEW.id)
   OR NEW.tax <> (SELECT COALESCE(SUM(tax), 0) FROM cycle_invoicetax WHERE invoice_id = NEW.id) THEN
    RAISE EXCEPTION 'the lines or taxes of invoice % do not add up to its totals', NEW.id {REFUSED};
END IF;
"""
_NOTHING_OPEN = f"""
IF EXISTS (SELECT 1 FROM cycle_break WHERE invoice_id = NEW.id AND closed_at IS NULL)
   OR EXISTS (SELECT 1 FROM cycle_hold WHERE invoice_id = NEW.id AND released_at IS NULL) THEN
    RAISE EXCEPTION 'invoice % has an open break or hold', NEW.id {REFUSED};
END IF;
"""

INVOICE_GUARDS = [
    pgtrigger.Protect(
        name="final_never_changes", operation=pgtrigger.Update, condition=pgtrigger.Q(old__status="final")
    ),
    pgtrigger.ReadOnly(name="figures_are_fixed", fields=FIXED_FIGURES),
    pgtrigger.FSM(
        name="status_moves",
        field="status",
        transitions=[
            ("draft", "held"),
            ("held", "draft"),
            ("draft", "approved"),
            ("approved", "held"),
            ("approved", "final"),
            ("draft", "discarded"),
            ("held", "discarded"),
        ],
    ),
    pgtrigger.Trigger(
        name="no_stale_write",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.Condition("NEW.revision <> OLD.revision + 1"),
        func=f"RAISE EXCEPTION 'invoice % was moved since it was read', OLD.id {REFUSED};",
    ),
    pgtrigger.Protect(
        name="born_undecided",
        operation=pgtrigger.Insert,
        condition=~pgtrigger.Q(new__status__in=["draft", "held"]),
    ),
    pgtrigger.Trigger(
        name="drafted_whole",
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func=f"{_ADDS_UP} RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="sound_when_decided",
        operation=pgtrigger.UpdateOf("status"),
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__status__in=["approved", "final"]),
        func=f"{_ADDS_UP} {_NOTHING_OPEN} RETURN NEW;",
    ),
    NO_DELETE,
    NO_TRUNCATE,
]


def only_on_undecided(*, table: str) -> pgtrigger.Trigger:
    """Lines and taxes are added to a draft only, and an adjustment corrects nothing but a final line."""
    final_only = (
        f"""OR (new_row.adjusts_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM {table} corrected JOIN cycle_invoice issued ON issued.id = corrected.invoice_id
            WHERE corrected.id = new_row.adjusts_id AND issued.status = 'final' AND corrected.adjusts_id IS NULL
              AND issued.customer_id = invoice.customer_id AND issued.currency = invoice.currency))"""
        if table == "cycle_invoiceline"
        else ""
    )
    return pgtrigger.Trigger(
        name="only_on_a_draft",
        level=pgtrigger.Statement,
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        referencing=pgtrigger.Referencing(new="new_rows"),
        func=f"""
            IF EXISTS (SELECT 1 FROM new_rows new_row JOIN cycle_invoice invoice ON invoice.id = new_row.invoice_id
                       WHERE invoice.status NOT IN ('draft', 'held') {final_only}) THEN
                RAISE EXCEPTION 'an invoice that is decided, or a line that is not final, is left as it is' {REFUSED};
            END IF;
            RETURN NULL;
        """,
    )


# FOR SHARE waits for a mover that holds the invoice, and keeps it from being finalized before this row is committed.
NOT_ON_CLOSED_INVOICES = pgtrigger.Trigger(
    name="not_on_closed_invoices",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    declare=[("found", "text")],
    func=f"""
        SELECT status INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR SHARE;
        IF found IN ('final', 'discarded') THEN
            RAISE EXCEPTION 'invoice % is %, nothing is opened on it any more', NEW.invoice_id, found {REFUSED};
        END IF;
        RETURN NEW;
    """,
)
