"""`POST events` with bodies that would break a careless reader: a 4xx for the body, or a reason for the one event."""

import gzip
import json

import pytest

from metering.models import UsageEvent
from tests.builders import usage
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db
LINES = "application/x-ndjson"


@pytest.fixture
def sender() -> Sender:
    usage.house()
    return Sender()


def event_with(data: str, **changes: str) -> str:
    """An event as JSON text, with `data` and other attributes exactly as given."""
    whole = {name: json.dumps(value) for name, value in usage.event("bad").items()} | {"data": data} | changes
    return "{" + ",".join(f'"{name}":{value}' for name, value in whole.items()) + "}"


def sent_between_good_ones(sender: Sender, bad: str) -> list[str]:
    """The reason codes of the bad event, the same as an array and by line; nothing else of the batch is lost."""
    first, last = json.dumps(usage.event("first")), json.dumps(usage.event("last"))
    as_array = sender.send(f"[{first},{bad},{last}]".encode())
    by_line = sender.send(f"{first}\n{bad}\n{last}".encode(), LINES)
    assert (as_array.status_code, by_line.status_code) == (200, 200)
    assert (as_array.json()["accepted"], by_line.json()["duplicates"]) == (2, 2)
    found, again = (
        [reason["code"] for item in answer.json()["items"] if item["index"] == 1 for reason in item["reasons"]]
        for answer in (as_array, by_line)
    )
    assert found == again
    return found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_held_back(sender: Sender, number: str) -> None:
    assert sent_between_good_ones(sender, event_with(f'{{"input_tokens":{number}}}')) == ["number_not_finite"]


@pytest.mark.parametrize(
    "number",
    ["1e400", "-1e400", "1E+1000000", "1e-1000000", "9" * 5000, "-" + "9" * 5000, "0." + "1" * 5000, "1" + "0" * 41],
    ids=lambda text: text[:12],
)
def test_a_number_beyond_all_use_is_held_back(sender: Sender, number: str) -> None:
    assert sent_between_good_ones(sender, event_with(f'{{"input_tokens":{number}}}')) == ["number_out_of_range"]


@pytest.mark.parametrize(
    "data",
    [
        '{"input_tokens":1,"input_tokens":2,"output_tokens":1}',
        '{"input_tokens":1,"output_tokens":1,"input_tokens" :1}',
        '{"input_tokens":1,"output_tokens":1,"model":"a","deep":{"x":1,"x" : 2}}',
        '{"input_tokens":1,"output_tokens":1,"model":"a\\":","model"\t:"b"}',
        '{"input_tokens":1,"output_tokens":1,"\\u006dodel":"a","model":"b"}',
        '{"input_tokens":1,"output_tokens":1,"list":[{"a":1,"a":1.5}]}',
    ],
)
def test_a_name_that_stands_twice_is_held_back(sender: Sender, data: str) -> None:
    assert sent_between_good_ones(sender, event_with(data)) == ["duplicate_key"]


def test_an_attribute_that_stands_twice_is_held_back(sender: Sender) -> None:
    twice = event_with('{"input_tokens":1,"output_tokens":1}')[:-1] + ',"subject":"other"}'
    assert sent_between_good_ones(sender, twice) == ["duplicate_key"]


@pytest.mark.parametrize("depth", [70, 900, 1500, 10_000, 100_000])
def test_what_is_nested_too_deep_is_held_back(sender: Sender, depth: int) -> None:
    data = '{"input_tokens":1,"output_tokens":1,"deep":' + "[" * depth + "]" * depth + "}"
    assert sent_between_good_ones(sender, event_with(data)) == ["nested_too_deep"]


@pytest.mark.parametrize("depth", [1500, 100_000])
@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_brackets_that_never_close_are_no_batch(sender: Sender, depth: int, bracket: str) -> None:
    answer = sender.send((bracket * depth).encode())
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_batch")


@pytest.mark.parametrize("text", [r"\u0000", r"a\u0000b", r"\ud800", r"\udfff", r"\ud800\ud800", r"x\udc00y"])
@pytest.mark.parametrize(
    "place", ['{{"input_tokens":1,"output_tokens":1,"model":"{}"}}', '{{"input_tokens":1,"{}":1}}']
)
def test_text_that_cannot_be_stored_is_held_back(sender: Sender, text: str, place: str) -> None:
    assert sent_between_good_ones(sender, event_with(place.format(text))) == ["text_unusable"]


@pytest.mark.parametrize("attribute", ["id", "source", "type", "subject", "time", "comment"])
def test_a_nul_in_any_attribute_is_held_back(sender: Sender, attribute: str) -> None:
    bad = event_with('{"input_tokens":1,"output_tokens":1}', **{attribute: r'"a\u0000"'})
    assert sent_between_good_ones(sender, bad) == ["text_unusable"]


def test_an_escaped_backslash_before_u0000_is_only_text(sender: Sender) -> None:
    data = r'{"input_tokens":1,"output_tokens":1,"model":"\\u0000"}'
    assert sender.send(event_with(data).encode()).json()["accepted"] == 1
    assert UsageEvent.objects.get().data["model"] == r"\u0000"


