"""The terms of a fee program: tables by currency and country, and its policies, read strictly into frozen values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.rules import fields as account_fields
from core import money
from core.errors import InvalidInputError
from invoicing.pricing.rules.fee_params import NAME_LENGTH_MAX, read_country
from invoicing.pricing.rules.fields import Fields, Problem
from invoicing.pricing.rules.params import ParamsError

TABLES_MAX = 300
SURCHARGES_MAX = 50
PERCENT_MAX = Decimal(100)
# The first of each is the rule where the terms say nothing.
ROUNDING_LEVELS = ("month_total", "per_payout")
REFUND_POLICIES = ("kept", "percentage_returned")
_NAME = re.compile(rf"[a-z0-9_]{{1,{NAME_LENGTH_MAX}}}")


class FeeTableMissingError(InvalidInputError):
    """The program has no table for this currency and country."""

    code = "fee_table_missing"


@dataclass(frozen=True, slots=True)
class Surcharge:
    """What a transaction with this flag pays on top; its rate joins the sum of rates before anything is rounded."""

    code: str
    rate_percent: Decimal
    fixed: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTable:
    """The figures for one currency, everywhere or in one country."""

    currency: str
    country: str = ""
    rate_percent: Decimal = Decimal(0)
    fixed: Decimal = Decimal(0)
    per_account: Decimal = Decimal(0)
    percentage_minimum: Decimal | None = None  # the least that the percentage part of one fee comes to
    minimum: Decimal | None = None
    cap: Decimal | None = None
    surcharges: tuple[Surcharge, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeTerms:
    """One version of a program: its tables, and the policies that its source leaves open or settles."""

    tables: tuple[FeeTable, ...]
    rounding_level: str = ROUNDING_LEVELS[0]
    refunds: str = REFUND_POLICIES[0]
    failed_statuses: tuple[str, ...] = ()
    failed_makes_active: bool = False

    @property
    def counts_accounts(self) -> bool:
        return any(table.per_account for table in self.tables)


def find_table(terms: FeeTerms, *, currency: str, country: str) -> FeeTable:
    """The country's own table in this currency, else the general one; FeeTableMissingError says what to add."""
    general = None
    for table in terms.tables:
        if table.currency == currency and table.country == country:
            return table
        if table.currency == currency and not table.country:
            general = table
    if general is None:
        place = f" for {country}" if country else ""
        detail = f"There is no table in {currency}{place}, and none in {currency} that holds everywhere."
        raise FeeTableMissingError(f"{detail} Add one as a new version of the program.")
    return general


def parse_terms(document: Any, *, pointer: str = "/terms") -> FeeTerms:
    """Read terms as they are stored; ParamsError with every problem."""
    problems: list[Problem] = []
    fields = Fields(document, pointer=pointer, problems=problems)
    terms = FeeTerms(
        tables=fields.items("tables", count_max=TABLES_MAX, read=_read_table),
        rounding_level=fields.choice("rounding_level", options=ROUNDING_LEVELS),
        refunds=fields.choice("refunds", options=REFUND_POLICIES),
        failed_statuses=_read_texts(fields, "failed_statuses"),
        failed_makes_active=_read_flag(fields, "failed_makes_active"),
    )
    fields.refuse_unknown()
    _refuse_second_tables(fields, terms.tables)
    if problems:
        raise ParamsError(problems)
    return terms


def write_terms(terms: FeeTerms) -> dict[str, Any]:
    """The canonical JSON: every table with every figure, numbers as plain decimal strings."""
    return {
        "rounding_level": terms.rounding_level,
        "refunds": terms.refunds,
        "failed_statuses": list(terms.failed_statuses),
        "failed_makes_active": terms.failed_makes_active,
        "tables": [_write_table(table) for table in terms.tables],
    }


def _write_table(table: FeeTable) -> dict[str, Any]:
    return {
        "currency": table.currency,
        "country": table.country or None,
        "rate_percent": money.plain(table.rate_percent),
        "fixed": money.plain(table.fixed),
        "per_account": money.plain(table.per_account),
        "percentage_minimum": _plain_or_none(table.percentage_minimum),
        "minimum": _plain_or_none(table.minimum),
        "cap": _plain_or_none(table.cap),
        "surcharges": [
            {"code": one.code, "rate_percent": money.plain(one.rate_percent), "fixed": money.plain(one.fixed)}
            for one in table.surcharges
        ],
    }


def _plain_or_none(number: Decimal | None) -> str | None:
    return None if number is None else money.plain(number)


def _read_table(fields: Fields) -> FeeTable:
    table = FeeTable(
        currency=_read_currency(fields),
        country=read_country(fields, "country"),
        rate_percent=_read_percent(fields),
        fixed=fields.price("fixed", default=Decimal(0)),
        per_account=fields.price("per_account", default=Decimal(0)),
        percentage_minimum=_price_or_none(fields, "percentage_minimum"),
        minimum=_price_or_none(fields, "minimum"),
        cap=_price_or_none(fields, "cap"),
        surcharges=_read_surcharges(fields),
    )
    if table.minimum is not None and table.cap is not None and table.minimum > table.cap:
        fields.report("minimum", "order", "The minimum is more than the cap.")
    return table


def _read_surcharges(fields: Fields) -> tuple[Surcharge, ...]:
    if not fields.take("surcharges"):
        return ()
    found: tuple[Surcharge, ...] = fields.items("surcharges", count_max=SURCHARGES_MAX, read=_read_surcharge)
    codes = [one.code for one in found]
    for code in sorted({code for code in codes if codes.count(code) > 1}):
        fields.report("surcharges", "duplicate", f"{code} stands here twice.")
    return found


def _read_surcharge(fields: Fields) -> Surcharge:
    code = fields.take("code")
    if not isinstance(code, str) or not _NAME.fullmatch(code):
        fields.report("code", "name", "Needs a name of small letters, digits and underscores, such as international.")
        code = ""
    return Surcharge(code, _read_percent(fields), fields.price("fixed", default=Decimal(0)))


def _read_percent(fields: Fields) -> Decimal:
    percent = fields.price("rate_percent", default=Decimal(0))
    if percent > PERCENT_MAX:
        fields.report("rate_percent", "out_of_range", "A rate is at most 100 %.")
    return percent


def _price_or_none(fields: Fields, name: str) -> Decimal | None:
    return None if fields.take(name) is None else fields.price(name)


def _read_currency(fields: Fields) -> str:
    value = fields.take("currency")
    if not isinstance(value, str) or not account_fields.is_currency(value):
        fields.report("currency", "currency", "Needs a currency of ISO 4217, such as USD.")
        return ""
    return value


def _read_texts(fields: Fields, name: str) -> tuple[str, ...]:
    value = fields.take(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(
        isinstance(each, str) and 0 < len(each) <= NAME_LENGTH_MAX for each in value
    ):
        fields.report(name, "type", "Needs a list of texts.")
        return ()
    return tuple(dict.fromkeys(value))


def _read_flag(fields: Fields, name: str) -> bool:
    value = fields.take(name)
    if value is not None and not isinstance(value, bool):
        fields.report(name, "type", "Needs true or false.")
    return value is True


def _refuse_second_tables(fields: Fields, tables: Iterable[FeeTable]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, table in enumerate(tables):
        place = (table.currency, table.country)
        if place in seen:
            where = table.country or "everywhere"
            fields.report_at(f"tables/{index}", "duplicate", f"{table.currency}, {where} has a table already.")
        seen.add(place)
