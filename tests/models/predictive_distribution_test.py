"""The forecast as a distribution agrees with the forecast as arrays."""

import sys

import keras
import numpy as np
import pytest

import keras_plex


def make(head):
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    return keras_plex.plexify(stock, head=head, last_blocks=1, seed=0)


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def test_without_a_gp_it_is_the_mixture_of_the_members_classes(x):
    pytest.importorskip("tensorflow_probability")
    model = make("keep")
    found = model.predict_uncertainty(x)
    distribution = model.predictive_distribution(x)
    assert distribution.batch_shape == (6,)
    for label in range(3):
        np.testing.assert_allclose(
            distribution.prob(label), found.probabilities[:, label], rtol=1e-5
        )


def test_with_a_gp_it_is_a_gaussian_over_logits(x):
    pytest.importorskip("tensorflow_probability")
    model = make("gp")
    model.fit_covariance(x[:3])
    distribution = model.predictive_distribution(x)
    assert distribution.event_shape == (3,)
    details = model.predict_details(x, features=True)
    means = np.asarray(model.covariance_head.mean_logits(details["features"]))
    np.testing.assert_allclose(
        distribution.mean(), means.mean(axis=1), atol=1e-5
    )
    # Law of total variance over the members.
    expected = details["variance"].mean(axis=1)[:, None] + means.var(axis=1)
    np.testing.assert_allclose(distribution.variance(), expected, rtol=1e-4)


def test_without_the_package_it_says_what_to_install(x, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_probability", None)
    with pytest.raises(ImportError, match=r"keras_plex\[probability\]"):
        make("keep").predictive_distribution(x)
