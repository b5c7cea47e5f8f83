"""What PostgreSQL itself refuses on invoices, whoever writes: Django, the admin, or a person with psql."""

import pgtrigger

from core.deciding import Kind, refuse_from
from core.models import APPEND_ONLY

NO_TRUNCATE = APPEND_ONLY[1]
NO_DELETE = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)

FIXED_FIGURES = [
    "cycle",
    "kind",
    "document_type",
    "credits",
    "customer",
    "seller",
    "watermark",
    "policy",
    "currency",
    "period_start",
    "period_end",
    "parties",
    "personal_key",
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
          + (SELECT COALESCE(SUM(amount), 0) FROM cycle_creditline WHERE invoice_id = NEW.id)
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
IF NEW.credits_id IS NOT NULL THEN
    PERFORM 1 FROM cycle_invoice WHERE id = NEW.credits_id FOR UPDATE;
    IF (SELECT COALESCE(SUM(note.total), 0) + issued.total < 0
               OR COALESCE(SUM(note.subtotal), 0) + issued.subtotal < 0
        FROM cycle_invoice issued
        LEFT JOIN cycle_invoice note ON note.credits_id = issued.id AND note.status <> 'discarded'
        WHERE issued.id = NEW.credits_id GROUP BY issued.id) THEN
        RAISE EXCEPTION 'credit notes over invoice % come to more than the invoice', NEW.credits_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
END IF;
IF (NEW.total < 0) <> (NEW.document_type = 'credit_note') THEN
    RAISE EXCEPTION 'a total below 0 is a credit note, any other an invoice'
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""
# Read when the transaction that drafted it commits: what brought an interim invoice, and that nothing is billed twice.
_BILLS_ONCE = """
IF NEW.kind = 'interim' AND NOT EXISTS (
    SELECT 1 FROM cycle_interimfiring WHERE invoice_id = NEW.id AND policy_id = NEW.policy_id
       AND watermark_id = NEW.watermark_id AND cycle_id = NEW.cycle_id)
THEN
    RAISE EXCEPTION 'nothing brought interim invoice %', NEW.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
IF NEW.kind = 'cycle' AND EXISTS (
    SELECT 1 FROM cycle_invoice interim JOIN cycle_invoiceline billed ON billed.invoice_id = interim.id
    WHERE interim.cycle_id = NEW.cycle_id AND interim.kind = 'interim' AND interim.status = 'final'
      AND NOT EXISTS (SELECT 1 FROM cycle_deduction deduction JOIN cycle_invoiceline line ON line.id = deduction.line_id
                      WHERE deduction.billed_id = billed.id AND line.invoice_id = NEW.id))
THEN
    RAISE EXCEPTION 'invoice % does not take off what interim invoices billed of its period', NEW.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""
_NOTHING_OPEN = """
IF EXISTS (SELECT 1 FROM cycle_break WHERE invoice_id = NEW.id AND closed_at IS NULL)
   OR EXISTS (SELECT 1 FROM cycle_hold WHERE invoice_id = NEW.id AND released_at IS NULL) THEN
    RAISE EXCEPTION 'invoice % has an open break or hold', NEW.id USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""

# Live approvals are of this revision: of the draft that is being approved, or of the one that was, a move ago.
_APPROVED_BY_ENOUGH = """
IF NOT EXISTS (
    SELECT 1 FROM cycle_invoiceapproval approval
    WHERE approval.invoice_id = NEW.id AND approval.content_hash = NEW.content_hash
      AND approval.revision = CASE NEW.status WHEN 'approved' THEN OLD.revision ELSE OLD.revision - 1 END
      AND (NEW.status = 'final' OR EXISTS (
          SELECT 1 FROM auth_user person
          JOIN auth_user_groups held ON held.user_id = person.id
          JOIN auth_group role ON role.id = held.group_id
          WHERE person.id = approval.person_id AND person.is_active AND role.name = 'finance'))
    HAVING bool_or(approval.person_id = NEW.approved_by_id)
       AND count(DISTINCT approval.person_id) >= CASE WHEN abs(NEW.total) > (
           SELECT (policy.terms #>> ARRAY['approval', 'second_person_above', NEW.currency])::numeric
           FROM policy_triggerpolicy policy WHERE policy.id = NEW.policy_id) THEN 2 ELSE 1 END
) THEN
    RAISE EXCEPTION 'invoice % lacks an approval', NEW.id USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""


ONLY_INVOICE_TRIGGERS_BILL = refuse_from(Kind.ALERT, Kind.CHARGE_CONTROL, name="invoice_triggers_bill")
ONLY_PEOPLE_AND_BREAKS_HOLD = refuse_from(Kind.ALERT, Kind.CHARGE_CONTROL, name="people_and_breaks_hold")
# Billed history changes only by what somebody in finance looked at, line by line.
_CHANGES_ALLOWED = """
IF EXISTS (SELECT 1 FROM cycle_deltareport WHERE invoice_id = NEW.id AND status = 'rejected')
   OR EXISTS (
       SELECT 1 FROM cycle_invoiceline line
       WHERE line.invoice_id = NEW.id AND line.adjusts_id IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM cycle_deltarow delta JOIN cycle_deltareport report ON report.id = delta.report_id
           WHERE delta.line_id = line.id AND report.invoice_id = NEW.id AND report.kind = 'adjustment'
             AND report.status = 'approved' AND delta.after_amount - delta.before_amount = line.amount))
   OR EXISTS (
       SELECT 1 FROM cycle_creditline line
       WHERE line.invoice_id = NEW.id AND NOT EXISTS (
           SELECT 1 FROM cycle_deltarow delta JOIN cycle_deltareport report ON report.id = delta.report_id
           WHERE delta.corrects_id = line.credits_id AND delta.cause = 'credit' AND report.invoice_id = NEW.id
             AND report.status = 'approved' AND delta.after_amount - delta.before_amount = line.amount)) THEN
    RAISE EXCEPTION 'invoice % changes what was billed before without an approved delta report', NEW.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""
