"""What a policy decides, in sentences that product, finance and ops can sign."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core import money
from invoicing.policy.rules.alerts import Alert, ExposureGrowth, Notice, ProgramCost
from invoicing.policy.rules.charges import ChargeControl
from invoicing.policy.rules.conventions import AS_AGREED
from invoicing.policy.rules.terms import Terms

_KEPT = {
    "approval": "the approval in the audit chain",
    "computation": "the computation of each line",
    "snapshots": "the snapshot behind each metered line",
    "tie_out": "a recount of the draft",
    "raw_events": "the raw events, still readable and equal to what was billed",
}
_UNITS = {"second": "by the second", "day": "by the local day", "day30": "by days, every month as 30"}
_ACTIONS = {
    "hold_usage": "further usage is held",
    "require_review": "a credit review is opened",
    "interim_bill": "what was used is invoiced at once",
}
_AUDIENCES = {"ops": "ops", "customer_success": "customer success"}
_CHANNELS = {"email": "e-mail", "slack": "Slack", "webhook": "webhook"}


@dataclass(frozen=True, slots=True)
class Decision:
    """One part of a policy, under its title, in full sentences."""

    title: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One part of a policy in two versions, side by side."""

    title: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def is_changed(self) -> bool:
        return self.before != self.after


def decisions(terms: Terms) -> list[Decision]:
    """Every part of a policy, silence included."""
    return [
        Decision("When an invoice is made", tuple(_cadence(terms))),
        Decision("Late usage", tuple(_late_usage(terms))),
        Decision("Review before issue", tuple(_review(terms))),
        Decision("Second person", tuple(_second_person(terms))),
        Decision("Evidence", (f"An invoice is issued only with {_and(_KEPT[one] for one in terms.evidence.keep)}.",)),
        Decision("Conventions", tuple(_conventions(terms))),
        Decision("Launch", tuple(_launch(terms))),
        Decision("Alerts", tuple(_alert(one) for one in terms.alerts) or ("Nobody is alerted.",)),
        Decision(
            "Charge controls",
            tuple(_control(one) for one in terms.charge_controls) or ("Usage is never held, whatever is owed.",),
        ),
    ]


def compare(before: Terms, after: Terms) -> list[Change]:
    """Two versions side by side, part by part."""
    return [
        Change(was.title, was.sentences, now.sentences)
        for was, now in zip(decisions(before), decisions(after), strict=True)
    ]


def _cadence(terms: Terms) -> Iterable[str]:
    yield "Every period is invoiced when it has ended."
    if not terms.bills_off_cycle:
        yield "Nothing is invoiced before its period ends."
        return
    who = "Everybody" if terms.cadence == "threshold" else _eligible(terms)
    for trigger in terms.off_cycle.triggers:
        amount = _money(trigger.amount, trigger.currency)
        yield (
            f"{who} is also invoiced inside the period, each time usage that no invoice bills comes to {amount};"
            " the invoice of the period bills the rest."
        )
    if not terms.off_cycle.triggers:
        yield f"{who} may also be invoiced inside the period, where a charge control says so."


def _eligible(terms: Terms) -> str:
    eligible = terms.off_cycle.eligible
    parts = [
        f"{name} {_or(codes)}"
        for name, codes in (
            ("customer", eligible.customers),
            ("on plan", eligible.plans),
            ("for usage of", eligible.meters),
        )
        if codes
    ]
    return f"Whoever is named ({'; '.join(parts)})"


def _late_usage(terms: Terms) -> Iterable[str]:
    hours = terms.late_usage.grace_hours
    if hours:
        yield f"After its end a period waits {money.plain(hours)} hours for usage on its way; that usage is not late."
    else:
        yield "A period does not wait for usage on its way."
    if terms.late_usage.correction == "at_once":
        yield "Usage that comes after the close is corrected at once, by an invoice or credit note of its own."
    else:
        yield "Usage that comes after the close is corrected by lines on the next invoice."


