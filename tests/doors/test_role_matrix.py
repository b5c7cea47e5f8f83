"""Every URL × method × caller against tables written by hand; a URL that no table names fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest
from django.template.backends.django import Template
from django.test import Client
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from accounts.models import Customer, Scope
from tests.builders import people, world
from tests.builders.addresses import PARAMETER, Address, every_address

STAFF = frozenset({"product", "finance", "ops", "engineering", "auditor"})
SERVER_ERROR = 500
NOW = timezone.now()
Call = tuple[str, str, frozenset[str], Callable[[], Any]]  # method, path, who may, the call itself
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def only(*roles: str) -> frozenset[str]:
    return frozenset(roles)


FINANCE, OPS, ENGINEERING = only("finance"), only("ops"), only("engineering")
PRICERS = only("product", "finance")
KEEPERS = only("finance", "ops")
METERS = only("product", "engineering")
BUILDERS = only("product", "finance", "engineering")
CLERKS = only("ops", "engineering")
NAMERS = only("finance", "ops", "engineering")
NOBODY = only()
SIGNERS = only("product", "finance", "ops")
PROPOSERS = SIGNERS | only("engineering")

# Below /api/v1/: who may call which method. What is not listed is for nobody.
API: dict[str, dict[str, frozenset[str]]] = {
    "customers": {"GET": STAFF, "POST": KEEPERS},
    "customers/<str:code>": {"GET": STAFF, "PATCH": KEEPERS},
    "customers/<str:code>/external-ids": {"GET": STAFF, "POST": NAMERS},
    "customers/<str:code>/external-ids/<str:system>/<path:external_id>": {"PATCH": NAMERS, "DELETE": NAMERS},
    "events": {"GET": STAFF, "POST": ENGINEERING},
    "events/batch": {"POST": ENGINEERING},
    "events/<path:identity>": {"GET": STAFF},
    "quarantine": {"GET": STAFF},
    "quarantine/groups": {"GET": STAFF},
    "quarantine/bulk": {"POST": CLERKS},
    "quarantine/bulk/<int:decision_id>": {"GET": STAFF},
    "quarantine/bulk/<int:decision_id>/undo-discard": {"POST": CLERKS},
    "quarantine/<int:quarantine_id>": {"GET": STAFF},
    "quarantine/<int:quarantine_id>/release": {"POST": CLERKS},
    "quarantine/<int:quarantine_id>/discard": {"POST": CLERKS},
    "quarantine/<int:quarantine_id>/take-up": {"POST": CLERKS},
    "contracts": {"GET": STAFF, "POST": ENGINEERING},
    "contracts/<str:event_type>": {"GET": STAFF, "PATCH": ENGINEERING},
    "contracts/<str:event_type>/try": {"POST": STAFF},
    "contracts/<str:event_type>/versions": {"POST": ENGINEERING},
    "contracts/<str:event_type>/versions/<int:version>": {"GET": STAFF},
    "contracts/<str:event_type>/versions/<int:version>/activate": {"POST": ENGINEERING},
    "meters": {"GET": STAFF, "POST": METERS},
    "meters/<str:code>": {"GET": STAFF, "PATCH": METERS},
    "meters/<str:code>/owner": {"POST": METERS},
    "meters/<str:code>/versions": {"GET": STAFF, "POST": METERS},
    "meters/<str:code>/versions/<int:version>": {"GET": STAFF},
    "meters/<str:code>/versions/<int:version>/approve": {"POST": METERS},
    "meters/<str:code>/versions/<int:version>/reject": {"POST": METERS},
    "meters/<str:code>/versions/<int:version>/comparison": {"GET": STAFF},
    "usage": {"GET": STAFF},
    "metering/health": {"GET": STAFF},
    "metering/health-policies": {"GET": STAFF, "POST": CLERKS},
    "webhook-sources": {"GET": STAFF, "POST": ENGINEERING},
    "webhook-sources/<str:code>": {"GET": STAFF, "PATCH": ENGINEERING},
    "webhook-sources/<str:code>/rotate": {"POST": ENGINEERING},
    "webhook-sources/<str:code>/close": {"POST": ENGINEERING},
    "fee-programs": {"GET": STAFF, "POST": PRICERS},
    "fee-programs/<str:code>/versions": {"POST": PRICERS},
    "fee-programs/<str:code>/versions/<int:version>/approve": {"POST": FINANCE},
    "fee-programs/<str:code>/versions/<int:version>/withdraw": {"POST": PRICERS},
    "fee-projections": {"GET": STAFF},
    "invoice-terms": {"GET": STAFF, "POST": PRICERS},
    "invoice-terms/<int:term_id>/approve": {"POST": FINANCE},
    "invoice-terms/<int:term_id>/withdraw": {"POST": PRICERS},
    "metering/review-items": {"GET": STAFF},
    "metering/review-items/<int:item_id>": {"GET": STAFF},
    "metering/review-items/<int:item_id>/assign": {"POST": CLERKS},
    "metering/review-items/<int:item_id>/resolve": {"POST": CLERKS},
    "plans": {"GET": STAFF, "POST": PRICERS},
    "plans/<str:code>": {"GET": STAFF, "PATCH": PRICERS},
    "plans/<str:code>/charges": {"POST": PRICERS},
    "plans/<str:code>/versions": {"POST": PRICERS},
    "plans/<str:code>/versions/<int:version>/approve": {"POST": FINANCE},
    "plans/<str:code>/versions/<int:version>/withdraw": {"POST": PRICERS},
    "price-versions": {"GET": STAFF, "POST": PRICERS},
    "price-versions/<int:price_id>": {"GET": STAFF},
    "price-versions/<int:price_id>/approve": {"POST": FINANCE},
    "price-versions/<int:price_id>/withdraw": {"POST": PRICERS},
    "tax-rates": {"GET": STAFF, "POST": FINANCE},
    "tax-rates/<int:rate_id>": {"GET": STAFF},
    "subscriptions": {"GET": STAFF, "POST": FINANCE},
    "subscriptions/<int:subscription_id>": {"GET": STAFF},
    "subscriptions/<int:subscription_id>/change-plan": {"POST": FINANCE},
    "subscriptions/<int:subscription_id>/quantities": {"POST": FINANCE},
    "subscriptions/<int:subscription_id>/kept-prices": {"POST": FINANCE},
    "subscriptions/<int:subscription_id>/kept-prices/<int:kept_id>/release": {"POST": FINANCE},
    "subscriptions/<int:subscription_id>/end": {"POST": FINANCE},
    "effect-runs": {"GET": STAFF, "POST": only("product", "finance", "auditor")},
    "effect-runs/<int:run_id>": {"GET": STAFF},
    "effect-runs/<int:run_id>/effects": {"GET": STAFF},
    "plan-moves": {"GET": STAFF, "POST": PRICERS},
    "plan-moves/<int:move_id>": {"GET": STAFF},
    "plan-moves/<int:move_id>/approve": {"POST": FINANCE},
    "plan-moves/<int:move_id>/withdraw": {"POST": PRICERS},
    "rating/preview": {"POST": STAFF},
    "trigger-policies": {"GET": STAFF, "POST": PROPOSERS},
    "trigger-policies/<int:policy_id>": {"GET": STAFF},
    "trigger-policies/<int:policy_id>/sign": {"POST": SIGNERS},
    "trigger-policies/<int:policy_id>/withdraw": {"POST": PROPOSERS},
    "launch": {"GET": STAFF, "POST": PROPOSERS},
    "launch/go-lives": {"GET": STAFF, "POST": SIGNERS},
    "launch/exceptions": {"GET": STAFF, "POST": PROPOSERS},
    "launch/exceptions/<int:exception_id>/sign": {"POST": KEEPERS},
    "launch/samples": {"GET": STAFF, "POST": PROPOSERS},
    "launch/samples/<int:sample_id>": {"GET": STAFF},
    "launch/samples/<int:sample_id>/accept": {"POST": SIGNERS},
    "launch/checklists": {"GET": STAFF, "POST": PROPOSERS},
    "launch/checklists/<int:version>/approve": {"POST": PROPOSERS},
    "closes": {"GET": STAFF, "POST": KEEPERS},
    "closes/<int:run_id>": {"GET": STAFF},
    "offences": {"GET": STAFF},
    "offences/check": {"POST": NAMERS},
    "offences/<int:offence_id>": {"GET": STAFF},
    "offences/<int:offence_id>/false-alarm": {"POST": FINANCE},
    "offences/<int:offence_id>/false-alarm/agree": {"POST": OPS},
    "offences/<int:offence_id>/false-alarm/refuse": {"POST": OPS},
    "stopped-interims": {"GET": STAFF},
    "stopped-interims/<int:stopped_id>/try-again": {"POST": KEEPERS},
    "review-queue": {"GET": STAFF},
    "bulk-reviews": {"GET": STAFF, "POST": FINANCE},
    "bulk-reviews/<int:review_id>": {"GET": STAFF},
    "parked-customers": {"GET": STAFF},
    "parked-customers/<int:parked_id>/try-again": {"POST": KEEPERS},
    "exposures": {"GET": STAFF},
    "program-costs": {"GET": STAFF},
    "alert-firings": {"GET": STAFF},
    "charge-control-firings": {"GET": STAFF},
    "access-changes": {"GET": STAFF},
    "customers/<str:code>/access": {"GET": STAFF},
    "customers/<str:code>/access/lift": {"POST": KEEPERS},
    "credit-limits": {"GET": STAFF, "POST": FINANCE},
    "credit-reviews": {"GET": STAFF},
    "credit-reviews/<int:review_id>/resolve": {"POST": KEEPERS},
    "notice-endpoints": {"GET": STAFF},
    "notice-deliveries": {"GET": STAFF},
    "notice-deliveries/<int:delivery_id>/send-again": {"POST": CLERKS},
    "invoices": {"GET": STAFF},
    "invoices/preview": {"POST": STAFF},
    "invoices/approve": {"POST": FINANCE},
    "hold-reasons": {"GET": STAFF},
    "invoices/<int:invoice_id>/comments": {"GET": STAFF, "POST": STAFF - {"auditor"}},
    "invoices/<int:invoice_id>": {"GET": STAFF},
    "invoices/<int:invoice_id>/repair": {"POST": FINANCE},
    "invoices/<int:invoice_id>/breaks/<int:break_id>/events": {"GET": STAFF},
    "invoices/<int:invoice_id>/pdf": {"GET": STAFF},
    "invoices/<int:invoice_id>/evidence": {"GET": STAFF},
    "invoices/<int:invoice_id>/lines/<int:line_id>/events": {"GET": STAFF},
    "invoices/<int:invoice_id>/lines/<int:line_id>/trace": {"GET": STAFF},
    "invoices/<int:invoice_id>/credit-lines/<int:line_id>/trace": {"GET": STAFF},
    "invoices/<int:invoice_id>/trace": {"GET": STAFF},
    "trace/events": {"GET": STAFF},
    "trace/snapshots/<int:snapshot_id>": {"GET": STAFF},
    "invoices/<int:invoice_id>/hold": {"POST": FINANCE},
    "invoices/<int:invoice_id>/release": {"POST": FINANCE},
    "invoices/<int:invoice_id>/approve": {"POST": FINANCE},
    "invoices/<int:invoice_id>/finalize": {"POST": FINANCE},
    "invoices/<int:invoice_id>/discard": {"POST": FINANCE},
    "invoices/<int:invoice_id>/recheck": {"POST": FINANCE},
    "invoices/<int:invoice_id>/credit": {"POST": FINANCE},
    "backfills": {"GET": STAFF, "POST": NAMERS},
    "backfills/<str:name>": {"GET": STAFF},
    "backfills/<str:name>/events": {"POST": NAMERS},
    "backfills/<str:name>/inspect": {"POST": NAMERS},
    "backfills/<str:name>/drop": {"POST": NAMERS},
    "delta-reports": {"GET": STAFF},
    "delta-reports/<int:report_id>": {"GET": STAFF},
    "delta-reports/<int:report_id>/approve": {"POST": FINANCE},
    "delta-reports/<int:report_id>/reject": {"POST": FINANCE},
    "replay/sets": {"GET": STAFF, "POST": BUILDERS},
    "replay/sets/<str:name>": {"GET": STAFF},
    "replay/sets/<str:name>/content": {"GET": STAFF},
    "replay/sets/<str:name>/require": {"POST": PRICERS},
    "replay/sets/<str:name>/runs": {"POST": BUILDERS | only("auditor")},
    "replay/runs": {"GET": STAFF},
    "replay/runs/<int:run_id>": {"GET": STAFF},
    "erasure-requests": {"GET": STAFF, "POST": OPS},
    "erasure-requests/<int:request_id>": {"GET": STAFF},
    "erasure-requests/<int:request_id>/approve": {"POST": FINANCE},
    "erasure-requests/<int:request_id>/refuse": {"POST": FINANCE},
    "retention-rules": {"GET": STAFF},
    "disputes": {"GET": STAFF, "POST": KEEPERS},
    "disputes/<int:dispute_id>": {"GET": STAFF},
    "disputes/<int:dispute_id>/uphold": {"POST": KEEPERS},
    "disputes/<int:dispute_id>/reject": {"POST": KEEPERS},
    "disputes/<int:dispute_id>/withdraw": {"POST": KEEPERS},
    "disputes/<int:dispute_id>/rebuild": {"POST": NAMERS},
    "disputes/<int:dispute_id>/assign": {"POST": NAMERS},
    "disputes/<int:dispute_id>/messages": {"POST": STAFF - {"auditor"}},
    "disputes/<int:dispute_id>/hold-collection": {"POST": KEEPERS},
    "disputes/<int:dispute_id>/lift-collection": {"POST": KEEPERS},
    "disputes/<int:dispute_id>/fixes": {"POST": KEEPERS},
    "disputes/<int:dispute_id>/letter": {"GET": STAFF},
    "dispute-policies": {"GET": STAFF, "POST": KEEPERS},
    "dispute-drills": {"GET": STAFF},
    "payments": {"GET": STAFF, "POST": FINANCE},
    "payments/<int:payment_id>": {"GET": STAFF},
    "payments/<int:payment_id>/steps": {"POST": FINANCE},
    "payments/<int:payment_id>/refund": {"POST": FINANCE},
    "refund-requests/<int:request_id>/confirm": {"POST": FINANCE},
    "refund-requests/<int:request_id>/withdraw": {"POST": FINANCE},
    "gateway-events": {"GET": STAFF},
    "payees": {"GET": STAFF, "POST": KEEPERS},
    "payees/<str:code>": {"GET": STAFF, "PATCH": KEEPERS},
    "gate-requirements": {"GET": STAFF, "POST": OPS},
    "gate-checks": {"GET": STAFF},
    "gate-checks/<int:check_id>": {"GET": STAFF},
    "gate-checks/<int:check_id>/approve": {"POST": OPS},
    "gate-checks/<int:check_id>/reject": {"POST": OPS},
    "gate-checks/<int:check_id>/suspend": {"POST": OPS},
    "gate-checks/<int:check_id>/request": {"POST": OPS},
    "gate-checks/<int:check_id>/review": {"POST": OPS},
    "gate-checks/<int:check_id>/evidence": {"POST": OPS},
    "gate-checks/<int:check_id>/evidence/<int:file_id>": {"GET": only("ops", "auditor")},
    "payables": {"GET": STAFF, "POST": FINANCE},
    "payables/<int:payable_id>": {"GET": STAFF},
    "payables/<int:payable_id>/withdraw": {"POST": FINANCE},
    "payout-batches": {"GET": STAFF, "POST": FINANCE},
    "payout-batches/<int:batch_id>": {"GET": STAFF},
    "payout-batches/<int:batch_id>/release": {"POST": OPS},
}
# Where the clients of other systems send their events: by POST, with a key.
FOREIGN = {
    "v1/billing/meter_events",
    "v1/billing/meter_event_adjustments",
    "v2/billing/meter_events",
    "v2/billing/meter_event_session",
    "v2/billing/meter_event_stream",
    "openmeter/api/v1/events",
}
SENDING_POSTS = {"events", "events/batch"}
READING_POSTS = {"rating/preview", "invoices/preview"}  # they store nothing, so a key that reads may call them


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages that the admin makes for one model."""

    view: frozenset[str] = STAFF
    add: frozenset[str] = NOBODY
    change: frozenset[str] = NOBODY


