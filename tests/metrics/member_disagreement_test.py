"""The share of pairs of members that differ; in models of each kind."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.metrics import MemberDisagreement
from keras_plex.metrics import MemberKLDivergence
from keras_plex.metrics import member_disagreement
from keras_plex.models.deep_ensemble import DeepEnsemble
from keras_plex.models.mc_dropout import MCDropout
from keras_plex.testing import JIT_COMPILE


def of_classes(*names):
    """Members that are sure of these classes, `(1, members, 3)`."""
    return np.eye(3)[[names]] * 0.7 + 0.1


@pytest.mark.parametrize(
    "members, expected",
    [((0, 0, 0), 0.0), ((0, 1, 2), 1.0), ((0, 0, 1), 2 / 3), ((0, 1), 1.0)],
)
def test_counts_pairs_that_differ(members, expected):
    value = member_disagreement(of_classes(*members))
    assert value == pytest.approx(expected)


def test_equals_the_disagreement_of_predictions():
    logits = np.random.default_rng(0).normal(size=(50, 4, 3))
    predictions = keras_plex.Predictions.from_outputs(logits, "softmax_logits")
    metric = MemberDisagreement(from_logits=True)
    metric.update_state(np.zeros(50), logits)
    expected = predictions.disagreement.mean()
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_normalized_it_is_divided_by_the_error_of_the_forecast():
    members = np.concatenate([of_classes(0, 0, 1), of_classes(2, 2, 2)])
    # Disagreement 1/3; forecasts 0 and 2, of which one is wrong.
    value = member_disagreement(members, y_true=[0, 1])
    assert value == pytest.approx((1 / 3) / (0.5 + 1e-7))


def test_labels_are_read_only_to_normalize():
    members = of_classes(0, 1)
    metric = MemberDisagreement()
    metric.update_state(None, members)
    assert float(metric.result()) == 1.0


def plex(stock):
    return keras_plex.plexify(
        stock, 3, last_blocks=1, head="keep", fast_weight_stddev=0.5, seed=0
    )


def ensemble(stock):
    return DeepEnsemble.from_model(stock, 3, seed=0)


def dropout(stock):
    return MCDropout(stock, num_samples=3, seed=0)


def make_stock():
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(16, "relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3),
        ]
    )


@pytest.mark.parametrize("make", [plex, ensemble, dropout])
@pytest.mark.parametrize(
    "jit_compile", sorted(set(JIT_COMPILE[keras.config.backend()]))
)
def test_fit_and_evaluate_see_the_members_of_a_model(make, jit_compile):
    keras.utils.set_random_seed(0)
    model = make(make_stock())
    model.compile(
        keras.optimizers.SGD(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            MemberDisagreement(from_logits=True),
            MemberKLDivergence(from_logits=True),
        ],
        jit_compile=jit_compile,
    )
    generator = np.random.default_rng(0)
    x = generator.normal(size=(24, 4)).astype("float32")
    y = generator.integers(3, size=24)
    logs = model.fit(
        x, y, batch_size=12, validation_data=(x, y), verbose=0
    ).history
    evaluated = model.evaluate(x, y, batch_size=12, return_dict=True, verbose=0)
    logits = model.predict_members(x).astype("float64")
    exponentials = np.exp(logits)
    members = exponentials / exponentials.sum(axis=-1, keepdims=True)
    expected = {
        "member_disagreement": member_disagreement(members),
        "member_kl_divergence": keras_plex.metrics.member_kl_divergence(
            members
        ),
    }
    for name, value in expected.items():
        assert value > 0
        assert evaluated[name] == pytest.approx(value, abs=1e-5)
        assert logs[f"val_{name}"] == pytest.approx([value], abs=1e-5)
        # In training, `MCDropout` is one network.
        seen = 0.0 if make is dropout else value
        if make is not plex:  # whose members train with dropout
            assert (logs[name][0] > 0) == (seen > 0)


def test_a_model_without_members_says_what_to_do():
    model = make_stock()
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[MemberDisagreement(from_logits=True)],
    )
    with pytest.raises(ValueError, match="model must be a `PlexModel`"):
        model.evaluate(np.ones((4, 4)), np.zeros(4), verbose=0)


def test_arrays_without_members_are_an_error():
    with pytest.raises(ValueError, match="must be those of members"):
        member_disagreement([[0.5, 0.5]])
