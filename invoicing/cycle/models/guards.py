"""What PostgreSQL itself refuses on invoices, whoever writes: Django, the admin, or a person with psql."""

import pgtrigger

from core.models import APPEND_ONLY

NO_TRUNCATE = APPEND_ONLY[1]
NO_DELETE = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)

FIXED_FIGURES = [
    "cycle",
    "kind",
    "document_type",
    "customer",
    "seller",
    "watermark",
    "policy",
    "currency",
    "period_start",
    "period_end",
    "parties",
    "terms_days",
    "allowances",
    "charges",
    "subtotal",
    "tax",
    "total",
    "prepaid",
    "payable_rounding",
    "content_hash",
    "drafted_by",
    "drafted_at",
]

# Read when an invoice is approved or issued, and when the transaction that drafted it commits.
_ADDS_UP = """
IF NEW.subtotal + NEW.allowances - NEW.charges
       <> (SELECT COALESCE(SUM(amount), 0) FROM cycle_invoiceline WHERE invoice_id = NEW.id)
   OR (NEW.allowances, NEW.charges) <> (
       SELECT COALESCE(SUM(amount) FILTER (WHERE kind = 'allowance'), 0),
              COALESCE(SUM(amount) FILTER (WHERE kind = 'charge'), 0)
       FROM cycle_invoiceallowancecharge WHERE invoice_id = NEW.id)
   OR NEW.tax <> (SELECT COALESCE(SUM(tax), 0) FROM cycle_invoicetax WHERE invoice_id = NEW.id) THEN
    RAISE EXCEPTION 'the lines, allowances, charges or taxes of invoice % do not add up to its totals', NEW.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""
# Invoices from before there were credit notes stay what they were issued as.
_NAMES_WHAT_IT_IS = """
IF (NEW.total < 0) <> (NEW.document_type = 'credit_note') THEN
    RAISE EXCEPTION 'a total below 0 is a credit note, any other an invoice'
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""
_NOTHING_OPEN = """
IF EXISTS (SELECT 1 FROM cycle_break WHERE invoice_id = NEW.id AND closed_at IS NULL)
   OR EXISTS (SELECT 1 FROM cycle_hold WHERE invoice_id = NEW.id AND released_at IS NULL) THEN
    RAISE EXCEPTION 'invoice % has an open break or hold', NEW.id USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""

INVOICE_GUARDS = [
    pgtrigger.Protect(
        name="policy_decides", operation=pgtrigger.Insert, condition=pgtrigger.Q(new__policy__isnull=True)
    ),
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
        func="""
            RAISE EXCEPTION 'invoice % was moved since it was read', OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        """,
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
        func=f"{_ADDS_UP} {_NAMES_WHAT_IT_IS} RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="sound_when_decided",
        operation=pgtrigger.UpdateOf("status"),
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__status__in=["approved", "final"]),
        func=f"{_ADDS_UP} {_NAMES_WHAT_IT_IS} {_NOTHING_OPEN} RETURN NEW;",
    ),
    NO_DELETE,
    NO_TRUNCATE,
]


# A later addition would not be what was drafted; and nothing is corrected but what was issued.
LINES_ON_DRAFTS_ONLY = pgtrigger.Trigger(
    name="only_on_a_draft",
    level=pgtrigger.Statement,
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="new_lines"),
    func="""
        IF EXISTS (SELECT 1 FROM new_lines line JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
                   WHERE invoice.status NOT IN ('draft', 'held')) THEN
            RAISE EXCEPTION 'lines are added to drafts only' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM new_lines line
                   JOIN cycle_invoice invoice ON invoice.id = line.invoice_id
                   JOIN cycle_invoiceline corrected ON corrected.id = line.adjusts_id
                   JOIN cycle_invoice issued ON issued.id = corrected.invoice_id
                   WHERE issued.status <> 'final' OR corrected.adjusts_id IS NOT NULL
                      OR (issued.customer_id, issued.currency) <> (invoice.customer_id, invoice.currency)) THEN
            RAISE EXCEPTION 'only an original line of the same customer''s final invoices is adjusted'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    """,
)
TAXES_ON_DRAFTS_ONLY = pgtrigger.Trigger(
    name="only_on_a_draft",
    level=pgtrigger.Statement,
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="new_taxes"),
    func="""
        IF EXISTS (SELECT 1 FROM new_taxes tax JOIN cycle_invoice invoice ON invoice.id = tax.invoice_id
                   WHERE invoice.status NOT IN ('draft', 'held')) THEN
            RAISE EXCEPTION 'taxes are added to drafts only' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    """,
)
ALLOWANCES_ON_DRAFTS_ONLY = pgtrigger.Trigger(
    name="only_on_a_draft",
    level=pgtrigger.Statement,
    operation=pgtrigger.Insert,
    when=pgtrigger.After,
    referencing=pgtrigger.Referencing(new="new_parts"),
    func="""
        IF EXISTS (SELECT 1 FROM new_parts part JOIN cycle_invoice invoice ON invoice.id = part.invoice_id
                   WHERE invoice.status NOT IN ('draft', 'held')) THEN
            RAISE EXCEPTION 'allowances and charges are added to drafts only'
                USING ERRCODE = 'integrity_constraint_violation';
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
    func="""
        SELECT status INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR SHARE;
        IF found IN ('final', 'discarded') THEN
            RAISE EXCEPTION 'invoice % is %, nothing is opened on it any more', NEW.invoice_id, found
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    """,
)
