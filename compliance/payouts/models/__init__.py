"""Payees and their gates, what is owed to them, and what was released or blocked."""

from compliance.payouts.models.batches import BatchItem, Payable, Payout, PayoutBatch, ReleaseDecision
from compliance.payouts.models.gates import EvidenceFile, GateCheck, GateDecision
from compliance.payouts.models.payees import GateRequirement, Payee

__all__ = [
    "BatchItem",
    "EvidenceFile",
    "GateCheck",
    "GateDecision",
    "GateRequirement",
    "Payable",
    "Payee",
    "Payout",
    "PayoutBatch",
    "ReleaseDecision",
]
