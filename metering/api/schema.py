"""The bodies of `POST events`, as the OpenAPI page shows them."""

from typing import Any

from metering.rules.identities import ID_LENGTH_MAX

CLOUD_EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One event in the envelope of CloudEvents 1.0. Other attributes are kept with it.",
    "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {
            "type": "string",
            "maxLength": ID_LENGTH_MAX,
            "description": "With `source` the identity that is counted once, for ever. From 201 characters on it is"
            " shown by its beginning and its SHA-256.",
        },
        "source": {"type": "string", "maxLength": 200},
        "type": {"type": "string", "maxLength": 120, "description": "Names the event contract."},
        "subject": {"type": "string", "maxLength": 60, "description": "The code of the customer."},
        "time": {"type": "string", "format": "date-time", "description": "When it happened, with an offset."},
        "data": {"type": "object", "description": "The properties that the contract describes."},
    },
    "example": {
        "specversion": "1.0",
        "id": "6f1c1a52-5f0d-4c55-9f0e-3d2c8a4f7b10",
        "source": "api/eu-1",
        "type": "llm.tokens",
        "subject": "acme",
        "time": "2026-11-20T10:00:00Z",
        "data": {"input_tokens": 1200, "output_tokens": 310, "model": "large"},
    },
}
_ONE_OR_MANY = {"oneOf": [CLOUD_EVENT, {"type": "array", "items": CLOUD_EVENT, "maxItems": 10_000}]}
EVENT_BODIES: dict[str, Any] = {
    "application/json": _ONE_OR_MANY,
    "application/cloudevents+json": CLOUD_EVENT,
    "application/cloudevents-batch+json": {"type": "array", "items": CLOUD_EVENT, "maxItems": 10_000},
    "application/x-ndjson": {"type": "string", "description": "One event per line."},
}
