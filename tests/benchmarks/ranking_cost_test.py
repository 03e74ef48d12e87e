"""Exact rankings of a million scores take no longer than scikit-learn's."""

import statistics
import time

import numpy as np
import pytest
from sklearn import metrics as reference

from keras_plex import metrics

pytestmark = pytest.mark.benchmark

SIZE, ROUNDS = 1_000_000, 5


def reference_fpr(is_ood, scores):
    false, true, _ = reference.roc_curve(
        is_ood, scores, drop_intermediate=False
    )
    return false[np.argmax(true >= 0.95)]


PAIRS = [
    (metrics.auroc, reference.roc_auc_score),
    (metrics.average_precision, reference.average_precision_score),
    (metrics.fpr_at_tpr, reference_fpr),
]
SCORES = {
    "float64": lambda scores: scores,
    "float32": lambda scores: scores.astype("float32"),
    "tied": lambda scores: scores.round(2),
}


@pytest.mark.parametrize("scores_name", SCORES)
@pytest.mark.parametrize(
    "ours, theirs", PAIRS, ids=[ours.__name__ for ours, _ in PAIRS]
)
def test_is_no_slower_than_scikit_learn(ours, theirs, scores_name):
    generator = np.random.default_rng(0)
    is_ood = generator.integers(2, size=SIZE)
    scores = SCORES[scores_name](generator.normal(is_ood))
    seconds = {ours: [], theirs: []}
    for _ in range(ROUNDS):
        for function, arguments in (
            (ours, (scores, is_ood)),
            (theirs, (is_ood, scores)),
        ):
            start = time.perf_counter()
            value = function(*arguments)
            seconds[function].append(time.perf_counter() - start)
    assert value == pytest.approx(ours(scores, is_ood), abs=1e-12)
    mine, other = map(statistics.median, seconds.values())
    print(
        f"\n{ours.__name__}, {scores_name}: {1e3 * mine:.0f} ms, "
        f"scikit-learn {1e3 * other:.0f} ms, ratio {mine / other:.2f}"
    )
    assert mine <= other
