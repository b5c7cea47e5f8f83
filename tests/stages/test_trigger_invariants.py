"""The invariants of exposures, notices, alerts and charge controls: silent where all is well, loud over an offence."""

import pytest

from billing_ops.management.commands import check_invariants
from tests.builders import triggers
from tests.builders.tampering import tamper
from tests.builders.triggers import HOLD, NEAR, look, subscriber, use

pytestmark = pytest.mark.django_db
ROOMS = ("invoicing.exposure", "invoicing.notices", "invoicing.alerts", "invoicing.charge_controls")
OFFENCES = [
    (
        "what exposures say is unpaid was in the books when they were made",
        "UPDATE exposure_exposure SET unpaid = 5, total = total + 5",
    ),
    ("the end of a day is that of the exposure", "UPDATE exposure_exposureday SET total = total + 1"),
    ("a notice that is on its way has a job", "DELETE FROM core_job WHERE kind = 'notices.deliver'"),
    (
        "a delivered notice has the attempt that delivered it, and no other status has one",
        "UPDATE notices_delivery SET status = 'delivered', finished_at = now() WHERE channel = 'email'",
    ),
    (
        "no alert firing has an invoice: no key leads from one to the other, and no figure names one",
        "ALTER TABLE alerts_alertfiring ADD COLUMN invoice_id bigint REFERENCES cycle_invoice (id)",
    ),
    (
        "no alert firing has an invoice: no key leads from one to the other, and no figure names one",
        """UPDATE alerts_alertfiring SET inputs = inputs || '{"invoice": 1}'""",
    ),
    ("an alert fires once for each time that its line was crossed", "UPDATE alerts_alertstate SET crossings = 2"),
    (
        "an alert firing names a policy version that was signed, had begun, and has that alert",
        "UPDATE alerts_alertfiring SET fired_at = '2026-01-02'",
    ),
    ("every alert firing was told", "UPDATE notices_notice SET key = 'x' || key"),
    (
        "no charge-control firing has an invoice: no key leads from one to the other, and no figure names one",
        "ALTER TABLE cycle_invoice ADD COLUMN firing_id bigint REFERENCES charge_controls_controlfiring (id)",
    ),
    (
        "a charge control fires once for each time that its line was crossed",
        "UPDATE charge_controls_controlstate SET crossings = 2",
    ),
    (
        "what a charge control wanted was done: a hold or a review, and nothing by an interim bill",
        "DELETE FROM charge_controls_creditreview",
    ),
    (
        "a charge-control firing names a policy version that was signed and had begun, and its exposure adds up",
        "UPDATE charge_controls_controlfiring SET exposure = exposure + 1",
    ),
    (
        "a customer's access is what its last change says, and its changes follow each other",
        "UPDATE charge_controls_accessstate SET status = 'allowed'",
    ),
    (
        "every change of access stands in the audit chain as it was made",
        "UPDATE charge_controls_accesschange SET reason = 'other'",
    ),
]


@pytest.fixture(autouse=True)
def held() -> None:
    """An alert, a hold and a review that fired."""
    review = HOLD | {"action": "require_review", "amount": "90.00"}
    subscriber(triggers.company_with(alerts=[NEAR], charge_controls=[HOLD, review]))
    use("a", 20000)
    look()


def offenders() -> dict[str, list[str]]:
    return {
        one.name: found
        for room in ROOMS
        for one in check_invariants.invariants_of(room)
        if (found := list(one.find_offenders()))
    }


def test_a_sound_house_offends_nothing() -> None:
    assert offenders() == {}


@pytest.mark.parametrize(("name", "planted"), OFFENCES)
def test_an_offence_is_found(name: str, planted: str) -> None:
    tamper(planted)
    assert name in offenders()


def test_every_invariant_of_these_rooms_has_an_offence_here() -> None:
    names = {one.name for room in ROOMS for one in check_invariants.invariants_of(room)}
    assert names == {name for name, _ in OFFENCES}
