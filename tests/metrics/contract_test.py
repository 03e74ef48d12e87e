"""What every metric promises: it streams, merges, weighs, saves, compiles."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from keras import ops

from keras_plex import metrics

NUM_CLASSES = 3


def make_data(kind, size=40, seed=0):
    """Labels, predictions and weights for a metric of that kind."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2.0, size).astype("float32")
    if kind is metrics.OODAUROC:
        labels = np.arange(size) % 2
        return labels, rng.normal(labels, 1.0).astype("float32"), weights
    predictions = rng.dirichlet(np.ones(NUM_CLASSES), size).astype("float32")
    return rng.integers(0, NUM_CLASSES, size), predictions, weights


KINDS = [
    metrics.ExpectedCalibrationError,
    metrics.NegativeLogLikelihood,
    metrics.BrierScore,
    metrics.OODAUROC,
]
each_kind = pytest.mark.parametrize("kind", KINDS)


def one_shot(kind, data):
    metric = kind()
    metric.update_state(*data)
    return float(metric.result())


@each_kind
@settings(max_examples=10, deadline=None)
@given(cut=st.lists(st.integers(0, 40), max_size=3), seed=st.integers(0, 99))
def test_streaming_in_any_order_equals_one_shot(kind, cut, seed):
    data = make_data(kind, seed=seed)
    order = np.random.default_rng(seed).permutation(40)
    metric = kind()
    for rows in np.split(order, sorted(cut)):
        if len(rows):
            metric.update_state(*(column[rows] for column in data))
    assert float(metric.result()) == pytest.approx(
        one_shot(kind, data), abs=2e-6
    )


@each_kind
def test_halves_merge_to_the_whole(kind):
    data = make_data(kind)
    parts = [kind(name=name) for name in ("first", "second", "third")]
    for part, rows in zip(
        parts, np.split(np.arange(40), [10, 20]), strict=True
    ):
        part.update_state(*(column[rows] for column in data))
    parts[0].merge_state(parts[1:])
    assert float(parts[0].result()) == pytest.approx(
        one_shot(kind, data), abs=2e-6
    )


@each_kind
def test_an_integer_weight_counts_like_a_repeated_example(kind):
    labels, predictions, _ = make_data(kind)
    counts = np.arange(40) % 4
    repeated = np.repeat(np.arange(40), counts)
    assert one_shot(kind, (labels, predictions, counts)) == pytest.approx(
        one_shot(kind, (labels[repeated], predictions[repeated])), abs=2e-6
    )


@each_kind
def test_an_example_of_weight_zero_counts_for_nothing(kind):
    labels, predictions, weights = make_data(kind)
    before = one_shot(kind, (labels[1:], predictions[1:], weights[1:]))
    labels[0], weights[0] = -1, 0.0
    predictions[0] = np.nan
    after = one_shot(kind, (labels, predictions, weights))
    assert after == pytest.approx(before, abs=2e-6)


@each_kind
def test_labels_and_weights_may_carry_a_unit_axis(kind):
    labels, predictions, weights = make_data(kind)
    assert one_shot(
        kind, (labels[:, None], predictions, weights[:, None])
    ) == one_shot(kind, (labels, predictions, weights))


@each_kind
def test_result_is_nan_before_data_and_after_reset(kind):
    metric = kind()
    assert np.isnan(float(metric.result()))
    metric.update_state(*make_data(kind))
    assert np.isfinite(float(metric.result()))
    metric.reset_state()
    assert np.isnan(float(metric.result()))


@each_kind
def test_a_nan_prediction_makes_the_result_nan(kind):
    labels, predictions, weights = make_data(kind)
    predictions[3, ...] = np.nan
    assert np.isnan(one_shot(kind, (labels, predictions, weights)))


@each_kind
@pytest.mark.parametrize("label", [-1, 7])
def test_a_label_out_of_range_makes_the_result_nan(kind, label):
    labels, predictions, weights = make_data(kind)
    labels[3] = label
    assert np.isnan(one_shot(kind, (labels, predictions, weights)))


