"""Acquisitions by arithmetic; selections by what they promise."""

import numpy as np
import pytest
from scipy import special
from scipy import stats

from keras_plex.predictions import Predictions
from keras_plex.scores import score
from keras_plex.tasks.active.acquisitions import ACQUISITIONS
from keras_plex.tasks.active.acquisitions import SELECTIONS
from keras_plex.tasks.active.acquisitions import GaussianDensity
from keras_plex.tasks.active.acquisitions import check_ensemble
from keras_plex.tasks.active.acquisitions import named_acquisitions
from keras_plex.tasks.active.acquisitions import needs_features
from keras_plex.tasks.active.acquisitions import rate
from keras_plex.tasks.active.acquisitions import select_power
from keras_plex.tasks.active.acquisitions import select_top

GENERATOR = np.random.default_rng(0)
P = GENERATOR.dirichlet(np.ones(4), (50, 3))
FEATURES = GENERATOR.normal(size=(50, 3, 2))
POOL = Predictions.from_outputs(P, "probabilities", features=FEATURES)
ROWS = np.arange(20)
LABELS = ROWS % 2


def rated(acquisition, pool=POOL):
    return rate(acquisition, pool, ROWS, LABELS)


def test_forecasts_are_rated_by_the_formulas():
    mean = P.mean(axis=1)
    ordered = np.sort(mean, axis=1)
    expected = {
        "margin": 1 - (ordered[:, -1] - ordered[:, -2]),
        "msp": 1 - ordered[:, -1],
        "entropy": special.entr(mean).sum(-1),
        "bald": special.entr(mean).sum(-1)
        - special.entr(P).sum(-1).mean(axis=1),
        "uniform": np.ones(50),
    }
    for name, values in expected.items():
        found = rated(ACQUISITIONS[name])
        np.testing.assert_allclose(found, values, atol=1e-5, err_msg=name)


def test_density_is_that_of_gaussians_around_the_labelled():
    found = rated(ACQUISITIONS["density"])
    expected = []
    for member in range(3):
        x = FEATURES[:, member].astype("float32").astype("float64")
        means = np.stack([x[ROWS][LABELS == c].mean(0) for c in (0, 1)])
        around = x[ROWS] - means[LABELS]
        covariance = around.T @ around / len(ROWS)
        covariance += 1e-3 * np.trace(covariance) / 2 * np.eye(2)
        distances = [
            np.einsum("ni,ij,nj->n", x - m, np.linalg.inv(covariance), x - m)
            for m in means
        ]
        log_density = special.logsumexp(np.array(distances) / -2, axis=0)
        expected.append(np.log(2) - log_density)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), atol=1e-4)
    assert found.min() >= 0


def test_density_does_not_underflow_far_away():
    far = Predictions.from_outputs(P, "probabilities", features=FEATURES * 1e3)
    fitted = GaussianDensity()
    fitted.update(FEATURES[ROWS], LABELS)
    fitted.finish()
    assert np.isfinite(np.asarray(fitted(far))).all()


def test_bald_of_one_member_is_refused():
    single = Predictions.from_outputs(P[:, 0], "probabilities")
    with pytest.raises(ValueError, match="Make an ensemble of it"):
        rated(ACQUISITIONS["bald"], single)
    with pytest.raises(ValueError, match="this model has one"):
        check_ensemble("bald", 1)
    check_ensemble("bald", 2)
    check_ensemble("margin", 1)


def test_scores_of_features_are_fitted_anew_each_time():
    distance = score("mahalanobis")
    assert needs_features(distance) and needs_features(GaussianDensity)
    assert not needs_features(ACQUISITIONS["margin"])
    first = rated(distance)
    assert not distance.parameters
    other = rate(distance, POOL, ROWS[:10], LABELS[:10])
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda predictions: np.ones(3), r"shape=\(3,\)"),
        (lambda predictions: np.full(50, np.nan), "0 are finite"),
    ],
)
def test_other_functions_must_rate_each_example(function, message):
    with pytest.raises(ValueError, match=message):
        rated(function)


def negative(predictions):
    return -predictions.confidence


def test_acquisitions_have_names():
    found = named_acquisitions(["margin", negative, score("knn")])
    assert list(found) == ["margin", "negative", "knn"]
    assert found["margin"] is ACQUISITIONS["margin"]
    assert list(named_acquisitions("bald")) == ["bald"]
    assert list(named_acquisitions(lambda x: x)) == ["lambda"]


@pytest.mark.parametrize(
    "acquisition, message",
    [
        ("margins", "Unknown acquisition: 'margins'. Available: 'margin'"),
        (["margin", "margin"], "'margin' twice"),
        ([3], "must be a name, a function.*3"),
        ([], "must name one"),
    ],
)
def test_what_is_no_acquisition_is_refused(acquisition, message):
    with pytest.raises(ValueError, match=message):
        named_acquisitions(acquisition)


@pytest.mark.parametrize("select", SELECTIONS.values())
def test_no_example_is_selected_twice(select):
    scores = GENERATOR.random(30)
    places = select(scores, 30, np.random.default_rng(0))
    assert sorted(places) == list(range(30))
    again = select(scores, 30, np.random.default_rng(0))
    np.testing.assert_array_equal(places, again)


def test_the_top_is_the_highest_and_ties_are_drawn():
    scores = np.array([0.1, 0.5, 0.3, 0.5, 0.5])
    found = [
        select_top(scores, 2, np.random.default_rng(seed)).tolist()
        for seed in range(200)
    ]
    assert all(set(places) < {1, 3, 4} for places in found)
    counts = np.bincount(np.ravel(found), minlength=5)[[1, 3, 4]]
    assert stats.chisquare(counts).pvalue > 0.01


def test_power_selects_with_chances_like_the_scores():
    scores = np.array([0.0, 1.0, 2.0, 5.0])
    first = [
        select_power(scores, 1, np.random.default_rng(seed))[0]
        for seed in range(2000)
    ]
    counts = np.bincount(first, minlength=4)
    assert counts[0] == 0
    expected = 2000 * scores[1:] / scores.sum()
    assert stats.chisquare(counts[1:], expected).pvalue > 0.01


def test_power_needs_scores_above_zero():
    with pytest.raises(ValueError, match='"power".*-1'):
        select_power(np.array([1.0, -1.0]), 1, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["labels", "my/own"])
def test_a_name_that_means_something_else_is_refused(name):
    def acquire(predictions):
        return predictions.entropy

    acquire.__name__ = name
    with pytest.raises(ValueError, match=f"Received: '{name}'"):
        named_acquisitions(["margin", acquire])
