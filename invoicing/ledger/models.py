"""Journal entries and their postings: balanced when they commit, and never changed."""

import pgtrigger
from django.db import models
from django.db.models import Q
from simple_history.models import HistoricalRecords

from accounts.models import Customer
from core.models import APPEND_ONLY
from invoicing.ledger.rules.chart import Account

ACCOUNTS = [(str(account), str(account)) for account in Account]

# Run at commit: an entry and its postings come in any order inside their transaction.
_BALANCES = """
    IF (SELECT count(*) FILTER (WHERE debit > 0) = 0 OR count(*) FILTER (WHERE credit > 0) = 0
               OR sum(debit) <> sum(credit)
        FROM ledger_posting WHERE entry_id = {entry})
    THEN
        RAISE EXCEPTION 'journal entry % does not balance', {entry} USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


def balances(*, entry: str) -> pgtrigger.Trigger:
    """Both sides of an entry have postings, and they are equal; asked once more when the transaction commits."""
    return pgtrigger.Trigger(
        name="entry_balances",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        func=_BALANCES.replace("{entry}", entry),
    )


class JournalEntry(models.Model):
    """What one document means for the books, in one currency; a correction is an entry of its own."""

    key = models.CharField(max_length=80, unique=True, help_text="Posted once for ever, such as invoice:42:final.")
    memo = models.CharField(max_length=200)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    booked_on = models.DateField(help_text="The day in the books: the date of issue of its document.")
    posted_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "journal entries"
        ordering = ["booked_on", "id"]
        indexes = [models.Index(fields=["booked_on", "id"], name="ledger_entry_day")]
        triggers = [*APPEND_ONLY, balances(entry="NEW.id")]

    def __str__(self) -> str:
        return f"{self.memo} ({self.booked_on})"


class Posting(models.Model):
    """One side of an entry: an amount above 0 in the debit or in the credit of an account."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(max_length=40, choices=ACCOUNTS)
    debit = models.DecimalField(max_digits=20, decimal_places=4)
    credit = models.DecimalField(max_digits=20, decimal_places=4)

    class Meta:
        ordering = ["entry", "id"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "account"], name="ledger_posting_once_per_account"),
            models.CheckConstraint(condition=Q(account__in=list(Account)), name="ledger_posting_account"),
            models.CheckConstraint(
                condition=Q(debit=0, credit__gt=0, credit__lte="1e15") | Q(credit=0, debit__gt=0, debit__lte="1e15"),
                name="ledger_posting_one_side",
            ),
        ]
        triggers = [*APPEND_ONLY, balances(entry="NEW.entry_id")]

    def __str__(self) -> str:
        return f"{self.account} {self.debit or -self.credit}"


class GeneralLedgerNumber(models.Model):
    """The number that an account has in the company's general ledger; exports carry it."""

    account = models.CharField(max_length=40, choices=ACCOUNTS, unique=True)
    number = models.CharField(max_length=40)
    history = HistoricalRecords()

    class Meta:
        ordering = ["account"]
        constraints = [models.CheckConstraint(condition=Q(account__in=list(Account)), name="ledger_number_account")]
        triggers = [pgtrigger.ReadOnly(name="account_is_fixed", fields=["account"])]

    def __str__(self) -> str:
        return f"{self.account} = {self.number}"