ADMINISTRATOR = only("superuser")
ADMIN_PAGES = {
    "alerts_alertfiring": Pages(),
    "charge_controls_accessstate": Pages(),
    "charge_controls_controlfiring": Pages(),
    "charge_controls_creditlimit": Pages(),
    "charge_controls_creditreview": Pages(),
    "exposure_exposure": Pages(),
    "exposure_programcost": Pages(),
    "notices_address": Pages(add=CLERKS, change=CLERKS),
    "notices_delivery": Pages(),
    "notices_endpoint": Pages(add=CLERKS, change=CLERKS),
    "accounts_customer": Pages(add=KEEPERS, change=KEEPERS),
    "accounts_externalid": Pages(add=NAMERS),
    "accounts_seller": Pages(add=FINANCE, change=FINANCE),
    "accounts_apikey": Pages(view=only("engineering", "auditor", "superuser"), add=only("engineering", "superuser")),
    "accounts_portaluser": Pages(add=KEEPERS),
    "auth_user": Pages(view=ADMINISTRATOR, add=ADMINISTRATOR, change=ADMINISTRATOR),
    "core_auditanchor": Pages(),
    "core_auditentry": Pages(),
    "core_job": Pages(),
    "cycle_billingcycle": Pages(),
    "cycle_break": Pages(),
    "cycle_closerun": Pages(),
    "cycle_parkedcustomer": Pages(),
    "cycle_bulkreview": Pages(),
    "cycle_offence": Pages(),
    "cycle_stoppedinterim": Pages(),
    "cycle_deltareport": Pages(),
    "cycle_holdreason": Pages(add=FINANCE, change=FINANCE),
    "cycle_invoice": Pages(),
    "launch_checklistversion": Pages(),
    "launch_golivedecision": Pages(),
    "launch_launchcheck": Pages(),
    "launch_launchexception": Pages(),
    "launch_restoredrill": Pages(),
    "launch_samplewalk": Pages(),
    "erasure_erasurerequest": Pages(),
    "erasure_retentionrule": Pages(),
    "disputes_dispute": Pages(),
    "disputes_disputedrill": Pages(),
    "disputes_disputepolicy": Pages(),
    "ledger_generalledgernumber": Pages(add=FINANCE, change=FINANCE),
    "ledger_journalentry": Pages(),
    "metering_aggregationsnapshot": Pages(),
    "metering_backfill": Pages(),
    "metering_arrivalminute": Pages(),
    "metering_bulkdecision": Pages(),
    "metering_capturebatch": Pages(),
    "metering_eventcontract": Pages(add=ENGINEERING, change=ENGINEERING),
    "metering_eventcontractversion": Pages(),
    "metering_healthpolicy": Pages(),
    "metering_importrun": Pages(),
    "metering_meter": Pages(add=METERS, change=METERS),
    "metering_meterversion": Pages(),
    "metering_quarantinedevent": Pages(),
    "metering_reviewitem": Pages(),
    "metering_rolluprepair": Pages(),
    "metering_usageevent": Pages(),
    "metering_webhooksource": Pages(add=ENGINEERING, change=ENGINEERING),
    "payments_gatewayevent": Pages(),
    "payments_payment": Pages(),
    "payouts_gatecheck": Pages(),
    "payouts_gaterequirement": Pages(),
    "payouts_payable": Pages(),
    "payouts_payee": Pages(),
    "payouts_payoutbatch": Pages(),
    "pricing_feeprogram": Pages(add=PRICERS, change=PRICERS),
    "pricing_feeprogramversion": Pages(),
    "pricing_invoiceterm": Pages(),
    "policy_triggerpolicy": Pages(),
    "pricing_plan": Pages(add=PRICERS, change=PRICERS),
    "effects_effectrun": Pages(),
    "effects_planmove": Pages(),
    "pricing_planversion": Pages(),
    "pricing_priceversion": Pages(),
    "pricing_subscription": Pages(),
    "pricing_taxrate": Pages(),
    "replay_replayrun": Pages(),
    "replay_replayset": Pages(),
}
# Dialogs and pages beside them, on an object in the state that they need.
ADMIN_EXTRA = {
    "charge_controls_accessstate_lift": KEEPERS,
    "charge_controls_creditlimit_agree": FINANCE,
    "charge_controls_creditreview_resolve": KEEPERS,
    "notices_delivery_send_again": CLERKS,
    "notices_endpoint_close": CLERKS,
    "notices_endpoint_rotate": CLERKS,
    "accounts_apikey_revoke": only("engineering", "superuser"),
    "accounts_externalid_move": NAMERS,
    "accounts_portaluser_close_access": KEEPERS,
    "accounts_portaluser_open_access": KEEPERS,
    "accounts_portaluser_set_password": KEEPERS,
    "auth_user_password_change": ADMINISTRATOR,
    "auth_user_unlock": ADMINISTRATOR,
    "core_job_try_again": CLERKS,
    "cycle_break_repair": FINANCE,
    "cycle_closerun_start": KEEPERS,
    "cycle_parkedcustomer_try_again": KEEPERS,
    "cycle_offence_agree_false": OPS,
    "cycle_offence_call_false": FINANCE,
    "cycle_offence_check_now": NAMERS,
    "cycle_offence_refuse_false": OPS,
    "cycle_stoppedinterim_try_interim_again": KEEPERS,
    "cycle_billingcycle_books": STAFF,
    "cycle_billingcycle_month": STAFF,
    "cycle_invoice_approve_figures": FINANCE,
    "cycle_invoice_comment": STAFF - {"auditor"},
    "cycle_invoice_decide": FINANCE,
    "cycle_invoice_queue": STAFF,
    "cycle_invoice_discard_draft": FINANCE,
    "cycle_invoice_finalize_now": FINANCE,
    "cycle_invoice_hold_back": FINANCE,
    "cycle_invoice_release_hold": FINANCE,
    "cycle_invoice_repair_draft": FINANCE,
    "cycle_deltareport_approve_report": FINANCE,
    "cycle_deltareport_reject_report": FINANCE,
    "cycle_invoice_give_back": FINANCE,
    "cycle_invoice_pdf": STAFF,
    "erasure_erasurerequest_ask_it": OPS,
    "erasure_erasurerequest_erase_it": FINANCE,
    "erasure_erasurerequest_refuse_it": FINANCE,
    "erasure_retentionrule_new_version": FINANCE,
    "disputes_dispute_assign": NAMERS,
    "disputes_dispute_hold_collection": KEEPERS,
    "disputes_dispute_letter": STAFF,
    "disputes_dispute_lift_collection": KEEPERS,
    "disputes_dispute_link_fix": KEEPERS,
    "disputes_dispute_open_new": KEEPERS,
    "disputes_dispute_rebuild": NAMERS,
    "disputes_dispute_reject": KEEPERS,
    "disputes_dispute_uphold": KEEPERS,
    "disputes_dispute_withdraw": KEEPERS,
    "disputes_dispute_write_remark": STAFF - {"auditor"},
    "disputes_dispute_write_update": KEEPERS,
    "disputes_disputedrill_start": CLERKS,
    "disputes_disputepolicy_new_version": KEEPERS,
    "evidence_credit": STAFF,
    "evidence_document": STAFF,
    "evidence_event": STAFF,
    "evidence_events": STAFF,
    "evidence_pack_file": STAFF,
    "evidence_packs": STAFF,
    "evidence_snapshot": STAFF,
    "evidence_trace": STAFF,
    "launch_checklistversion_approve_it": PROPOSERS,
    "launch_checklistversion_propose_next": PROPOSERS,
    "launch_launchcheck_ask": PROPOSERS,
    "launch_launchcheck_board": STAFF,
    "launch_golivedecision_decide_now": SIGNERS,
    "launch_launchexception_propose_one": PROPOSERS,
    "launch_launchexception_sign_it": KEEPERS,
    "launch_samplewalk_accept_it": SIGNERS,
    "launch_samplewalk_walk_another": PROPOSERS,
    "ledger_export": STAFF,
    "ledger_trial_balance": STAFF,
    "metering_backfill_drop_it": NAMERS,
    "metering_backfill_inspect_it": NAMERS,
    "metering_backfill_open_new": NAMERS,
    "metering_bulkdecision_undo_discard": CLERKS,
    "metering_eventcontract_new_version": ENGINEERING,
    "metering_eventcontract_page": STAFF,
    "metering_eventcontractversion_put_in_force": ENGINEERING,
    "metering_meter_hand_over": METERS,
    "metering_meter_propose": METERS,
    "metering_meterversion_approve": METERS,
    "metering_meterversion_reject": METERS,
    "metering_quarantine_assign": only("finance", "ops", "engineering"),
    "metering_quarantine_decide": CLERKS,
    "metering_quarantine_desk": STAFF,
    "metering_quarantine_group": STAFF,
    "metering_quarantinedevent_discard_event": CLERKS,
    "metering_quarantinedevent_release_event": CLERKS,
    "metering_quarantinedevent_take_up_event": CLERKS,
    "metering_webhooksource_close": ENGINEERING,
    "metering_webhooksource_rotate": ENGINEERING,
    "metering_healthpolicy_new_version": CLERKS,
    "metering_reviewitem_assign": CLERKS,
    "metering_reviewitem_resolve": CLERKS,
    "replay_replayset_make": BUILDERS,
    "replay_replayset_release_it": PRICERS,
    "replay_replayset_require_it": PRICERS,
    "replay_replayset_run_it": BUILDERS | only("auditor"),
    "replay_replayset_upload": BUILDERS,
    "payments_payment_charge_back": FINANCE,
    "payments_payment_confirm_refund": FINANCE,
    "payments_payment_fail": FINANCE,
    "payments_payment_give_back": FINANCE,
    "payments_payment_lose": FINANCE,
    "payments_payment_of_invoice": FINANCE,
    "payments_payment_record_new": FINANCE,
    "payments_payment_settle": FINANCE,
    "payments_payment_win": FINANCE,
    "payments_payment_withdraw_refund": FINANCE,
    "payouts_gatecheck_approve_gate": OPS,
    "payouts_gatecheck_ask_for_documents": OPS,
    "payouts_gatecheck_evidence": OPS,
    "payouts_gatecheck_file": only("ops", "auditor"),
    "payouts_gatecheck_reject_gate": OPS,
    "payouts_gatecheck_send_to_review": OPS,
    "payouts_gatecheck_suspend_gate": OPS,
    "payouts_gaterequirement_new_version": OPS,
    "payouts_payable_new_payable": FINANCE,
    "payouts_payable_withdraw": FINANCE,
    "payouts_payee_change_contact": KEEPERS,
    "payouts_payee_new_payee": KEEPERS,
    "payouts_payoutbatch_release_now": OPS,
    "pricing_feeprogram_new_version": PRICERS,
    "pricing_feeprogramversion_approve": FINANCE,
    "pricing_feeprogramversion_withdraw": PRICERS,
    "pricing_invoiceterm_approve": FINANCE,
    "pricing_invoiceterm_new_term": PRICERS,
    "pricing_invoiceterm_withdraw": PRICERS,
    "policy_triggerpolicy_propose_next": PROPOSERS,
    "policy_triggerpolicy_sign_it": SIGNERS,
    "policy_triggerpolicy_withdraw_it": PROPOSERS,
    "pricing_plan_new_charge": PRICERS,
    "pricing_plan_new_price": PRICERS,
    "effects_effectrun_ask_price": only("product", "finance", "auditor"),
    "effects_effectrun_ask_terms": only("product", "finance", "auditor"),
    "effects_planmove_approve": FINANCE,
    "effects_planmove_propose": PRICERS,
    "effects_planmove_withdraw": PRICERS,
    "pricing_plan_new_version": PRICERS,
    "pricing_planversion_approve": FINANCE,
    "pricing_planversion_withdraw": PRICERS,
    "pricing_priceversion_approve": FINANCE,
    "pricing_priceversion_withdraw": PRICERS,
    "pricing_subscription_change_plan": FINANCE,
    "pricing_subscription_end": FINANCE,
    "pricing_subscription_keep_prices": FINANCE,
    "pricing_subscription_release_prices": FINANCE,
    "pricing_subscription_set_quantity": FINANCE,
    "pricing_subscription_start": FINANCE,
    "pricing_taxrate_new_rate": FINANCE,
}
POST_ONLY = {
    "cycle_invoice_comment",
    "cycle_invoice_decide",
    "effects_effectrun_ask_price",
    "effects_effectrun_ask_terms",
    "launch_launchcheck_ask",
    "metering_quarantine_assign",
    "metering_quarantine_decide",
    "payments_payment_of_invoice",
    "payouts_gatecheck_evidence",
}
EVERY_STAFF = STAFF | {"superuser", "roleless"}
# The site's own pages: anybody who works here, for what each shows obeys the roles again.
ADMIN_SITE = {
    "index": EVERY_STAFF,
    "search": EVERY_STAFF,
    "password_change": EVERY_STAFF,
    "password_change_done": EVERY_STAFF,
    "jsi18n": EVERY_STAFF,
    "app_list": EVERY_STAFF,
}
NOT_A_PAGE = {
    "admin:autocomplete": "asks for the field that it completes; without one it is a 403 for everybody",
    "admin:view_on_site": "no model has a page of its own elsewhere; a 404 for everybody",
    "admin:logout": "ends a session",
    "admin:login": "the sign-in itself",
    "admin:": "sends the ids of the old admin to the change page, and unknown addresses to a 404",
}
PORTAL = {
    "portal:overview",
    "portal:password",
    "portal:invoices",
    "portal:invoice",
    "portal:invoice_pdf",
    "portal:invoice_lines",
    "portal_disputes:disputes",
    "portal_disputes:open",
    "portal_disputes:dispute",
    "portal_disputes:letter_pdf",
    "portal_disputes:letter_text",
    "portal_disputes:evidence",
}
SIGNED = {"capture-webhook", "stripe-webhook"}
OPEN = SIGNED | {"home", "schema", "docs", "healthz", "readyz", "portal:login", "portal:logout"}

