"""What fee programs will have cost by the end of running periods, projected from sums of usage."""

from collections.abc import Sequence
from datetime import datetime

from invoicing.exposure import read_usage
from invoicing.exposure.models import ProgramCost
from invoicing.exposure.price import PricedBill
from invoicing.rating import project

FIGURES = ["period_end", "so_far", "at_end", "active_accounts", "expected_accounts", "as_of", "watermark_seq"]


def project_costs(bills: Sequence[PricedBill], *, watermark_seq: int, at: datetime) -> list[ProgramCost]:
    """One row for each charge by a program in a running period; none while its sums are being caught up.

    Bills of subscriptions whose costs cannot be projected get to know why.
    """
    running = [
        one
        for priced in bills
        if priced.running is not None
        for one in priced.lines
        if one.segment.fee_version_id is not None
    ]
    if not running:
        return []
    caught_up = read_usage.are_caught_up([one.segment for one in running])
    behind = {one.segment.subscription_id for one, is_there in zip(running, caught_up, strict=True) if not is_there}
    customers = {one.segment.subscription_id: one.segment.customer_id for one in running}
    ids = sorted(customers.keys() - behind)
    projections, failures = project.project_each(ids, at=at, reader=read_usage.read_parts)
    for priced in bills:
        reason = failures.get(priced.bill.due.subscription_id)
        if reason and priced.running is not None:
            priced.flaws.append(reason)
    return [
        ProgramCost(
            subscription_id=one.subscription_id,
            customer_id=customers[one.subscription_id],
            program=one.version.program,
            charge_code=one.charge.code,
            currency=one.currency,
            period_start=one.period.start,
            period_end=one.period.end,
            so_far=one.projected.so_far,
            at_end=one.projected.at_end,
            active_accounts=one.projected.active_accounts,
            expected_accounts=one.projected.expected_accounts,
            as_of=at,
            watermark_seq=watermark_seq,
        )
        for one in projections
    ]


def keep_costs(rows: Sequence[ProgramCost]) -> None:
    """Write these in the caller's transaction, over what was projected of the same periods before."""
    ProgramCost.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["subscription", "charge_code", "period_start"],
        update_fields=FIGURES,
    )
