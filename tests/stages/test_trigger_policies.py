"""Trigger policies: proposed, signed by three, in force from their instant on, and asked by the close."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User

from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry
from invoicing.cycle.models import Invoice
from invoicing.policy import begin, propose, queries, sign
from invoicing.policy.models import SignOff, TriggerPolicy
from tests.builders import billing, guards
from tests.builders.billing import CLOSING, NOVEMBER

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


@pytest.fixture
def people() -> dict[str, User]:
    """One person per role that signs, and an author in engineering."""
    return {role: billing.person(f"the-{role}", role) for role in ("product", "finance", "ops", "engineering")}


@pytest.fixture
def proposal(people: dict[str, User]) -> TriggerPolicy:
    return propose_next(people)


def propose_next(people: dict[str, User], *, begins: datetime = NOW, **terms: object) -> TriggerPolicy:
    return propose.propose_policy(
        program="standard", terms=terms, effective_at=begins, reason="to bill", actor=people["engineering"], at=NOW
    )


def sign_as(user: User, role: str, policy: TriggerPolicy, *, at: datetime = NOW) -> TriggerPolicy:
    return sign.sign_policy(policy_id=policy.pk, content_hash=policy.content_hash, role=role, actor=user, at=at)


def sign_all(people: dict[str, User], policy: TriggerPolicy, *, at: datetime = NOW) -> TriggerPolicy:
    for role in ("product", "finance", "ops"):
        policy = sign_as(people[role], role, policy, at=at)
    return policy


class TestProposing:
    def test_versions_are_counted_by_program(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        assert (str(proposal), proposal.status) == ("standard v1", "proposed")
        assert str(propose_next(people)) == "standard v2"

    def test_it_is_in_the_audit_chain(self, proposal: TriggerPolicy) -> None:
        entry = AuditEntry.objects.get(action="policy.proposed")
        assert entry.facts["content_hash"] == proposal.content_hash

    def test_an_instant_in_the_past_is_refused(self, people: dict[str, User]) -> None:
        with pytest.raises(InvalidInputError, match="never in the past"):
            propose_next(people, begins=NOW - timedelta(seconds=1))

    def test_an_auditor_proposes_nothing(self) -> None:
        with pytest.raises(NotAllowedError):
            propose_next({"engineering": billing.person("audrey", "auditor")})

    def test_a_proposal_can_be_withdrawn_with_a_reason(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        with pytest.raises(InvalidInputError):
            propose.withdraw_policy(policy_id=proposal.pk, reason=" ", actor=people["ops"], at=NOW)
        propose.withdraw_policy(policy_id=proposal.pk, reason="a typo", actor=people["ops"], at=NOW)
        with pytest.raises(propose.PolicyDecidedError):
            sign_as(people["ops"], "ops", proposal)


class TestSigning:
    def test_with_the_third_signature_it_counts(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        sign_as(people["product"], "product", proposal)
        sign_as(people["ops"], "ops", proposal)
        assert queries.policies_in_force(["standard"], at=LATER) == {}
        assert sign_as(people["finance"], "finance", proposal, at=LATER).status == "signed"
        assert queries.policies_in_force(["standard"], at=LATER) == {"standard": proposal}
        assert queries.policies_in_force(["standard"], at=LATER - timedelta(seconds=1)) == {}

    def test_every_signature_names_person_role_and_content(
        self, people: dict[str, User], proposal: TriggerPolicy
    ) -> None:
        sign_all(people, proposal)
        assert set(SignOff.objects.values_list("role", "person", "content_hash")) == {
            (role, people[role].pk, proposal.content_hash) for role in ("product", "finance", "ops")
        }
        assert AuditEntry.objects.filter(action="policy.sign_off").count() == 3

    def test_a_hash_of_other_content_is_refused(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        with pytest.raises(sign.OtherContentError):
            sign.sign_policy(policy_id=proposal.pk, content_hash="0" * 64, role="ops", actor=people["ops"], at=NOW)

    def test_the_author_does_not_sign(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        people["engineering"].groups.add(Group.objects.get(name="ops"))
        with pytest.raises(NotAllowedError, match="proposed"):
            sign_as(people["engineering"], "ops", proposal)

    def test_nobody_signs_twice_in_two_roles(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        people["ops"].groups.add(Group.objects.get(name="product"))
        sign_as(people["ops"], "ops", proposal)
        with pytest.raises(NotAllowedError, match="three different people"):
            sign_as(people["ops"], "product", proposal)

    def test_a_superuser_without_the_role_signs_nothing(self, proposal: TriggerPolicy) -> None:
        root = User.objects.create_superuser("root")
        for role in ("product", "finance", "ops"):
            with pytest.raises(NotAllowedError, match="Only"):
                sign_as(root, role, proposal)
        assert not SignOff.objects.exists()

    def test_a_role_lost_before_the_third_signature_has_to_sign_again(
        self, people: dict[str, User], proposal: TriggerPolicy
    ) -> None:
        sign_as(people["product"], "product", proposal)
        sign_as(people["finance"], "finance", proposal)
        people["product"].groups.clear()
        with pytest.raises(sign.SignaturesLapsedError, match=r"the-product \(product\)"):
            sign_as(people["ops"], "ops", proposal)
        proposal.refresh_from_db()
        assert proposal.status == "proposed"
        assert queries.policies_in_force(["standard"], at=LATER) == {}
        signed = sign_as(billing.person("another", "product"), "product", proposal, at=LATER)
        assert signed.status == "signed"

    def test_a_newer_version_replaces_it_at_its_instant(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        sign_all(people, proposal)
        following = sign_all(people, propose_next(people, begins=LATER))
        begin.begin_due_policies(at=LATER)
        before = queries.policies_in_force(["standard"], at=LATER - timedelta(microseconds=1))
        assert before == {"standard": proposal}
        assert queries.policies_in_force(["standard"], at=LATER) == {"standard": following}

    def test_two_versions_never_begin_at_one_instant(self, people: dict[str, User], proposal: TriggerPolicy) -> None:
        sign_all(people, proposal)
        rival = propose_next(people)
        with pytest.raises(sign.SameInstantError):
            sign_all(people, rival)


class TestBeginning:
    """A version that was signed ahead of its instant."""

    def test_it_begins_at_its_instant_and_not_before(self, people: dict[str, User]) -> None:
        policy = sign_all(people, propose_next(people, begins=LATER))
        assert begin.begin_due_policies(at=LATER - timedelta(seconds=1)) == []
        [beginning] = begin.begin_due_policies(at=LATER)
        assert (beginning.policy, beginning.holds) == (policy, True)
        assert begin.begin_due_policies(at=LATER) == []
        assert queries.policies_in_force(["standard"], at=LATER) == {"standard": policy}
        people["ops"].groups.clear()  # whoever leaves later takes nothing along
        assert queries.policies_in_force(["standard"], at=LATER + timedelta(days=9)) == {"standard": policy}

    def test_a_role_lost_between_signing_and_beginning_makes_it_lapse(self, people: dict[str, User]) -> None:
        before = sign_all(people, propose_next(people))
        sign_all(people, propose_next(people, begins=LATER))
        people["ops"].groups.clear()
        [beginning] = begin.begin_due_policies(at=LATER)
        assert (beginning.holds, beginning.gone) == (False, "the-ops (ops)")
        assert AuditEntry.objects.filter(action="policy.lapsed").count() == 1
        people["ops"].groups.add(Group.objects.get(name="ops"))  # too late
        assert begin.begin_due_policies(at=LATER + timedelta(days=1)) == []
        assert queries.policies_in_force(["standard"], at=LATER) == {"standard": before}

    def test_the_close_looks_at_it_first(self, people: dict[str, User]) -> None:
        company = billing.open_company()
        policy = sign_all(people, propose_next(people, begins=LATER))
        billing.subscribe_to(company, billing.make_customer("acme"))
        billing.close_october(at=LATER)
        assert Invoice.objects.get().policy == policy

    def test_postgresql_lets_none_begin_without_its_signers(self, people: dict[str, User]) -> None:
        policy = sign_all(people, propose_next(people, begins=LATER))
        people["finance"].groups.clear()
        statement = "INSERT INTO policy_policybeginning (policy_id, holds, gone, at) VALUES (%s, true, '', now())"
        assert guards.refuses(statement, [policy.pk])


class TestWhatPostgresqlRefuses:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE policy_triggerpolicy SET terms = '{}'",
            "UPDATE policy_triggerpolicy SET effective_at = now()",
            "UPDATE policy_triggerpolicy SET status = 'signed', decided_at = now()",
            "UPDATE policy_signoff SET person_id = person_id + 1",
            "UPDATE policy_signoff SET content_hash = repeat('0', 64)",
            (
                "INSERT INTO policy_signoff (policy_id, role, person_id, content_hash, signed_at, audit_entry_id)"
                " SELECT policy.id, 'ops', policy.proposed_by_id, policy.content_hash, now(), 1"
                " FROM policy_triggerpolicy policy"
            ),
        ],
    )
    def test_changing_or_forging_what_was_signed(
        self, people: dict[str, User], proposal: TriggerPolicy, statement: str
    ) -> None:
        sign_as(people["product"], "product", proposal)
        assert guards.refuses(statement)

    @pytest.mark.parametrize("model", [TriggerPolicy, SignOff])
    def test_rows_that_go(
        self, people: dict[str, User], proposal: TriggerPolicy, model: type[TriggerPolicy] | type[SignOff]
    ) -> None:
        sign_as(people["product"], "product", proposal)
        assert guards.keeps_its_rows(model)

    def test_an_invoice_without_a_policy(self) -> None:
        billing.billed_customer(billing.open_company())
        columns = "cycle_id, customer_id, seller_id, watermark_id, currency, period_start, period_end, parties"
        columns += ", terms_days, subtotal, tax, total, content_hash, drafted_at, approved_hash"
        assert guards.refuses(
            f"INSERT INTO cycle_invoice (status, revision, {columns})"  # noqa: S608  fixed text
            f" SELECT 'discarded', 0, {columns} FROM cycle_invoice"
        )


class TestTheClose:
    def test_an_invoice_names_the_version_that_decided(self) -> None:
        invoice = billing.billed_customer(billing.open_company())
        assert str(invoice.policy) == "standard v1"

    def test_customers_of_a_program_without_a_policy_are_not_invoiced(self) -> None:
        company = billing.open_company()
        billing.subscribe_to(company, billing.make_customer("acme", program="partners"))
        billing.subscribe_to(company, billing.make_customer("globex"))
        report = billing.close_october()
        [failure] = report.failed
        assert (report.drafted, failure.customer) == (1, "acme")
        assert "No trigger policy decides over the program partners" in failure.reason
        assert queries.programs_without_policy(at=CLOSING) == ["partners"]
        billing.sign_a_policy(author=billing.person("olaf", "engineering"), program="partners")
        assert billing.close_october().drafted == 1
        assert queries.programs_without_policy(at=CLOSING) == []

    def test_a_period_waits_for_the_grace_of_its_policy(self) -> None:
        company = billing.open_company()
        terms = {"late_usage": {"grace_hours": "48"}}
        since = billing.LONG_AGO + timedelta(days=1)
        policy = billing.sign_a_policy(author=billing.person("olaf", "engineering"), terms=terms, at=since)
        billing.subscribe_to(company, billing.make_customer("acme"))
        end_of_grace = NOVEMBER + timedelta(hours=48)
        early = end_of_grace - timedelta(microseconds=1)
        assert billing.close_october(as_of=early, at=early).drafted == 0
        assert billing.close_october(as_of=end_of_grace, at=end_of_grace).drafted == 1
        assert Invoice.objects.get().policy == policy
