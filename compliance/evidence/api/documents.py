"""`invoices/{id}/trace` and `…/credit-lines/{line}/trace`: what a document comes to, and what a note gives back."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import READERS, RuledView
from compliance.evidence import document, given_back
from compliance.evidence.api import answers, shapes
from compliance.evidence.document import DocumentTrace
from compliance.evidence.given_back import GivenBack
from compliance.evidence.rules.proof import Check
from core import money
from core.http.schema import READ_REFUSALS
from invoicing.cycle.models import CreditLine, InvoiceLine


class StepsSerializer(serializers.Serializer[Any]):
    """Each step done again; `first_difference` names the one at which it leaves the books."""

    verdict = serializers.ChoiceField(choices=["equal", "different"])
    first_difference = serializers.CharField(allow_null=True)
    checks = shapes.TraceCheckSerializer(many=True)


class LineToWalkSerializer(serializers.Serializer[Any]):
    """A line of the document, and where its own walk is."""

    id = serializers.IntegerField()
    position = serializers.IntegerField()
    description = serializers.CharField()
    amount = serializers.CharField()
    trace = serializers.CharField()


class DocumentTraceSerializer(serializers.Serializer[Any]):
    """What stands on an invoice or a credit note, added up again; its lines are walked one by one."""

    invoice = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    currency = serializers.CharField()
    total = serializers.CharField()
    lines = LineToWalkSerializer(many=True)
    credit_lines = LineToWalkSerializer(many=True)
    proof = StepsSerializer()


class CreditTraceSerializer(serializers.Serializer[Any]):
    """What a line of a credit note gives back: of which line, how much in all, why. It rates nothing itself."""

    id = serializers.IntegerField()
    invoice = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    status = serializers.CharField()
    position = serializers.IntegerField()
    description = serializers.CharField()
    amount = serializers.CharField()
    currency = serializers.CharField()
    given_back_in_all = serializers.CharField(help_text="Of the same line, by issued credit notes and this one.")
    credits = LineToWalkSerializer()
    story = serializers.ListField(child=serializers.CharField())
    proof = StepsSerializer()


class DocumentTraceView(RuledView, APIView):
    """What the document comes to, done again; a fixed number of statements, however many lines it has."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: DocumentTraceSerializer, **READ_REFUSALS})
    def get(self, request: Request, invoice_id: int) -> Response:
        walked = document.walk_document(invoice_id=invoice_id)
        return Response(DocumentTraceSerializer(_document(walked)).data)


class CreditTraceView(RuledView, APIView):
    """The walk of one line of a credit note."""

    roles_by_method = {"GET": READERS}

    @extend_schema(responses={200: CreditTraceSerializer, **READ_REFUSALS})
    def get(self, request: Request, invoice_id: int, line_id: int) -> Response:
        walked = given_back.walk_credit(line_id=line_id, invoice_id=invoice_id)
        return Response(CreditTraceSerializer(_credit(walked)).data)


def _document(walked: DocumentTrace) -> dict[str, Any]:
    invoice = walked.invoice
    return {
        "invoice": invoice.pk,
        "number": invoice.number,
        "status": invoice.status,
        "currency": invoice.currency,
        "total": money.amount_text(invoice.total, currency=invoice.currency),
        "lines": [_to_walk(line, currency=invoice.currency) for line in walked.lines],
        "credit_lines": [_to_walk(line, currency=invoice.currency) for line in walked.credit_lines],
        "proof": _steps(walked.first_difference, walked.checks),
    }


def _credit(walked: GivenBack) -> dict[str, Any]:
    line = walked.line
    currency = line.invoice.currency
    return {
        "id": line.pk,
        "invoice": line.invoice_id,
        "number": line.invoice.number,
        "status": line.invoice.status,
        "position": line.position,
        "description": line.description,
        "amount": money.amount_text(line.amount, currency=currency),
        "currency": currency,
        "given_back_in_all": money.amount_text(walked.in_all, currency=currency),
        "credits": _to_walk(line.credits, currency=currency),
        "story": given_back.tell(walked),
        "proof": _steps(walked.first_difference, walked.checks),
    }


def _to_walk(line: InvoiceLine | CreditLine, *, currency: str) -> dict[str, Any]:
    kind = "credit-lines" if isinstance(line, CreditLine) else "lines"
    return {
        "id": line.pk,
        "position": line.position,
        "description": line.description,
        "amount": money.amount_text(line.amount, currency=currency),
        "trace": f"/api/v1/invoices/{line.invoice_id}/{kind}/{line.pk}/trace",
    }


def _steps(difference: Check | None, checks: tuple[Check, ...]) -> dict[str, Any]:
    return {
        "verdict": "equal" if difference is None else "different",
        "first_difference": None if difference is None else difference.step,
        "checks": answers.checks_json(checks),
    }