def _review(terms: Terms) -> Iterable[str]:
    bounds = terms.review_bounds
    if not bounds.is_active:
        yield "No draft is held for being unlike the customer's past: the bounds are switched off."
        return
    periods = f"its last {bounds.past_periods} final invoices" if bounds.past_periods > 1 else "its last final invoice"
    yield (
        f"A draft is held for review where a line is {money.plain(bounds.line_times)} times, or the invoice"
        f" {money.plain(bounds.invoice_times)} times, above or below the subscription's past ({periods})."
    )
    for currency, amount in bounds.least.items():
        yield f"Differences of less than {_money(amount, currency)} are not worth a look."


def _second_person(terms: Terms) -> Iterable[str]:
    for currency, amount in terms.approval.second_person_above.items():
        yield f"Above {_money(amount, currency)} two people in finance approve an invoice."
    if not terms.approval.second_person_above:
        yield "One person in finance approves an invoice, who neither drafted it nor decided on its figures."


def _conventions(terms: Terms) -> Iterable[str]:
    said = terms.conventions
    if said.proration == AS_AGREED:
        yield "A part of a period is charged as each plan says."
    else:
        yield f"A part of a period is charged {_UNITS[said.proration]}; a plan that says otherwise is not billed."
    if said.kept_days_max is None:
        yield "Older prices are kept as long as was agreed with the customer."
    elif said.kept_days_max:
        yield f"Older prices are kept for {said.kept_days_max} days at most; a longer stretch is not billed."
    else:
        yield "Nobody keeps older prices; a subscription that does is not billed."


def _launch(terms: Terms) -> Iterable[str]:
    if not terms.launch.is_required:
        yield "Invoices are issued without asking whether the program is live."
        return
    yield "An invoice is issued only once the program was declared live, with every box of the launch checklist closed."
    percent = terms.launch.major_change_percent
    if percent is None:
        yield "No price change is held against the checklist."
    else:
        yield (
            f"A price change that would have made the last period of any customer {money.plain(percent)} % dearer or"
            " cheaper is approved only while every box is closed, or under a signed exception."
        )


def _alert(alert: Alert) -> str:
    told = _told(alert.notify)
    if isinstance(alert, ExposureGrowth):
        return (
            f"When what a customer will owe for the running period is {money.plain(alert.percent)} % above its past,"
            f" and comes to {_money(alert.amount, alert.currency)} or more, {told}."
        )
    if isinstance(alert, ProgramCost):
        amount = _money(alert.amount, alert.currency)
        return f"When the projected cost of {alert.fee_program} reaches {amount}, {told}."
    of = f"a limit of {money.plain(alert.limit)}" if alert.limit else "what is included"
    return f"When usage of {alert.meter} reaches {money.plain(alert.percent)} % of {of}, {told}."


def _told(notice: Notice) -> str:
    return f"{_AUDIENCES[notice.to]} is told by {_and(_CHANNELS[one] for one in notice.channels)}"


def _control(control: ChargeControl) -> str:
    amount = _money(control.amount, control.currency)
    limit = f"{amount}, or the limit agreed with the customer" if control.limit_from == "customer" else amount
    said = f"When unbilled usage and unpaid invoices together reach {limit}, {_ACTIONS[control.action]}"
    if control.action != "hold_usage":
        return f"{said}."
    if control.lift == "by_person":
        return f"{said}, until a person lifts the hold."
    return f"{said}, until they are below {money.plain(control.lift_percent)} % of it."


def _money(amount: Decimal, currency: str) -> str:
    return f"{money.amount_text(amount, currency=currency)} {currency}"


def _and(words: Iterable[str]) -> str:
    return _listed(words, last="and")


def _or(words: Iterable[str]) -> str:
    return _listed(words, last="or")


def _listed(words: Iterable[str], *, last: str) -> str:
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} {last} {found[-1]}"