CALLERS = ["anonymous", *sorted(STAFF), "superuser", "roleless", "portal"]


def client_for(caller: str) -> Client:
    """A signed-in browser of this caller."""
    client = Client(raise_request_exception=False)
    if caller == "portal":
        customer = Customer.objects.first() or people.make_customer()
        client.force_login(people.make_portal_user(customer, "caller-portal").user)
    elif caller != "anonymous":
        is_superuser = caller == "superuser"
        roles = [caller] if caller in STAFF else []
        client.force_login(people.make_staff(f"caller-{caller}", *roles, is_superuser=is_superuser))
    return client


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a page is shown is asked thousands of times; what it shows is drawn once, in a test of its own.

    The menu around it follows from who asks, so each caller's is put together once.
    """
    put_together, menus = UnfoldAdminSite.each_context, {}

    def remembered(site: UnfoldAdminSite, request: HttpRequest) -> dict[str, Any]:
        if request.user.pk not in menus:
            menus[request.user.pk] = put_together(site, request)
        return {**menus[request.user.pk]}

    monkeypatch.setattr(UnfoldAdminSite, "each_context", remembered)
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")


def was_allowed(response: Any, *, from_portal: bool = False) -> bool:
    """Whether the call got past the rule; what it then found there is another test's matter."""
    location = response.headers.get("Location", "")
    if location.startswith(("/admin/login/", "/portal/login/")) or (from_portal and location == "/admin/"):
        return False
    return response.status_code not in (401, 403, 405)


