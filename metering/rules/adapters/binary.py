"""CloudEvents over HTTP in binary mode: attributes in `ce-*` headers, the body is `data`."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from metering.rules import reading
from metering.rules.reading import Delivery, NotABatchError, Unreadable

PREFIX = "ce-"
WHOLE_EVENT = "application/cloudevents"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')  # RFC 9110, 5.6.4
_ESCAPED = re.compile(r"\\(.)")
RESERVED = ("data", "data_base64", "datacontenttype")


def is_binary(headers: Mapping[str, str]) -> bool:
    """Whether the headers carry an event; a media type of whole events goes before them."""
    media_type = headers.get("Content-Type", "").strip().lower()
    return "ce-specversion" in headers and not media_type.startswith(WHOLE_EVENT)


def read_event(headers: Mapping[str, str], body: bytes) -> Delivery:
    """Read one event; NotABatchError for headers that are no attributes or a body that is not in its character set.

    A body of JSON becomes `data` exactly; other text stands in it as text, anything else as `data_base64`.
    """
    event: dict[str, Any] = {
        name.lower().removeprefix(PREFIX): _attribute(value)
        for name, value in headers.items()
        if name.lower().startswith(PREFIX)
    }
    for name in RESERVED:
        if name in event:
            raise NotABatchError(f"{PREFIX}{name} is no attribute: data is the body, and Content-Type says what it is.")
    content_type = headers.get("Content-Type", "").strip()
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type:
        event["datacontenttype"] = media_type if _is_json(media_type) else content_type
    if not body:
        return event
    if not media_type or _is_json(media_type):
        return _with_json(event, body)
    if media_type.startswith("text/") or media_type.endswith(("/xml", "+xml")):
        return event | {"data": _text_of(body)}
    return event | {"data_base64": base64.b64encode(body).decode()}


def _attribute(value: str) -> str:
    """Decode a header as the HTTP binding says (3.1.3.2): first quotes around it, then one round of percent signs."""
    quoted = _QUOTED.fullmatch(value)
    return unquote(_ESCAPED.sub(r"\1", quoted[1]) if quoted else value, errors="replace")


def _is_json(media_type: str) -> bool:
    return media_type.endswith(("/json", "+json"))


def _with_json(event: dict[str, Any], body: bytes) -> Delivery:
    text = _text_of(body)
    value, reasons = reading.read_value(text)
    if not reasons:
        return event | {"data": value}
    head = json.dumps(event)[:-1]
    return Unreadable(f'{head}, "data": {text}}}', reasons, event)


def _text_of(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise NotABatchError(f"The body is not UTF-8 (byte {error.start}).") from error
