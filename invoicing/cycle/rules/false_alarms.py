"""Which contradictions can be a false alarm, by the numbers of the project's list of invariants."""

# Events, counts, prices, segments, rates, lines, sums, what was hashed, the books and the audit chain: a difference
# there is repaired at its source, whoever says what. A false alarm over them would let other figures be billed than
# those that are true.
NEVER = frozenset({*range(1, 19), 20, 29, 30, 31, 43})


def can_be_false(number: int) -> bool:
    """Whether two people may say that a contradiction of this invariant is none."""
    return number not in NEVER