_CYCLE_GOES_ON = """
IF EXISTS (
    SELECT 1 FROM cycle_break found JOIN cycle_invoice other ON other.id = found.invoice_id
    WHERE found.closed_at IS NULL AND other.customer_id = NEW.customer_id
      AND other.period_start < NEW.period_end AND other.period_end > NEW.period_start) THEN
    RAISE EXCEPTION 'the cycle of invoice % is paused by an open break', NEW.id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""
# What must always hold does not, and a check found that it concerns this customer; two may agree that it is none.
_NOTHING_OFFENDS = """
IF EXISTS (SELECT 1 FROM cycle_offence offence WHERE customer_id = NEW.customer_id AND cleared_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM cycle_falsealarm WHERE offence_id = offence.id AND decision = 'agreed')) THEN
    RAISE EXCEPTION 'an invariant is contradicted by what customer % has', NEW.customer_id
        USING ERRCODE = 'integrity_constraint_violation';
END IF;
"""

HOLDS_NAME_THE_POLICY = pgtrigger.Trigger(
    name="holds_name_the_policy",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    func="""
        IF NEW.policy_id IS DISTINCT FROM (SELECT policy_id FROM cycle_invoice WHERE id = NEW.invoice_id) THEN
            RAISE EXCEPTION 'a hold of invoice % names another policy than the invoice', NEW.invoice_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    """,
)
INVOICE_GUARDS = [
    ONLY_INVOICE_TRIGGERS_BILL,
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
        name="not_in_a_closed_period",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__kind="interim"),
        func="""
            IF EXISTS (SELECT 1 FROM cycle_invoice
                       WHERE cycle_id = NEW.cycle_id AND kind = 'cycle' AND status <> 'discarded') THEN
                RAISE EXCEPTION 'the period of interim invoice % is closed', NEW.id
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        """,
    ),
    pgtrigger.Trigger(
        name="drafted_whole",
        operation=pgtrigger.Insert,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func=f"{_ADDS_UP} {_NAMES_WHAT_IT_IS} {_BILLS_ONCE} RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="sound_when_decided",
        operation=pgtrigger.UpdateOf("status"),
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__status__in=["approved", "final"]),
        func=f"{_ADDS_UP} {_NAMES_WHAT_IT_IS} {_NOTHING_OPEN} {_CHANGES_ALLOWED} {_APPROVED_BY_ENOUGH} RETURN NEW;",
    ),
    pgtrigger.Trigger(
        name="unpaused_when_final",
        operation=pgtrigger.UpdateOf("status"),
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__status="final"),
        func=f"{_CYCLE_GOES_ON} RETURN NEW;",
    ),
    pgtrigger.Trigger(
        name="nothing_offends",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__status="final") & ~pgtrigger.Q(old__status="final"),
        func=f"{_NOTHING_OFFENDS} RETURN NEW;",
    ),
    NO_DELETE,
    NO_TRUNCATE,
]


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

# The invoice row is locked, so that neither a move nor another approval comes in between.
OF_A_DRAFT_BY_AN_OUTSIDER = pgtrigger.Trigger(
    name="of_a_draft_by_an_outsider",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    declare=[("found", "cycle_invoice%ROWTYPE")],
    func="""
        SELECT * INTO found FROM cycle_invoice WHERE id = NEW.invoice_id FOR UPDATE;
        IF (found.status, found.revision, found.content_hash) <> ('draft', NEW.revision, NEW.content_hash) THEN
            RAISE EXCEPTION 'invoice % is not the draft that was approved', NEW.invoice_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF found.drafted_by_id = NEW.person_id
           OR EXISTS (SELECT 1 FROM cycle_break WHERE invoice_id = NEW.invoice_id AND closed_by_id = NEW.person_id)
           OR EXISTS (SELECT 1 FROM cycle_invoicetransition move
                      JOIN cycle_invoice earlier ON earlier.id = move.invoice_id
                      WHERE earlier.cycle_id = found.cycle_id AND earlier.kind = found.kind
                        AND earlier.id < found.id AND move.to_status = 'discarded'
                        AND move.actor_id = NEW.person_id) THEN
            RAISE EXCEPTION 'the figures of invoice % come of a decision of this person', NEW.invoice_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NOT EXISTS (SELECT 1 FROM core_auditentry entry
                       WHERE entry.id = NEW.audit_entry_id AND entry.subject = 'invoice:' || NEW.invoice_id
                         AND entry.actor_id = NEW.person_id
                         AND entry.facts ->> 'content_hash' = NEW.content_hash) THEN
            RAISE EXCEPTION 'this approval of invoice % does not stand in the audit chain', NEW.invoice_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    """,
)

# Waits for those who are issuing what this break pauses, and keeps the rest from being issued before it is committed.
PAUSES_ITS_CYCLE = pgtrigger.Trigger(
    name="pauses_its_cycle",
    operation=pgtrigger.Insert,
    when=pgtrigger.Before,
    func="""
        PERFORM 1 FROM cycle_invoice own JOIN cycle_invoice other ON other.customer_id = own.customer_id
            AND other.period_start < own.period_end AND other.period_end > own.period_start
        WHERE own.id = NEW.invoice_id AND other.status IN ('draft', 'held', 'approved')
        ORDER BY other.id FOR SHARE OF other;
        RETURN NEW;
    """,
)
