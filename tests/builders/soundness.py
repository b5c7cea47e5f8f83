"""Whether everything that must hold does; asked at the end of every journey."""

from billing_ops.management.commands import check_invariants


def offences() -> dict[str, list[str]]:
    """By the name of each invariant that is broken: who offends it."""
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}
