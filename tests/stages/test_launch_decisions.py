"""An open box is a release decision: going live, issuing, and major price changes wait, or somebody signs."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from compliance.launch import check, exceptions, go_live, tasks
from compliance.launch.invariants import INVARIANTS
from compliance.launch.models import ExceptionSignature, GoLiveDecision, LaunchException
from core import activation, audit
from core.activation import NotYetError
from core.errors import InvalidInputError, NotAllowedError
from core.models import Job
from invoicing.cycle import finalize
from invoicing.cycle.models import Invoice
from invoicing.effects import run as effects
from invoicing.pricing import fee_programs, invoice_terms, prices
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, PriceVersion
from tests.builders import billing, guards, launch, shared
from tests.builders.billing import DECEMBER
from tests.builders.launch import CHECKED
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db
REQUIRED = {"launch": {"required": True, "major_change_percent": "10"}}
LATER = CHECKED + timedelta(hours=1)
EVERY_BOX = [
    "backup_restored",
    "books_tie",
    "contracts_proved",
    "gates_rechecked",
    "invariants_clean",
    "last_close_traced",
    "policy_signed",
    "replay_stable",
    "samples_accepted",
]


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[billing.Company]:
    """49.00 + 3.00 drafted for October, a policy that asks for a launch since, and a check with four open boxes."""
    with shared.world(django_db_blocker):
        company = billing.open_company()
        billing.billed_customer(company)
        billing.sign_a_policy(author=company.meter.owner, terms=REQUIRED, at=billing.CLOSING)
        launch.run_check()
        yield company


def decide(outcome: str = "live", *, program: str = "standard", at: Any = LATER) -> GoLiveDecision:
    actor = billing.person("pia", "product")
    return go_live.decide(program=program, outcome=outcome, reason="the pilot went well", actor=actor, at=at)


def propose(
    boxes: list[str], *, ends_at: Any = CHECKED + timedelta(days=7), program: str = "standard"
) -> LaunchException:
    return exceptions.propose_exception(
        program=program,
        boxes=boxes,
        reason="the first drill is on Friday",
        ends_at=ends_at,
        actor=billing.person("olaf", "engineering"),
        at=CHECKED,
    )


def propose_fee(amount: str, *, of: billing.Company) -> PriceVersion:
    return prices.propose_price_version(
        charge=of.plan.charges.get(meter=None),
        model="flat",
        params={"amount": amount},
        effective_at=DECEMBER,
        actor=billing.person("pia", "product"),
        at=CHECKED,
    )


def approve(price: PriceVersion) -> PriceVersion:
    return prices.approve_price_version(pk=price.pk, actor=billing.approver(), at=LATER)


def work_out(price: PriceVersion) -> None:
    asked = effects.ask(subject=price, actor=billing.person("pia", "product"), at=CHECKED)
    effects.answer(run_id=asked.pk, at=CHECKED)


def test_every_day_a_check_runs_where_a_policy_asks_for_a_launch(company: billing.Company) -> None:
    tasks.look_every_day()
    assert Job.objects.filter(kind=check.JOB).count() == 1


class TestGoingLive:
    def test_it_is_refused_with_the_names_of_the_open_boxes(self, company: billing.Company) -> None:
        with pytest.raises(NotYetError) as refused:
            decide()
        [refusal] = refused.value.refusals
        assert refusal.code == "launch_boxes_open"
        assert refusal.sentence == (
            "Going live waits, for 4 boxes of the launch checklist are open for standard: Identical replay stable"
            " (standard), Sample accounts walked and accepted (standard), Totals tie to the ledger and the export,"
            " Backup restored."
        )
        assert refusal.remedy == "Close them, or have finance and ops sign an exception with an end."
        assert not GoLiveDecision.objects.exists()

    def test_stopping_is_never_refused_and_ends_it(self, company: billing.Company) -> None:
        launch.sign(propose(EVERY_BOX))
        decide()
        decide("stopped")
        assert not go_live.is_live("standard")

    def test_engineers_and_auditors_do_not_decide(self) -> None:
        for role in ("engineering", "auditor"):
            with pytest.raises(NotAllowedError):
                go_live.decide(
                    program="standard", outcome="live", reason="x", actor=billing.person(f"a-{role}", role), at=LATER
                )


class TestExceptions:
    def test_two_signatures_let_the_named_boxes_stand_open_until_the_end(self, company: billing.Company) -> None:
        asked = propose(["replay_stable", "samples_accepted", "books_tie", "backup_restored"])
        with pytest.raises(NotYetError):
            decide()
        launch.sign(asked)
        decision = decide()
        excepted = {one["box"] for one in decision.boxes if one["exception"] == asked.pk}
        assert excepted == {"replay_stable", "samples_accepted", "books_tie", "backup_restored"}
        decide("stopped")
        with pytest.raises(NotYetError):
            decide(at=asked.ends_at)

    def test_it_covers_only_what_it_names_and_only_its_program(self, company: billing.Company) -> None:
        launch.sign(propose(["replay_stable", "samples_accepted", "books_tie"]))
        launch.sign(propose(EVERY_BOX, program="partners"))
        with pytest.raises(NotYetError, match=r"1 box .* for standard: Backup restored\."):
            decide()

    def test_its_author_does_not_sign_and_nobody_signs_twice(self, company: billing.Company) -> None:
        asked = propose(["books_tie"])
        given: dict[str, Any] = {"exception_id": asked.pk, "content_hash": asked.content_hash, "at": LATER}
        author = billing.person("olaf", "engineering", "finance", "ops")
        with pytest.raises(NotAllowedError, match="Whoever proposed an exception does not sign it"):
            exceptions.sign_exception(role="finance", actor=author, **given)
        both = billing.person("both", "finance", "ops")
        exceptions.sign_exception(role="finance", actor=both, **given)
        with pytest.raises(NotAllowedError, match="two different people sign"):
            exceptions.sign_exception(role="ops", actor=both, **given)
        with pytest.raises(NotAllowedError, match="product does not sign"):
            exceptions.sign_exception(role="product", actor=billing.person("pia", "product"), **given)
        with pytest.raises(exceptions.OtherContentError):
            exceptions.sign_exception(
                role="ops", actor=billing.person("opa", "ops"), **{**given, "content_hash": "0" * 64}
            )
        with pytest.raises(exceptions.ExceptionOverError):
            exceptions.sign_exception(role="ops", actor=billing.person("opa", "ops"), **{**given, "at": asked.ends_at})
        assert exceptions.missing_roles(asked) == ["ops"]

    def test_what_makes_no_sense_is_named_by_pointer(self) -> None:
        for given, pointer in (
            ({"boxes": ["sunshine"]}, "/boxes"),
            ({"boxes": ["books_tie"], "ends_at": CHECKED + timedelta(days=32)}, "/ends_at"),
        ):
            with pytest.raises(InvalidInputError) as refused:
                propose(**given)
            assert refused.value.pointer == pointer

    def test_postgresql_refuses_what_the_stages_refuse(self, company: billing.Company) -> None:
        asked = propose(["books_tie"])
        entry = audit.append_entry(action="x", subject="x", actor=None, facts={}, at=LATER)
        someone = billing.person("someone", "finance")
        usual = {"exception": asked, "role": "finance", "person": someone, "content_hash": asked.content_hash}
        for changed in ({"person": asked.proposed_by}, {"content_hash": "0" * 64}, {"at": asked.ends_at}):
            with pytest.raises(IntegrityError), transaction.atomic():
                ExceptionSignature.objects.create(**{**usual, "at": LATER, "audit_entry": entry, **changed})
        launch.sign(propose(EVERY_BOX))
        decide()
        for model in (LaunchException, ExceptionSignature, GoLiveDecision):
            assert guards.keeps_its_rows(model), model
        assert guards.refuses("UPDATE launch_launchexception SET ends_at = ends_at + interval '1 day'")
        assert guards.refuses("UPDATE launch_golivedecision SET outcome = 'stopped'")


class TestIssuing:
    def test_an_invoice_waits_until_its_program_is_live(self, company: billing.Company) -> None:
        invoice = billing.approve_by(company.finance, Invoice.objects.get(), at=LATER)
        with pytest.raises(NotYetError) as refused:
            finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=LATER)
        assert [one.code for one in refused.value.refusals] == ["not_live"]
        assert refused.value.message == (
            "standard is not live, and its policy issues nothing before that. Close every box of the launch checklist"
            " and declare the program live."
        )
        launch.sign(propose(EVERY_BOX))
        decide()
        issued = finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=LATER)
        assert issued.number == "INV-000001"
        decide("stopped")
        assert [one.code for one in activation.find_refusals(issued, at=LATER)] == ["not_live"]


class TestPricing:
    def test_an_unknown_effect_counts_as_major_and_says_where_to_ask(self, company: billing.Company) -> None:
        price = propose_fee("59", of=company)
        with pytest.raises(NotYetError) as refused:
            approve(price)
        [refusal] = refused.value.refusals
        assert refusal.code == "effect_unknown"
        assert refusal.link == f"/admin/pricing/priceversion/{price.pk}/change/"

    def test_a_major_change_waits_for_the_boxes_and_a_minor_one_does_not(self, company: billing.Company) -> None:
        major, minor = propose_fee("59", of=company), propose_fee("50", of=company)
        for price in (major, minor):
            work_out(price)
        with pytest.raises(NotYetError) as refused:
            approve(major)
        [refusal] = refused.value.refusals
        assert refusal.code == "launch_boxes_open"
        # 49.00 + 3.00 before, 59.00 + 3.00 after: 19.2 %
        assert "the last period of acme: 52.00 before, 62.00 after" in refusal.sentence
        assert "4 boxes of the launch checklist are open for standard" in refusal.sentence
        assert approve(minor).status == "approved"

    def test_a_signed_exception_lets_it_pass(self, company: billing.Company) -> None:
        price = propose_fee("59", of=company)
        work_out(price)
        launch.sign(propose(EVERY_BOX))
        assert approve(price).status == "approved"

    def test_a_change_of_a_plan_that_nobody_of_the_program_is_on_passes(self, company: billing.Company) -> None:
        spare = billing.make_plan("spare", finance=company.finance, fee="10", meter=None)
        assert spare.charges.get().price_versions.get().status == "approved"

    def test_a_discount_on_a_plan_is_held_against_its_percent(self, company: billing.Company) -> None:
        terms = [
            invoice_terms.propose_invoice_term(
                subject=company.plan,
                code=code,
                kind="allowance",
                reason="partners",
                percent=billing.Decimal(percent),
                effective_at=DECEMBER,
                actor=billing.person("pia", "product"),
                at=CHECKED,
            )
            for code, percent in (("small", 10), ("large", 11))
        ]
        small, large = terms
        approved = invoice_terms.approve_invoice_term(pk=small.pk, actor=billing.approver(), at=LATER)
        assert approved.status == "approved"
        with pytest.raises(NotYetError, match="11 % of every bill"):
            invoice_terms.approve_invoice_term(pk=large.pk, actor=billing.approver(), at=LATER)

    def test_a_fee_table_that_customers_pay_by_is_major(self, company: billing.Company) -> None:
        program = fee_programs.create_program(
            code="acquirer", name="Acquirer", takes_effect="at_once", actor=billing.approver(), at=CHECKED
        )
        free, held = (propose_table(program, rate) for rate in ("1.4", "1.5"))
        assert fee_programs.approve_version(pk=free.pk, actor=billing.approver(), at=LATER).status == "approved"
        billing.set_price(
            company.plan,
            meter=billing.make_meter("volume", event_type="volume", owner=company.meter.owner),
            model="fee_program",
            params={"program": "acquirer"},
            finance=company.finance,
        )
        with pytest.raises(NotYetError, match="what a fee table changes cannot be told beforehand"):
            fee_programs.approve_version(pk=held.pk, actor=billing.approver(), at=LATER)


def propose_table(program: FeeProgram, rate: str) -> FeeProgramVersion:
    return fee_programs.propose_version(
        program=program,
        terms={"tables": [{"currency": "EUR", "rate_percent": rate, "fixed": "0.25"}]},
        source=Source(text="our contract", read_on=date(2026, 1, 1), kind="primary"),
        effective_at=DECEMBER + timedelta(days=int(rate[-1])),
        actor=billing.person("pia", "product"),
        at=CHECKED,
    )


def test_an_offence_against_an_invariant_is_found(company: billing.Company) -> None:
    launch.sign(propose(EVERY_BOX))
    decide()
    invoice = billing.approve_by(company.finance, Invoice.objects.get(), at=LATER)
    finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=LATER)
    found = {one.name: one for one in INVARIANTS if one.name in launch.DECISION_OFFENCES}
    assert found.keys() == launch.DECISION_OFFENCES.keys()
    assert [offence for one in INVARIANTS for offence in one.find_offenders()] == []
    for name, planted in launch.DECISION_OFFENCES.items():
        with transaction.atomic():
            tamper(planted)
            assert found[name].find_offenders(), name
            transaction.set_rollback(True)
