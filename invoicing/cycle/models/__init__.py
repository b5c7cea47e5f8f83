"""Billing cycles, invoices with their lines and taxes, and everything decided about them."""

from invoicing.cycle.models.bookings import LineBooking, Recognition
from invoicing.cycle.models.bulk_reviews import BulkReview, BulkReviewItem
from invoicing.cycle.models.closes import CloseRun, ParkedCustomer
from invoicing.cycle.models.collection import CollectionHold
from invoicing.cycle.models.cycles import BillingCycle, DocumentType, NumberSeries
from invoicing.cycle.models.decisions import Hold, InvoiceTransition
from invoicing.cycle.models.deltas import DeltaReport, DeltaRow
from invoicing.cycle.models.false_alarms import FalseAlarm
from invoicing.cycle.models.invoices import Invoice
from invoicing.cycle.models.lines import CreditLine, InvoiceAllowanceCharge, InvoiceLine, InvoiceTax
from invoicing.cycle.models.off_cycle import Deduction, InterimFiring
from invoicing.cycle.models.offence_checks import OffenceCheck, OffenceSearch
from invoicing.cycle.models.review import HoldReason, InvoiceApproval, InvoiceComment
from invoicing.cycle.models.stopped import Offence, StoppedInterim
from invoicing.cycle.models.tie_outs import Break, BreakEvent, TieOut
from invoicing.cycle.models.unusual import UnusualFigure

__all__ = [
    "BillingCycle",
    "Break",
    "BreakEvent",
    "BulkReview",
    "BulkReviewItem",
    "CloseRun",
    "CollectionHold",
    "CreditLine",
    "Deduction",
    "DeltaReport",
    "DeltaRow",
    "DocumentType",
    "FalseAlarm",
    "Hold",
    "HoldReason",
    "InterimFiring",
    "Invoice",
    "InvoiceAllowanceCharge",
    "InvoiceApproval",
    "InvoiceComment",
    "InvoiceLine",
    "InvoiceTax",
    "InvoiceTransition",
    "LineBooking",
    "NumberSeries",
    "Offence",
    "OffenceCheck",
    "OffenceSearch",
    "ParkedCustomer",
    "Recognition",
    "StoppedInterim",
    "TieOut",
    "UnusualFigure",
]
