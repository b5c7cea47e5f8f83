"""What is kept of persons: under their keys in the database, readable for us, gone with the key."""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import Error, connection, transaction
from pytest_django import Settings

from accounts import customers
from accounts.models import Customer
from compliance.payouts import evidence
from compliance.payouts.models import EvidenceFile, Payee
from core import audit, canonical, personal_keys, sealing
from core.models import PersonalKey
from invoicing.cycle import comment
from invoicing.cycle.models import Invoice, InvoiceComment
from tests.builders import billing, dumps, payouts, people
from tests.builders.guards import refuses
from tests.builders.tampering import tamper

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
WHO = {
    "legal_name": "Erika Mustermann",
    "address": "Heidestraße 17\n51147 Köln",
    "tax_id": "DE136695976",
    "email": "erika.mustermann@example.org",
}
SAID = ("Erika", "Mustermann", "Heidestra", "51147", "DE136695976", "example.org")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """As in another process: no key is known but from the database."""
    personal_keys._kept.clear()  # noqa: SLF001  there is no door to this
    yield
    personal_keys._kept.clear()  # noqa: SLF001  as above


@pytest.fixture
def erika() -> Customer:
    made = customers.create_customer(values={"code": "c-1", "currency": "EUR", **WHO}, actor=None)
    personal_keys._kept.clear()  # noqa: SLF001  as above
    return made


def found_by(asked: str, *, way: str = "icontains") -> list[Customer]:
    """As the search of a page asks it."""
    lookups: dict[str, Any] = {f"legal_name__{way}": asked}
    return list(Customer.objects.filter(**lookups))


def stored(*tables: str) -> str:
    """Every row of these tables as text."""
    with connection.cursor() as cursor:
        rows: list[Any] = []
        for table in tables:
            cursor.execute(f"SELECT told::text FROM {table} AS told")  # noqa: S608  our own names
            rows += cursor.fetchall()
    return str(rows)


def test_what_is_kept_of_a_customer_is_sealed_and_reads_as_it_was(erika: Customer) -> None:
    found = Customer.objects.get(pk=erika.pk)
    assert {name: getattr(found, name) for name in WHO} == WHO
    assert found.history.get().legal_name == "Erika Mustermann"
    kept = stored("accounts_customer", "accounts_historicalcustomer")
    assert not [word for word in SAID if word in kept]
    assert kept.count("sealed:1:") == 2 * len(WHO)


def test_a_change_is_sealed_under_the_same_key(erika: Customer) -> None:
    customers.change_customer(code="c-1", changes={"email": "e@new.example"}, actor=None)
    found = Customer.objects.get(pk=erika.pk)
    assert (found.email, found.personal_key_id) == ("e@new.example", erika.personal_key_id)
    assert Customer.objects.filter(email__icontains="new.example").get() == erika
    assert (
        not Customer.objects.filter(email__icontains="mustermann@")
        .exclude(legal_name="")
        .filter(email__icontains="org")
    )


@pytest.mark.parametrize("asked", ["Erika", "mustermann", "muster", "MUSTERMANN erika", "erika.mustermann@example.org"])
def test_it_is_found_by_words_and_their_beginnings(erika: Customer, asked: str) -> None:
    people.make_customer("other")
    assert found_by(asked) == [erika]


@pytest.mark.parametrize("asked", ["Mustermax", "er", "rika", "", "%"])
def test_it_is_not_found_by_anything_else(erika: Customer, asked: str) -> None:
    assert not found_by(asked)


def test_what_the_database_cannot_tell_is_refused_instead_of_answered_wrongly(erika: Customer) -> None:
    with pytest.raises(FieldError, match="sealed"):
        found_by("Erika Mustermann", way="exact")
    with pytest.raises(FieldError, match="sealed"):
        found_by("E", way="startswith")
    with pytest.raises(FieldError, match="save the row"):
        Customer.objects.update(email="plain@example.org")


def test_postgresql_refuses_plain_words_and_another_key(erika: Customer) -> None:
    assert refuses("UPDATE accounts_customer SET email = 'erika@example.org'")
    with pytest.raises(Error), transaction.atomic():
        Customer.objects.filter(pk=erika.pk).update(personal_key=personal_keys.make_key())


def test_with_the_key_it_is_gone_everywhere_and_nothing_new_can_be_kept(erika: Customer) -> None:
    assert personal_keys.destroy_keys([erika.personal_key_id or 0], at=NOW) == 1
    found = Customer.objects.get(pk=erika.pk)
    assert (found.legal_name, found.email, found.history.get().address) == ("erased on 26 Nov 2026",) * 3
    found.email = "again@example.org"
    with pytest.raises(personal_keys.PersonErasedError, match="erased on 26 Nov 2026"), transaction.atomic():
        found.save()
    assert personal_keys.destroy_keys([erika.personal_key_id or 0], at=NOW) == 0


def test_a_destroyed_key_never_comes_back(erika: Customer) -> None:
    personal_keys.destroy_keys([erika.personal_key_id or 0], at=NOW)
    assert refuses("UPDATE core_personalkey SET wrapped = '\\x00', destroyed_at = NULL")
    assert refuses("DELETE FROM core_personalkey")


