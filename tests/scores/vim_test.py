"""Virtual-logit matching, against its formula in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special

from keras_plex.models.batch_details import predict_batch
from keras_plex.predictions import Predictions
from keras_plex.scores import ViM
from keras_plex.scores.vim import head_origin
from keras_plex.testing import JIT_COMPILE


def draw(examples=120, ensemble=2, dim=6, classes=3, seed=0):
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(examples, ensemble, dim))
    features = features * np.arange(1, dim + 1) + 2.0
    logits = generator.normal(size=(examples, ensemble, classes)) + 1.0
    return Predictions.from_outputs(
        logits.astype("float32"),
        "softmax_logits",
        features=features.astype("float32"),
    )


def fitted(predictions, **options):
    score = ViM(**options)
    score.update(predictions)
    score.finish()
    return score


def expected_score(train, test, components, origin=None):
    """The paper's formula in float64, its alpha by the root mean square."""
    total = 0.0
    for member in range(train.features.shape[1]):
        x = train.features[:, member].astype("float64")
        at = test.features[:, member].astype("float64")
        o = x.mean(axis=0) if origin is None else origin
        _, _, directions = np.linalg.svd(x - o)
        rest = directions[components:].T
        norms = np.linalg.norm((x - o) @ rest, axis=-1)
        largest = train.member_logits[:, member].max(axis=-1).mean()
        alpha = largest / np.sqrt(np.mean(norms**2))
        virtual = alpha * np.linalg.norm((at - o) @ rest, axis=-1)
        total += virtual - special.logsumexp(
            test.member_logits[:, member].astype("float64"), axis=-1
        )
    return total / train.features.shape[1]


@pytest.mark.parametrize("components", [None, 0, 2, 5])
def test_it_is_the_formula(components):
    train, test = draw(), draw(20, seed=1)
    used = 3 if components is None else components
    np.testing.assert_allclose(
        fitted(train, num_components=components)(test),
        expected_score(train, test, used),
        rtol=1e-4,
        atol=1e-4,
    )


def test_it_ranks_as_the_probability_of_the_virtual_class():
    train, test = draw(ensemble=1), draw(20, ensemble=1, seed=1)
    score = fitted(train)(test)
    logits = test.member_logits[:, 0].astype("float64")
    virtual = score + special.logsumexp(logits, axis=-1)
    joined = np.concatenate([logits, virtual[:, None]], axis=-1)
    probability = special.softmax(joined, axis=-1)[:, -1]
    np.testing.assert_array_equal(np.argsort(score), np.argsort(probability))


def test_origin_of_a_dense_head_has_the_smallest_logits():
    generator = np.random.default_rng(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    model.layers[0].bias.assign(generator.normal(size=3))
    origin = head_origin(model.layers[0])
    logits = model.predict(origin[None].astype("float32"), verbose=0)
    np.testing.assert_allclose(logits, 0.0, atol=1e-5)
    kernel = ops.convert_to_numpy(model.layers[0].kernel)
    # And of all such points it is the nearest to zero.
    np.testing.assert_allclose(
        origin @ np.linalg.svd(kernel)[0][:, 3:], 0.0, atol=1e-6
    )


def test_fit_takes_the_origin_of_the_head():
    generator = np.random.default_rng(0)
    layers = [keras.layers.Dense(6, "relu"), keras.layers.Dense(4)]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.layers[-1].bias.assign(generator.normal(size=4))
    x = generator.normal(size=(90, 3)).astype("float32")

    def predict(x):
        found = predict_batch(model, x, features=True)
        return Predictions.from_outputs(
            found["outputs"], "softmax_logits", features=found["features"]
        )

    train, test = predict(x), predict(x[:10] * 3)
    origin = head_origin(model.layers[-1])
    np.testing.assert_allclose(
        ViM().fit(model, x)(test),
        expected_score(train, test, 3, origin),
        rtol=1e-4,
        atol=1e-4,
    )


def test_head_without_a_bias_has_the_origin_zero():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, use_bias=False)]
    )
    np.testing.assert_array_equal(head_origin(model.layers[0]), np.zeros(4))


def test_value_is_the_same_in_an_array_and_compiled():
    train = draw()
    score = fitted(train)

    class Scorer(keras.layers.Layer):
        def call(self, features, member_logits):
            fields = {"features": features, "member_logits": member_logits}
            return score(type("Fields", (), fields))

    features, logits = keras.Input((2, 6)), keras.Input((2, 3))
    model = keras.Model([features, logits], Scorer()(features, logits))
    for jit_compile in JIT_COMPILE[keras.config.backend()]:
        model.compile(jit_compile=jit_compile)
        found = model.predict([train.features, train.member_logits], verbose=0)
        np.testing.assert_allclose(found, score(train), rtol=1e-5, atol=1e-5)


def test_features_of_low_rank_do_not_make_alpha_infinite():
    train = draw()
    flat = train.features.copy()
    flat[..., 2:] = 0.0
    flat_train = Predictions.from_outputs(
        train.member_logits, "softmax_logits", features=flat
    )
    score = fitted(flat_train)
    on, off = score(flat_train), score(train)
    assert np.isfinite(on).all() and np.isfinite(off).all()
    assert off.min() > on.max()


def test_one_logit_counts_as_two():
    generator = np.random.default_rng(0)
    features = generator.normal(size=(50, 1, 4)).astype("float32")
    logit = generator.normal(size=(50, 1, 1)).astype("float32")
    one = Predictions.from_outputs(logit, "sigmoid_logits", features=features)
    two = Predictions.from_outputs(
        np.concatenate([-logit / 2, logit / 2], axis=-1),
        "softmax_logits",
        features=features,
    )
    np.testing.assert_allclose(fitted(one)(one), fitted(two)(two), rtol=1e-5)


def test_features_alone_are_not_enough():
    with pytest.raises(ValueError, match="not features alone"):
        ViM().update(np.ones((3, 4)))


def test_a_model_without_logits_is_an_error():
    predictions = Predictions.from_outputs(
        np.full((4, 2), 0.5), "probabilities", features=np.ones((4, 1, 3))
    )
    with pytest.raises(ValueError, match='Score "vim" needs `member_logits`'):
        ViM().update(predictions)


def test_negative_logits_are_an_error():
    train = draw()
    below = Predictions.from_outputs(
        train.member_logits - 20, "softmax_logits", features=train.features
    )
    score = ViM()
    score.update(below)
    with pytest.raises(ValueError, match="largest is positive in the mean"):
        score.finish()


@pytest.mark.parametrize("components", [-1, 2.0, True])
def test_components_must_be_an_integer(components):
    with pytest.raises(ValueError, match="`num_components` must be"):
        ViM(components)


def test_components_must_leave_a_residual():
    with pytest.raises(ValueError, match="below the number of features, 6"):
        fitted(draw(), num_components=6)
