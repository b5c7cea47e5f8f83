"""Kinds and states of gates, and what a stored state means at an instant."""

from datetime import datetime, timedelta
from enum import StrEnum


class GateKind(StrEnum):
    """What has to be known about a payee before money moves."""

    KYC = "kyc"
    KYB = "kyb"
    AML = "aml"
    TAX_FORM = "tax_form"


class PayeeKind(StrEnum):
    """A person is known by KYC, a company by KYB; requirements are kept apart."""

    PERSON = "person"
    COMPANY = "company"


class GateState(StrEnum):
    """`expiring` and `expired` are never stored: they follow from `expires_at` at the instant somebody asks."""

    NOT_STARTED = "not_started"
    PENDING = "pending"
    NEEDS_REVIEW = "needs_review"
    APPROVED = "approved"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REJECTED = "rejected"
    SUSPENDED = "suspended"


DERIVED = frozenset({GateState.EXPIRING, GateState.EXPIRED})
STORED = tuple(state for state in GateState if state not in DERIVED)
OPEN = frozenset({GateState.APPROVED, GateState.EXPIRING})
EXPIRING_WITHIN = timedelta(days=30)


def state_at(*, stored: str, expires_at: datetime | None, at: datetime) -> GateState:
    """An approval holds until `expires_at`, not at it; a stored value that nobody knows needs review."""
    if stored not in STORED:
        return GateState.NEEDS_REVIEW
    if stored != GateState.APPROVED or expires_at is None or expires_at - EXPIRING_WITHIN > at:
        return GateState(stored)
    return GateState.EXPIRED if expires_at <= at else GateState.EXPIRING


def days_left(*, expires_at: datetime | None, at: datetime) -> int | None:
    """Whole days until the approval ends, negative after it; None where it has no end."""
    return None if expires_at is None else (expires_at - at).days