def test_a_key_of_one_person_opens_nothing_of_another(erika: Customer) -> None:
    other = people.make_customer("other")
    with connection.cursor() as cursor:
        cursor.execute("SELECT legal_name FROM accounts_customer WHERE id = %s", [erika.pk])
        token = cursor.fetchone()[0].replace(f":{erika.personal_key_id}:", f":{other.personal_key_id}:")
    with pytest.raises(sealing.SealBrokenError):
        personal_keys.open_text(token)


def test_rows_from_before_are_sealed_once_and_may_be_stopped_in_between(erika: Customer) -> None:
    maker = people.make_staff("olga", "ops")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_historicalcustomer SET personal_key_id = NULL, legal_name = 'Erika Mustermann', email = ''"
        )
        cursor.execute(
            """
            INSERT INTO accounts_customer (code, legal_name, address, country, tax_id, currency, time_zone,
                payment_terms_days, email, name_marks, program, tax_rate_code, created_at)
            VALUES ('old', 'Max Beispiel', '', '', '', 'EUR', 'UTC', 30, 'max@old.example', '{}', 'standard', '', now())
            """
        )
        cursor.execute(
            """
            INSERT INTO payouts_payee (code, legal_name, kind, program, market, country, email, name_marks,
                created_by_id, created_at)
            VALUES ('old', 'Petra Beispiel', 'person', 'p', 'DE', 'DE', '', '{}', %s, now())
            """,
            [maker.pk],
        )
    assert Customer.objects.get(code="old").legal_name == "Max Beispiel"
    call_command("personal_keys", "seal")
    kept = stored("accounts_customer", "accounts_historicalcustomer", "payouts_payee")
    assert not [word for word in ("Erika", "Beispiel", "old.example") if word in kept]
    assert [one.email for one in found_by("beispiel")] == ["max@old.example"]
    assert Payee.objects.get(code="old").legal_name == "Petra Beispiel"
    assert erika.history.get().legal_name == "Erika Mustermann"
    before = stored("core_personalkey")
    call_command("personal_keys", "seal")
    assert stored("core_personalkey") == before


def test_the_master_key_can_be_changed_while_everything_stays_readable(erika: Customer, settings: Settings) -> None:
    first = sealing.present_master()
    settings.PERSONAL_DATA_KEYS = ["ab" * 32]
    personal_keys._kept.clear()  # noqa: SLF001  as above
    assert Customer.objects.get(pk=erika.pk).legal_name == "Erika Mustermann"
    assert not found_by("erika")
    call_command("personal_keys", "rotate")
    assert first not in set(PersonalKey.objects.values_list("master", flat=True))
    settings.SECRET_KEY = "another one altogether, from which nothing follows that was there before"
    personal_keys._kept.clear()  # noqa: SLF001  as above
    assert [one.legal_name for one in found_by("erika")] == ["Erika Mustermann"]


def test_a_missing_master_key_is_named(erika: Customer, settings: Settings) -> None:
    name = sealing.present_master()
    settings.SECRET_KEY = "another one altogether, from which nothing follows that was there before"
    with pytest.raises(sealing.SealBrokenError, match=f"master key {name}; add that one to PERSONAL_DATA_KEYS"):
        Customer.objects.get(pk=erika.pk)


def test_what_was_told_before_is_sealed_too_and_what_was_issued_stays(erika: Customer) -> None:
    """A remark, a letter's or paper's bytes from before lie in clear; an old invoice has no key and gets none."""
    company = billing.open_company()
    [invoice] = billing.issue(company, [billing.billed_customer(company)])
    comment.add_comment(invoice_id=invoice.pk, text="x", actor=company.finance, at=billing.CLOSING)
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    evidence.add_file(check_id=check.pk, name="x.pdf", content=b"%PDF-1.4", actor=desk.ops, at=payouts.NOON)
    tamper("UPDATE cycle_invoicecomment SET text = 'Egon called'")
    tamper("UPDATE payouts_evidencefile SET name = 'Egon.pdf', content = 'of Egon', sha256 = repeat('0', 64)")
    tamper("UPDATE cycle_invoice SET personal_key_id = NULL")
    call_command("personal_keys", "seal")
    assert dumps.find_words(["Egon"]) == []
    assert InvoiceComment.objects.get().text == "Egon called"
    file = EvidenceFile.objects.get()
    assert (file.name, file.content) == ("Egon.pdf", b"of Egon")
    assert Invoice.objects.get(pk=invoice.pk).personal_key_id is None
    before = stored("cycle_invoicecomment", "payouts_evidencefile")
    call_command("personal_keys", "seal")
    assert stored("cycle_invoicecomment", "payouts_evidencefile") == before


def test_a_text_that_was_told_is_kept_sealed_wherever_it_goes(erika: Customer) -> None:
    """Copied, pickled or hashed it stays what it is; cut or joined it is an ordinary text."""
    told = personal_keys.tell_about(erika, "Egon called")
    assert told == "Egon called"
    assert copy.deepcopy(told).kept == told.kept
    assert b"Egon" not in canonical.canonical_bytes({"reason": told})
    entry = audit.append_entry(action="a", subject="s", actor=None, facts={"why": [told]}, at=people.NOW)
    assert entry.facts == {"why": [told.kept]}
    assert personal_keys.open_within(entry.facts) == {"why": ["Egon called"]}
    promised = told.kept.rpartition(".")[2]
    assert promised == sealing.promise("Egon called", salt=personal_keys.salt_of(told.kept))
    assert promised != sealing.promise("Egon calls", salt=personal_keys.salt_of(told.kept))
    assert not hasattr(told.strip(), "kept")
