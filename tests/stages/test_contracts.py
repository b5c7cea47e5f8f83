"""Event contracts and meters: proved before they count, fixed afterwards."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from core.errors import InvalidInputError, NotFoundError
from core.models import AuditEntry
from metering import contracts, meters
from metering.contracts import AlreadyExistsError, NotADraftError, NotProvedError
from metering.models import EventContract, EventContractVersion, Meter, UsageEvent
from metering.rules.drafting import ContractDraft
from tests.builders import guards, usage
from tests.builders.usage import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def engineer() -> User:
    return usage.person("enza", "engineering")


def draft(**changes: Any) -> ContractDraft:
    content: dict[str, Any] = {
        "schema": {"properties": {"tokens": {"type": "integer"}, "model": {"type": "string"}}},
        "billing_fields": ["tokens"],
        "valid_examples": [{"tokens": 1}],
        "invalid_examples": [{"data": {"tokens": "many"}, "code": "schema_type", "pointer": "/data/tokens"}],
    }
    return ContractDraft(**content | changes)


def opened(engineer: User, **changes: Any) -> EventContract:
    return contracts.open_contract(
        event_type="llm.tokens", description="Tokens.", draft=draft(**changes), actor=engineer, at=NOON
    )


def activate(contract: EventContract, engineer: User, number: int = 1) -> EventContractVersion:
    version = contracts.get_version(contract.event_type, number)
    return contracts.activate_version(version_id=version.pk, actor=engineer, at=NOON)


def test_a_contract_accepts_nothing_until_a_version_is_in_force(engineer: User) -> None:
    usage.customer()
    contract = opened(engineer)
    event = usage.event(data={"tokens": 1})
    assert usage.capture(event).items[0].reasons[0].code == "contract_not_in_force"
    activate(contract, engineer)
    assert usage.capture(event).accepted == 1
    assert UsageEvent.objects.get().contract_version.version == 1


def test_one_call_opens_proves_and_puts_in_force(engineer: User) -> None:
    contract = contracts.open_contract(
        event_type="one.call", description="x", draft=draft(), is_activated=True, actor=engineer, at=NOON
    )
    version = contract.versions.get()
    assert (version.status, version.activated_by, version.activated_at) == ("active", engineer, NOON)
    entry = AuditEntry.objects.get(action="contract.activated")
    assert (entry.actor, entry.facts) == (engineer, {"type": "one.call", "version": 1})


def test_a_call_that_cannot_be_proved_leaves_nothing(engineer: User) -> None:
    with pytest.raises(NotProvedError) as refusal:
        contracts.open_contract(
            event_type="one.call",
            description="x",
            draft=draft(valid_examples=[{}]),
            is_activated=True,
            actor=engineer,
            at=NOON,
        )
    assert [problem["pointer"] for problem in refusal.value.problems()] == ["/valid_examples/0/data/tokens"]
    assert not EventContract.objects.exists()


def test_activation_without_a_schema_is_refused(engineer: User) -> None:
    with pytest.raises(InvalidInputError):
        contracts.open_contract(event_type="a", description="x", is_activated=True, actor=engineer, at=NOON)


def test_examples_that_disagree_stop_an_activation(engineer: User) -> None:
    contract = opened(engineer, invalid_examples=[{"tokens": 2}])
    with pytest.raises(NotProvedError) as refusal:
        activate(contract, engineer)
    assert [problem["code"] for problem in refusal.value.problems()] == ["invalid_example_passes"]


def test_an_invalid_example_must_fail_for_its_stated_reason(engineer: User) -> None:
    wrong = {"data": {"tokens": "many"}, "code": "schema_minimum", "pointer": "/data/tokens"}
    contract = opened(engineer, invalid_examples=[wrong, {"tokens": "many"}])
    with pytest.raises(NotProvedError) as refusal:
        activate(contract, engineer)
    assert [(problem["code"], problem["pointer"]) for problem in refusal.value.problems()] == [
        ("invalid_example_fails_otherwise", "/invalid_examples/0"),
        ("reason_not_stated", "/invalid_examples/1"),
    ]
    assert "schema_type at /data/tokens" in refusal.value.problems()[0]["detail"]


def test_a_new_version_retires_the_one_before_in_the_same_moment(engineer: User) -> None:
    contract = opened(engineer)
    activate(contract, engineer)
    contracts.draft_version(contract=contract, draft=draft(), is_activated=True, actor=engineer, at=NOON)
    statuses = dict(contract.versions.values_list("version", "status"))
    assert statuses == {1: "retired", 2: "active"}
    assert contract.versions.get(version=1).history.latest().history_change_reason == "replaced by version 2"
    with pytest.raises(NotADraftError):
        activate(contract, engineer)


def test_capture_follows_the_version_in_force_at_once(engineer: User) -> None:
    usage.customer()
    contract = opened(engineer)
    activate(contract, engineer)
    usage.capture(usage.event("a", data={"tokens": 1}))
    stricter = draft(
        schema={"properties": {"tokens": {"type": "integer", "minimum": 10}}}, valid_examples=[{"tokens": 10}]
    )
    contracts.draft_version(contract=contract, draft=stricter, is_activated=True, actor=engineer, at=NOON)
    result = usage.capture(usage.event("b", data={"tokens": 1}), usage.event("c", data={"tokens": 11}))
    assert [reason.code for item in result.items for reason in item.reasons] == ["schema_minimum"]
    assert list(UsageEvent.objects.order_by("seq").values_list("contract_version__version", flat=True)) == [1, 2]


def test_fractions_in_schemas_and_examples_stay_exact(engineer: User) -> None:
    exact = draft(
        schema={"properties": {"tokens": {"multipleOf": Decimal("0.01")}}},
        valid_examples=[{"tokens": Decimal("0.07")}],
        invalid_examples=[
            {"data": {"tokens": Decimal("0.075")}, "code": "schema_multipleOf", "pointer": "/data/tokens"}
        ],
    )
    contract = contracts.open_contract(
        event_type="exact", description="x", draft=exact, is_activated=True, actor=engineer, at=NOON
    )
    assert str(contract.versions.get().valid_examples) == "[{'tokens': Decimal('0.07')}]"


@pytest.mark.parametrize("event_type", ["", " a", "a b", "a/b", "x" * 121, "ünit", "-a"])
def test_a_type_is_a_plain_name(engineer: User, event_type: str) -> None:
    with pytest.raises(ValidationError):
        contracts.open_contract(event_type=event_type, description="x", actor=engineer, at=NOON)


def test_a_type_has_one_contract(engineer: User) -> None:
    opened(engineer)
    with pytest.raises(AlreadyExistsError):
        opened(engineer)
    with pytest.raises(NotFoundError):
        contracts.get_version("llm.tokens", 9)
    with pytest.raises(NotFoundError):
        contracts.get_contract("nothing")


def test_the_database_fixes_the_content_of_what_was_in_force(engineer: User) -> None:
    contract = opened(engineer)
    assert not guards.refuses("UPDATE metering_eventcontractversion SET accepts_past_days = 1000")
    activate(contract, engineer)
    for change in (
        "schema = '{}'",
        "billing_fields = '[]'",
        "valid_examples = '[]'",
        "invalid_examples = '[]'",
        "accepts_past_days = 1",
        "version = 9",
        "status = 'draft'",
    ):
        assert guards.refuses(f"UPDATE metering_eventcontractversion SET {change}"), change  # noqa: S608 - fixed texts
    assert guards.refuses("UPDATE metering_eventcontract SET event_type = 'other'")
    assert guards.keeps_its_rows(EventContractVersion)
    assert guards.keeps_its_rows(EventContract)


def test_only_one_version_can_be_in_force(engineer: User) -> None:
    contract = opened(engineer)
    activate(contract, engineer)
    contracts.draft_version(contract=contract, draft=draft(), actor=engineer, at=NOON)
    assert guards.refuses("UPDATE metering_eventcontractversion SET status = 'active' WHERE version = 2")
    assert guards.refuses("UPDATE metering_eventcontractversion SET accepts_past_days = 40000 WHERE version = 2")


class TestMeters:
    """What a meter reads must be promised by the contract."""

    @pytest.fixture(autouse=True)
    def contract(self) -> EventContractVersion:
        return usage.contract()

    def test_a_meter_reads_only_what_billing_requires(self) -> None:
        with pytest.raises(InvalidInputError, match="requires input_tokens, output_tokens for billing"):
            usage.meter(value_property="model")

    def test_a_version_cannot_drop_what_a_meter_reads(self, contract: EventContractVersion, engineer: User) -> None:
        usage.meter()
        with pytest.raises(NotProvedError) as refusal:
            usage.contract(billing_fields=["output_tokens"])
        assert refusal.value.problems()[0]["code"] == "meter_without_value"

    @pytest.mark.parametrize(
        ("aggregation", "value_property"), [("count", "input_tokens"), ("sum", ""), ("median", "input_tokens")]
    )
    def test_aggregation_and_property_must_fit(self, aggregation: str, value_property: str) -> None:
        with pytest.raises(ValidationError):
            usage.meter(aggregation=aggregation, value_property=value_property)

    def test_a_code_is_used_once(self) -> None:
        usage.meter()
        with pytest.raises(ValidationError):
            usage.meter()

    def test_only_the_words_about_a_meter_change(self, engineer: User) -> None:
        meter = usage.meter()
        meters.describe_meter(meter=meter, changes={"name": "Tokens in"}, actor=engineer)
        assert Meter.objects.get().name == "Tokens in"
        assert meter.history.latest().history_user == engineer
        for change in ("code = 'x'", "aggregation = 'max'", "value_property = 'output_tokens'"):
            assert guards.refuses(f"UPDATE metering_meter SET {change}"), change  # noqa: S608 - fixed texts
        assert guards.keeps_its_rows(Meter)

    def test_a_unique_count_takes_any_value_and_others_only_numbers(self) -> None:
        usage.customer()
        usage.meter("models", value_property="output_tokens", aggregation="unique_count")
        event = usage.event(data={"input_tokens": 1, "output_tokens": "gpt"})
        assert usage.capture(event).accepted == 1
        usage.meter("output", value_property="output_tokens", aggregation="max")
        again = usage.event("b", data={"input_tokens": 1, "output_tokens": "gpt"})
        assert usage.capture(again).items[0].reasons[0].code == "value_not_number"
