"""Every field that can hold words says of whom: a new one is sealed, or is declared here with what it holds instead."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts import validators
from core.sealed_fields import MarksField, Opened, OpenedBinaryField, Sealed

WORDS = (models.CharField, models.TextField, models.JSONField, models.BinaryField, ArrayField)
SEALED = (Sealed, Opened, OpenedBinaryField, MarksField)
HASHES = ("_hash", "sha256", "digest", "fingerprint")
CODE_LENGTH_MAX = 3  # countries and currencies

# Business texts: about terms, rules, meters, sellers and addresses of the house; about nobody who is billed or paid.
ABOUT_NOBODY = """
auth.Group name
auth.Permission name codename
accounts.Seller legal_name address tax_id email bank_details logo_svg invoice_prefix credit_note_prefix time_zone
accounts.HistoricalSeller history_change_reason
accounts.ApiKey name
metering.EventContract event_type description
metering.EventContractVersion schema billing_fields context_fields valid_examples invalid_examples
metering.HealthPolicy reason
metering.Meter name unit
metering.HistoricalMeter history_change_reason
metering.MeterVersion definition exclusions value_property operation_property filters group_by reason decision_reason
metering.WebhookSource description mapping
metering.HistoricalWebhookSource history_change_reason
metering.LaterSealing names
metering.AlertDelivery sent_to
pricing.Plan name description
pricing.Charge name
pricing.PriceVersion params
pricing.PlanVersion proration_zone
pricing.TaxRate name note
pricing.FeeProgram name description
pricing.FeeProgramVersion terms source note
ledger.GeneralLedgerNumber number
notices.Address email
notices.Endpoint description url topics
notices.HistoricalEndpoint history_change_reason
notices.Delivery sent_to
policy.TriggerPolicy terms reason withdrawal_reason
policy.PolicyBeginning gone
cycle.NumberSeries prefix
cycle.HoldReason label
replay.ReplaySet description
replay.ReplayRequirement statement
payouts.GateRequirement gates reason
launch.ChecklistVersion terms reason
launch.GoLiveDecision reason boxes
launch.LaunchException boxes reason
disputes.DisputePolicy reason
erasure.RetentionRule basis
core.AuditAnchor place
"""
# Names that others gave, and our own codes: pseudonyms, which events, files and invoices carry.
IDENTIFIERS = """
contenttypes.ContentType app_label model
sessions.Session session_key
accounts.Customer time_zone tax_rate_code
accounts.ExternalId external_id
accounts.ApiKey public_id scopes
core.KnownInstant reader
core.WordsOfMany kept
metering.EventArchive file_name
metering.BulkDecision code source event_type
metering.CaptureBatch origin tallies
metering.EventKey source event_id
metering.UsageEvent source event_id
metering.ArrivalStream source event_type
metering.ImportRun path_name
metering.RollupSeries value_property filters group_by operation_property
metering.UsageRollup grain groups last_event_id last_source
metering.AggregationSnapshot time_zone
pricing.Subscription time_zone
cycle.BulkReview reason_code
cycle.Invoice number
cycle.CloseRun customer_codes
cycle.BreakEvent source event_id channel
exposure.ProgramCost charge_code
payments.Payment gateway_id reference_mark
payments.PaymentObject kind external_id
payments.GatewayEvent gateway event_id kind payment_ref
alerts.AlertState subject
alerts.AlertFiring subject
payouts.Payable reference
payouts.EvidenceFile media_type
launch.RestoreDrill made_by file_name
"""
# Written by the product itself, of figures, codes and its own sentences.
BY_THE_PRODUCT = """
admin.LogEntry object_id object_repr change_message
auth.User password
sessions.Session session_data
django_q.Task id name func hook group cluster
django_q.Schedule name func hook args kwargs cron task cluster intended_date_kwarg
django_q.OrmQ key payload
core.Job kind key arguments leased_by
core.Recurrence kind
core.WorkerHeartbeat name
core.PersonalKey master wrapped
core.AuditHead public_key signature
core.IdempotentAnswer actor route key content_type
accounts.HistoricalCustomer history_change_reason
accounts.HistoricalExternalId history_change_reason
accounts.HistoricalPortalUser history_change_reason
metering.HistoricalEventContract history_change_reason
metering.HistoricalEventContractVersion history_change_reason
metering.EventSealing captured
metering.ReviewItem before now chance
metering.OrderedMinute values
metering.RollupRepair grain groups found counted
metering.WebhookSecret nonce
pricing.HistoricalPlan history_change_reason
pricing.HistoricalCharge history_change_reason
pricing.HistoricalSubscription history_change_reason
pricing.HistoricalSubscriptionPhase history_change_reason
pricing.HistoricalFeeProgram history_change_reason
ledger.JournalEntry key memo
ledger.HistoricalGeneralLedgerNumber history_change_reason
rating.RatedLine share_unit computation rounding_level
documents.StoredDocument key
notices.HistoricalAddress history_change_reason
notices.EndpointSecret nonce
notices.Notice key document
notices.Attempt detail
effects.MoveItem reason
effects.Effect problem
cycle.InvoiceLine description meter_code unit unit_price
cycle.CreditLine description
cycle.InvoiceTax name note
cycle.LineBooking account
cycle.BulkReviewItem outcome code detail
cycle.CloseRun stopped_by
cycle.ParkedCustomer code reason
cycle.HistoricalHoldReason history_change_reason
cycle.InvoiceTransition from_status to_status
cycle.DeltaRow description unit
cycle.StoppedInterim code reason
cycle.Offence name offender
cycle.OffenceSearch name offenders why
cycle.FalseAlarm recounted
cycle.InterimFiring asked_by facts
cycle.Break detail facts
exposure.Exposure past usage inputs
payments.GatewayEvent facts detail
alerts.AlertFiring rule inputs
charge_controls.ControlFiring rule inputs
charge_controls.AccessChange figures
replay.ReplaySetVersion includes holds notes
replay.ReplayRun code_version migration_state report problem
replay.ReplayPlay code_version content
payouts.ReleaseDecision gates inputs reasons
evidence.EvidencePack file_name
evidence.LineRecount checks
launch.BoxResult program said remedy proof
launch.CloseWalk differing
launch.RestoreDrill figures invariants flaws
launch.SampleWalk proof
launch.InvariantSearch name offenders why
erasure.ErasureRequest refusal
erasure.Erasure keys did kept
disputes.DisputeEvidence rule rule_text steps first_break
disputes.DisputeDrill report error
"""
# Sealed by whoever writes it, in part or as a whole: what the field holds in clear is declared by its own rules.
SEALED_WITHIN = """
core.AuditEntry reference action subject facts
metering.UsageEvent data extras
metering.HistoricalQuarantinedEvent history_change_reason
documents.StoredDocument content
cycle.Invoice parties
cycle.HistoricalInvoice history_change_reason
cycle.HistoricalHold history_change_reason
cycle.HistoricalBreak history_change_reason
payouts.HistoricalPayee history_change_reason
payouts.HistoricalPayable history_change_reason
payouts.HistoricalGateCheck history_change_reason
payouts.GateDecision evidence_files
evidence.EvidencePackPart content
"""
# In clear while somebody is kept, and overwritten, deleted or waited for by an erasure.
OVERWRITTEN = """
auth.User username first_name last_name email
core.IdempotentAnswer body
core.Job last_error
accounts.SignInGuard name
metering.StagedEvent content
replay.ReplaySetVersion content
metering.BulkDecision subject
metering.QuarantinedEvent source event_id event_type subject reasons
"""


def declared() -> set[tuple[str, str]]:
    tables = (ABOUT_NOBODY, IDENTIFIERS, BY_THE_PRODUCT, SEALED_WITHIN, OVERWRITTEN)
    rows = [line.split() for table in tables for line in table.split("\n") if line]
    found = [(label, name) for label, *names in rows for name in names]
    assert len(found) == len(set(found)), "one is declared twice"
    return set(found)


def in_clear() -> Iterator[tuple[str, str]]:
    """Every field that could hold words of anybody; a history is as its model, but for why something changed."""
    for model in apps.get_models():
        origin = getattr(model, "instance_type", None)
        inherited = set() if origin is None else {field.name for field in origin._meta.fields}
        for field in model._meta.local_concrete_fields:
            if isinstance(field, WORDS) and field.name not in inherited and not _says_nothing(field):
                yield model._meta.label, field.name


def _says_nothing(field: Any) -> bool:
    is_code = validators.CODE in field.validators or (field.max_length or CODE_LENGTH_MAX + 1) <= CODE_LENGTH_MAX
    return bool(isinstance(field, SEALED) or field.choices or is_code or field.name.endswith(HASHES))


def test_each_field_that_can_hold_words_is_sealed_or_declared() -> None:
    found = set(in_clear())
    assert sorted(found - declared()) == [], "seal it under whom it is about, or say here what it holds"
    assert sorted(declared() - found) == [], "these are sealed now, or gone"
