"""CloudEvents whose attributes are headers: what a header says is decoded as the HTTP binding has it."""

import pytest

from metering.rules.adapters import binary


@pytest.mark.parametrize(
    ("header", "attribute"),
    [
        ("A234-1234", "A234-1234"),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ('"A234-1234"', "A234-1234"),
        (r'"say \"a\" and \\b"', r'say "a" and \b'),
        ('"50%25"', "50%"),
        ("50%2525", "50%25"),
        ('the "a" of it', 'the "a" of it'),
        ('"a" or "b"', '"a" or "b"'),
        ('"', '"'),
        ('""', ""),
    ],
)
def test_quotes_around_a_header_go_first_then_percent_signs_once(header: str, attribute: str) -> None:
    event = binary.read_event({"ce-id": header}, b"")
    assert isinstance(event, dict)
    assert event["id"] == attribute
