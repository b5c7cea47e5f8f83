"""What the rows of documents come to in the books: which posting holds each of them, and what is earned by when."""

from django.db import models
from django.db.models import Q

from core.models import APPEND_ONLY
from invoicing.cycle.models.invoices import Invoice
from invoicing.cycle.models.lines import CreditLine, InvoiceAllowanceCharge, InvoiceLine, InvoiceTax
from invoicing.ledger.models import JournalEntry, Posting


class LineBooking(models.Model):
    """One row of a final document in the posting that holds it; below 0 where it takes away from that account.

    A row whose account came to 0 in its entry has no posting, and names the entry alone.
    """

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="bookings")
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="+")
    posting = models.ForeignKey(Posting, null=True, on_delete=models.PROTECT, related_name="+")
    line = models.OneToOneField(InvoiceLine, null=True, on_delete=models.PROTECT, related_name="booking")
    credit_line = models.OneToOneField(CreditLine, null=True, on_delete=models.PROTECT, related_name="booking")
    allowance = models.OneToOneField(
        InvoiceAllowanceCharge, null=True, on_delete=models.PROTECT, related_name="booking"
    )
    tax = models.OneToOneField(InvoiceTax, null=True, on_delete=models.PROTECT, related_name="booking")
    account = models.CharField(max_length=40)
    amount = models.DecimalField(max_digits=20, decimal_places=4, help_text="Credit less debit.")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(line__isnull=False, credit_line=None, allowance=None, tax=None)
                | Q(line=None, credit_line__isnull=False, allowance=None, tax=None)
                | Q(line=None, credit_line=None, allowance__isnull=False, tax=None)
                | Q(line=None, credit_line=None, allowance=None, tax__isnull=False),
                name="cycle_booking_of_one_row",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.invoice} on {self.account}"


class Recognition(models.Model):
    """What of a fee in advance was earned between the books before and these, and the entry that says so."""

    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="recognitions")
    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField(help_text="Up to which instant its time was counted.")
    amount = models.DecimalField(
        max_digits=20, decimal_places=4, help_text="Below 0 where less was due after all than was earned before."
    )

    class Meta:
        ordering = ["line", "until"]
        constraints = [
            models.UniqueConstraint(fields=["line", "until"], name="cycle_recognition_once"),
            models.CheckConstraint(condition=~Q(amount=0), name="cycle_recognition_something"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.line} until {self.until:%Y-%m-%d}"
