"""Whatever is tried, the answer is an amount or a refusal that names a place; never another exception."""

import copy
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInputError
from invoicing.pricing.rules import modifiers
from invoicing.rating.rules import preview, trial
from invoicing.rating.rules.preview import Preview
from tests.vectors import cases

CASES = cases.load("rating")
INPUTS = ("model", "params", "currency", "units", "events", "steps")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.decimals(allow_nan=True, allow_infinity=True)
    | st.sampled_from(
        ["", "0", "7", "0.5", "-1", "1e5", "NaN", "1000000000000000", "0.000000000000000001", "standard", "\x00", "٣"]
    )
    | st.text(max_size=5),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([name for kind in modifiers.NAMES.values() for name in kind]) | st.text(max_size=5)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, entry in inside for place in paths(entry, (*path, key)))]


@st.composite
def spoiled(draw: st.DrawFn) -> dict[str, Any]:
    """A worked case with one place of it replaced, removed or added to."""
    case = copy.deepcopy(draw(st.sampled_from(CASES)))
    asked: dict[str, Any] = {name: case[name] for name in INPUTS if name in case}
    asked["currency"] = draw(st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
    *where, last = draw(
        st.sampled_from([path for path in paths(asked) if path and path[0] not in ("currency", "model")])
    )
    inside: Any = asked
    for step in where:
        inside = inside[step]
    if draw(st.booleans()):
        inside[last] = draw(JSON)
    elif isinstance(inside, dict) and len(where) > 0:
        del inside[last]
    elif isinstance(inside[last], dict):
        inside[last][draw(NAMES)] = draw(JSON)
    return asked


def outcome(asked: dict[str, Any]) -> Preview | InvalidInputError:
    try:
        return trial.try_price(**asked, rounding_rule=preview.currency_rounding(asked["currency"]))
    except InvalidInputError as refusal:
        return refusal


@settings(deadline=None, max_examples=300)
@given(spoiled())
def test_a_spoiled_case_is_an_amount_or_a_refusal(asked: dict[str, Any]) -> None:
    found = outcome(asked)
    if isinstance(found, InvalidInputError):
        assert found.pointer is None or found.pointer.startswith("/")
        assert found.message
    else:
        assert Decimal(found.amount).is_finite()
        assert all(step.as_json()["amount"] for step in found.computation.steps)
