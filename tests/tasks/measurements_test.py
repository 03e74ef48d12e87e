"""Every measured number equals scikit-learn's or NumPy's."""

import keras
import numpy as np
import pytest
from sklearn import metrics

import keras_plex
from keras_plex.predictions import Predictions
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ood
from keras_plex.tasks.measurements import predict_data

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = RNG.integers(0, 3, size=50)


def make_stock(activation=None, units=3):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(units, activation),
        ]
    )


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = keras_plex.plexify(
        make_stock(),
        last_blocks=1,
        head_options={"num_features": 8, "mean_field_factor": 2.0},
        seed=0,
    )
    model.fit_covariance(X)
    return model


@pytest.fixture(scope="module")
def predictions(model):
    return predict_data(model, X)[0]


class Batches:
    """Batches of 7, and how many rows were read."""

    def __iter__(self):
        for start in range(0, 50, 7):
            yield X[start : start + 7], Y[start : start + 7]


def assert_same(ours, theirs):
    for name, expected in vars(theirs).items():
        if expected is None:
            assert getattr(ours, name) is None
        else:
            np.testing.assert_allclose(
                getattr(ours, name), expected, atol=1e-6, err_msg=name
            )


@pytest.mark.parametrize("data", [(X, Y), Batches()], ids=["arrays", "batches"])
def test_predictions_are_those_of_predict_uncertainty(model, data):
    found, labels = predict_data(model, data, batch_size=16)
    assert_same(found, model.predict_uncertainty(X))
    assert found.variance.shape == (50,)
    np.testing.assert_array_equal(labels, Y)


def test_data_without_labels_gives_none(model):
    found, labels = predict_data(model, X)
    assert labels is None and len(found) == 50


def test_max_examples_stops_after_the_batch_that_reaches_them(model):
    found, labels = predict_data(model, (X, Y), batch_size=8, max_examples=17)
    np.testing.assert_array_equal(labels, Y[:24])
    expected = model.predict_uncertainty(X[:24])
    np.testing.assert_allclose(
        found.probabilities, expected.probabilities, atol=1e-6
    )


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_stock_classifier_counts_as_one_member(activation):
    stock = make_stock(activation)
    found, _ = predict_data(stock, X)
    outputs = keras.ops.convert_to_numpy(stock(X))
    if activation is None:
        outputs = keras.ops.convert_to_numpy(keras.ops.softmax(outputs))
    np.testing.assert_allclose(found.probabilities, outputs, atol=1e-6)
    assert found.member_probabilities.shape == (50, 1, 3)
    assert found.variance is None
    assert not found.mutual_information.any()


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_stock_binary_classifier_has_two_classes(activation):
    stock = make_stock(activation, units=1)
    stock.compile(
        loss=keras.losses.BinaryCrossentropy(from_logits=activation is None)
    )
    found, _ = predict_data(stock, X)
    positive = stock(X) if activation else keras.ops.sigmoid(stock(X))
    positive = keras.ops.convert_to_numpy(positive)[:, 0]
    np.testing.assert_allclose(found.probabilities[:, 1], positive, atol=1e-6)
    np.testing.assert_allclose(found.probabilities.sum(-1), 1.0, atol=1e-6)


def test_accuracy_and_nll_equal_scikit_learn(predictions):
    measured = measure_forecasts(predictions, Y)
    forecast = predictions.probabilities.astype("float64")
    accuracy = metrics.accuracy_score(Y, forecast.argmax(-1))
    assert measured["accuracy"] == pytest.approx(accuracy)
    nll = metrics.log_loss(Y, forecast / forecast.sum(-1, keepdims=True))
    assert measured["nll"] == pytest.approx(nll, abs=1e-5)


def test_brier_and_ece_equal_numpy(predictions):
    measured = measure_forecasts(predictions, Y)
    forecast = predictions.probabilities
    brier = np.mean(np.sum((forecast - np.eye(3)[Y]) ** 2, axis=-1))
    assert measured["brier"] == pytest.approx(brier, abs=1e-6)
    confidence, right = forecast.max(-1), forecast.argmax(-1) == Y
    ece = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            ece += inside.mean() * abs(gap)
    assert measured["ece"] == pytest.approx(ece, abs=1e-6)


@pytest.mark.parametrize(
    "labels",
    [Y[:, None], np.eye(3)[Y], Y.astype("float32")],
    ids=["column", "one-hot", "float"],
)
def test_labels_of_any_form_measure_the_same(predictions, labels):
    expected = measure_forecasts(predictions, Y)
    assert measure_forecasts(predictions, labels) == pytest.approx(expected)


@pytest.mark.parametrize("score", ["msp", "entropy", "variance"])
def test_ood_numbers_equal_scikit_learn(model, predictions, score):
    unknown, _ = predict_data(model, 3 * X[:20])
    measured = measure_ood(predictions, unknown, score)
    function = keras_plex.scores.score(score)
    scores = np.concatenate([function(predictions), function(unknown)])
    is_ood = np.array([0] * 50 + [1] * 20)
    auroc = metrics.roc_auc_score(is_ood, scores)
    assert measured["auroc"] == pytest.approx(auroc)
    aupr = metrics.average_precision_score(is_ood, scores)
    assert measured["aupr"] == pytest.approx(aupr)
    # 95 % of 20: the threshold that flags 19 of them.
    threshold = np.sort(scores[50:])[1]
    fpr95 = np.mean(scores[:50] >= threshold)
    assert measured["fpr95"] == pytest.approx(fpr95)


def test_a_fitted_score_tells_unknown_from_known(model):
    fitted = keras_plex.scores.score("mahalanobis").fit(model, (X, Y))
    known, _ = predict_data(model, X, features=True)
    unknown, _ = predict_data(model, 30 * X, features=True)
    measured = measure_ood(known, unknown, fitted)
    is_ood = np.arange(2 * len(X)) >= len(X)
    scores = np.concatenate([fitted(known), fitted(unknown)])
    auroc = metrics.roc_auc_score(is_ood, scores)
    assert measured["auroc"] == pytest.approx(auroc)
    with pytest.raises(ValueError, match="mahalanobis.*fit"):
        measure_ood(known, unknown, "mahalanobis")


def test_batches_are_counted_as_they_pass(model):
    counts = []
    predict_data(model, X, batch_size=20, on_batch=counts.append)
    assert counts == [20, 40, 50]


def test_sets_that_do_not_overlap_rank_perfectly():
    sure = Predictions.from_outputs(np.array([[0.9, 0.1]] * 4), "probabilities")
    not_sure = Predictions.from_outputs(
        np.array([[0.6, 0.4]] * 2), "probabilities"
    )
    measured = measure_ood(sure, not_sure, "msp")
    assert measured == {"auroc": 1.0, "aupr": 1.0, "fpr95": 0.0}
    reverse = measure_ood(not_sure, sure, "msp")
    assert reverse["auroc"] == 0.0 and reverse["fpr95"] == 1.0


def test_regression_is_refused():
    stock = make_stock(units=1)
    stock.compile(loss="mse")
    with pytest.raises(ValueError, match="no class probabilities"):
        predict_data(stock, X)
