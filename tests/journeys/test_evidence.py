"""The whole walk on real input: import, close, issue, pack, and a verifier that knows nothing of this project."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence import trace
from invoicing.cycle import close
from invoicing.cycle.models import Invoice
from metering import contracts, importing, meters
from metering.import_forms import ImportRequest
from metering.models import EventContract
from metering.rules import import_rows
from metering.rules.drafting import ContractDraft
from tests.builders import billing, packs
from tests.builders.billing import LONG_AGO
from tests.journeys.test_real_usage import NOW, TRACE

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not TRACE.exists(), reason=f"the trace is not part of the project and not at {TRACE}"),
]

EVENTS = 19_366
NOVEMBER_2023, DECEMBER_2023 = datetime(2023, 11, 1, tzinfo=UTC), datetime(2023, 12, 1, tzinfo=UTC)
METERS = {"in": ("sum", "input_tokens"), "out": ("max", "output_tokens"), "requests": ("count", "")}


def open_contract(company: billing.Company) -> EventContract:
    draft = ContractDraft(
        schema={
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("input_tokens", "output_tokens")},
            "required": ["input_tokens", "output_tokens"],
        },
        billing_fields=["input_tokens", "output_tokens"],
        valid_examples=[{"input_tokens": 1, "output_tokens": 2}],
        invalid_examples=[
            {"data": {"input_tokens": 1}, "code": "billing_field_missing", "pointer": "/data/output_tokens"}
        ],
        accepts_past_days=3650,
    )
    owner = company.meter.owner
    return contracts.open_contract(
        event_type="llm", description="Requests.", draft=draft, is_activated=True, actor=owner, at=LONG_AGO
    )


def bill_the_trace(company: billing.Company) -> Invoice:
    """November 2023 of acme: input tokens in tiers, the longest answer, and requests by the package."""
    contract, finance = open_contract(company), company.finance
    plan = billing.make_plan("llm", finance=finance, fee=None, meter=None)
    tiers = [
        {"up_to": "10000000", "unit_amount": "0.000002", "flat_amount": "1"},
        {"up_to": None, "unit_amount": "0.0000015"},
    ]
    prices: dict[str, tuple[str, dict[str, Any]]] = {
        "in": ("graduated", {"tiers": tiers}),
        "out": ("standard", {"unit_amount": "0.01"}),
        "requests": ("package", {"package_amount": "0.5", "package_size": "1000", "free_units": "0"}),
    }
    for code, (aggregation, value) in METERS.items():
        meter = meters.create_meter(
            code=code,
            name=code.capitalize(),
            definition="Requests.",
            exclusions="",
            unit="unit",
            contract=contract,
            aggregation=aggregation,
            value_property=value,
            owner=company.meter.owner,
        )
        model, params = prices[code]
        billing.set_price(
            plan,
            meter=meter,
            model=model,
            params=params,
            finance=finance,
            effective_at=datetime(2023, 1, 1, tzinfo=UTC),
        )
    billing.subscribe_to(company, billing.make_customer("acme", tax_rate_code=""), plan=plan, since=NOVEMBER_2023)
    columns = import_rows.read_column_map(
        ["time=TIMESTAMP", "data.input_tokens=ContextTokens", "data.output_tokens=GeneratedTokens"]
    )
    request = ImportRequest(
        path=TRACE, form="csv", customer_code="acme", event_type="llm", source="trace", columns=columns
    )
    assert importing.import_file(request=request, at=NOW).run.accepted == EVENTS
    close.close_cycles(as_of=DECEMBER_2023, at=NOW)
    return billing.issue(company, [Invoice.objects.get()], at=NOW)[0]


def test_a_public_trace_is_billed_and_its_pack_holds_every_event_of_it(tmp_path: Path) -> None:
    invoice = bill_the_trace(billing.open_company())
    # 10,000,000 × 0.000002 + 1 + 12,361,870 × 0.0000015 = 39.542805; 20 packages of 1,000 for 19,366 requests
    lines = {line.meter_code: line.amount for line in invoice.lines.all()}
    assert (lines["in"], lines["requests"]) == (Decimal("39.54"), Decimal("10.00"))
    assert trace.trace_invoice(invoice_id=invoice.pk).is_equal
    pack = packs.make_pack(invoice, at=NOW)
    assert pack.event_count == EVENTS
    path = packs.write_pack(pack, tmp_path)
    told = packs.verify_bare(path)
    assert told.code == 0, told.text
    assert f"{EVENTS} events, sum = 22361870" in told.text
    rows = [
        row for name, file in packs.contents(path).items() if name.startswith("events/") for row in file.splitlines()
    ]
    assert len(rows) == len(TRACE.read_text().splitlines()) - 1 == EVENTS
