"""The three kinds of trigger cannot touch each other's results, whoever calls what: each forbidden effect is tried."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, InternalError, connection, transaction

from accounts.models import Customer
from core import deciding
from core.deciding import Kind
from invoicing.alerts.models import AlertFiring
from invoicing.charge_controls import access
from invoicing.charge_controls.access import Why
from invoicing.charge_controls.models import AccessChange, AccessState, ControlFiring, CreditReview
from invoicing.cycle import close, hold, reconcile
from invoicing.cycle.models import Hold, Invoice
from tests.builders import billing, triggers
from tests.builders.billing import person
from tests.builders.triggers import HOLD, MID, NEAR, look, use

pytestmark = pytest.mark.django_db
ALERTS, CONTROLS = {"alerts"}, {"charge_controls"}
BILLING = {"cycle", "documents", "ledger", "payments"}


@pytest.fixture
def world() -> Customer:
    """A draft for October, and usage in November that fires an alert and a hold."""
    company = triggers.company_with(alerts=[NEAR], charge_controls=[HOLD])
    billing.billed_customer(company)
    use("n", 20000)
    look()
    return Customer.objects.get()


def make_an_invoice(_: Customer) -> None:
    draft = Invoice.objects.get(status="draft")
    cycle = draft.cycle
    cycle.pk, cycle.period_start, cycle.period_end = None, billing.NOVEMBER, billing.DECEMBER
    cycle.save(force_insert=True)
    draft.pk, draft.cycle, draft.period_start, draft.period_end = None, cycle, cycle.period_start, cycle.period_end
    draft.save(force_insert=True)


def hold_an_invoice(_: Customer) -> None:
    draft = Invoice.objects.get(status="draft")
    hold.hold_invoice(invoice_id=draft.pk, reason="because", actor=person("fiona", "finance"), at=MID)


def hold_usage(customer: Customer) -> None:
    state = access.lock_state(customer)
    firing = ControlFiring.objects.get()
    access.move_access(customer, state, to_status="allowed", why=Why(cause="below", reason="x", firing=firing), at=MID)


def hold_usage_of_another(_: Customer) -> None:
    other = billing.make_customer("gamma")
    firing = ControlFiring.objects.get()
    access.move_access(other, None, to_status="held", why=Why(cause="control", reason="x", firing=firing), at=MID)


def fire_an_alert(customer: Customer) -> None:
    firing = AlertFiring.objects.get()
    firing.pk, firing.crossing = None, 99
    firing.save(force_insert=True)


def fire_a_control(customer: Customer) -> None:
    firing = ControlFiring.objects.get()
    firing.pk, firing.crossing = None, 99
    firing.save(force_insert=True)


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (Kind.ALERT, make_an_invoice),
        (Kind.ALERT, hold_an_invoice),
        (Kind.ALERT, hold_usage),
        (Kind.ALERT, hold_usage_of_another),
        (Kind.ALERT, fire_a_control),
        (Kind.CHARGE_CONTROL, make_an_invoice),
        (Kind.CHARGE_CONTROL, hold_an_invoice),
        (Kind.CHARGE_CONTROL, fire_an_alert),
        (Kind.INVOICE, hold_usage),
        (Kind.INVOICE, hold_usage_of_another),
        (Kind.INVOICE, fire_an_alert),
        (Kind.INVOICE, fire_a_control),
    ],
)
def test_a_kind_of_trigger_cannot_have_the_effect_of_another(
    world: Customer, kind: Kind, effect: Callable[[Customer], None]
) -> None:
    before = _results()
    refused = pytest.raises((IntegrityError, InternalError), match="comes of this kind of trigger")
    with refused, deciding.deciding(kind):
        effect(world)
    assert _results() == before


@pytest.mark.parametrize(
    "effect", [make_an_invoice, hold_an_invoice, hold_usage, hold_usage_of_another, fire_an_alert, fire_a_control]
)
def test_each_effect_is_one_where_nothing_forbids_it(world: Customer, effect: Callable[[Customer], None]) -> None:
    """Or the test above would prove nothing."""
    before = _results()
    with transaction.atomic():
        effect(world)
        assert _results() != before
        transaction.set_rollback(True)


def _results() -> list[int]:
    models: list[Any] = [Invoice, Hold, AccessState, AccessChange, CreditReview, ControlFiring, AlertFiring]
    return [model.objects.count() for model in models]


def test_what_an_alert_does_is_to_tell(world: Customer) -> None:
    """Firings of both kinds stood in the world: the draft is as it was, and nothing else was invoiced or held."""
    assert [draft.status for draft in Invoice.objects.all()] == ["draft"]
    assert Hold.objects.count() == 0
    assert AccessState.objects.get().status == "held"


def test_a_close_bills_a_customer_on_hold_and_leaves_the_hold(world: Customer) -> None:
    close.close_cycles(as_of=billing.DECEMBER, at=billing.NEXT_CLOSING)
    assert Invoice.objects.filter(period_start=billing.NOVEMBER).count() == 1
    assert AccessState.objects.get().status == "held"
    assert AccessChange.objects.count() == 1


def test_a_close_that_held_a_customer_would_draft_nothing(world: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug in a stage is not enough: PostgreSQL refuses, the chunk is undone, and the customer is parked."""
    tie_out = reconcile.tie_out_bills

    def reach_for_access(*arguments: Any, **named: Any) -> Any:
        hold_usage(world)
        return tie_out(*arguments, **named)

    monkeypatch.setattr(reconcile, "tie_out_bills", reach_for_access)
    report = close.close_cycles(as_of=billing.DECEMBER, at=billing.NEXT_CLOSING)
    (failure,) = report.failed
    assert "comes of this kind of trigger" in failure.reason
    assert (report.drafted, Invoice.objects.count()) == (0, 1)
    assert AccessState.objects.get().status == "held"


