"""Every invariant: silent over a sound month, and loud over an offence planted past triggers and constraints."""

from datetime import timedelta

import pytest

from billing_ops.management.commands import check_invariants
from invoicing.cycle import hold, tasks
from invoicing.cycle.models import Invoice
from tests.builders import billing, interim_offences
from tests.builders.billing import CLOSING, NEXT_CLOSING, NOVEMBER, day
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> billing.Company:
    """Two issued invoices, a discarded draft, a late event on a draft, a hold that was released, an accepted break."""
    company = billing.open_company()
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    for code in ("acme", "globex"):
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    acme, globex = Invoice.objects.order_by("pk")
    billing.discard_draft(company, globex)
    billing.close_october(at=CLOSING + timedelta(hours=2))
    again = Invoice.objects.get(customer__code="globex", status="draft")
    billing.issue(company, [acme])
    billing.approve_by(company.other_finance, again, at=CLOSING + timedelta(hours=3))
    billing.finalize.finalize_invoice(invoice_id=again.pk, actor=None, at=CLOSING + timedelta(hours=3))
    billing.use("acme", ("late", day(30), 250), at=NEXT_CLOSING)
    billing.use("globex", ("s1", day(5, month=11), 3), event_type="storage", at=NEXT_CLOSING)
    billing.close_november()
    with_break = Invoice.objects.get(customer__code="globex", period_start=NOVEMBER)
    hold.release_invoice(
        invoice_id=with_break.pk, reason="storage is free", actor=company.finance, at=NEXT_CLOSING + timedelta(hours=1)
    )
    tasks.render_invoice_pdf(invoice_id=acme.pk)
    return company


def offences() -> dict[str, list[str]]:
    return {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}


def test_a_sound_month_offends_nothing(house: billing.Company) -> None:
    found = offences()
    assert {name: offenders for name, offenders in found.items() if offenders} == {}
    assert len(found) >= 30


