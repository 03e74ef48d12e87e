"""Rankings equal scikit-learn's; scores fit the model."""

import keras
import numpy as np
import pytest
from sklearn import metrics

import keras_plex
from keras_plex.scores import score
from keras_plex.tasks import OpenSetRecognition
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.task_cases import softmax

X, Y = TEST


def test_numbers_equal_scikit_learn():
    task = OpenSetRecognition(TEST, {"near": NEAR, "few": NEAR[:50] * 2})
    measured = task.measure(task.predict(logits_model()))
    for name, unknown in {"near": NEAR, "few": NEAR[:50] * 2}.items():
        forecasts = softmax(np.concatenate([X, unknown]).astype("float64"))
        is_unknown = np.arange(len(forecasts)) >= len(X)
        entropy = -np.sum(forecasts * np.log(forecasts), axis=-1)
        auroc = metrics.roc_auc_score(is_unknown, entropy)
        assert measured[f"{name}/entropy/auroc"] == pytest.approx(auroc)
        aupr = metrics.average_precision_score(is_unknown, entropy)
        assert measured[f"{name}/entropy/aupr"] == pytest.approx(aupr)
        fpr, tpr, _ = metrics.roc_curve(is_unknown, entropy)
        expected = fpr[np.argmax(tpr >= 0.95)]
        assert measured[f"{name}/entropy/fpr95"] == pytest.approx(expected)
    both = [measured[f"{name}/msp/auroc"] for name in ("near", "few")]
    assert measured["auroc"] == pytest.approx(np.mean(both))


def test_one_set_needs_no_name_and_may_have_labels_of_other_classes():
    task = OpenSetRecognition(X, (NEAR, np.full(len(NEAR), 99)))
    assert "unknown/msp/auroc" in task.measure(task.predict(logits_model()))


def plex_model():
    keras.utils.set_random_seed(0)
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(4),
        ]
    )
    model = keras_plex.plexify(
        stock, last_blocks=1, head_options={"num_features": 8}, seed=0
    )
    model.fit_covariance(TEST)
    return model


def test_an_ensemble_adds_its_members_and_its_variance():
    task = OpenSetRecognition(TEST, {"near": NEAR}, training=TEST)
    measured = task.measure(task.predict(plex_model()))
    scores = {name.split("/")[1] for name in measured if "/" in name}
    assert scores == {
        "msp",
        "entropy",
        "mutual_information",
        "disagreement",
        "variance",
        "relative_mahalanobis",
    }


def test_a_score_is_fitted_to_each_model_anew():
    own = score("mahalanobis")
    task = OpenSetRecognition(TEST, {"near": NEAR}, scores=[own], training=TEST)
    first = task.measure(task.predict(logits_model()))
    assert not own.parameters
    # Features of both models are their inputs, but not the same ones.
    scaled = keras.Sequential([keras.Input((4,))])
    scaled.add(keras.layers.Dense(4, "relu", use_bias=False))
    scaled.add(keras.layers.Dense(4))
    second = task.measure(task.predict(scaled))
    assert first["auroc"] != second["auroc"]


def test_a_fitted_score_needs_no_training_data():
    model = logits_model()
    fitted = score("mahalanobis").fit(model, TEST)
    task = OpenSetRecognition(TEST, NEAR, scores=[fitted])
    assert np.isfinite(task.measure(task.predict(model))["auroc"])


def test_histograms_are_shares():
    task = OpenSetRecognition(TEST, {"near": NEAR}, scores=["msp"])
    evidence = task.predict(logits_model())
    [histogram] = task.curves(evidence)["score_histograms"].values()
    assert len(histogram["edges"]) == len(histogram["known"]) + 1
    assert sum(histogram["unknown"]) == pytest.approx(1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"unknown": {}}, "must hold a data set"),
        ({"scores": ["mahalanobis"]}, "training=\\(x, y\\)"),
        ({"scores": ["nope"]}, "Unknown score"),
        ({"scores": "msp"}, "did you mean"),
        ({"scores": ()}, "must name a score"),
        ({"scores": ["msp", "msp"]}, "twice"),
        ({"scores": ["msp"], "training": TEST}, "would be ignored"),
        ({"unknown": iter([NEAR])}, "read only once"),
    ],
)
def test_mistakes_are_found_before_any_pass(arguments, message):
    with pytest.raises(ValueError, match=message):
        OpenSetRecognition(TEST, **{"unknown": {"near": NEAR}, **arguments})


def test_features_of_a_model_without_a_head_say_what_to_do():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Softmax()])
    task = OpenSetRecognition(TEST, NEAR, scores=["knn"], training=TEST)
    with pytest.raises(ValueError, match="open_set_recognition: training"):
        task.predict(model)


@pytest.mark.parametrize("name", ["mutual_information", "disagreement"])
def test_what_members_say_needs_members(name):
    task = OpenSetRecognition(TEST, NEAR, scores=[name])
    with pytest.raises(ValueError, match=f"'{name}' measures how members"):
        task.predict(logits_model())


def test_a_score_that_ranks_nothing_is_named():
    def of_columns(predictions):
        return predictions.probabilities[:, :1]

    task = OpenSetRecognition(TEST, NEAR, scores=[of_columns])
    with pytest.raises(ValueError, match=r"'of_columns'.*shape=\(\d+, 1\)"):
        task.predict(logits_model())