@each_kind
def test_a_half_precision_metric_still_sums_in_float32(kind):
    metric = kind(dtype="float16")
    assert metric.sums.dtype == metric.compensation.dtype == "float32"
    assert len(metric.variables) == 2


@each_kind
def test_config_round_trips_through_json(kind):
    options = {"from_logits": True, "name": "mine", "dtype": "float32"}
    if kind is metrics.ExpectedCalibrationError:
        options["num_bins"] = 7
    if kind is metrics.OODAUROC:
        options |= {"num_bins": 64, "score": "entropy"}
    config = json.loads(
        json.dumps(keras.saving.serialize_keras_object(kind(**options)))
    )
    assert config["registered_name"] == f"keras_plex>{kind.__name__}"
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is kind
    assert copy.get_config() == options


@each_kind
def test_rows_of_labels_and_predictions_must_agree(kind):
    labels, predictions, weights = make_data(kind)
    with pytest.raises(ValueError, match="`y_true` must have one row per"):
        kind().update_state(labels[:-1], predictions)
    with pytest.raises(ValueError, match="`sample_weight` must have one row"):
        kind().update_state(labels, predictions, weights[:-1])


@each_kind
def test_weights_with_more_axes_are_an_error(kind):
    labels, predictions, weights = make_data(kind)
    with pytest.raises(ValueError, match="one number per example"):
        kind().update_state(labels, predictions, np.stack([weights] * 2, 1))


@each_kind
def test_only_metrics_of_one_kind_merge(kind):
    with pytest.raises(ValueError, match="Only metrics of one kind merge"):
        kind().merge_state([keras.metrics.Mean()])
    with pytest.raises(ValueError, match="Only metrics of one kind merge"):
        kind(**_other_option(kind)).merge_state([kind()])


def _other_option(kind):
    if kind is metrics.OODAUROC:
        return {"score": "msp"}
    return {"from_logits": True}


@pytest.mark.parametrize("jit_compile", [False, True])
def test_metrics_in_fit_and_evaluate_equal_the_functions(jit_compile, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 4)).astype("float32")
    y = rng.integers(0, NUM_CLASSES, 50)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile(
        "sgd",
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[
            metrics.ExpectedCalibrationError(from_logits=True),
            metrics.NegativeLogLikelihood(from_logits=True),
        ],
        weighted_metrics=[metrics.BrierScore(from_logits=True)],
        jit_compile=jit_compile,
    )
    history = model.fit(x, y, batch_size=16, validation_data=(x, y), verbose=0)
    logits = model.predict(x, verbose=0).astype("float64")
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = {
        f"val_{function.__name__}": function(y, probabilities)
        for function in (
            metrics.expected_calibration_error,
            metrics.negative_log_likelihood,
            metrics.brier_score,
        )
    }
    for name, value in expected.items():
        assert history.history[name] == pytest.approx([value], abs=1e-6)

    model.save(tmp_path / "model.keras")
    restored = keras.saving.load_model(tmp_path / "model.keras")
    again = restored.evaluate(x, y, return_dict=True, verbose=0)
    for name, value in expected.items():
        assert again[name.removeprefix("val_")] == pytest.approx(
            value, abs=1e-6
        )


@pytest.mark.parametrize("jit_compile", [False, True])
def test_ood_auroc_in_evaluate_equals_the_exact_value(jit_compile):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(60, 3)).astype("float32")
    is_ood = np.arange(60) % 2
    model = keras.Sequential([keras.Input((3,)), keras.layers.Identity()])
    model.compile(
        loss=lambda y_true, y_pred: 0.0 * ops.sum(y_pred, axis=-1),
        metrics=[metrics.OODAUROC("msp", from_logits=True)],
        jit_compile=jit_compile,
    )
    result = model.evaluate(
        logits, is_ood, batch_size=16, return_dict=True, verbose=0
    )
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    exact = metrics.auroc(1 - probabilities.max(-1), is_ood)
    assert result["ood_auroc"] == pytest.approx(exact, abs=1e-3)
