"""Fee programs: proposed by one person, approved by another, fixed for ever; and those that come with the product."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from core import audit
from core.errors import NotAllowedError, NotFoundError
from invoicing.pricing import fee_programs, proposals, shipped_programs
from invoicing.pricing.fee_programs import ProgramTakenError, ProgramUnfitError, Source
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, Plan
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.params import ParamsError
from invoicing.rating import rules
from invoicing.rating.rules import fees
from invoicing.rating.rules.fees import Transaction
from tests.builders import agreements, guards
from tests.builders.agreements import BEFORE, START, day

pytestmark = pytest.mark.django_db
CARD = {"tables": [{"currency": "EUR", "rate_percent": "2.9", "fixed": "0.30"}]}
CONNECT = {"tables": [{"currency": "EUR", "rate_percent": "0.25", "per_account": "2.00"}]}
PAGE = Source(text="the provider's page", read_on=date(2026, 1, 2), kind="secondary")


def program(code: str = "card", takes_effect: str = "at_once") -> FeeProgram:
    return fee_programs.create_program(
        code=code, name=code.title(), takes_effect=takes_effect, actor=agreements.author(), at=BEFORE
    )


def propose(of: FeeProgram, terms: Any = CARD, *, effective_at: datetime = START, **facts: Any) -> FeeProgramVersion:
    usual = {"source": PAGE, "actor": agreements.author(), "at": BEFORE}
    return fee_programs.propose_version(program=of, terms=terms, effective_at=effective_at, **{**usual, **facts})


def approve(version: FeeProgramVersion, at: datetime = BEFORE) -> FeeProgramVersion:
    return fee_programs.approve_version(pk=version.pk, actor=agreements.approver(), at=at)


def test_a_version_counts_once_another_person_has_approved_it() -> None:
    version = propose(program())
    assert fee_programs.versions_in_time(["card"]) == {}
    approve(version)
    (stretch,) = fee_programs.versions_in_time(["card"])["card"]
    assert (stretch.key, stretch.start, stretch.end) == (version.pk, START, None)


def test_versions_follow_each_other_in_time() -> None:
    card = program()
    first, second = approve(propose(card)), approve(propose(card, effective_at=day(10)))
    assert [(one.key, one.end) for one in fee_programs.versions_in_time(["card"])["card"]] == [
        (first.pk, day(10)),
        (second.pk, None),
    ]


def test_nobody_approves_what_they_proposed() -> None:
    fay = agreements.approver()
    version = propose(program(), actor=fay)
    with pytest.raises(proposals.OwnProposalError):
        fee_programs.approve_version(pk=version.pk, actor=fay, at=BEFORE)
    approve_it = "UPDATE pricing_feeprogramversion SET status = 'approved', decided_at = now(), decided_by_id = %s"
    assert guards.refuses(approve_it, [fay.pk])


@pytest.mark.parametrize("role", ["ops", "engineering", "auditor"])
def test_only_product_and_finance_propose_and_only_finance_approves(role: str) -> None:
    card, stranger = program(), agreements.person("sam", role)
    with pytest.raises(NotAllowedError):
        propose(card, actor=stranger)
    with pytest.raises(NotAllowedError):
        fee_programs.create_program(code="x", name="X", takes_effect="at_once", actor=stranger, at=BEFORE)
    version = propose(card, actor=agreements.approver())
    for person in (stranger, agreements.author()):
        with pytest.raises(NotAllowedError):
            fee_programs.approve_version(pk=version.pk, actor=person, at=BEFORE)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE pricing_feeprogramversion SET terms = '{}'",
        "UPDATE pricing_feeprogramversion SET source = 'elsewhere'",
        "UPDATE pricing_feeprogramversion SET effective_at = now()",
        "UPDATE pricing_feeprogramversion SET status = 'proposed', decided_by_id = NULL, decided_at = NULL",
        "DELETE FROM pricing_feeprogramversion",
        "TRUNCATE pricing_feeprogramversion CASCADE",
        "UPDATE pricing_feeprogram SET takes_effect = 'next_period'",
        "DELETE FROM pricing_feeprogram",
    ],
)
def test_an_approved_version_never_changes(statement: str) -> None:
    approve(propose(program()))
    assert guards.refuses(statement)


def test_a_withdrawn_version_never_counts() -> None:
    version = propose(program())
    fee_programs.withdraw_version(pk=version.pk, actor=agreements.author(), at=BEFORE)
    assert fee_programs.versions_in_time(["card"]) == {}
    with pytest.raises(proposals.NotProposedError):
        approve(version)


def test_what_is_in_force_is_followed_and_never_rewritten() -> None:
    card = program()
    approve(propose(card))
    with pytest.raises(proposals.EarlierThanInForceError):
        propose(card, effective_at=START - timedelta(days=1), at=day(5))


def test_every_decision_is_in_the_audit_chain() -> None:
    approve(propose(program()))
    actions = [(each.action, each.subject) for each in audit.AuditEntry.objects.order_by("pk")]
    assert actions == [("version_proposed", "fee_program:card/1"), ("version_approved", "fee_program:card/1")]


def test_wrong_terms_are_refused_with_their_place() -> None:
    with pytest.raises(ParamsError) as caught:
        propose(program(), {"tables": [{"currency": "EUR", "rate_percent": 2.9}]})
    assert caught.value.pointer == "/terms/tables/0/rate_percent"


def test_a_program_that_counts_accounts_changes_with_the_period() -> None:
    with pytest.raises(ProgramUnfitError, match="could count twice"):
        propose(program(), CONNECT)
    assert propose(program("connect", "next_period"), CONNECT).version == 1


def test_a_code_is_given_once() -> None:
    program()
    with pytest.raises(ProgramTakenError):
        program()


def test_a_source_is_named() -> None:
    nameless = Source(text="", read_on=date(2026, 1, 2), kind="secondary")
    with pytest.raises(IntegrityError):
        propose(program(), source=nameless)


def test_a_charge_names_a_program_with_a_table_in_its_currency() -> None:
    plan = agreements.plan(currency="USD")
    with pytest.raises(NotFoundError):
        fee_programs.check_charge(FeeProgramParams(program="card"), plan=plan)
    propose(program())
    with pytest.raises(ProgramUnfitError, match="no table in USD"):
        fee_programs.check_charge(FeeProgramParams(program="card"), plan=plan)


def test_accounts_are_counted_only_by_plans_that_bill_monthly() -> None:
    propose(program("connect", "next_period"), CONNECT)
    fee_programs.check_charge(FeeProgramParams(program="connect"), plan=agreements.plan())
    yearly = agreements.plan("yearly", interval=Plan.Interval.YEAR)
    with pytest.raises(ProgramUnfitError, match="does not bill monthly"):
        fee_programs.check_charge(FeeProgramParams(program="connect"), plan=yearly)


# What the shipped tables make of payments: the published and derived cases of tests/vectors/data/fees.json, by id.
SHIPPED = [
    ("stripe-standard", "USD", {"amount": "100.00"}, "3.20"),  # fees-0001
    ("stripe-standard", "USD", {"amount": "100.00", "flags": ["international"]}, "4.70"),  # fees-0010
    ("stripe-standard", "USD", {"amount": "100.00", "flags": ["manual", "international", "conversion"]}, "6.20"),
    ("stripe-managed-payments", "USD", {"amount": "10.00"}, "0.35"),  # fees-0033
    ("stripe-managed-payments", "USD", {"amount": "10.00", "status": "failed"}, "0.00"),  # fees-0034
    ("stripe-connect", "USD", {"amount": "100.00", "account": "a"}, "2.50"),  # fees-0045
    ("stripe-connect", "CAD", {"amount": "100.00", "account": "a", "country": "CA"}, "2.50"),
    ("stripe-connect-stripe-pricing", "USD", {"amount": "5.00", "account": "a"}, "0.00"),  # fees-0077
    ("stripe-ach-debit", "USD", {"amount": "0.50"}, "0.01"),  # fees-0023
    ("stripe-ach-debit", "USD", {"amount": "10000.00"}, "5.00"),  # fees-0027
    ("stripe-link-bank", "USD", {"amount": "49.99"}, "1.60"),  # fees-0076
    ("stripe-klarna", "USD", {"amount": "100.00"}, "6.29"),  # fees-0065
    ("stripe-terminal", "USD", {"amount": "100.00"}, "2.75"),  # fees-0064
    ("stripe-instant-payout", "USD", {"amount": "20.00"}, "0.50"),  # fees-0050
    ("stripe-global-payout-bank", "USD", {"amount": "20.00"}, "1.50"),  # fees-0061
    ("stripe-global-payout-card", "USD", {"amount": "20.00"}, "2.00"),  # fees-0063
    ("stripe-dispute", "USD", {"amount": "0"}, "15.00"),  # a third of fees-0060
    ("stripe-billing", "USD", {"amount": "1000.00"}, "7.00"),  # fees-0053
    ("stripe-invoicing", "USD", {"amount": "250.00"}, "1.00"),  # fees-0056
    ("stripe-post-payment-invoice", "USD", {"amount": "600.00"}, "2.00"),  # fees-0058
    ("stripe-standard-japan", "JPY", {"amount": "10001"}, "360"),  # fees-0070
    ("accept-io-card", "GBP", {"amount": "10.00"}, "0.18"),  # fees-0029
]


def load() -> shipped_programs.Loaded:
    return shipped_programs.load_programs(actor=agreements.author(), at=BEFORE)


@pytest.mark.parametrize(("code", "currency", "paid", "fee"), SHIPPED)
def test_the_shipped_figures_are_the_published_ones(code: str, currency: str, paid: Any, fee: str) -> None:
    load()
    flags = frozenset(paid.pop("flags", []))
    payment = Transaction(amount=Decimal(paid.pop("amount")), flags=flags, **paid)
    terms = fee_programs.read_terms(FeeProgramVersion.objects.get(program__code=code))
    steps = fees.price_transactions(terms=terms, currency=currency, transactions=[payment])
    assert round(rules.add_up(steps).amount_exact, 2) == Decimal(fee)


def test_every_shipped_program_is_tried_above() -> None:
    load()
    assert set(FeeProgram.objects.values_list("code", flat=True)) == {code for code, *_ in SHIPPED}


def test_shipped_figures_wait_for_approval_and_say_where_they_were_read() -> None:
    assert load() == shipped_programs.Loaded(programs=17, proposed=17, known=0)
    version = FeeProgramVersion.objects.get(program__code="stripe-standard")
    assert (version.status, version.source_kind, version.source_date) == ("proposed", "secondary", date(2026, 9, 20))
    assert version.source.startswith("stripe.com/pricing")
    assert version.effective_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_loading_again_proposes_nothing() -> None:
    load()
    assert load() == shipped_programs.Loaded(programs=0, proposed=0, known=17)


def test_the_command_names_its_author_and_says_what_it_did(tmp_path: Any) -> None:
    agreements.author()
    out = StringIO()
    call_command("load_fee_programs", "--author", "pia", stdout=out)
    assert out.getvalue() == "new programs 17; versions proposed 17; known already 0\n"
    with pytest.raises(CommandError, match="There is no user nobody"):
        call_command("load_fee_programs", "--author", "nobody")
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_fee_programs", str(broken), "--author", "pia")
    agreements.person("sam", "ops")
    with pytest.raises(CommandError, match="Only"):
        call_command("load_fee_programs", "--author", "sam")
