"""The shapes of this door, as the OpenAPI document states them."""

from rest_framework import serializers

from core.http.schema import PageShape
from invoicing.cycle import comment, together
from invoicing.cycle.models import (
    Break,
    DeltaReport,
    DocumentType,
    Hold,
    HoldReason,
    InterimFiring,
    Invoice,
    InvoiceAllowanceCharge,
)
from invoicing.cycle.rules import breaks, reasons


class PeriodShape(serializers.Serializer[object]):
    """`[start, end)`."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


class LineShape(serializers.Serializer[object]):
    """One rated segment; `adjusts` is the id of the line it corrects."""

    id = serializers.IntegerField(allow_null=True)
    position = serializers.IntegerField()
    meter = serializers.CharField(allow_null=True)
    unit = serializers.CharField()
    description = serializers.CharField()
    segment = PeriodShape()
    quantity = serializers.CharField()
    unit_price = serializers.CharField(allow_null=True)
    price_version = serializers.IntegerField()
    effective_at = serializers.DateTimeField()
    fee_version = serializers.IntegerField(
        allow_null=True, help_text="The figures in force, where the price follows a fee program."
    )
    rounding = serializers.CharField(help_text="What rounding together with other lines gave or took, in `amount`.")
    amount = serializers.CharField()
    tax_category = serializers.CharField()
    tax_percent = serializers.CharField()
    adjusts = serializers.IntegerField(allow_null=True)
    deducts = serializers.ListField(
        child=serializers.IntegerField(),
        help_text="Lines of interim invoices that billed some of this usage inside the period; they are taken off.",
    )


class CreditLineShape(serializers.Serializer[object]):
    """What a credit note gives back of an issued line because finance asked; `credits` is the id of that line."""

    id = serializers.IntegerField()
    position = serializers.IntegerField()
    credits = serializers.IntegerField()
    description = serializers.CharField()
    amount = serializers.CharField(help_text="With its sign: below 0 for a line that was charged.")
    tax_category = serializers.CharField()
    tax_percent = serializers.CharField()


class CorrectedShape(serializers.Serializer[object]):
    """An issued document that is corrected."""

    id = serializers.IntegerField()
    number = serializers.CharField()
    issue_date = serializers.DateField()


class DeltaReferenceShape(serializers.Serializer[object]):
    """A delta report of the invoice; `delta-reports/{id}` has its rows."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(DeltaReport.Kind.choices)
    status = serializers.ChoiceField(DeltaReport.Status.choices)


class TaxShape(serializers.Serializer[object]):
    """Tax of one category and rate on the sum of its lines."""

    name = serializers.CharField()
    category = serializers.CharField()
    percent = serializers.CharField()
    taxable = serializers.CharField()
    tax = serializers.CharField()
    note = serializers.CharField()


class AllowanceShape(serializers.Serializer[object]):
    """Taken off (allowance) or added (charge) on the document, as agreed."""

    kind = serializers.ChoiceField(InvoiceAllowanceCharge.Kind.choices)
    reason = serializers.CharField()
    percent = serializers.CharField(allow_null=True)
    base = serializers.CharField(allow_null=True, help_text="What the percentage is taken of.")
    amount = serializers.CharField()
    tax_category = serializers.CharField()
    tax_percent = serializers.CharField()


class InterimChargeShape(serializers.Serializer[object]):
    """One charge of the running period, when an interim invoice was drafted."""

    charge = serializers.CharField()
    quantity = serializers.CharField()
    amount = serializers.CharField(help_text="What its usage in the period so far costs.")
    before = serializers.CharField(help_text="What that was when an interim draft last had it.")


class InterimFiringShape(serializers.Serializer[object]):
    """What brought an interim invoice: the amount of the policy, and what usage came to."""

    id = serializers.IntegerField()
    cause = serializers.ChoiceField(InterimFiring.Cause.choices)
    policy_version = serializers.CharField()
    threshold = serializers.CharField()
    unbilled = serializers.CharField()
    watermark = serializers.IntegerField(help_text="Every accepted event up to this one was counted.")
    charges = InterimChargeShape(many=True)
    fired_at = serializers.DateTimeField()


