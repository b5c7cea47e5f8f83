"""The documented shape of a set's content, as JSON Schema; what its rows hold is PostgreSQL's to say."""

from typing import Any

FORM = 1
# In the order in which they are loaded: agreements as PostgreSQL writes their rows (`to_jsonb`), by table.
TABLES = (
    "accounts_seller",
    "accounts_customer",
    "metering_eventcontract",
    "metering_eventcontractversion",
    "metering_meter",
    "metering_meterversion",
    "pricing_plan",
    "pricing_planversion",
    "pricing_charge",
    "pricing_feeprogram",
    "pricing_feeprogramversion",
    "pricing_priceversion",
    "pricing_taxrate",
    "pricing_subscription",
    "pricing_subscriptionphase",
    "pricing_subscriptionquantity",
    "pricing_keptprices",
    "pricing_invoiceterm",
    "policy_triggerpolicy",
    "policy_policybeginning",
)
KINDS = ("cycle", "interim", "adjustment")
OUTCOMES = ("accepted", "duplicate", "quarantined")


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


TEXT = {"type": "string"}
AMOUNT = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
SPAN = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}
ROW = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer", "minimum": 1}}}
ROWS = {
    "type": "object",
    "propertyNames": {"enum": list(TABLES)},
    "additionalProperties": _list(ROW),
}
LINE = _object(
    {"charge": TEXT, "segment": SPAN, "quantity": AMOUNT, "amount": AMOUNT},
    {
        "meter": TEXT,
        "price": TEXT,
        "price_version": {"type": "integer"},
        "fee_version": {"type": ["string", "null"]},
        "adjusts": {"type": ["string", "null"]},
        "tax": TEXT,
        "events": {"type": "object", "additionalProperties": TEXT},
    },
)
DOCUMENT = _object(
    {
        "key": TEXT,
        "customer": TEXT,
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "lines": _list(LINE),
        "subtotal": AMOUNT,
        "tax": AMOUNT,
        "total": AMOUNT,
    },
    {
        "subscription": {"type": "integer"},
        "kind": {"enum": list(KINDS)},
        "document_type": {"enum": ["invoice", "credit_note"]},
        "period": SPAN,
        "payable": AMOUNT,
        "on_document": _list(_object({"kind": TEXT, "reason": TEXT, "amount": AMOUNT, "tax": TEXT})),
        "taxes": _list(_object({"tax": TEXT, "taxable": AMOUNT, "amount": AMOUNT})),
        "breaks": _list(TEXT),
    },
)
# `added`: nobody sent it; whoever made the set put it there.
EVENT = _object({"event": TEXT}, {"becomes": {"enum": list(OUTCOMES)}, "added": {"type": "boolean"}})
STEP = _object(
    {
        "name": TEXT,
        "rows": ROWS,
        "deliveries": _list(_object({"at": TEXT, "events": _list(EVENT)})),
        "draft": {
            "anyOf": [
                {"type": "null"},
                _object(
                    {"kind": {"enum": list(KINDS)}, "as_of": TEXT, "at": TEXT},
                    {"asked_in": {"type": ["string", "null"], "pattern": "^[A-Z]{3}$"}},
                ),
            ]
        },
        "expected": _list(DOCUMENT),
        "issue": _list(_object({"key": TEXT, "at": TEXT})),
    },
    {"begun": _list(_object({"subscription": {"type": "integer", "minimum": 1}, "period": SPAN, "at": TEXT}))},
)
SHAPE = _object(
    {
        "form": {"const": FORM},
        "program": TEXT,
        "customers": {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True},
        "steps": {"type": "array", "items": STEP, "minItems": 1},
    },
    {"notes": _list(TEXT)},
)
