"""Figures with their spread."""

import statistics


def figure(values):
    """The median of rounds, with the least, the most, and all of them in the order they were taken."""
    return {'median': statistics.median(values), 'min': min(values), 'max': max(values),
            'rounds': list(values)}


def ratio(one, other):
    """Round by round: what drifts from round to round cancels out."""
    return figure([a / b for a, b in zip(one['rounds'], other['rounds'])])


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
