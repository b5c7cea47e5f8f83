"""How likely a change in what comes in would be if nothing had changed: four exact tests, without a model to fit.

The answers are probabilities, so they are floats; no quantity and no amount is computed here.
"""

import math

NEGLIGIBLE = 1e-18  # of the sum so far


def chance_of_share(*, hits: int, total: int, hits_before: int, total_before: int) -> float:
    """Give the chance that as large a part of the hits fell into the recent events by luck (Fisher's exact test).

    Of all events, recent and earlier, `hits + hits_before` are hits; had they been dealt out at random, how often would
    `hits` or more be among the recent ones? 1 where their share is not higher than before. The test knows no "true"
    share and needs none, so it holds its false-alarm rate however few events there are.
    """
    if hits * total_before <= hits_before * total or not total:
        return 1.0
    everything, all_hits = total + total_before, hits + hits_before
    term = math.exp(
        _log_choose(all_hits, hits) + _log_choose(everything - all_hits, total - hits) - _log_choose(everything, total)
    )
    summed, number = 0.0, hits
    while term > summed * NEGLIGIBLE:
        summed += term
        ways_up = (all_hits - number) * (total - number)
        term *= ways_up / ((number + 1) * (everything - all_hits - total + number + 1))
        number += 1
    return min(summed, 1.0)


def chance_of_rank_sum(*, recent: int, before: int, not_above: int) -> float:
    """Give the chance that `recent` values lie as high among all by luck (Mann-Whitney, exact, one-sided).

    `not_above` counts the pairs of a recent and an earlier value in which the recent one is not the higher; 0 is the
    most that can be: one order among all. Orders with as few such pairs or fewer are counted as the coefficients of a
    Gaussian binomial, no further than needed.
    """
    ways = [1] + [0] * not_above
    for number in range(1, recent + 1):
        for pairs in range(not_above, before + number - 1, -1):
            ways[pairs] -= ways[pairs - before - number]
        for pairs in range(number, not_above + 1):
            ways[pairs] += ways[pairs - number]
    return sum(ways) / math.comb(recent + before, recent)


def chance_of_absence(*, least: int, weeks: int) -> float:
    """Give the chance that nothing comes in a stretch of time that had events in each of `weeks` weeks before.

    Had the minutes with events been dealt out at random to the same stretch of all weeks and of this one, this one
    would get none with the chance (weeks / (weeks + 1)) ** minutes. Minutes come in heaps, so each week is taken to
    have no more than the poorest of them, `least`.
    """
    return float((weeks / (weeks + 1)) ** (weeks * least))


def chance_of_gap(*, gap: float, longest: float, gaps: int) -> float:
    """Give the chance that a source pauses for `gap` by luck when the longest of its `gaps` pauses was `longest`.

    For pauses as irregular as those of independent events (exponential), the next one is at least f times the longest
    of m with the chance 1 / C(m + f, m), C continued to real f; f = 1 is the plain 1 / (m + 1). Sources that report
    more regularly than that pause less often, so for them the chance is smaller still.
    """
    if gap <= longest:
        return 1.0
    factor = gap / longest
    return math.exp(math.lgamma(gaps + 1) + math.lgamma(factor + 1) - math.lgamma(gaps + factor + 1))


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
