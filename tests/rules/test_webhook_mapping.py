"""What of a webhook's body becomes what of an event."""

from decimal import Decimal
from typing import Any

import pytest

from metering.rules import reading
from metering.rules.adapters import webhook

MAPPING = {
    "type": "=llm.tokens",
    "subject": "/account/code",
    "time": "/at",
    "data": {"input_tokens": "/usage/0/tokens", "model": "=large", "a/b": "/usage/1/a~1b"},
}
BODY = b'{"account": {"code": "acme"}, "at": 1772449200.5, "usage": [{"tokens": 1.10}, {"a/b": "x"}]}'


def event(body: bytes = BODY, mapping: Any = MAPPING) -> Any:
    (delivery,) = reading.read_document(body)
    read = webhook.read_mapping(mapping)
    return webhook.event_of(delivery, read, source="webhook/crm", webhook_id="msg_1", sent_at="2026-03-02T12:00:00Z")


def test_attributes_and_properties_are_fixed_or_pointed_at() -> None:
    assert event() == {
        "specversion": "1.0",
        "source": "webhook/crm",
        "id": "msg_1",
        "type": "llm.tokens",
        "subject": "acme",
        "time": "2026-03-02T11:00:00.5Z",
        "data": {"input_tokens": Decimal("1.10"), "model": "large", "a/b": "x"},
    }


def test_without_a_time_it_happened_when_it_was_sent() -> None:
    made = event(mapping={name: place for name, place in MAPPING.items() if name != "time"})
    assert (made["time"], made["timeassigned"]) == ("2026-03-02T12:00:00Z", True)


def test_what_the_pointer_does_not_find_is_left_for_capture_to_miss() -> None:
    made = event(b'{"account": "acme", "usage": {"0": []}}')
    assert made["data"] == {"model": "large"}
    assert "subject" not in made


def test_data_may_be_a_part_of_the_body_or_all_of_it() -> None:
    mapping = {"type": "=t", "subjectsystem": "=stripe", "subjectid": "/account/code", "data": "/usage/0"}
    assert event(mapping=mapping)["data"] == {"tokens": Decimal("1.10")}
    assert event(mapping=mapping | {"data": ""})["data"]["account"] == {"code": "acme"}


@pytest.mark.parametrize(
    "mapping",
    [
        [],
        {},
        {"type": "=t", "data": "/d"},
        {"type": "=t", "subject": "/s"},
        {"type": "t", "subject": "/s", "data": "/d"},
        {"type": 5, "subject": "/s", "data": "/d"},
        {"type": "=t", "subject": "/s", "data": {"a": 5}},
        {"type": "=t", "subject": "/s", "data": ["/a"]},
        {"type": "=t", "subject": "/s", "data": "/d", "id": "/id"},
        {"type": "=t", "subject": "/s", "data": {str(number): "/a" for number in range(101)}},
        {"type": "=t", "subject": "/" + "s" * 300, "data": "/d"},
        {"type": "=t", "subjectid": "/s", "data": "/d"},
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused(mapping: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        webhook.read_mapping(mapping)
