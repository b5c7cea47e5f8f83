"""Leave a remark on an invoice for colleagues; it decides nothing and is kept as it was written."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import personal_keys
from core.errors import InvalidInputError, NotFoundError
from invoicing.cycle.models import Invoice, InvoiceComment

WRITERS = frozenset({Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING})
LENGTH_MAX = 4000


class CommentError(InvalidInputError):
    """The text says nothing, or too much."""

    code = "comment_invalid"


@transaction.atomic
def add_comment(*, invoice_id: int, text: str, actor: Any, at: datetime) -> InvoiceComment:
    """Keep the text under the name of its author; any role but the auditor's may write, in every status."""
    roles.require_role(actor, *sorted(WRITERS), to="comment on invoices")
    said = text.strip().replace("\r\n", "\n")
    if not 1 <= len(said) <= LENGTH_MAX or "\x00" in said:
        raise CommentError(f"Write 1 to {LENGTH_MAX} characters.", pointer="/text")
    invoice = Invoice.objects.select_related("customer").filter(pk=invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {invoice_id}.")
    kept = personal_keys.tell_about(invoice.customer, said)
    return InvoiceComment.objects.create(invoice=invoice, author=actor, text=kept, written_at=at)
