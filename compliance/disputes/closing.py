"""Close a dispute: what it held of the collection of its invoice ends with it, unless somebody keeps that."""

from datetime import datetime
from typing import Any

from compliance.disputes import keeping, move, talk
from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle


def close_dispute(
    dispute: Dispute,
    *,
    outcome: str,
    reason: str,
    told: str,
    facts: dict[str, Any] | None = None,
    actor: Any,
    at: datetime,
) -> None:
    """The last move of a locked dispute; the customer is told so, and whether the invoice is collected again.

    Every way to the end leads here. Without an actor the product closes it.
    """
    move.require_move(dispute, to_status=lifecycle.CLOSED, outcome=outcome)
    is_lifted = keeping.end_own_hold(dispute, outcome=outcome, actor=actor, at=at)
    move.move_dispute(
        dispute, to_status=lifecycle.CLOSED, outcome=outcome, actor=actor, reason=reason, facts=facts, at=at
    )
    talk.tell_customer(dispute, text=told, actor=actor, at=at)
    if is_lifted:
        talk.tell_customer(dispute, text=keeping.COLLECTED_AGAIN, actor=None, at=at)