class HoldShape(serializers.Serializer[object]):
    """Why the invoice waits or waited."""

    id = serializers.IntegerField()
    cause = serializers.ChoiceField(Hold.Cause.choices)
    policy_version = serializers.CharField(allow_null=True, help_text="The trigger policy that decides over it.")
    reason_code = serializers.CharField(allow_null=True, help_text="The usual reason that finance keeps a list of.")
    reason = serializers.CharField()
    placed_by = serializers.CharField(allow_null=True)
    placed_at = serializers.DateTimeField()
    released_by = serializers.CharField(allow_null=True)
    released_at = serializers.DateTimeField(allow_null=True)
    release_reason = serializers.CharField()


class BreakShape(serializers.Serializer[object]):
    """A named difference between two stages, both sides in `facts`."""

    id = serializers.IntegerField()
    name = serializers.ChoiceField(Break.Name.choices, help_text="Which two stages differ.")
    kind = serializers.ChoiceField(breaks.CLASSES, allow_null=True, help_text="What class of trouble it is.")
    detail = serializers.CharField()
    facts = serializers.DictField(child=serializers.CharField())
    repair = serializers.CharField(allow_null=True, help_text="What to do about it.")
    opened_at = serializers.DateTimeField()
    closed_by = serializers.CharField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_reason = serializers.CharField()


class UnusualShape(serializers.Serializer[object]):
    """A figure far outside the customer's own past; the invoice was born held for it."""

    charge = serializers.CharField(allow_null=True, help_text="Null: all lines of the period together.")
    amount = serializers.CharField()
    least = serializers.CharField(help_text="What it came to in the periods before, at least.")
    greatest = serializers.CharField(help_text="And at most.")
    periods = serializers.IntegerField(help_text="How many final invoices it was compared with.")
    times = serializers.CharField(help_text="More than so many times is far, as the policy says.")
    detail = serializers.CharField()


class TransitionShape(serializers.Serializer[object]):
    """One move, with the entry of the audit chain that holds it."""

    from_status = serializers.CharField()
    to_status = serializers.CharField()
    actor = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    content_hash = serializers.CharField()
    moved_at = serializers.DateTimeField()
    audit_reference = serializers.CharField()


class ApprovalShape(serializers.Serializer[object]):
    """One person's approval of the figures as they stood then."""

    person = serializers.CharField()
    given_at = serializers.DateTimeField()
    content_hash = serializers.CharField()
    counts = serializers.BooleanField(help_text="False once a hold or anything else moved the invoice since.")
    audit_reference = serializers.CharField()


class InvoiceShape(serializers.Serializer[object]):
    """An invoice; amounts have exactly the decimals of its currency."""

    id = serializers.IntegerField(allow_null=True)
    number = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(Invoice.Kind.choices)
    document_type = serializers.ChoiceField(
        DocumentType.choices,
        help_text="The figures of a credit note have their sign here, below 0 in the customer's favour.",
    )
    status = serializers.ChoiceField(Invoice.Status.choices)
    customer = serializers.CharField()
    credits = serializers.IntegerField(
        allow_null=True, help_text="On a credit note that finance asked for: the invoice that it gives back."
    )
    corrects = CorrectedShape(many=True, help_text="Every document that this one corrects.")
    currency = serializers.CharField()
    period = PeriodShape()
    issue_date = serializers.DateField(allow_null=True)
    due_date = serializers.DateField(allow_null=True)
    lines = LineShape(many=True)
    credit_lines = CreditLineShape(many=True)
    delta_reports = DeltaReferenceShape(many=True)
    allowances_charges = AllowanceShape(many=True)
    taxes = TaxShape(many=True)
    allowances = serializers.CharField()
    charges = serializers.CharField()
    subtotal = serializers.CharField(help_text="The lines, less allowances, plus charges.")
    tax = serializers.CharField()
    total = serializers.CharField()
    prepaid = serializers.CharField(help_text="Paid in advance (BT-113).")
    payable_rounding = serializers.CharField(help_text="What rounds the amount to be paid (BT-114).")
    payable = serializers.CharField(help_text="What is to be paid (BT-115).")
    amount_due = serializers.CharField(
        allow_null=True, help_text="What of it nobody paid, credited or set off yet; null until it is final."
    )
    payments = serializers.ListField(
        child=serializers.DictField(), help_text="Each as `GET payments/{id}` gives it, oldest first."
    )
    content_hash = serializers.CharField(allow_null=True)
    policy_version = serializers.CharField(
        allow_null=True,
        help_text="The signed trigger policy that decided, such as `standard v3`; null where none decides.",
    )
    firing = InterimFiringShape(allow_null=True, help_text="What brought an interim invoice; null on any other.")
    approvals_needed = serializers.IntegerField(
        help_text="How many people in finance have to approve it: 2 above the amount of its policy, else 1."
    )
    approvals = ApprovalShape(many=True)
    holds = HoldShape(many=True)
    breaks = BreakShape(many=True)
    unusual = UnusualShape(many=True)
    transitions = TransitionShape(many=True)


