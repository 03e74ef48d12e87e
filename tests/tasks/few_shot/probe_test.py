"""The probe is scikit-learn's regression, once per member, averaged."""

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from keras_plex.tasks.few_shot.probe import DEFAULT_L2
from keras_plex.tasks.few_shot.probe import L2_GRID
from keras_plex.tasks.few_shot.probe import check_l2
from keras_plex.tasks.few_shot.probe import choose_l2
from keras_plex.tasks.few_shot.probe import fit_probe

MEMBERS, DIM = 2, 5


def draw(classes, size=60, seed=0):
    generator = np.random.default_rng(seed)
    targets = np.arange(size) % classes
    means = generator.normal(0, 1.5, (classes, MEMBERS, DIM))
    noise = generator.normal(0, 1.0, (size, MEMBERS, DIM))
    features = (means[targets] + noise) * 10.0 ** np.arange(DIM)
    return features.astype("float32"), targets


@pytest.mark.parametrize("classes", [2, 3])
def test_the_forecast_is_the_mean_of_scikit_learns(classes):
    features, targets = draw(classes)
    others, _ = draw(classes, seed=1)
    probe = fit_probe(features, targets, l2=0.5)
    expected = []
    for member in range(MEMBERS):
        x = features[:, member].astype("float64")
        scaler = StandardScaler().fit(x)
        regression = LogisticRegression(C=2.0, tol=1e-8, max_iter=5000)
        regression.fit(scaler.transform(x), targets)
        expected.append(
            regression.predict_proba(scaler.transform(others[:, member]))
        )
    found = probe.predict(others)
    np.testing.assert_allclose(
        found.member_probabilities.swapaxes(0, 1), expected, atol=2e-4
    )
    np.testing.assert_allclose(
        found.probabilities, np.mean(expected, axis=0), atol=2e-4
    )


def test_its_gradient_is_zero():
    features, targets = draw(3)
    probe = fit_probe(features, targets, l2=0.5)
    p = special.softmax(probe.logits(features), axis=-1)
    error = p - np.eye(3)[targets][:, None]
    x = (features - probe.mean) / probe.scale
    gradient = np.einsum("ned,nec->edc", x, error) + 0.5 * probe.kernel
    np.testing.assert_allclose(gradient, 0, atol=1e-3)
    np.testing.assert_allclose(error.sum(axis=0), 0, atol=1e-3)


def test_units_of_features_do_not_matter():
    features, targets = draw(3)
    first = fit_probe(features, targets, l2=1.0).predict(features)
    again = fit_probe(features * 1e3 + 7, targets, l2=1.0)
    np.testing.assert_allclose(
        again.predict(features * 1e3 + 7).probabilities,
        first.probabilities,
        atol=2e-3,
    )


def test_a_constant_feature_does_no_harm():
    features, targets = draw(3)
    features[:, :, 0] = 5.0
    probe = fit_probe(features, targets, l2=1.0)
    assert np.isfinite(probe.predict(features).probabilities).all()


def test_the_penalty_is_that_of_the_best_held_out_likelihood():
    features, targets = draw(3)
    losses = {}
    # Every fifth of each class.
    folds = [
        np.flatnonzero(np.arange(60) // 3 % 5 == number) for number in range(5)
    ]
    for l2 in L2_GRID:
        total = 0.0
        for held in folds:
            kept = np.setdiff1d(np.arange(60), held)
            p = []
            for member in range(MEMBERS):
                scaler = StandardScaler().fit(features[kept, member])
                regression = LogisticRegression(C=1 / l2, max_iter=5000)
                regression.fit(
                    scaler.transform(features[kept, member]), targets[kept]
                )
                p.append(
                    regression.predict_proba(
                        scaler.transform(features[held, member])
                    )
                )
            p = np.mean(p, axis=0)[np.arange(len(held)), targets[held]]
            total -= np.log(p).sum()
        losses[l2] = total
    assert choose_l2(features, targets) == min(losses, key=losses.get)


def test_noise_asks_for_a_strong_penalty_and_structure_for_a_weak_one():
    features, targets = draw(3, size=90)
    noise = np.random.default_rng(0).normal(size=features.shape)
    assert choose_l2(noise, targets) > choose_l2(10 * features, targets)


def test_one_example_of_a_class_leaves_nothing_to_hold_out():
    features, targets = draw(3)
    assert choose_l2(features[:3], targets[:3]) == DEFAULT_L2
    assert choose_l2(features[:4], targets[:4]) == DEFAULT_L2


@pytest.mark.parametrize("l2", [0, -1.0, np.inf, np.nan, "1", True])
def test_penalties_are_checked(l2):
    with pytest.raises(ValueError, match="`l2` must be a number above 0"):
        check_l2(l2)
