"""Disputes, what they gather, and the policy that sets their due times."""

from compliance.disputes.models.disputes import Dispute, DisputeTransition
from compliance.disputes.models.holds import DisputeHold
from compliance.disputes.models.policies import DisputePolicy
from compliance.disputes.models.records import (
    DisputeDrill,
    DisputeEvidence,
    DisputeFix,
    DisputeLetter,
    DisputeMessage,
)

__all__ = [
    "Dispute",
    "DisputeDrill",
    "DisputeEvidence",
    "DisputeFix",
    "DisputeHold",
    "DisputeLetter",
    "DisputeMessage",
    "DisputePolicy",
    "DisputeTransition",
]