def deviations(caller: str, calls: list[Call]) -> list[str]:
    """Calls whose answer is not the table's."""
    wrong = []
    for method, path, allowed, call in calls:
        response = call()
        got = was_allowed(response, from_portal=path.startswith("/portal/"))
        if response.status_code >= SERVER_ERROR:
            wrong.append(f"{caller} {method} {path}: {response.status_code}")
        elif got != (caller in allowed):
            wrong.append(f"{caller} {method} {path}: {'allowed' if got else 'refused'}")
    return wrong


def api_addresses() -> list[Address]:
    return [address for address in every_address() if address.route.startswith("api/") and address.name not in OPEN]


def admin_addresses() -> list[Address]:
    return [address for address in every_address() if address.name.startswith("admin:")]


def rule_for_page(name: str) -> dict[str, frozenset[str]] | None:
    """Method → who, for a page of the admin by its URL name; None where no table names it."""
    if name in ADMIN_SITE:
        return {"GET": ADMIN_SITE[name]}
    if name in POST_ONLY:
        return {"GET": NOBODY, "POST": ADMIN_EXTRA[name]}
    if name in ADMIN_EXTRA:
        return {"GET": ADMIN_EXTRA[name], "POST": ADMIN_EXTRA[name]}
    model, _, page = name.rpartition("_")
    if page == "history" and model.endswith("_simple"):
        model, page = model.removesuffix("_simple"), "simple_history"
    pages = ADMIN_PAGES.get(model)
    if pages is None:
        return None
    return {
        "changelist": {"GET": pages.view},
        "history": {"GET": pages.view},
        "simple_history": {"GET": pages.view, "POST": NOBODY},
        "add": {"GET": pages.add, "POST": pages.add},
        "change": {"GET": pages.view, "POST": pages.change},
        "delete": {"GET": NOBODY, "POST": NOBODY},
    }.get(page)


