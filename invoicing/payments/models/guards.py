"""What PostgreSQL itself refuses of payments, whoever writes."""

import pgtrigger

from core.models import APPEND_ONLY
from invoicing.payments.rules import lifecycle

NO_TRUNCATE = APPEND_ONLY[1]
NO_DELETE = pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete)
_TABLE = ", ".join(f"('{begun}', '{step}', '{to}')" for begun, step, to in lifecycle.rows())

_OF_A_FINAL_INVOICE = """
    IF NOT EXISTS (SELECT 1 FROM cycle_invoice WHERE id = NEW.invoice_id AND status = 'final'
                      AND document_type = 'invoice' AND currency = NEW.currency) THEN
        RAISE EXCEPTION 'a payment is for a final invoice, in its currency'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.status <> 'pending' OR NEW.revision <> 1 THEN
        RAISE EXCEPTION 'a payment begins as pending' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
_MOVES_ONE_STEP = """
    IF NEW.revision <> OLD.revision + 1 THEN
        RAISE EXCEPTION 'payment % moved since it was read', NEW.id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
# Asked when the transaction commits: the payment and its step come in any order inside it.
_STANDS_WHERE_ITS_STEPS_LED = """
    IF (SELECT (payment.revision, payment.status, payment.received, payment.refunded)
               IS DISTINCT FROM (count(*), max(step.to_status) FILTER (WHERE step.revision = payment.revision),
                                 COALESCE(sum(step.amount) FILTER (WHERE step.step = 'settled'), 0),
                                 COALESCE(sum(step.amount) FILTER (WHERE step.step = 'refunded'), 0))
        FROM payments_payment payment LEFT JOIN payments_paymenttransition step ON step.payment_id = payment.id
        WHERE payment.id = {payment} GROUP BY payment.id) THEN
        RAISE EXCEPTION 'payment % does not stand where its steps led', {payment}
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""
_FOLLOWS_THE_TABLE = f"""
    IF (NEW.from_status, NEW.step, NEW.to_status) NOT IN ({_TABLE})
       OR NOT EXISTS (
           SELECT 1 FROM (
               SELECT count(*) + 1 AS revision,
                      COALESCE((array_agg(to_status ORDER BY revision DESC))[1], '') AS status
               FROM payments_paymenttransition WHERE payment_id = NEW.payment_id) next
           WHERE next.revision = NEW.revision AND next.status = NEW.from_status) THEN
        RAISE EXCEPTION 'payment % cannot go from % to % by %',
            NEW.payment_id, NEW.from_status, NEW.to_status, NEW.step
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""  # noqa: S608  the words of the table are this program's

FOLLOWS_THE_TABLE = pgtrigger.Trigger(
    name="follows_the_table", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_FOLLOWS_THE_TABLE
)
PAYMENT_GUARDS = [
    pgtrigger.Trigger(
        name="of_a_final_invoice", operation=pgtrigger.Insert, when=pgtrigger.Before, func=_OF_A_FINAL_INVOICE
    ),
    pgtrigger.Trigger(name="moves_one_step", operation=pgtrigger.Update, when=pgtrigger.Before, func=_MOVES_ONE_STEP),
    pgtrigger.Trigger(
        name="stands_where_its_steps_led",
        operation=pgtrigger.Insert | pgtrigger.Update,
        when=pgtrigger.After,
        timing=pgtrigger.Deferred,
        func=_STANDS_WHERE_ITS_STEPS_LED.replace("{payment}", "NEW.id"),
    ),
    pgtrigger.ReadOnly(
        name="payment_is_fixed",
        fields=[
            "invoice",
            "amount",
            "currency",
            "method",
            "reference",
            "reference_mark",
            "gateway",
            "gateway_id",
            "created_by",
            "created_at",
        ],
    ),
    NO_DELETE,
    NO_TRUNCATE,
]