OFFENCES = [
    (
        "an identity is accepted once, for ever",
        """
        INSERT INTO metering_usageevent (source, event_id, customer_id, contract_id, contract_version_id,
        batch_id, occurred_at, received_at, fingerprint, data) SELECT source, event_id, customer_id,
        contract_id, contract_version_id, batch_id, occurred_at, received_at, fingerprint, data FROM
        metering_usageevent WHERE event_id = 'e1' LIMIT 1;
        """,
    ),
    (
        "a batch adds up: received = accepted + duplicates + quarantined",
        """
        ALTER TABLE metering_capturebatch DROP CONSTRAINT metering_batch_adds_up;
        UPDATE metering_capturebatch SET received = received + 1;
        """,
    ),
    (
        "every acknowledged event is stored with its batch",
        """
        UPDATE metering_capturebatch SET accepted = accepted + 1, received = received + 1;
        """,
    ),
    (
        "every accepted event has its identity, and every identity its event",
        """
        DELETE FROM metering_eventkey WHERE event_id = 'e2';
        """,
    ),
    (
        "every accepted event has its identity, and every identity its event",
        """
        DELETE FROM metering_usageevent WHERE event_id = 'e2';
        """,
    ),
    (
        "no identity was accepted with two contents",
        """
        INSERT INTO metering_usageevent (source, event_id, customer_id, contract_id, contract_version_id,
        batch_id, occurred_at, received_at, fingerprint, data) SELECT source, event_id, customer_id,
        contract_id, contract_version_id, batch_id, occurred_at, received_at, sha256('another'), data FROM
        metering_usageevent WHERE event_id = 'e1' LIMIT 1;
        """,
    ),
    (
        "no accepted event was changed",
        """
        UPDATE metering_usageevent SET data = '{"units": 1001}' WHERE event_id = 'e1';
        """,
    ),
    (
        "no accepted event was changed",
        """
        UPDATE metering_usageevent SET occurred_at = occurred_at + interval '1 second' WHERE event_id = 'e1';
        """,
    ),
    (
        "what a meter reads of events accepted since it was made is a bounded number",
        """
        UPDATE metering_usageevent SET data = '{"units": "NaN"}' WHERE event_id = 'e1';
        """,
    ),
    (
        "what a meter reads of events accepted since it was made is a bounded number",
        """
        UPDATE metering_usageevent SET data = '{}' WHERE event_id = 'e1';
        """,
    ),
    (
        "events happened within what their contract accepts (an hour is left for clocks that differ)",
        """
        UPDATE metering_usageevent SET occurred_at = occurred_at - interval '90 years' WHERE event_id = 'e1';
        """,
    ),
    (
        "an event is in at most one live cycle snapshot per meter",
        """
        ALTER TABLE metering_aggregationsnapshot DROP CONSTRAINT metering_snapshot_one_live;
        INSERT INTO metering_aggregationsnapshot (kind, customer_id, meter_id, meter_version_id, window_start,
        window_end, time_zone, watermark_id, quantity, event_count, unmeasured_count, digest, first_seq,
        taken_at) SELECT kind,
        customer_id, meter_id, meter_version_id, window_start, window_end, time_zone, watermark_id, quantity,
        event_count, unmeasured_count, digest, first_seq, taken_at FROM metering_aggregationsnapshot
        WHERE kind = 'cycle' AND retired_at IS NULL LIMIT 1;
        """,
    ),
    (
        "a closed window has one live snapshot per customer and meter",
        """
        ALTER TABLE metering_aggregationsnapshot DROP CONSTRAINT metering_snapshot_one_live;
        INSERT INTO metering_aggregationsnapshot (kind, customer_id, meter_id, meter_version_id, window_start,
        window_end, time_zone, watermark_id, quantity, event_count, unmeasured_count, digest, first_seq,
        taken_at) SELECT kind,
        customer_id, meter_id, meter_version_id, window_start, window_end, time_zone, watermark_id, quantity,
        event_count, unmeasured_count, digest, first_seq, taken_at FROM metering_aggregationsnapshot
        WHERE kind = 'cycle' AND retired_at IS NULL LIMIT 1;
        """,
    ),
    (
        "usage of a closed period is on its invoice, late, or named by a break",
        """
        DELETE FROM cycle_breakevent;
        DELETE FROM cycle_historicalbreak;
        DELETE FROM cycle_break;
        """,
    ),
    (
        "usage of a closed period is on its invoice, late, or named by a break",
        """
        UPDATE metering_usageevent SET data = '{"units": 1001}' WHERE event_id = 'e1';
        """,
    ),
    (
        "a correction names an accepted event of its own source, customer and type, and is itself accepted",
        """
        INSERT INTO metering_eventcorrection
        (seq, since_seq, kind, customer_id, contract_id, occurred_at, since_occurred_at)
        SELECT e.seq, other.seq, 'amended', e.customer_id, e.contract_id, e.occurred_at, other.occurred_at
        FROM metering_usageevent e JOIN metering_usageevent other ON other.customer_id <> e.customer_id
        WHERE e.event_id = 'e1' AND other.event_id = 'e2' LIMIT 1;
        """,
    ),
    (
        "every accepted correction left an event out, and every cancellation itself",
        """
        UPDATE metering_usageevent SET extras = '{"corrects": "e1", "correction": "cancel"}' WHERE event_id = 'e2';
        """,
    ),
    (
        "a snapshot's count, quantity and digest are those of its events",
        """
        UPDATE metering_aggregationsnapshot SET quantity = quantity + 1;
        """,
    ),
    (
        "a snapshot's count, quantity and digest are those of its events",
        """
        UPDATE metering_aggregationsnapshot SET digest = repeat('0', 64);
        """,
    ),
    (
        "a meter has a first version that was there always, and versions that somebody else approved",
        """
        ALTER TABLE metering_meterversion DROP CONSTRAINT metering_meterversion_first;
        ALTER TABLE metering_meterversion DROP CONSTRAINT metering_meterversion_two_persons;
        UPDATE metering_meterversion SET version = 2;
        """,
    ),
    (
        "a snapshot names the meter version in force throughout its window, a correction that of its base",
        """
        ALTER TABLE metering_meterversion DROP CONSTRAINT metering_meterversion_first;
        UPDATE metering_meterversion SET effective_at = '2030-01-01 00:00Z';
        """,
    ),
    (
        "a correction measures the window it corrects, at a later watermark",
        """
        UPDATE metering_aggregationsnapshot SET window_end = window_end + interval '1 day' WHERE kind =
        'adjustment';
        """,
    ),
    (
        "a final invoice, counted and rated once more from its raw events, is what was issued, byte for byte",
        """
        UPDATE metering_usageevent SET data = '{"units": 1001}' WHERE event_id = 'e1';
        """,
    ),
    (
        "a final invoice, counted and rated once more from its raw events, is what was issued, byte for byte",
        """
        UPDATE pricing_priceversion SET params = '{"amount": "50"}' WHERE model = 'flat';
        """,
    ),
    (
        "an amount follows from its quantity and price version",
        """
        UPDATE rating_ratedline SET amount = amount + 0.01;
        """,
    ),
    (
        "an amount follows from its quantity and price version",
        """
        UPDATE rating_ratedline SET computation = '[]';
        """,
    ),
    (
        "a rated line has the price version that was in force for its segment",
        """
        UPDATE rating_ratedline SET effective_at = effective_at + interval '1 second';
        """,
    ),
    (
        "a rated line has the price version that was in force for its segment",
        """
        UPDATE pricing_priceversion SET status = 'proposed', decided_by_id = NULL, decided_at = NULL;
        """,
    ),
    (
        "lines that are rounded together are their exact sum, rounded once",
        """
        UPDATE rating_ratedline SET rounding_level = 'invoice', rounding = 0.01, amount = amount + 0.01;
        """,
    ),
    (
        "invoices use no more than was paid in advance, and none more than it comes to",
        """
        UPDATE cycle_invoice SET prepaid = 1 WHERE status = 'final';
        """,
    ),
    (
        "a discount or charge on an invoice is an approved term of its plan or subscription, in force at its end",
        """
        INSERT INTO pricing_invoiceterm
            (plan_id, code, version, effective_at, status, created_at, kind, reason, percent)
        SELECT id, 'discount', 1, '2026-01-01Z', 'proposed', now(), 'allowance', 'Discount', 0 FROM pricing_plan
        LIMIT 1;
        INSERT INTO cycle_invoiceallowancecharge
            (invoice_id, position, term_id, kind, reason, percent, base, amount, tax_category, tax_percent)
        SELECT invoice.id, 1, term.id, 'allowance', 'Discount', 0, 0, 0, 'S', 19
        FROM cycle_invoice invoice, pricing_invoiceterm term LIMIT 1;
        """,
    ),
    (
        "a line by a fee program has an approved version of that program that was in force, and no other line has",
        """
        UPDATE pricing_priceversion SET model = 'fee_program', params = '{"program": "card"}';
        """,
    ),
    (
        "a rated line has an approved version of its plan that was in force for its segment",
        """
        UPDATE pricing_planversion SET effective_at = '2026-10-25Z';
        """,
    ),
    (
        "a rated line has an approved version of its plan that was in force for its segment",
        """
        UPDATE pricing_planversion SET status = 'withdrawn';
        """,
    ),
    (
        "the steps of a computation hold the whole quantity",
        """
        UPDATE rating_ratedline SET quantity = quantity + 1 WHERE snapshot_id IS NOT NULL;
        """,
    ),
    (
        "the rated quantity is the snapshot's",
        """
        UPDATE rating_ratedline SET quantity = quantity + 1 WHERE snapshot_id IS NOT NULL;
        """,
    ),
    (
        "the segments of a charge lie in the invoice's period and never overlap",
        """
        UPDATE cycle_invoiceline SET segment_end = segment_end + interval '1 day' WHERE adjusts_id IS NULL;
        """,
    ),
    (
        "a fee in advance is billed once for any time",
        """
        UPDATE pricing_priceversion SET params = '{"amount": "49", "billed": "in_advance"}' WHERE model = 'flat';
        UPDATE rating_ratedline SET segment_end = segment_end + interval '1 day' WHERE snapshot_id IS NULL;
        """,
    ),
    (
        "a line of a whole plan stands on every other line of its plan that came before it on its invoice",
        """
        ALTER TABLE pricing_priceversion DROP CONSTRAINT IF EXISTS pricing_price_model;
        UPDATE pricing_priceversion SET model = 'plan_discount' WHERE model = 'standard';
        """,
    ),
    (
        "a line of a whole plan stands on lines of its own plan and subscription",
        """
        INSERT INTO rating_lineground (line_id, ground_id, position) SELECT line.id, other.id, 1
        FROM rating_ratedline line JOIN rating_ratedline other ON other.subscription_id <> line.subscription_id LIMIT 1;
        """,
    ),
    (
        "a line bills what was rated, less what interim invoices of its period had billed of it",
        """
        UPDATE cycle_invoiceline SET quantity = quantity + 1 WHERE adjusts_id IS NULL;
        """,
    ),
    (
        "an adjustment bills what was rated less what final lines had billed",
        """
        UPDATE cycle_invoiceline SET amount = amount + 1 WHERE adjusts_id IS NOT NULL;
        """,
    ),
    (
        "credit notes over an invoice come to no more than the invoice",
        """
        ALTER TABLE cycle_invoice DROP CONSTRAINT cycle_invoice_credits;
        UPDATE cycle_invoice SET credits_id = (SELECT min(id) FROM cycle_invoice WHERE status = 'draft')
        WHERE id = (SELECT max(id) FROM cycle_invoice WHERE status = 'final');
        """,
    ),
    (
        "credits and corrections of a line together give back no more than the line",
        """
        INSERT INTO cycle_creditline (invoice_id, position, credits_id, description, amount, tax_category, tax_percent)
        SELECT (SELECT min(id) FROM cycle_invoice WHERE status = 'draft'), 1, line.id, 'too much', -line.amount - 1,
            'S', 19
        FROM cycle_invoiceline line WHERE line.amount > 0 LIMIT 1;
        """,
    ),
    (
        "every credit line stands on an approved delta report once its credit note is approved",
        """
        INSERT INTO cycle_creditline (invoice_id, position, credits_id, description, amount, tax_category, tax_percent)
        SELECT (SELECT min(id) FROM cycle_invoice WHERE status = 'draft'), 1, line.id, 'past the stage', -1, 'S', 19
        FROM cycle_invoiceline line WHERE line.amount > 1 LIMIT 1;
        """,
    ),
    (
        "every row of a final document is linked to the balanced entry that holds it",
        """
        DELETE FROM cycle_linebooking WHERE id = (SELECT min(id) FROM cycle_linebooking);
        """,
    ),
    (
        "the postings of a document are the sums of its rows",
        """
        UPDATE cycle_linebooking SET amount = amount + 1;
        """,
    ),
    (
        "what is deferred is what was billed in advance and is not earned yet",
        """
        UPDATE ledger_posting SET account = 'deferred_revenue' WHERE account = 'revenue_subscription';
        """,
    ),
    (
        "an entry of earned revenue is the sum of what its lines earned, and never ahead of their time",
        """
        UPDATE ledger_journalentry SET key = 'recognition:' || id WHERE id = (SELECT min(id) FROM ledger_journalentry);
        """,
    ),
    (
        "no customer owes and has a balance at the same time",
        """
        INSERT INTO ledger_posting (entry_id, account, debit, credit)
        SELECT entry_id, 'customer_balance_liability', 0, 5 FROM ledger_posting WHERE account = 'accounts_receivable'
        LIMIT 1;
        """,
    ),
    (
        "the events of a backfill are staged, captured or dropped, as its decision says",
        """
        INSERT INTO metering_backfill (name, reason, status, staged, digest, created_by_id, created_at, decision_reason,
            accepted, duplicates, quarantined)
        SELECT 'lost', 'where are they?', 'open', 3, '', min(id), now(), '', 0, 0, 0 FROM auth_user;
        """,
    ),
    (
        "who approved a backfill did not make it",
        """
        ALTER TABLE metering_backfill DROP CONSTRAINT metering_backfill_two_persons;
        INSERT INTO metering_backfill (name, reason, status, staged, digest, created_by_id, created_at, decided_by_id,
            decided_at, decision_reason, accepted, duplicates, quarantined)
        SELECT 'mine', 'my own logs', 'approved', 0, '', min(id), now(), min(id), now(), 'my own', 0, 0, 0
        FROM auth_user;
        """,
    ),
    (
        "a backfill and its delta report are decided as one",
        """
        INSERT INTO metering_backfill (name, reason, status, staged, digest, created_by_id, created_at, decision_reason,
            accepted, duplicates, quarantined)
        SELECT 'unseen', 'nobody looked', 'sealed', 0, '', min(id), now(), '', 0, 0, 0 FROM auth_user;
        """,
    ),
    (
        "a correcting line stands on a delta report with its difference, approved before its invoice was",
        """
        UPDATE cycle_deltarow SET after_amount = after_amount + 1;
        """,
    ),
    (
        "a report that says that no amount changes has a line of an issued document in each row, and changes none",
        """
        INSERT INTO cycle_deltareport (kind, status, reason, content_hash, proposed_at, decided_at, decision_reason)
        VALUES ('unchanged', 'noted', 'x', '', now(), now(), 'x');
        """,
    ),
    (
        "a delta report still says what was hashed when it was proposed",
        """
        UPDATE cycle_deltareport SET reason = 'something else';
        """,
    ),
    (
        "every move of a delta report stands in the audit chain as it was made",
        """
        UPDATE cycle_deltareport SET status = 'approved', decided_by_id = (SELECT min(id) FROM auth_user),
            decided_at = now(), decision_reason = 'past the mover';
        """,
    ),
    (
        "who decided on a delta report did not ask for it",
        """
        ALTER TABLE cycle_deltareport DROP CONSTRAINT cycle_delta_four_eyes;
        UPDATE cycle_deltareport SET status = 'approved', decided_by_id = (SELECT min(id) FROM auth_user),
            author_id = (SELECT min(id) FROM auth_user), decided_at = now(), decision_reason = 'my own';
        """,
    ),
    (
        "a live snapshot is on one live line, was rejected or changes no amount; a retired one is on none",
        """
        UPDATE metering_aggregationsnapshot SET retired_at = now() WHERE retired_at IS NULL;
        """,
    ),
    (
        "a live snapshot is on one live line, was rejected or changes no amount; a retired one is on none",
        """
        ALTER TABLE metering_aggregationsnapshot DROP CONSTRAINT metering_snapshot_one_live;
        INSERT INTO metering_aggregationsnapshot (kind, customer_id, meter_id, meter_version_id, window_start,
        window_end, time_zone, watermark_id, quantity, event_count, unmeasured_count, digest, first_seq,
        taken_at) SELECT kind,
        customer_id, meter_id, meter_version_id, window_start, window_end, time_zone, watermark_id, quantity,
        event_count, unmeasured_count, digest, first_seq, taken_at FROM metering_aggregationsnapshot
        WHERE kind = 'cycle' AND retired_at IS NULL LIMIT 1;
        """,
    ),
    (
        "an invoice is the sum of its lines and of its taxes, each rounded once",
        """
        UPDATE cycle_invoicetax SET tax = tax + 0.01;
        """,
    ),
    (
        "an invoice is the sum of its lines and of its taxes, each rounded once",
        """
        UPDATE cycle_invoice SET subtotal = subtotal + 1, tax = tax - 1;
        """,
    ),
    (
        "a period of a subscription has one live invoice",
        """
        DROP INDEX cycle_invoice_one_per_cycle;
        DROP INDEX cycle_invoice_one_undecided;
        UPDATE cycle_invoice SET cycle_id = (SELECT min(cycle_id) FROM cycle_invoice);
        """,
    ),
    (
        "the cycles of a subscription never overlap, and its invoices have their periods",
        """
        ALTER TABLE cycle_billingcycle DROP CONSTRAINT cycle_no_overlap;
        UPDATE cycle_billingcycle SET period_end = period_end + interval '1 day';
        """,
    ),
    (
        "an invoice still says what was hashed when it was drafted",
        """
        UPDATE cycle_invoice SET parties = jsonb_set(parties, '{seller,bank_details}', '"IBAN XX"');
        """,
    ),
    (
        "an invoice still says what was hashed when it was drafted",
        """
        UPDATE cycle_invoiceline SET description = 'Something else';
        """,
    ),
    (
        "a stored document still has its SHA-256",
        """
        ALTER TABLE documents_storeddocument DROP CONSTRAINT documents_sha256_is_of_content;
        UPDATE documents_storeddocument SET content = 'another';
        """,
    ),
    (
        "the numbers of a series run from 1 without gap, and only final invoices have one",
        """
        UPDATE cycle_invoice SET running_number = 7 WHERE running_number = 2;
        """,
    ),
    (
        "the numbers of a series run from 1 without gap, and only final invoices have one",
        """
        UPDATE cycle_numberseries SET next_number = 9;
        """,
    ),
    (
        "the numbers of a series run from 1 without gap, and only final invoices have one",
        """
        ALTER TABLE cycle_invoice DROP CONSTRAINT cycle_invoice_number_only_when_final;
        UPDATE cycle_invoice SET series_id = (SELECT id FROM cycle_numberseries), running_number = 3 WHERE
        id = (SELECT min(id) FROM cycle_invoice WHERE status = 'draft');
        UPDATE cycle_numberseries SET next_number = 4;
        """,
    ),
    (
        "numbers are in the order of finalizing and of the dates of issue",
        """
        UPDATE cycle_invoice SET finalized_at = finalized_at + interval '1 day' WHERE running_number = 1;
        """,
    ),
    (
        "numbers are in the order of finalizing and of the dates of issue",
        """
        UPDATE cycle_invoice SET issue_date = issue_date - 1 WHERE running_number = 2;
        """,
    ),
    (
        "nothing was finalized while a break was open",
        """
        UPDATE cycle_break SET invoice_id = (SELECT min(id) FROM cycle_invoice WHERE status = 'final');
        """,
    ),
    (
        "nothing was finalized while held",
        """
        UPDATE cycle_hold SET invoice_id = (SELECT min(id) FROM cycle_invoice WHERE status = 'final');
        """,
    ),
    (
        "a held invoice has an open hold, no other has, and who released it is not who placed it",
        """
        UPDATE cycle_invoice SET status = 'held' WHERE status = 'draft';
        """,
    ),
    (
        "a held invoice has an open hold, no other has, and who released it is not who placed it",
        """
        ALTER TABLE cycle_hold DROP CONSTRAINT cycle_hold_four_eyes;
        UPDATE cycle_hold SET placed_by_id = released_by_id;
        """,
    ),
    (
        "a held invoice has an open hold, no other has, and who released it is not who placed it",
        """
        UPDATE cycle_hold SET released_by_id = NULL;
        """,
    ),
    (
        "an adjustment corrects an original line of a final invoice, by its price, and one at a time",
        """
        UPDATE cycle_invoiceline SET adjusts_id = (SELECT max(id) FROM cycle_invoiceline WHERE adjusts_id IS
        NULL) WHERE adjusts_id IS NOT NULL;
        """,
    ),
    (
        "the log of moves is legal and ends in the present status",
        """
        DELETE FROM cycle_invoicetransition WHERE to_status = 'approved';
        """,
    ),
    (
        "the log of moves is legal and ends in the present status",
        """
        UPDATE cycle_invoice SET revision = revision + 1;
        """,
    ),
    (
        "the log of moves is legal and ends in the present status",
        """
        DELETE FROM cycle_invoicetransition WHERE invoice_id = (SELECT min(id) FROM cycle_invoice WHERE
        status = 'final');
        """,
    ),
    (
        "every move stands in the audit chain as it was made",
        """
        UPDATE cycle_invoicetransition SET content_hash = repeat('0', 64);
        """,
    ),
    (
        "who approved an invoice neither drafted it, nor had it redrafted, nor accepted a break on it",
        """
        ALTER TABLE cycle_invoice DROP CONSTRAINT cycle_invoice_four_eyes;
        UPDATE cycle_invoice SET drafted_by_id = approved_by_id;
        """,
    ),
    (
        "who approved an invoice neither drafted it, nor had it redrafted, nor accepted a break on it",
        """
        UPDATE cycle_invoicetransition SET actor_id = (SELECT max(approved_by_id) FROM cycle_invoice) WHERE
        to_status = 'discarded';
        UPDATE cycle_invoice SET approved_by_id = (SELECT max(approved_by_id) FROM cycle_invoice) WHERE
        status = 'final';
        """,
    ),
    (
        "who approved an invoice neither drafted it, nor had it redrafted, nor accepted a break on it",
        """
        ALTER TABLE cycle_invoice DROP CONSTRAINT cycle_invoice_approved_as_it_is;
        UPDATE cycle_invoice SET approved_by_id = found.closed_by_id FROM cycle_break found WHERE
        found.invoice_id = cycle_invoice.id;
        """,
    ),
    (
        "no approval is of a person who drafted, had redrafted, or accepted a break",
        """
        UPDATE cycle_invoice SET drafted_by_id = (SELECT min(person_id) FROM cycle_invoiceapproval)
        WHERE status = 'discarded';
        INSERT INTO cycle_invoiceapproval
            (invoice_id, revision, person_id, content_hash, people_needed, given_at, audit_entry_id)
        SELECT invoice.id, 0, invoice.drafted_by_id, invoice.content_hash, 1, invoice.drafted_at, 1
        FROM cycle_invoice invoice WHERE status = 'discarded';
        """,
    ),
    (
        "no approval is of a person who drafted, had redrafted, or accepted a break",
        """
        UPDATE cycle_invoicetransition SET actor_id = (SELECT max(person_id) FROM cycle_invoiceapproval)
        WHERE to_status = 'discarded';
        """,
    ),
    (
        "what is approved or final was approved, as it stands, by as many people as its policy asks for",
        """
        DELETE FROM cycle_invoiceapproval WHERE id = (SELECT max(id) FROM cycle_invoiceapproval);
        """,
    ),
    (
        "what is approved or final was approved, as it stands, by as many people as its policy asks for",
        """
        UPDATE cycle_invoiceapproval SET revision = revision + 1;
        """,
    ),
    (
        "what is approved or final was approved, as it stands, by as many people as its policy asks for",
        """
        UPDATE policy_triggerpolicy SET terms = '{"approval": {"second_person_above": {"EUR": "61.87"}}}';
        """,
    ),
    (
        "who agreed that an offence is a false alarm did not say so first, and no figures are behind it",
        """
        INSERT INTO cycle_offence (number, name, offender, found_at, seen_at) VALUES (14, 'x', 'x', now(), now());
        INSERT INTO cycle_falsealarm (offence_id, reason, stated_by_id, stated_at, decision, decision_reason, recounted)
        SELECT max(id), 'x', (SELECT min(id) FROM auth_user), now(), '', '', '[]' FROM cycle_offence;
        """,
    ),
    (
        "what was said of false alarms is in the audit chain as it was said",
        """
        INSERT INTO cycle_offence (number, name, offender, found_at, seen_at) VALUES (27, 'x', 'x', now(), now());
        INSERT INTO cycle_falsealarm (offence_id, reason, stated_by_id, stated_at, decision, decision_reason, recounted)
        SELECT max(id), 'x', (SELECT min(id) FROM auth_user), now(), '', '', '[]' FROM cycle_offence;
        """,
    ),
    (
        "every approval stands in the audit chain as it was given",
        """
        UPDATE cycle_invoiceapproval SET person_id = (SELECT max(id) FROM auth_user);
        """,
    ),
    (
        "whoever proposed a policy did not sign it",
        """
        UPDATE policy_signoff SET person_id = policy.proposed_by_id FROM policy_triggerpolicy policy
        WHERE policy.id = policy_signoff.policy_id AND policy_signoff.role = 'ops';
        """,
    ),
    (
        "a signed policy has three signatures by three people over its content",
        """
        UPDATE policy_signoff SET voided_at = signed_at WHERE role = 'ops';
        """,
    ),
    (
        "a signed policy has three signatures by three people over its content",
        """
        UPDATE policy_signoff SET content_hash = repeat('0', 64) WHERE role = 'product';
        """,
    ),
    (
        "a policy says what was signed",
        """
        UPDATE policy_triggerpolicy SET terms = '{"late_usage": {"correction": "next_invoice", "grace_hours": "9"}}';
        """,
    ),
    (
        "every signature stands in the audit chain as it was given",
        """
        UPDATE policy_signoff SET audit_entry_id = (SELECT max(id) FROM core_auditentry) WHERE role = 'finance';
        """,
    ),
    (
        "an invoice names a policy of its customer's program that was signed when it was drafted",
        """
        ALTER TABLE cycle_invoice DISABLE TRIGGER ALL;
        UPDATE cycle_invoice SET policy_id = NULL WHERE status = 'final';
        """,
    ),
    (
        "an invoice names a policy of its customer's program that was signed when it was drafted",
        """
        UPDATE policy_triggerpolicy SET program = 'other';
        """,
    ),
    (
        "an invoice names a policy of its customer's program that was signed when it was drafted",
        """
        UPDATE policy_triggerpolicy SET effective_at = '2027-01-01';
        """,
    ),
    (
        "every journal entry balances",
        """
        UPDATE ledger_posting SET debit = debit + 1 WHERE account = 'accounts_receivable';
        """,
    ),
    (
        "every journal entry balances",
        """
        DELETE FROM cycle_linebooking;
        DELETE FROM ledger_posting WHERE entry_id = (SELECT min(id) FROM ledger_journalentry);
        """,
    ),
    (
        "the books balance in every currency",
        """
        UPDATE ledger_posting SET credit = credit + 1 WHERE account = 'tax_payable';
        """,
    ),
    (
        "a final invoice has one journal entry over its total, and no other entry names an invoice",
        """
        DELETE FROM cycle_linebooking; DELETE FROM ledger_posting; DELETE FROM ledger_journalentry;
        """,
    ),
    (
        "a final invoice has one journal entry over its total, and no other entry names an invoice",
        """
        UPDATE ledger_journalentry SET booked_on = booked_on + 1;
        """,
    ),
    (
        "a final invoice has one journal entry over its total, and no other entry names an invoice",
        """
        UPDATE ledger_journalentry SET key = 'invoice:0:final' WHERE id = (SELECT min(id) FROM ledger_journalentry);
        """,
    ),
    (
        "sums of usage say what the raw events say",
        """
        INSERT INTO metering_rollupseries (contract_id, value_property, arrival_sign, group_by, reading_hash, seq)
        SELECT DISTINCT meter.contract_id, version.value_property, 1, '{}'::text[], repeat('0', 64),
               (SELECT max(seq) FROM metering_usageevent)
        FROM metering_meter meter JOIN metering_meterversion version ON version.meter_id = meter.id;
        """,
    ),
    (
        "the audit chain verifies",
        """
        UPDATE core_auditentry SET facts = '{}' WHERE id = 2;
        """,
    ),
    (
        "the audit chain verifies",
        """
        UPDATE core_auditentry SET actor_id = (SELECT max(id) FROM auth_user) WHERE id = (SELECT max(id)
        FROM core_auditentry);
        """,
    ),
    (
        "a close that ended has looked at all its periods",
        """
        UPDATE cycle_closerun SET failed = done;
        """,
    ),
    (
        "nothing was finalized while a break paused its customer's cycle",
        """
        UPDATE cycle_invoice SET customer_id = (SELECT customer_id FROM cycle_invoice WHERE id = (SELECT max(invoice_id)
        FROM cycle_break)), period_start = '2026-11-01', period_end = '2026-12-01', finalized_at = '2126-01-01' WHERE
        status = 'final';
        UPDATE cycle_break SET closed_at = NULL, closed_by_id = NULL, closing_reason = '';
        """,
    ),
    (
        "an invoice with figures far outside its customer's past was born held",
        """
        INSERT INTO cycle_unusualfigure (invoice_id, amount, least, greatest, periods, times) SELECT min(id), 9, 1, 1,
        2, 5 FROM cycle_invoice;
        """,
    ),
    (
        "a close that ended reads agreements as of no instant any more",
        """
        UPDATE core_knowninstant SET released_at = NULL;
        """,
    ),
    (
        "no customer is parked for a period that has an invoice",
        """
        INSERT INTO cycle_parkedcustomer (customer_id, subscription_id, run_id, code, reason, periods, period_start,
        period_end, parked_at, attempts, last_tried_at) SELECT invoice.customer_id, cycle.subscription_id, (SELECT
        min(id) FROM cycle_closerun), 'no_policy', 'no policy', 1, cycle.period_start, cycle.period_end,
        invoice.drafted_at, 1, invoice.drafted_at FROM cycle_invoice invoice JOIN cycle_billingcycle cycle ON
        cycle.id = invoice.cycle_id WHERE invoice.status = 'final' ORDER BY invoice.id LIMIT 1;
        """,
    ),
    (
        "the audit chain contains every signed head of it",
        """
        INSERT INTO core_audithead (number, entry_hash, first_hash, signed_at, public_key, signature)
        SELECT max(id) + 1, repeat('0', 64), repeat('0', 64), now(), repeat('0', 64), repeat('0', 128)
        FROM core_auditentry;
        """,
    ),
    (
        "no job is past two leases",
        """
        UPDATE core_job SET state = 'leased', attempts = 1, leased_until = clock_timestamp() - interval '61
        seconds';
        """,
    ),
]


# What it takes to offend these is elsewhere: tests/stages/test_anchors.py and tests/stages/test_late_sealing.py.
ELSEWHERE = {
    "the audit chain contains the anchors outside",
    "no event holds a property in clear that was sealed when its contract marked it as personal",
    "what was sealed of events after they were captured is what the audit chain says",
}


@pytest.mark.parametrize(("name", "planted"), OFFENCES, ids=[name for name, _ in OFFENCES])
def test_an_offence_is_found(house: billing.Company, name: str, planted: str) -> None:
    tamper(planted)
    [invariant] = [one for one in check_invariants.all_invariants() if one.name == name]
    assert invariant.find_offenders()


def test_every_invariant_of_the_house_has_an_offence_here() -> None:
    apps = ("core", "metering", "invoicing.rating", "invoicing.ledger", "invoicing.policy", "invoicing.cycle")
    names = {one.name for app in apps for one in check_invariants.invariants_of(app)}
    assert names - ELSEWHERE == {name for name, _ in [*OFFENCES, *interim_offences.OFFENCES]}
