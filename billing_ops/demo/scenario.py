"""The sample company as plain data: who works there, whom it bills, and what its plans cost."""

from dataclasses import dataclass
from typing import Any

LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 176 32">'
    '<path d="M4 26 14 6l10 20h-6l-4-9-4 9z" fill="#0369a1"/><circle cx="27" cy="9" r="4" fill="#38bdf8"/>'
    '<text x="38" y="23" font-family="Inter, sans-serif" font-size="19" font-weight="700" fill="#0f172a">'
    "Lumen Cloud</text></svg>"
)

SELLER = {
    "code": "lumen",
    "legal_name": "Lumen Cloud GmbH",
    "address": "Hafenstraße 12\n10245 Berlin",
    "country": "DE",
    "tax_id": "DE811193231",
    "email": "billing@lumen.example",
    "bank_details": "Musterbank Berlin\nIBAN DE02 1203 0000 0000 2020 51\nBIC BYLADEM1001",
    "logo_svg": LOGO,
    "invoice_prefix": "LUM-",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A sign-in of the sample company; one per role, two in finance and ops because nobody decides alone."""

    username: str
    first_name: str
    last_name: str
    role: str


PEOPLE = (
    Person(username="paula", first_name="Paula", last_name="Prado", role="product"),
    Person(username="fiona", first_name="Fiona", last_name="Falk", role="finance"),
    Person(username="felix", first_name="Felix", last_name="Frey", role="finance"),
    Person(username="olga", first_name="Olga", last_name="Orlova", role="ops"),
    Person(username="erin", first_name="Erin", last_name="Eriksen", role="engineering"),
    Person(username="audrey", first_name="Audrey", last_name="Adeyemi", role="auditor"),
)

CUSTOMERS: tuple[dict[str, Any], ...] = (
    {
        "code": "acme",
        "legal_name": "Acme Robotics GmbH",
        "address": "Werkstraße 7\n80331 München",
        "country": "DE",
        "tax_id": "DE129273398",
        "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "payment_terms_days": 14,
        "email": "accounts@acme.example",
        "tax_rate_code": "de-vat",
    },
    {
        "code": "globex",
        "legal_name": "Globex Analytics Inc.",
        "address": "350 Fifth Avenue\nNew York, NY 10118",
        "country": "US",
        "tax_id": "13-5562976",
        "currency": "USD",
        "time_zone": "America/New_York",
        "payment_terms_days": 30,
        "email": "ap@globex.example",
        "tax_rate_code": "",
    },
    {
        "code": "initech",
        "legal_name": "Initech K.K.",
        "address": "2-8-1 Nishi-Shinjuku\nTokyo 163-8001",
        "country": "JP",
        "tax_id": "",
        "currency": "JPY",
        "time_zone": "Asia/Tokyo",
        "payment_terms_days": 30,
        "email": "keiri@initech.example",
        "tax_rate_code": "",
    },
)

COMPLETION_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["input_tokens", "output_tokens", "model"],
    "properties": {
        "input_tokens": {"type": "integer", "minimum": 0, "description": "Tokens that the model read."},
        "output_tokens": {"type": "integer", "minimum": 0, "description": "Tokens that the model wrote."},
        "model": {"type": "string", "minLength": 1, "description": "Which model answered."},
        "feature": {"type": "string", "description": "The part of your product that asked."},
        "environment": {"type": "string", "description": "Such as production or staging."},
    },
}
STORAGE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["gigabytes"],
    "properties": {
        "gigabytes": {"type": ["number", "string"], "description": "What was stored when it was measured."},
        "region": {"type": "string", "description": "Where it is stored."},
    },
}

CONTRACTS: tuple[dict[str, Any], ...] = (
    {
        "event_type": "llm.completion",
        "description": "One completed request to a language model.",
        "schema": COMPLETION_SCHEMA,
        "billing_fields": ["input_tokens", "output_tokens"],
        "context_fields": ["model", "feature", "environment"],
        "valid_examples": [{"input_tokens": 374, "output_tokens": 44, "model": "large"}],
        "invalid_examples": [
            {
                "data": {"input_tokens": -1, "output_tokens": 44, "model": "large"},
                "code": "schema_minimum",
                "pointer": "/data/input_tokens",
            },
            {
                "data": {"output_tokens": 44, "model": "large"},
                "code": "billing_field_missing",
                "pointer": "/data/input_tokens",
            },
        ],
    },
    {
        "event_type": "storage.measured",
        "description": "How much a customer had stored when it was measured.",
        "schema": STORAGE_SCHEMA,
        "billing_fields": ["gigabytes"],
        "context_fields": ["region"],
        "valid_examples": [{"gigabytes": "12.75", "region": "eu"}],
        "invalid_examples": [{"data": {"region": "eu"}, "code": "billing_field_missing", "pointer": "/data/gigabytes"}],
    },
)

METERS: tuple[dict[str, Any], ...] = (
    {
        "code": "requests",
        "name": "Completion requests",
        "definition": "Every completed request to a model.",
        "exclusions": "Requests that failed on our side.",
        "unit": "request",
        "event_type": "llm.completion",
        "aggregation": "count",
        "value_property": "",
    },
    {
        "code": "input-tokens",
        "name": "Input tokens",
        "definition": "Tokens a model read in completed requests.",
        "exclusions": "Tokens served from the prompt cache.",
        "unit": "token",
        "event_type": "llm.completion",
        "aggregation": "sum",
        "value_property": "input_tokens",
    },
    {
        "code": "output-tokens",
        "name": "Output tokens",
        "definition": "Tokens a model wrote in completed requests.",
        "exclusions": "",
        "unit": "token",
        "event_type": "llm.completion",
        "aggregation": "sum",
        "value_property": "output_tokens",
    },
    {
        "code": "storage",
        "name": "Peak storage",
        "definition": "The largest measured volume of the period.",
        "exclusions": "Deleted objects, from the moment of deletion.",
        "unit": "GB",
        "event_type": "storage.measured",
        "aggregation": "max",
        "value_property": "gigabytes",
    },
)


def _tiers(*rows: tuple[str | None, str, str]) -> dict[str, Any]:
    return {"tiers": [{"up_to": up_to, "unit_amount": unit, "flat_amount": flat} for up_to, unit, flat in rows]}


# plan code → (name, currency, [(charge, printed name, meter or None, model, params)])
POLICY_REASON = (
    "Monthly invoices at the close; what arrives late is corrected on the next one. Large invoices take two people, and"
    " nobody runs up a bill unnoticed."
)
POLICY: dict[str, Any] = {
    "late_usage": {"correction": "next_invoice", "grace_hours": "0"},
    "approval": {"second_person_above": {"EUR": "5000.00", "USD": "400.00"}},  # Globex comes to some 490 a month
    "alerts": [
        {
            "kind": "usage_near_limit",
            "meter": "input-tokens",
            "limit": "1000000",
            "percent": "80",
            "notify": {"to": "customer_success", "channels": ["email"]},
        },
        {
            "kind": "exposure_growth",
            "currency": "EUR",
            "amount": "500.00",
            "percent": "150",
            "elapsed_percent": "25",
            "notify": {"to": "ops", "channels": ["email"]},
        },
    ],
    "charge_controls": [
        {"kind": "credit_exposure", "currency": "EUR", "amount": "5000.00", "action": "hold_usage"},
        {"kind": "credit_exposure", "currency": "USD", "amount": "400.00", "action": "require_review"},
    ],
}

PLANS: dict[str, tuple[str, str, list[tuple[str, str, str | None, str, dict[str, Any]]]]] = {
    "starter": (
        "Starter",
        "EUR",
        [
            ("base", "Starter base fee", None, "flat", {"amount": "49.00"}),
            ("input", "Input tokens", "input-tokens", "standard", {"unit_amount": "0.00012"}),
            ("output", "Output tokens", "output-tokens", "standard", {"unit_amount": "0.00048"}),
            ("storage", "Peak storage", "storage", "standard", {"unit_amount": "0.09"}),
        ],
    ),
    "scale": (
        "Scale",
        "EUR",
        [
            ("base", "Scale base fee", None, "flat", {"amount": "249.00"}),
            (
                "input",
                "Input tokens",
                "input-tokens",
                "graduated",
                _tiers(("250000", "0.0001", "0"), ("750000", "0.00008", "5.00"), (None, "0.00006", "0")),
            ),
            (
                "output",
                "Output tokens",
                "output-tokens",
                "volume",
                _tiers(("100000", "0.0004", "0"), (None, "0.00032", "0")),
            ),
            ("storage", "Peak storage", "storage", "standard", {"unit_amount": "0.07"}),
        ],
    ),
    "scale-usd": (
        "Scale (US)",
        "USD",
        [
            ("base", "Scale base fee", None, "flat", {"amount": "279.00"}),
            (
                "requests",
                "Completion requests",
                "requests",
                "package",
                {"package_amount": "1.50", "package_size": "100", "free_units": "200"},
            ),
            ("input", "Input tokens", "input-tokens", "standard", {"unit_amount": "0.00009"}),
            ("output", "Output tokens", "output-tokens", "standard", {"unit_amount": "0.00036"}),
        ],
    ),
    "scale-jpy": (
        "Scale (Japan)",
        "JPY",
        [
            ("base", "Scale base fee", None, "flat", {"amount": "38000"}),
            (
                "input",
                "Input tokens",
                "input-tokens",
                "graduated",
                _tiers(("200000", "0.016", "0"), (None, "0.011", "500")),
            ),
            ("output", "Output tokens", "output-tokens", "standard", {"unit_amount": "0.055"}),
            ("storage", "Peak storage", "storage", "standard", {"unit_amount": "11"}),
        ],
    ),
}