def test_no_key_leads_from_one_kind_to_the_results_of_another() -> None:
    """Asked of PostgreSQL itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        )
        keys = [(source.split("_")[0], target.split("_")[0]) for source, target in cursor.fetchall()]
        named = [(_app(source), _app(target)) for source, target in keys]
    crossing = [
        pair
        for pair in named
        for one, other in ((ALERTS, BILLING | CONTROLS), (CONTROLS, BILLING | ALERTS))
        if (pair[0] in one and pair[1] in other) or (pair[1] in one and pair[0] in other)
    ]
    assert crossing == []
    assert ("alerts", "policy") in named


def _app(word: str) -> str:
    return "charge_controls" if word == "charge" else word


def test_no_trigger_of_one_kind_writes_into_the_tables_of_another() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.tgrelid::regclass::text, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE NOT t.tgisinternal
            """
        )
        sources = cursor.fetchall()
    kinds = {"alerts_": ("cycle_", "charge_controls_"), "charge_controls_": ("cycle_", "alerts_")}
    kinds["cycle_"] = ("alerts_", "charge_controls_")
    reaching = [
        (table, other)
        for table, text in sources
        for own, others in kinds.items()
        if table.startswith(own)
        for other in others
        if other in text
    ]
    assert reaching == []


def test_no_source_of_one_kind_names_another() -> None:
    """import-linter follows imports; this finds what is fetched by name."""
    root = Path(settings.BASE_DIR) / "invoicing"
    forbidden = {
        "alerts": ("cycle.", "charge_controls.", "invoicing.cycle", "invoicing.charge_controls"),
        "charge_controls": ("cycle.", "alerts.", "invoicing.cycle", "invoicing.alerts"),
        "cycle": ("charge_controls.", "alerts.", "invoicing.charge_controls", "invoicing.alerts"),
    }
    found = []
    for room, names in forbidden.items():
        for file in sorted((root / room).rglob("*.py")):
            texts = [
                node.value
                for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value
            ]
            found += [(file.name, text) for text in texts if text.startswith(names)]
    assert found == []


def test_the_switch_holds_for_one_transaction_only(world: Customer) -> None:
    with deciding.deciding(Kind.ALERT):
        pass
    hold_an_invoice(world)
    assert Hold.objects.count() == 1
