"""Alerts fire once per crossing, keep what decided, tell people, and do nothing else."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from invoicing.alerts.models import AlertFiring, AlertState
from invoicing.charge_controls.models import AccessChange
from invoicing.cycle.models import Hold, Invoice
from invoicing.notices.models import Delivery, Notice
from tests.builders import billing, guards, triggers
from tests.builders.triggers import MID, NEAR, look, subscriber, use

pytestmark = pytest.mark.django_db
LATER = MID + timedelta(seconds=10)


def test_a_crossing_fires_once_with_its_figures_and_the_version_that_decided() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 7999)
    assert look() == ([], [])
    use("b", 1)
    (firing,), _ = look(at=LATER)
    assert (firing.kind, firing.value, firing.line) == ("usage_near_limit", 8000, 8000)
    assert firing.subject == "tokens (EUR) until 2026-12-01"
    assert (firing.policy.program, firing.policy.version) == ("standard", 2)
    assert firing.rule == NEAR
    assert firing.inputs["as_of"] == LATER.isoformat()
    assert firing.inputs["watermark"] > 0
    use("c", 500)
    assert look(at=LATER + timedelta(seconds=10)) == ([], [])


def test_it_fires_again_once_it_has_been_below() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 9000)
    look()
    use("b", -2000)
    assert look(at=LATER) == ([], [])
    use("c", 3000)
    (again,), _ = look(at=LATER + timedelta(seconds=10))
    assert (again.crossing, AlertState.objects.get().crossings) == (2, 2)


def test_a_new_version_with_the_same_alert_does_not_fire_again() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 9000)
    look()
    triggers.decide(alerts=[NEAR], at=LATER)
    assert look(at=LATER) == ([], [])
    triggers.decide(alerts=[NEAR | {"percent": "85"}], at=LATER + timedelta(seconds=10))
    (firing,), _ = look(at=LATER + timedelta(seconds=10))
    assert (firing.line, firing.policy.version) == (8500, 4)


def test_a_projection_that_outgrows_the_period_before_is_told() -> None:
    """October: 49 + 3 = 61.88. November half over: 49 + 10, projected 49 + 20 = 82.11; 61.88 + 30 % = 80.444."""
    growth = {"kind": "exposure_growth", "currency": "EUR", "amount": "50.00", "percent": "30"}
    company = triggers.company_with(alerts=[growth])
    billing.billed_customer(company)
    billing.issue(company, [Invoice.objects.get()])
    use("n", 5000)
    (firing,), _ = look()
    assert (firing.kind, firing.value, firing.line) == ("exposure_growth", Decimal("82.11"), Decimal("80.444"))
    assert firing.inputs["past"][0]["total"] == "61.88"


def test_people_and_systems_are_told_after_it_commits() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 9000)
    (firing,), _ = look()
    notice = Notice.objects.get()
    assert (notice.key, notice.topic, notice.audience) == (f"alert:{firing.pk}", "alert.usage_near_limit", "ops")
    assert notice.document["policy"] == {"program": "standard", "version": 2}
    assert sorted(Delivery.objects.values_list("channel", "status")) == [
        ("email", "pending"),
        ("webhook", "not_set_up"),
    ]


def test_silence_of_the_policy_is_no_alert() -> None:
    company = triggers.company_with()
    subscriber(company)
    use("a", 900000)
    assert look() == ([], [])


def test_an_alert_makes_no_invoice_and_no_hold() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 900000)
    assert len(look()[0]) == 1
    assert (Invoice.objects.count(), Hold.objects.count(), AccessChange.objects.count()) == (0, 0, 0)


def test_firings_stand_as_they_were_made() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 9000)
    look()
    assert guards.refuses("UPDATE alerts_alertfiring SET value = 9001")
    assert guards.refuses("UPDATE alerts_alertstate SET subject = 'other'")
    assert guards.keeps_its_rows(AlertFiring)
    assert guards.keeps_its_rows(AlertState)


def test_a_crossing_cannot_fire_twice() -> None:
    company = triggers.company_with(alerts=[NEAR])
    subscriber(company)
    use("a", 9000)
    (firing,), _ = look()
    firing.pk = None
    with pytest.raises(IntegrityError, match="alerts_firing_once_per_crossing"), transaction.atomic():
        firing.save(force_insert=True)
