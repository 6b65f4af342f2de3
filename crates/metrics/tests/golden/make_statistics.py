# Requires numpy, scipy>=1.11.
"""Writes statistics.json beside this script: tests from SciPy, and Holm's correction, sample sizes and Newcombe's interval from
their formulas.

    python make_statistics.py
"""
import json
from math import ceil, sqrt
from pathlib import Path

import numpy as np
from scipy import stats

DISCORDANT = [(0, 0), (0, 1), (3, 3), (2, 8), (0, 12), (10, 25), (60, 41), (700, 810), (1200, 900)]
P_VALUES = [[0.04], [0.01, 0.5, 0.03], [0.001, 0.02, 0.02, 0.2, 0.9, 0.04], [0.3, 0.3, 0.6], [1e-6, 0.011, 0.012, 0.013]]
DIFFERENCES = [
    [1.0, 2.0, 3.0],
    [0.5, -0.25, 0.75, 1.5, 0.125, -1.0, 2.0],
    [1, 1, -1, 1, 1, 1, 1, -1, 1, 1],
    [0.1 * i - 0.3 for i in range(12)],
]
EFFECTS = [(0.1, 0.3), (-0.02, 0.15), (0.25, 0.25), (0.005, 0.01), (0.4, 0.9)]
PROPORTIONS = [(56, 70, 48, 80), (9, 10, 3, 10), (5, 56, 0, 29), (10, 10, 0, 10), (600, 750, 812, 1000)]


def mcnemar(b, c):
    if b + c == 0:
        return {"exact": 1.0, "chi_square": None, "p": None}
    statistic = max(abs(b - c) - 1, 0) ** 2 / (b + c)
    return {"exact": stats.binomtest(b, b + c).pvalue, "chi_square": statistic, "p": stats.chi2.sf(statistic, 1)}


def holm(p):
    order = np.argsort(p, kind="stable")
    steps = np.array(p)[order] * np.arange(len(p), 0, -1)
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected.tolist()


def sign_flip(differences):
    test = stats.permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    return float(test.pvalue)


def needed(difference, without, with_it):
    z = stats.norm.ppf
    return [ceil(((z(0.975) * without + z(power) * with_it) / difference) ** 2) for power in (0.8, 0.9)]


def newcombe(a, n, b, m):
    """Computes method 10 of Newcombe 1998, from Wilson's intervals of both proportions."""
    (p, q), first, second = (a / n, b / m), *(
        stats.binomtest(k, of).proportion_ci(method="wilson") for k, of in ((a, n), (b, m))
    )
    low = p - q - sqrt((p - first.low) ** 2 + (second.high - q) ** 2)
    return [low, p - q + sqrt((first.high - p) ** 2 + (q - second.low) ** 2)]


golden = {
    "mcnemar": [{"discordant": pair, **mcnemar(*pair)} for pair in DISCORDANT],
    "correction": [
        {"p": p, "holm": holm(p), "benjamini_hochberg": stats.false_discovery_control(p).tolist()} for p in P_VALUES
    ],
    "sign_flip": [{"differences": d, "p": sign_flip(d)} for d in DIFFERENCES],
    "power": [
        {"effect": (d, s), "mean": needed(d, s, s), "accuracy": needed(d, sqrt(s), sqrt(s - d * d))} for d, s in EFFECTS
    ],
    "newcombe": [{"counts": counts, "interval": newcombe(*counts)} for counts in PROPORTIONS],
}
(Path(__file__).parent / "statistics.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
