"""What each dialog asks for; a policy is proposed field by field, as finance and product say it."""

from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts import validators
from invoicing.policy.models import ROLES, TriggerPolicy
from invoicing.policy.rules import rule_lines
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.rule_lines import LineError
from invoicing.policy.rules.terms import TermsError

CADENCES = [
    ("cycle", "By the cycle: when a period has ended"),
    ("threshold", "Threshold: for all, inside the period too"),
    ("hybrid", "Hybrid: for those named, inside it too"),
]
CORRECTIONS = [("next_invoice", "Lines on the next invoice"), ("at_once", "At once, by a document of its own")]
UNITS = [
    ("as_agreed", "As each plan says"),
    ("second", "By the second"),
    ("day", "By the local day"),
    ("day30", "By days, every month as 30"),
]
# Which field a problem of the terms belongs to, by the beginning of its pointer; the longest that fits counts.
FIELD_OF = {
    "/terms/cadence": "cadence",
    "/terms/off_cycle/triggers": "amounts",
    "/terms/off_cycle/eligible": "customers",
    "/terms/off_cycle/eligible/plans": "plans",
    "/terms/off_cycle/eligible/meters": "meters",
    "/terms/off_cycle": "amounts",
    "/terms/late_usage": "grace_hours",
    "/terms/late_usage/correction": "correction",
    "/terms/evidence": "keeps_raw_events",
    "/terms/conventions": "proration",
    "/terms/conventions/grandfathering": "kept_days_max",
    "/terms/approval": "second_person_above",
    "/terms/review_bounds": "reviews",
    "/terms/review_bounds/past_periods": "past_periods",
    "/terms/review_bounds/line_times": "line_times",
    "/terms/review_bounds/invoice_times": "invoice_times",
    "/terms/review_bounds/least": "least",
    "/terms/launch": "launch_required",
    "/terms/launch/major_change_percent": "major_change_percent",
    "/terms/alerts": "alerts",
    "/terms/charge_controls": "charge_controls",
}