class InvoicePageShape(PageShape):
    """A page of invoices."""

    results = InvoiceShape(many=True)


class InvoiceFilter(serializers.Serializer[object]):
    """Which invoices to list."""

    customer = serializers.CharField(required=False, max_length=60, help_text="Code of the customer.")
    status = serializers.ChoiceField(Invoice.Status.choices, required=False)
    kind = serializers.ChoiceField(Invoice.Kind.choices, required=False)
    document_type = serializers.ChoiceField(DocumentType.choices, required=False)


class ReasonBody(serializers.Serializer[object]):
    """Why; kept with the decision for ever."""

    reason = serializers.CharField(min_length=reasons.LENGTH_MIN, max_length=reasons.LENGTH_MAX)


class HoldBody(serializers.Serializer[object]):
    """Why: a usual reason by its code, words of one's own, or both; kept with the decision for ever."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=reasons.LENGTH_MAX)
    reason_code = serializers.CharField(required=False, default="", allow_blank=True, max_length=60)


class HoldReasonShape(serializers.Serializer[object]):
    """A usual reason to hold or to release."""

    code = serializers.CharField()
    use = serializers.ChoiceField(HoldReason.Use.choices)
    reason = serializers.CharField(help_text="The words that are kept with the decision.")


class CommentShape(serializers.Serializer[object]):
    """A remark for colleagues; never changed, and gone with the customer when that one is erased."""

    id = serializers.IntegerField()
    customer = serializers.CharField(help_text="The code.")
    author = serializers.CharField()
    text = serializers.CharField()
    written_at = serializers.DateTimeField()


class CommentBody(serializers.Serializer[object]):
    """What to say."""

    text = serializers.CharField(max_length=comment.LENGTH_MAX)


class ApprovalOfOne(serializers.Serializer[object]):
    """An invoice, and the hash of the figures that were looked at."""

    id = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    content_hash = serializers.CharField(max_length=64)


class ApprovalsBody(serializers.Serializer[object]):
    """Which invoices to approve, each by the figures that were looked at."""

    invoices = serializers.ListField(child=ApprovalOfOne(), min_length=1, max_length=together.INVOICES_MAX)


class OutcomeShape(serializers.Serializer[object]):
    """What became of one of them."""

    id = serializers.IntegerField()
    outcome = serializers.ChoiceField(["approved", "first_of_two", "refused"])
    code = serializers.CharField(allow_null=True, help_text="Of the refusal, such as `second_person_needed`.")
    detail = serializers.CharField(allow_null=True)


class OutcomesShape(serializers.Serializer[object]):
    """How many came to which end, and each by itself."""

    approved = serializers.IntegerField()
    first_of_two = serializers.IntegerField()
    refused = serializers.IntegerField()
    items = OutcomeShape(many=True)


class ApprovalBody(serializers.Serializer[object]):
    """The hash of the figures that were looked at."""

    content_hash = serializers.CharField(max_length=64)


class CreditPartBody(serializers.Serializer[object]):
    """How much of one line is given back, before tax."""

    line = serializers.IntegerField(min_value=1)
    amount = serializers.DecimalField(max_digits=20, decimal_places=4)


class CreditBody(serializers.Serializer[object]):
    """Why, and what of which lines; without lines, all that is left of the invoice."""

    reason = serializers.CharField(
        min_length=reasons.LENGTH_MIN, max_length=reasons.LENGTH_MAX, help_text="Printed on the credit note."
    )
    lines = CreditPartBody(many=True, required=False, allow_empty=False)


class PreviewBody(serializers.Serializer[object]):
    """For whom and for which period, both instants with their offset from UTC."""

    customer = serializers.CharField(max_length=60)
    period = PeriodShape()
