"""`close_cycles` and `finalize_invoices` at the shell."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from invoicing.cycle.models import Invoice
from tests.builders import billing
from tests.builders.billing import day

pytestmark = pytest.mark.django_db
AS_OF = "2026-11-01T00:00:00Z"


def run(command: str, *arguments: str) -> tuple[str, str, int]:
    """What it printed, what it complained of, and its exit code."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        return out.getvalue(), err.getvalue(), int(stop.code or 0)
    except CommandError as error:
        return out.getvalue(), str(error), error.returncode
    return out.getvalue(), err.getvalue(), 0


@pytest.fixture
def company() -> billing.Company:
    assert timezone.now() > billing.NOVEMBER, "this machine's clock is in the past of these tests"
    return billing.open_company()


def test_closing_prints_drafts_holds_and_breaks(company: billing.Company) -> None:
    billing.make_meter("storage", event_type="storage", owner=company.finance)
    for name in ("acme", "globex"):
        billing.subscribe_to(company, billing.make_customer(name))
    billing.use("acme", ("s1", day(5), 3), event_type="storage")
    printed, complaint, status = run("close_cycles", "--as-of", AS_OF)
    assert (complaint, status) == ("", 0)
    assert printed == (
        "drafts 2, of these held 1 with 1 breaks; adjustment lines 0; periods with nothing to bill 0; failed 0;"
        " late windows waiting 0\n"
    )
    assert run("close_cycles", "--as-of", AS_OF)[0].startswith("drafts 0,")


def test_only_the_customers_that_are_named_are_closed(company: billing.Company) -> None:
    for name in ("acme", "globex", "initech"):
        billing.subscribe_to(company, billing.make_customer(name))
    run("close_cycles", "--as-of", AS_OF, "--customer", "acme", "--customer", "globex")
    assert set(Invoice.objects.values_list("customer__code", flat=True)) == {"acme", "globex"}


@pytest.mark.parametrize("instant", ["", "tomorrow", "2026-11-01", "2026-11-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_an_instant_that_says_too_little_is_refused(company: billing.Company, instant: str) -> None:
    with pytest.raises(CommandError, match="such as 2026-11-01T00:00:00Z"):
        call_command("close_cycles", "--as-of", instant)


@pytest.mark.parametrize("command", ["close_cycles", "finalize_invoices"])
def test_an_unknown_customer_stops_it_with_code_2(company: billing.Company, command: str) -> None:
    arguments = ["--as-of", AS_OF] if command == "close_cycles" else []
    _, complaint, code = run(command, *arguments, "--customer", "nobody")
    assert (complaint, code) == ("There is no customer nobody.", 2)


def test_a_missing_seller_stops_it_with_code_2() -> None:
    _, complaint, code = run("close_cycles", "--as-of", AS_OF)
    assert code == 2
    assert complaint.startswith("There is no seller yet")


def test_a_customer_who_cannot_be_closed_is_named_and_the_exit_code_is_1(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme", tax_rate_code="fr-vat"))
    billing.subscribe_to(company, billing.make_customer("globex"))
    printed, complaint, code = run("close_cycles", "--as-of", AS_OF)
    assert (printed[:9], code) == ("drafts 1,", 1)
    assert complaint.startswith("acme 2026-10-01 to 2026-11-01: No tax rate fr-vat is in force")


def test_approved_invoices_are_finalized_in_the_order_of_approval(company: billing.Company) -> None:
    invoices = [billing.billed_customer(company, name) for name in ("acme", "globex", "initech")]
    for minutes, invoice in enumerate((invoices[1], invoices[0])):
        billing.approve_by(company.finance, invoice, at=billing.CLOSING.replace(minute=minutes))
    assert run("finalize_invoices") == ("INV-000001 globex 61.88 EUR\nINV-000002 acme 61.88 EUR\n", "", 0)
    assert run("finalize_invoices") == ("", "", 0)


def test_finalizing_can_be_limited_to_customers(company: billing.Company) -> None:
    for name in ("acme", "globex"):
        billing.approve_by(company.finance, billing.billed_customer(company, name))
    assert run("finalize_invoices", "--customer", "globex")[0] == "INV-000001 globex 61.88 EUR\n"


def test_an_invoice_that_is_refused_is_named_and_the_others_go_on(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("acme", "globex"):
        billing.approve_by(company.finance, billing.billed_customer(company, name))
    acme = Invoice.objects.get(customer__code="acme")
    whole = billing.approve.content.hash_of_rows
    monkeypatch.setattr(
        billing.approve.content, "hash_of_rows", lambda one: "0" * 64 if one.pk == acme.pk else whole(one)
    )
    printed, complaint, code = run("finalize_invoices")
    assert (printed, code) == ("INV-000001 globex 61.88 EUR\n", 1)
    assert complaint.startswith(f"invoice {acme.pk}: The rows of this invoice no longer say what was drafted.")
