"""Disputes over one invoice at the same moment: its hold on collection ends once, and with the last of them."""

import multiprocessing
from collections.abc import Sequence
from functools import partial

import pytest

from compliance.disputes import decide, invariants, keeping, opening
from compliance.disputes.models import Dispute
from compliance.disputes.opening import Claim
from core.models import AuditEntry
from invoicing.cycle.models import CollectionHold
from tests.builders import billing, racing
from tests.builders.disputes import NOON
from tests.builders.remembering import remembered

pytestmark = pytest.mark.django_db(transaction=True)
FORK = multiprocessing.get_context("fork")
INVOICES = 25


@pytest.fixture
def pairs() -> list[tuple[int, int]]:
    return open_pairs()


@remembered
def open_pairs() -> list[tuple[int, int]]:
    """Of each invoice two disputes, one over each line; the first of each pair holds the collection."""
    company = billing.open_company()
    ops = billing.person("olga", "ops")
    customers = [billing.billed_customer(company, f"customer{number}") for number in range(INVOICES)]
    found = []
    for invoice in billing.issue(company, customers):
        pair = [
            opening.open_for_staff(
                claim=Claim(invoice_id=invoice.pk, position=position, reason="quantity", text="Too much."),
                origin="back_office",
                actor=ops,
                at=NOON,
            ).pk
            for position in (1, 2)
        ]
        keeping.hold_collection(dispute_id=pair[0], reason="contested", actor=ops, at=NOON)
        found.append((pair[0], pair[1]))
    return found


def withdraw_all(disputes: Sequence[int], start: object) -> None:
    ops = billing.User.objects.get(username="olga")
    start.wait()  # type: ignore[attr-defined]  # a barrier of multiprocessing has no type to name
    for dispute_id in disputes:
        decide.withdraw(dispute_id=dispute_id, reason="They pay.", actor=ops, at=NOON)


def hold_all(disputes: Sequence[int], start: object) -> None:
    ops = billing.User.objects.get(username="olga")
    start.wait()  # type: ignore[attr-defined]  # as above
    for dispute_id in disputes:
        keeping.hold_collection(dispute_id=dispute_id, reason="contested too", actor=ops, at=NOON)


def offenders() -> list[str]:
    return [found for one in invariants.INVARIANTS for found in one.find_offenders()]


def test_of_two_that_close_at_once_the_second_lifts_the_hold(pairs: list[tuple[int, int]]) -> None:
    ops = billing.User.objects.get(username="olga")
    for _, second in pairs:
        keeping.hold_collection(dispute_id=second, reason="contested too", actor=ops, at=NOON)
    start = FORK.Barrier(2)
    racing.run_together(*(partial(withdraw_all, side, start) for side in zip(*pairs, strict=True)))
    assert not Dispute.objects.exclude(status="closed").exists()
    assert CollectionHold.objects.count() == INVOICES
    assert not CollectionHold.objects.filter(lifted_at=None).exists()
    assert AuditEntry.objects.filter(action="invoice.collection_lifted").count() == INVOICES
    assert offenders() == []


def test_one_that_asks_while_another_closes_has_its_hold(pairs: list[tuple[int, int]]) -> None:
    firsts, seconds = zip(*pairs, strict=True)
    start = FORK.Barrier(2)
    racing.run_together(partial(withdraw_all, firsts, start), partial(hold_all, seconds, start))
    standing = CollectionHold.objects.filter(lifted_at=None)
    assert standing.count() == INVOICES
    assert set(standing.values_list("invoice__disputes__holds__dispute", flat=True)) >= set(seconds)
    assert offenders() == []