def admin_calls(made: world.World, client: Client) -> list[Call]:
    """Every page of the back office by every method that a table names, on the object made for it."""
    return [
        (method, path, allowed, partial(client.generic, method, path))
        for address in admin_addresses()
        if address.name not in NOT_A_PAGE
        for path in [made.admin_path(address)]
        for method, allowed in (rule_for_page(address.name.removeprefix("admin:")) or {}).items()
    ]


@contextmanager
def taken_back() -> Iterator[None]:
    """Nothing that is done inside stays."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
class TestApi:
    def test_every_address_stands_in_the_table(self) -> None:
        routes = {address.route.removeprefix("api/v1/") for address in api_addresses()}
        assert routes == API.keys()

    @pytest.mark.parametrize("caller", CALLERS)
    def test_each_caller_may_what_the_table_says(self, caller: str) -> None:
        client = client_for(caller)
        assert (
            deviations(
                caller,
                [
                    (method, path, allowed, partial(client.generic, method, path, b"{}", "application/json"))
                    for route, rules in API.items()
                    for method, allowed in rules.items()
                    for path in [world.path_of(f"api/v1/{route}")]
                ],
            )
            == []
        )

    def test_what_is_not_listed_is_for_nobody(self) -> None:
        client = Client(raise_request_exception=False)
        client.force_login(people.make_staff("everyman", *STAFF, is_superuser=True))
        refused = [
            f"{method} {route}"
            for route, rules in API.items()
            for method in METHODS
            if method not in rules
            and client.generic(method, world.path_of(f"api/v1/{route}"), b"{}", "application/json").status_code != 405
        ]
        assert refused == []

    def test_without_a_key_it_says_how_to_sign(self) -> None:
        response = Client().get("/api/v1/customers")
        assert (response.status_code, response["WWW-Authenticate"]) == (401, 'Bearer realm="billing-ops"')

    @pytest.mark.parametrize(
        ("scope", "may"),
        [
            (Scope.EVENTS_WRITE, lambda route, method: route in SENDING_POSTS and method == "POST"),
            (Scope.READ, lambda route, method: method == "GET" or route in READING_POSTS),
            (Scope.WRITE, lambda route, method: method != "GET" and route not in READING_POSTS),
        ],
    )
    def test_a_key_may_what_its_scopes_say(self, scope: str, may: Callable[[str, str], bool]) -> None:
        caller = people.ApiClient(people.key_for(people.make_staff("everyman", *STAFF), scopes=[scope]))
        wrong = [
            f"{method} {route}"
            for route, rules in API.items()
            for method in rules
            if was_allowed(caller.call(method, world.path_of(route).removeprefix("/"), {})) != may(route, method)
        ]
        assert wrong == []

    def test_a_session_without_the_csrf_token_writes_nothing(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(people.make_staff("everyman", *STAFF))
        passed = [
            route
            for route, rules in API.items()
            for method in rules.keys() - {"GET"}
            if client.generic(method, world.path_of(f"api/v1/{route}"), b"{}", "application/json").status_code != 403
        ]
        assert passed == []


@pytest.mark.django_db
class TestBackOffice:
    def test_every_address_stands_in_a_table(self) -> None:
        names = {address.name.removeprefix("admin:") for address in admin_addresses() if address.name not in NOT_A_PAGE}
        assert {name for name in names if rule_for_page(name) is None} == set()

    def test_the_tables_name_only_what_exists(self) -> None:
        names = {address.name.removeprefix("admin:") for address in admin_addresses()}
        assert ADMIN_EXTRA.keys() | ADMIN_SITE.keys() <= names
        assert {f"{model}_changelist" for model in ADMIN_PAGES} <= names

    @pytest.mark.usefixtures("unrendered")
    def test_each_caller_may_what_the_tables_say(self) -> None:
        """In one world, which every caller finds as it was made."""
        made = world.make_world(at=NOW)
        wrong = []
        for caller in CALLERS:
            with taken_back():
                wrong += deviations(caller, admin_calls(made, client_for(caller)))
        assert wrong == []

    @pytest.mark.usefixtures("unrendered")
    def test_a_post_without_the_csrf_token_is_refused_everywhere(self) -> None:
        made = world.make_world(at=NOW)
        client = Client(enforce_csrf_checks=True)
        client.force_login(people.make_staff("everyman", *STAFF, is_superuser=True))
        passed = [
            address.route
            for address in admin_addresses()
            if address.name != "admin:" and client.post(made.admin_path(address)).status_code != 403
        ]
        assert passed == []

    def test_every_page_is_drawn_for_who_may_see_it(self) -> None:
        made = world.make_world(at=NOW)
        client = Client(raise_request_exception=False)
        client.force_login(people.make_staff("everyman", *STAFF, is_superuser=True))
        broken = [
            address.route
            for address in admin_addresses()
            if address.name not in NOT_A_PAGE
            if client.get(made.admin_path(address)).status_code >= SERVER_ERROR
        ]
        assert broken == []

    @pytest.mark.usefixtures("unrendered")
    @pytest.mark.parametrize("object_id", ["abc", "9" * 30, "9" * 5000, "-1", "1'; --", "٣"])
    def test_an_id_that_no_row_has_is_no_server_error(self, object_id: str) -> None:
        client = Client(raise_request_exception=False)
        client.force_login(people.make_staff("everyman", *STAFF, is_superuser=True))
        broken = [
            address.route
            for address in admin_addresses()
            if PARAMETER.search(address.route) or "([^/]+)" in address.route
            for method in ("GET", "POST")
            for path in [address.fill(object_id=object_id, id=object_id).replace("^([^/]+)", object_id)]
            if client.generic(method, path.replace("([^/]+)/$", f"{object_id}/")).status_code >= SERVER_ERROR
        ]
        assert broken == []


@pytest.mark.django_db
class TestPortal:
    def test_every_address_stands_in_a_table(self) -> None:
        names = {address.name for address in every_address() if address.route.startswith("portal/")}
        assert names == PORTAL | {"portal:login", "portal:logout"}

    def test_only_people_of_customers_see_it(self) -> None:
        world.make_world(at=NOW)
        paths = [address.fill(invoice_id=999_999) for address in every_address() if address.name in PORTAL]
        wrong = []
        for caller in CALLERS:
            client = client_for(caller)
            calls: list[Call] = [("GET", path, only("portal"), partial(client.get, path)) for path in paths]
            wrong += deviations(caller, calls)
        assert wrong == []


@pytest.mark.django_db
class TestForeignAddresses:
    @pytest.mark.parametrize("caller", sorted(STAFF))
    def test_only_engineers_keys_send_there(self, caller: str) -> None:
        signed = people.ApiClient(people.key_for(people.make_staff("everyman", caller), scopes=[Scope.EVENTS_WRITE]))
        got = {
            path: was_allowed(signed.client.post(f"/{path}", b"{}", "application/json", headers=signed.headers))
            for path in FOREIGN
        }
        assert got == dict.fromkeys(FOREIGN, caller == "engineering")

    def test_nobody_sends_there_without_a_key_or_with_one_that_reads(self) -> None:
        reading = people.key_for(people.make_staff("everyman", *STAFF), scopes=[Scope.READ])
        for path in FOREIGN:
            assert Client().post(f"/{path}", b"{}", "application/json").status_code == 401
            assert Client().post(f"/{path}", b"{}", "application/json", headers=reading).status_code == 403

    def test_nothing_is_read_there(self) -> None:
        signed = people.ApiClient(people.key_for(people.make_staff("everyman", *STAFF)))
        for path in FOREIGN:
            assert signed.client.get(f"/{path}", headers=signed.headers).status_code == 405


@pytest.mark.django_db
def test_everything_else_is_open_and_stands_in_a_list() -> None:
    rest = [address for address in every_address() if not address.route.startswith(("api/v1/", "admin/", "portal/"))]
    assert {address.route for address in rest if address.name not in OPEN} == FOREIGN
    for path in ("/", "/api/v1/schema/", "/api/v1/docs/", "/healthz", "/readyz", "/portal/login/", "/admin/login/"):
        assert was_allowed(Client().get(path)) or path == "/", path


@pytest.mark.django_db
def test_a_role_taken_away_counts_at_once() -> None:
    client = client_for("finance")
    user = User.objects.get(username="caller-finance")
    body = {"code": "x"}
    assert client.post("/api/v1/customers", body, content_type="application/json").status_code == 422
    user.groups.remove(Group.objects.get(name="finance"))
    assert client.post("/api/v1/customers", body, content_type="application/json").status_code == 403


@pytest.mark.django_db
def test_a_person_who_left_is_refused_with_every_key_and_session() -> None:
    user = people.make_staff("fiona", "finance")
    keyed, client = people.ApiClient(people.key_for(user)), Client()
    client.force_login(user)
    assert keyed.get("customers").status_code == client.get("/api/v1/customers").status_code == 200
    user.is_active = False
    user.save()
    assert keyed.get("customers").status_code == client.get("/api/v1/customers").status_code == 401
