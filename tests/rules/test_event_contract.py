"""What an accepted billable event is: every reason it can be held back for, and all of them at once."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from metering.rules import drafting, reasons
from metering.rules.contract import BillableEvent, ContractInForce, DataRules, RuleBook, check_event
from metering.rules.drafting import ContractDraft
from metering.rules.reasons import Reason
from metering.rules.schema import Schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tokens": {"type": "number", "minimum": 0, "multipleOf": Decimal("0.01")},
        "model": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
        "when": {"type": "string", "format": "date-time"},
        "a/b~c": {"type": "integer"},
    },
    "required": ["tokens", "model"],
}
IN_FORCE = ContractInForce(
    event_type="llm",
    contract_id=7,
    version_id=8,
    data_rules=DataRules(required=("tokens",), numbers=("tokens",), schema=Schema(SCHEMA)),
    earliest=datetime(2026, 1, 1, tzinfo=UTC),
    latest=datetime(2026, 2, 1, tzinfo=UTC),
)
RULES = RuleBook(contracts={"llm": IN_FORCE, "draft.only": None}, customers={"acme": 9})
GOOD: dict[str, Any] = {
    "specversion": "1.0",
    "id": "a",
    "source": "api",
    "type": "llm",
    "subject": "acme",
    "time": "2026-01-15T00:00:00Z",
    "data": {"tokens": 3, "model": "big"},
}


def check(event: dict[str, Any]) -> list[tuple[str, str]]:
    """The codes and pointers of the reasons; none for an accepted event."""
    found = check_event(event, rules=RULES)
    return [] if isinstance(found, BillableEvent) else [(reason.code, reason.pointer) for reason in found]


def changed(**attributes: Any) -> list[tuple[str, str]]:
    return check(GOOD | attributes)


def with_data(**properties: Any) -> list[tuple[str, str]]:
    return changed(data=GOOD["data"] | properties)


def test_an_accepted_event_is_the_columns_of_its_row() -> None:
    found = check_event(GOOD | {"region": "eu", "subjectid": None, "time": "2026-01-15T01:00:00+01:00"}, rules=RULES)
    assert isinstance(found, BillableEvent)
    assert found[:6] == ("api", "a", 9, 7, 8, "2026-01-15T00:00:00Z")
    assert (found.data, found.extras) == ('{"model":"big","tokens":3}', '{"region":"eu"}')


def test_the_time_as_sent_is_kept_where_it_says_more() -> None:
    found = check_event(GOOD | {"time": "2026-01-15T00:00:00.123456789Z"}, rules=RULES)
    assert isinstance(found, BillableEvent)
    assert found.occurred_at == "2026-01-15T00:00:00.123456Z"
    assert found.extras == '{"time":"2026-01-15T00:00:00.123456789Z"}'


# `printf 'x%.0s' $(seq 201) | sha256sum`
SHA_OF_201 = "84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed"


def test_a_long_id_is_stored_by_its_beginning_and_its_hash_and_kept_whole() -> None:
    found = check_event(GOOD | {"id": "x" * 201}, rules=RULES)
    assert isinstance(found, BillableEvent)
    assert found.event_id == "x" * 120 + "~sha256:" + SHA_OF_201
    assert found.extras == '{"id":"' + "x" * 201 + '"}'


def test_an_id_that_is_the_stored_form_of_another_is_another_event() -> None:
    long = check_event(GOOD | {"id": "x" * 201}, rules=RULES)
    short = check_event(GOOD | {"id": "x" * 120 + "~sha256:" + SHA_OF_201}, rules=RULES)
    assert isinstance(long, BillableEvent)
    assert isinstance(short, BillableEvent)
    assert long.event_id == short.event_id
    assert long.fingerprint != short.fingerprint


def test_a_correction_names_a_long_id_as_a_whole_or_as_stored() -> None:
    stored = "x" * 120 + "~sha256:" + SHA_OF_201
    for corrects in ("x" * 201, stored):
        found = check_event(GOOD | {"id": "b", "corrects": corrects, "correction": "cancel"}, rules=RULES)
        assert isinstance(found, BillableEvent)
        assert found.extras == '{"correction":"cancel","corrects":"' + stored + '"}'


@pytest.mark.parametrize(
    ("name", "length", "expected"),
    [
        ("id", 200, []),
        ("id", 65_536, []),
        ("id", 65_537, [("id_unusable", "/id")]),
        ("source", 200, []),
        ("source", 201, [("source_unusable", "/source")]),
    ],
)
def test_an_identity_has_a_longest_form(name: str, length: int, expected: list[tuple[str, str]]) -> None:
    assert changed(**{name: "x" * length}) == expected


@pytest.mark.parametrize("attribute", ["id", "source", "type", "subject", "time"])
@pytest.mark.parametrize("nothing", ["", None])
def test_a_missing_attribute_is_named(attribute: str, nothing: str | None) -> None:
    assert changed(**{attribute: nothing}) == [(f"{attribute}_missing", f"/{attribute}")]
    assert check({name: value for name, value in GOOD.items() if name != attribute}) == [
        (f"{attribute}_missing", f"/{attribute}")
    ]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"specversion": "0.3"}, [("specversion_unsupported", "/specversion")]),
        ({"specversion": None}, [("specversion_unsupported", "/specversion")]),
        ({"specversion": 1}, [("specversion_unsupported", "/specversion")]),
        ({"id": 123}, [("id_unusable", "/id")]),
        ({"source": ["api"]}, [("source_unusable", "/source")]),
        ({"type": "unheard.of"}, [("type_unknown", "/type")]),
        ({"type": ["llm"]}, [("type_missing", "/type")]),
        ({"type": "draft.only"}, [("contract_not_in_force", "/type")]),
        ({"subject": "Acme"}, [("customer_unknown", "/subject")]),
        ({"subject": {"code": "acme"}}, [("subject_missing", "/subject")]),
        ({"time": 1768435200}, [("time_missing", "/time")]),
        ({"time": "2026-01-15"}, [("time_invalid", "/time")]),
        ({"time": "2025-12-31T23:59:59.999999Z"}, [("time_too_old", "/time")]),
        ({"time": "2026-02-01T00:00:00.000001Z"}, [("time_in_future", "/time")]),
        ({"data": None}, [("data_missing", "/data")]),
        ({"data": [1]}, [("data_not_object", "/data")]),
        ({"data": "text"}, [("data_not_object", "/data")]),
        (
            {"data": None, "data_base64": "Zm9v"},
            [("data_not_object", "/data_base64")],
        ),
        ({"data_base64": "Zm9v"}, [("attribute_invalid", "/data_base64")]),
        ({"My_Ext": "x"}, [("attribute_invalid", "/My_Ext")]),
        ({"nested": {"a": 1}}, [("attribute_invalid", "/nested")]),
        ({"note": "a\x00b"}, [("text_unusable", "")]),
    ],
)
def test_every_flaw_of_the_envelope_has_its_code(attributes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert changed(**attributes) == expected


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"])
def test_the_ends_of_the_window_belong_to_it(moment: str) -> None:
    assert changed(time=moment) == []


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"tokens": None}, [("billing_field_missing", "/data/tokens")]),
        ({"tokens": "x"}, [("value_not_number", "/data/tokens")]),
        ({"tokens": True}, [("value_not_number", "/data/tokens")]),
        (
            {"tokens": Decimal("NaN")},
            [
                ("number_out_of_range", "/data"),
            ],
        ),
        ({"tokens": 10**15 + 1}, [("value_out_of_range", "/data/tokens")]),
        ({"tokens": -1}, [("schema_minimum", "/data/tokens")]),
        ({"tokens": Decimal("0.005")}, [("schema_multipleOf", "/data/tokens")]),
        ({"model": "LARGEST"}, [("schema_maxLength", "/data/model"), ("schema_pattern", "/data/model")]),
        ({"when": "yesterday"}, [("schema_format", "/data/when")]),
        ({"a/b~c": 1.5}, [("schema_type", "/data/a~1b~0c")]),
        ({"note": "a\x00b"}, [("text_unusable", "/data")]),
        ({"note": "\ud800"}, [("text_unusable", "/data")]),
        ({"note": 2**70}, [("number_out_of_range", "/data")]),
    ],
)
def test_every_flaw_of_the_data_has_its_code(properties: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert with_data(**properties) == expected


def test_a_missing_property_is_pointed_at_itself() -> None:
    assert changed(data={"tokens": 1}) == [("schema_required", "/data/model")]
    assert changed(data={"model": "big"}) == [("billing_field_missing", "/data/tokens")]


@pytest.mark.parametrize("value", [0, 10**15, -0, Decimal("1.50"), "12", "0.01", "-0"])
def test_numbers_and_plain_decimals_as_text_are_metered(value: Any) -> None:
    assert not [code for code, _ in with_data(tokens=value) if code.startswith("value")]


def test_all_flaws_are_told_at_once() -> None:
    found = check({"specversion": "1", "id": " ", "source": "api", "type": "llm", "subject": "x", "data": {"model": 5}})
    assert found == [
        ("specversion_unsupported", "/specversion"),
        ("id_unusable", "/id"),
        ("time_missing", "/time"),
        ("customer_unknown", "/subject"),
        ("billing_field_missing", "/data/tokens"),
        ("schema_type", "/data/model"),
    ]


def test_the_list_of_reasons_is_bounded() -> None:
    data = {f"p{number}": number for number in range(500)}
    schema = Schema({"additionalProperties": {"type": "string"}})
    rules = DataRules(required=(), numbers=(), schema=schema)
    assert len(drafting.find_data_flaws(data, rules)) == reasons.REASONS_MAX
    found = changed(**{f"bad_{number}": 1 for number in range(500)})
    assert len(found) == reasons.REASONS_MAX


def test_a_reason_is_short_whatever_was_sent() -> None:
    found = check_event(GOOD | {"data": {"tokens": 1, "model": "x" * 100_000}}, rules=RULES)
    assert all(len(reason.detail) <= 300 for reason in found if isinstance(reason, reasons.Reason))


def test_every_reason_code_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[2] / "metering" / "README.md").read_text()
    section = readme.partition("## Reasons")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([a-z_0-9…]+)`", section, re.MULTILINE))
    assert listed == {code if code != "schema" else "schema_…" for code in reasons.CODES}


NOT_DATA = {"data": [], "code": "data_not_object", "pointer": "/data"}
DRAFT = ContractDraft(
    schema=SCHEMA,
    billing_fields=["tokens"],
    valid_examples=[{"tokens": 1, "model": "big"}],
    invalid_examples=[{"data": {"model": "big"}, "code": "billing_field_missing", "pointer": "/data/tokens"}],
)


def draft(**changes: Any) -> ContractDraft:
    content = {name: getattr(DRAFT, name) for name in drafting.CONTENT}
    return ContractDraft(**content | changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schema": {"type": "thing"}, "billing_fields": []}, [("schema_unusable", "/schema")]),
        ({"schema": [], "billing_fields": []}, [("schema_unusable", "/schema")]),
        ({"schema": {"$ref": "http://127.0.0.1:1/x"}, "billing_fields": []}, [("schema_unusable", "/schema")]),
        ({"schema": {"$ref": "file:///etc/passwd"}, "billing_fields": []}, [("schema_unusable", "/schema")]),
        ({"schema": {"pattern": "(?=a)b"}, "billing_fields": []}, [("schema_unusable", "/schema")]),
        ({"billing_fields": ["tokens", "tokenz"]}, [("not_declared", "/billing_fields/1")]),
        ({"context_fields": ["region"]}, [("not_declared", "/context_fields/0")]),
        ({"accepts_past_days": 40_000}, [("out_of_range", "/accepts_past_days")]),
        ({"accepts_future_seconds": -1}, [("out_of_range", "/accepts_future_seconds")]),
        ({"valid_examples": [{}] * 101}, [("too_many", "/valid_examples")]),
    ],
)
def test_a_draft_that_could_never_be_used_says_why(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert [(flaw.code, flaw.pointer) for flaw in drafting.find_unusable(draft(**changes))] == expected
    assert drafting.find_unusable(DRAFT) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"valid_examples": []}, [("example_missing", "/valid_examples")]),
        ({"invalid_examples": []}, [("example_missing", "/invalid_examples")]),
        (
            {"valid_examples": [{"tokens": 1, "model": "BIG"}]},
            [("valid_example_fails", "/valid_examples/0/data/model")],
        ),
        (
            {"valid_examples": [{"tokens": "1e3", "model": "big"}]},
            [("valid_example_fails", "/valid_examples/0/data/tokens")],
        ),
        ({"valid_examples": ["text"]}, [("valid_example_fails", "/valid_examples/0/data")]),
        (
            {"invalid_examples": [NOT_DATA, {"tokens": 1, "model": "big"}]},
            [("invalid_example_passes", "/invalid_examples/1")],
        ),
        ({"invalid_examples": [{"model": "big"}]}, [("reason_not_stated", "/invalid_examples/0")]),
        (
            {"invalid_examples": [NOT_DATA, NOT_DATA | {"code": "data_missing"}]},
            [("invalid_example_fails_otherwise", "/invalid_examples/1")],
        ),
        (
            {"invalid_examples": [NOT_DATA | {"pointer": "/data/tokens"}]},
            [("invalid_example_fails_otherwise", "/invalid_examples/0")],
        ),
    ],
)
def test_examples_must_prove_the_version(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    found = drafting.find_failing_examples(draft(**changes), numbers={"tokens"})
    assert [(flaw.code, flaw.pointer) for flaw in found] == expected


def test_a_regular_expression_cannot_explode() -> None:
    schema = Schema({"properties": {"a": {"pattern": "^(a+)+$"}}})
    assert not schema.is_valid({"a": "a" * 50_000 + "b"})


COUNTED = DataRules(required=(), numbers=(), schema=Schema({}))


@pytest.mark.parametrize(
    "attributes",
    [
        {"data": [1, 2]},
        {"data": '<much wow="xml"/>', "datacontenttype": "application/xml"},
        {"data": 1},
        {"data": None},
        {"data": None, "data_base64": "Zm9vYg=="},
    ],
)
def test_where_billing_needs_no_property_data_may_be_anything(attributes: dict[str, Any]) -> None:
    rules = replace(RULES, contracts={"llm": replace(IN_FORCE, data_rules=COUNTED)})
    event = {name: value for name, value in {**GOOD, **attributes}.items() if value is not None}
    found = check_event(event, rules=rules)
    assert isinstance(found, BillableEvent)
    assert json.loads(found.data) == ({} if attributes["data"] is None else attributes["data"])


def test_what_is_not_base64_is_no_binary_data() -> None:
    assert changed(data=None, data_base64="Zm9v!") == [
        ("attribute_invalid", "/data_base64"),
        ("data_not_object", "/data_base64"),
    ]


def test_a_customer_may_be_named_by_an_id_in_another_system() -> None:
    rules = replace(RULES, aliases={("stripe", "cus_1"): "acme"})
    event = {name: value for name, value in GOOD.items() if name != "subject"}
    named = {**event, "subjectsystem": "stripe", "subjectid": "cus_1"}
    found = check_event(named, rules=rules)
    assert isinstance(found, BillableEvent)
    assert found.customer_id == RULES.customers["acme"]
    assert json.loads(found.extras or "") == {"subjectsystem": "stripe", "subjectid": "cus_1"}
    stranger = check_event({**named, "subjectid": "cus_2"}, rules=rules)
    assert isinstance(stranger, tuple)
    assert not isinstance(stranger, BillableEvent)
    assert [flaw.code for flaw in stranger] == ["customer_unknown"]


def test_a_time_in_seconds_is_told_what_a_time_is() -> None:
    found = check_event(GOOD | {"time": 1768435200}, rules=RULES)
    what = "`time` is missing, or is no text: it is an RFC 3339 instant, not a number of seconds."
    assert found == (Reason("time_missing", what, "/time"),)


def test_an_id_in_another_system_is_never_taken_for_a_code() -> None:
    """Subscription 1001 of Lago is not our customer 1001; who it is, somebody has to say."""
    event = {name: value for name, value in GOOD.items() if name != "subject"}
    found = check_event({**event, "subjectsystem": "lago", "subjectid": "acme"}, rules=RULES)
    assert found == (Reason("customer_unknown", "No customer has the id 'acme' in 'lago'.", "/subject"),)


def test_a_retry_with_a_time_that_we_gave_is_the_same_event() -> None:
    first = check_event({**GOOD, "timeassigned": True}, rules=RULES)
    again = check_event({**GOOD, "time": "2026-01-15T00:00:01Z", "timeassigned": True}, rules=RULES)
    assert isinstance(first, BillableEvent)
    assert isinstance(again, BillableEvent)
    assert first.fingerprint == again.fingerprint
    assert first.occurred_at != again.occurred_at
