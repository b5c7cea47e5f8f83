"""What PostgreSQL itself refuses on the parts of an invoice: lines, credits, taxes, allowances and charges."""

import pgtrigger

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

CREDITS_ON_DRAFTS_ONLY = pgtrigger.Trigger(
    name="only_on_a_draft",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    declare=[("billed", "numeric"), ("given", "numeric")],
    func="""
        IF NOT EXISTS (SELECT 1 FROM cycle_invoice note JOIN cycle_invoiceline line ON line.id = NEW.credits_id
                       WHERE note.id = NEW.invoice_id AND note.status IN ('draft', 'held')
                         AND note.credits_id = line.invoice_id) THEN
            RAISE EXCEPTION 'a credit line is added to the draft of a credit note over the invoice of its line'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- The issued invoice is where two credits of one line meet.
        PERFORM 1 FROM cycle_invoice issued JOIN cycle_invoiceline line ON line.invoice_id = issued.id
        WHERE line.id = NEW.credits_id AND issued.status = 'final' AND issued.document_type = 'invoice'
        FOR UPDATE OF issued;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'only a line of a final invoice is credited'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT line.amount + LEAST(0, COALESCE((
                   SELECT SUM(later.amount) FROM cycle_invoiceline later JOIN cycle_invoice carrier
                     ON carrier.id = later.invoice_id AND carrier.status = 'final'
                   WHERE later.adjusts_id = line.id), 0) * SIGN(line.amount)) * SIGN(line.amount)
        INTO billed FROM cycle_invoiceline line WHERE line.id = NEW.credits_id;
        SELECT COALESCE(SUM(other.amount), 0) INTO given
        FROM cycle_creditline other JOIN cycle_invoice note ON note.id = other.invoice_id AND note.status <> 'discarded'
        WHERE other.credits_id = NEW.credits_id;
        IF NEW.amount * billed >= 0 OR (billed + given + NEW.amount) * billed < 0 THEN
            RAISE EXCEPTION 'credits of line % come to more than was billed', NEW.credits_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    """,
)