def _line(label: str, *, help_text: str = "", required: bool = False, **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(label=label, required=required, help_text=help_text, widget=widget, **options)


def _text(label: str, *, help_text: str = "", rows: int = 2, **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": rows})
    return forms.CharField(label=label, required=False, help_text=help_text, widget=widget, **options)


def _choice(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=UnfoldAdminSelectWidget())


def _switch(label: str) -> forms.BooleanField:
    return forms.BooleanField(label=label, required=False, widget=UnfoldBooleanSwitchWidget())


class ProposalForm(BaseDialogForm):
    """The next version of a program's policy; it opens with what the latest version says."""

    program = _line("Program", required=True, max_length=60, validators=[validators.CODE])
    effective_at = forms.DateTimeField(
        label="In force from (UTC)", required=False, widget=UnfoldAdminTextInputWidget(), help_text="Empty: at once."
    )
    cadence = _choice("When an invoice is made", CADENCES)
    amounts = _text("Inside the period, at unbilled usage of", help_text="A line per currency, such as EUR 500.00.")
    customers = _line("Eligible customers", help_text="Codes with commas between them; empty: all.")
    plans = _line("Eligible plans", help_text="Likewise.")
    meters = _line("Eligible product lines (meters)", help_text="Likewise.")
    grace_hours = _line("Hours that a period waits for usage on its way", required=True)
    correction = _choice("Usage after the close is corrected by", CORRECTIONS)
    second_person_above = _text("Two people approve above", help_text="A line per currency, such as EUR 10000.00.")
    reviews = _switch("Hold drafts that are far from the customer's past")
    past_periods = _line("Final invoices that are compared", required=True)
    line_times = _line("A line is far at so many times", required=True)
    invoice_times = _line("An invoice is far at so many times", required=True)
    least = _text("Differences below this are not worth a look", help_text="A line per currency.")
    keeps_raw_events = _switch("Issue only while the raw events can still be read")
    proration = _choice("A part of a period is charged", UNITS)
    kept_days_max = _line("Older prices are kept at most (days)", help_text="Empty: as agreed. 0: nobody keeps any.")
    launch_required = _switch("Issue only once the program was declared live")
    major_change_percent = _line(
        "A price change is major above (%)",
        help_text="For any customer, over the last closed period. Empty: none is held against the launch checklist.",
    )
    alerts = _text(
        "Alerts",
        rows=3,
        help_text=(
            "One per line: usage_near_limit meter=tokens limit=1000000 percent=80 · exposure_growth currency=EUR"
            " amount=1000.00 percent=50 · program_cost fee_program=… currency=USD amount=500.00; each with"
            " to=ops or customer_success and channels=email,slack,webhook."
        ),
    )
    charge_controls = _text(
        "Charge controls",
        rows=3,
        help_text=(
            "One per line: credit_exposure currency=EUR amount=5000.00 action=hold_usage, require_review or"
            " interim_bill."
        ),
    )
    reason = forms.CharField(
        max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="Why it is proposed."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        latest = TriggerPolicy.objects.order_by("-pk").first()
        terms = policy_terms.SILENT if latest is None else policy_terms.parse_terms(latest.terms)
        program = "standard" if latest is None else latest.program
        self.initial = {"program": program, **_fields_of(policy_terms.write_terms(terms))}

    def clean(self) -> dict[str, Any]:
        """Put the terms together; each problem stands at the field it belongs to."""
        given = super().clean() or {}
        if self.errors:
            return given
        document = self._document(given)
        if not self.errors:
            try:
                policy_terms.parse_terms(document)
            except TermsError as error:
                for problem in error.problems():
                    self.add_error(_field_for(problem["pointer"]), problem["detail"])
        return {**given, "terms": document}

    def _document(self, given: dict[str, Any]) -> dict[str, Any]:
        amounts = {name: self._read(name, given) for name in ("amounts", "second_person_above", "least")}
        lists = {name: self._read(name, given) for name in ("alerts", "charge_controls")}
        eligible = {name: _codes(given[name]) for name in ("customers", "plans", "meters")}
        kept, major = given["kept_days_max"].strip(), given["major_change_percent"].strip()
        triggers = [
            {"kind": "unbilled_amount", "currency": currency, "amount": amount}
            for currency, amount in amounts["amounts"].items()
        ]
        return {
            "cadence": {"model": given["cadence"]},
            "off_cycle": {"eligible": eligible, "triggers": triggers},
            "late_usage": {"grace_hours": given["grace_hours"].strip(), "correction": given["correction"]},
            "approval": {"second_person_above": amounts["second_person_above"]},
            "review_bounds": {
                "active": given["reviews"],
                "least": amounts["least"],
                **{name: given[name].strip() for name in ("past_periods", "line_times", "invoice_times")},
            },
            "evidence": {"keep": ["raw_events"] if given["keeps_raw_events"] else []},
            "conventions": {"proration": given["proration"], "grandfathering": {"kept_days_max": kept or None}},
            "launch": {"required": given["launch_required"], "major_change_percent": major or None},
            **lists,
        }

    def _read(self, name: str, given: dict[str, Any]) -> Any:
        is_list = name in ("alerts", "charge_controls")
        try:
            return rule_lines.read_rules(given[name]) if is_list else rule_lines.read_amounts(given[name])
        except LineError as error:
            self.add_error(name, str(error))
            return [] if is_list else {}


def _fields_of(terms: dict[str, Any]) -> dict[str, Any]:
    """What the form shows of written terms."""
    off_cycle, bounds, conventions = terms["off_cycle"], terms["review_bounds"], terms["conventions"]
    kept = conventions["grandfathering"]["kept_days_max"]
    return {
        "cadence": terms["cadence"]["model"],
        "amounts": rule_lines.write_amounts({one["currency"]: one["amount"] for one in off_cycle["triggers"]}),
        **{name: ", ".join(off_cycle["eligible"][name]) for name in ("customers", "plans", "meters")},
        "grace_hours": terms["late_usage"]["grace_hours"],
        "correction": terms["late_usage"]["correction"],
        "second_person_above": rule_lines.write_amounts(terms["approval"]["second_person_above"]),
        "reviews": bounds["active"],
        **{name: bounds[name] for name in ("past_periods", "line_times", "invoice_times")},
        "least": rule_lines.write_amounts(bounds["least"]),
        "keeps_raw_events": "raw_events" in terms["evidence"]["keep"],
        "proration": conventions["proration"],
        "kept_days_max": "" if kept is None else kept,
        "launch_required": terms["launch"]["required"],
        "major_change_percent": terms["launch"]["major_change_percent"] or "",
        "alerts": rule_lines.write_rules(terms["alerts"]),
        "charge_controls": rule_lines.write_rules(terms["charge_controls"]),
    }


def _codes(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _field_for(pointer: str) -> str | None:
    """None stands for the form as a whole."""
    fitting = [start for start in FIELD_OF if pointer == start or pointer.startswith(f"{start}/")]
    return FIELD_OF[max(fitting, key=len)] if fitting else None


class SignatureForm(BaseDialogForm):
    """In which role; what is signed is what the page showed."""

    role = forms.ChoiceField(choices=ROLES, widget=UnfoldAdminSelectWidget())
    content_hash = forms.CharField(
        label="Hash of what you read", max_length=64, widget=UnfoldAdminTextInputWidget(attrs={"readonly": True})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = str(self.object_id)
        policy = TriggerPolicy.objects.filter(pk=int(text)).first() if text.isdecimal() else None
        if policy is not None:
            self.initial = {"content_hash": policy.content_hash}


class WithdrawalForm(BaseDialogForm):
    """Why."""

    reason = forms.CharField(max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