@pytest.mark.parametrize(
    "value",
    [
        "1_000",
        " 5 ",
        "5 ",
        "\u0663",
        "\uff11",
        "0x10",
        "1e3",
        "+5",
        "05",
        "1,5",
        ".5",
        "5.",
        "",
        "NaN",
        "Infinity",
        "five",
        "--1",
    ],
)
def test_a_metered_text_must_be_a_plain_decimal(sender: Sender, value: str) -> None:
    data = json.dumps({"input_tokens": 1, "output_tokens": value})
    usage.meter("output-tokens", value_property="output_tokens")
    assert sent_between_good_ones(sender, event_with(data)) == ["value_not_number"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1000000000000001", "value_out_of_range"),
        ("-1000000000000000.1", "value_out_of_range"),
        ('"1000000000000001"', "value_out_of_range"),
        ("9223372036854775808", "value_out_of_range"),
        ("18446744073709551616", "value_out_of_range"),
        ("0.1234567890123456789", "value_too_precise"),
        ("1e-19", "value_too_precise"),
        ("true", "value_not_number"),
        ("[1]", "value_not_number"),
        ("null", "billing_field_missing"),
    ],
)
def test_a_metered_value_must_be_bounded(sender: Sender, value: str, code: str) -> None:
    usage.meter("output-tokens", value_property="output_tokens")
    assert sent_between_good_ones(sender, event_with(f'{{"input_tokens":1,"output_tokens":{value}}}'))[0] == code


@pytest.mark.parametrize("attribute", ["id", "source"])
@pytest.mark.parametrize(
    "text",
    [
        "\u0430cme",
        "caf\u00e9",
        "cafe\u0301",
        "a\u200bb",
        "a\u00a0b",
        "\ufeffa",
        "a\tb",
        "a\nb",
        " a",
        "a ",
        "x" * 65_537,
        "a\x7f",
    ],
)
def test_an_identity_that_looks_like_another_is_held_back(sender: Sender, attribute: str, text: str) -> None:
    bad = event_with('{"input_tokens":1,"output_tokens":1}', **{attribute: json.dumps(text)})
    assert sent_between_good_ones(sender, bad) == [f"{attribute}_unusable"]


def test_identities_that_differ_in_case_are_two_events(sender: Sender) -> None:
    assert sender.send([usage.event("Aa"), usage.event("aA")]).json()["accepted"] == 2


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-02",
        "2026-03-02T11:00:00",
        "2026-03-02 11:00:00Z",
        "2026-03-02T11:00Z",
        "2026-02-29T11:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T11:00:61Z",
        "2026-03-02T11:00:00+24:00",
        "2026-03-02T11:00:00+0100",
        "2026-W10-1T11:00:00Z",
        "20260302T110000Z",
        "\u0662\u0660\u0662\u0666-03-02T11:00:00Z",
        "2026-03-02T11:00:00,5Z",
        "2026-03-02T11:00:60Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "-2026-03-02T11:00:00Z",
        "1772449200",
        "now",
    ],
)
def test_a_time_that_is_no_instant_is_held_back(sender: Sender, moment: str) -> None:
    bad = event_with('{"input_tokens":1,"output_tokens":1}', time=json.dumps(moment))
    assert sent_between_good_ones(sender, bad) == ["time_invalid"]


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("0001-01-01T00:00:00Z", "time_too_old"),
        ("1900-01-01T00:00:00Z", "time_too_old"),
        ("2200-01-01T00:00:00Z", "time_in_future"),
        ("9999-12-31T23:59:59Z", "time_in_future"),
    ],
)
def test_ancient_and_future_times_are_held_back(sender: Sender, moment: str, code: str) -> None:
    bad = event_with('{"input_tokens":1,"output_tokens":1}', time=json.dumps(moment))
    assert sent_between_good_ones(sender, bad) == [code]


@pytest.mark.parametrize("element", ["1", '"text"', "null", "true", "[]", '[{"id":"a"}]', "1.5"])
def test_an_element_that_is_no_object_is_held_back(sender: Sender, element: str) -> None:
    assert sent_between_good_ones(sender, element) == ["not_an_object"]


@pytest.mark.parametrize(
    "body",
    [
        b"   ",
        b"{",
        b"[",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,]",
        b"[1 2]",
        b"{}{}",
        b"[]]",
        b"{}x",
        b"nul",
        b"'a'",
        b"{'a':1}",
        b"[\xff]",
        b"\x00",
        b"\xff\xfe{\x00}\x00",
        b'{"a":1',
        b"<xml/>",
        b"id,source\n1,2",
        b"[{}",
        b'["\x01"]',
        b"[01]",
    ],
)
def test_a_body_that_is_no_batch_is_refused(sender: Sender, body: bytes) -> None:
    answer = sender.send(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_batch")


@pytest.mark.parametrize("body", [b"null", b"true", b"1", b'"text"', b"1e400", b"NaN"])
def test_a_single_value_is_no_batch(sender: Sender, body: bytes) -> None:
    answer = sender.send(body)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_a_batch")


def test_gzip_that_is_broken_or_cut_short_is_refused(sender: Sender) -> None:
    whole = gzip.compress(json.dumps([usage.event(str(number)) for number in range(100)]).encode())
    for body in (b"not gzip", whole[:-1], whole[:50], whole[:-8] + b"\x00" * 8, whole + b"rubbish"):
        assert sender.send(body, **{"Content-Encoding": "gzip"}).status_code == 400
    assert not UsageEvent.objects.exists()
