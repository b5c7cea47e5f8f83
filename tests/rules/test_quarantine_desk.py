"""What the desk shows of a held event: the place that is wrong, the part of the schema, and what would be accepted."""

from typing import Any

import pytest

from metering.rules import explaining, marking
from metering.rules.explaining import ContractShown
from metering.rules.marking import Line
from metering.rules.reasons import CODES

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tokens": {"type": "integer", "minimum": 0},
        "calls": {"type": "array", "items": {"type": "object", "properties": {"ms": {"type": "number"}}}},
    },
}
CONTRACT = ContractShown(
    version=3, schema=SCHEMA, billing_fields=["tokens"], accepts_past_days=35, accepts_future_seconds=300
)


class TestMarking:
    def test_the_line_of_the_value_is_marked(self) -> None:
        document = {"id": "1", "data": {"tokens": "many", "calls": [{"ms": 1}, {"ms": None}]}}
        lines = marking.mark(document, pointers=["/data/tokens", "/data/calls/1/ms"])
        assert lines == [
            Line("{"),
            Line('  "id": "1",'),
            Line('  "data": {'),
            Line('    "tokens": "many",', "/data/tokens"),
            Line('    "calls": ['),
            Line("      {"),
            Line('        "ms": 1'),
            Line("      },"),
            Line("      {"),
            Line('        "ms": null', "/data/calls/1/ms"),
            Line("      }"),
            Line("    ]"),
            Line("  }"),
            Line("}"),
        ]

    def test_what_is_missing_marks_the_object_that_lacks_it(self) -> None:
        lines = marking.mark({"data": {"a": 1}}, pointers=["/data/tokens", "/time"])
        assert [line for line in lines if line.marked] == [Line("{", "/time"), Line('  "data": {', "/data/tokens")]

    def test_names_with_slashes_and_tildes_are_found(self) -> None:
        lines = marking.mark({"a/b": {"c~d": 1}}, pointers=["/a~1b/c~0d"])
        assert [line.text for line in lines if line.marked] == ['    "c~d": 1']

    def test_empty_objects_and_plain_values_are_lines(self) -> None:
        assert marking.mark({"data": {}, "n": []}, pointers=["/data/x"]) == [
            Line("{"),
            Line('  "data": {},', "/data/x"),
            Line('  "n": []'),
            Line("}"),
        ]
        assert marking.mark("text", pointers=[]) == [Line('"text"')]

    def test_a_flood_of_lines_is_cut(self) -> None:
        assert len(marking.mark(list(range(5000)), pointers=[])) == marking.LINES_MAX


def explained(code: str, pointer: str = "", event_type: str = "t", contract: ContractShown | None = CONTRACT) -> Any:
    return explaining.explain(
        {"code": code, "detail": "d", "pointer": pointer},
        contract=contract,
        event_type=event_type,
        known_types=["llm.tokens", "storage"],
    )


class TestExplaining:
    @pytest.mark.parametrize(
        ("pointer", "fragment"),
        [
            ("/data/tokens", {"type": "integer", "minimum": 0}),
            ("/data/calls/4/ms", {"type": "number"}),
            ("/data/unknown", SCHEMA),
            ("/data", SCHEMA),
            ("/time", None),
        ],
    )
    def test_the_part_of_the_schema_that_speaks_of_the_place(self, pointer: str, fragment: Any) -> None:
        assert explained("schema_type", pointer).fragment == fragment

    def test_a_type_near_to_one_that_is_known_is_named(self) -> None:
        assert "llm.tokens" in explained("type_unknown", "/type", event_type="lm.tokens").accepted
        assert "llm.tokens, storage" in explained("type_unknown", "/type", event_type="zzz").accepted

    def test_times_are_told_as_the_contract_accepts_them(self) -> None:
        expected = "Up to 35 days before the delivery, and up to 0:05:00 after it."
        assert explained("time_too_old", "/time").accepted == expected

    def test_billing_says_what_it_needs(self) -> None:
        assert (
            explained("billing_field_missing", "/data/tokens").accepted
            == "Every event has tokens; billing needs tokens."
        )

    @pytest.mark.parametrize("code", sorted(CODES))
    def test_every_reason_is_told_with_what_would_be_accepted_even_without_a_contract(self, code: str) -> None:
        found = explained(code, contract=None)
        assert found.rule == CODES[code]
        assert found.accepted
