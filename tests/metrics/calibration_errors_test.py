"""One pass gives what each metric gives."""

import numpy as np
import pytest

from keras_plex import metrics
from keras_plex.metrics import calibration_errors

# Key -> the streaming metric.
METRICS = {
    "nll": metrics.NegativeLogLikelihood,
    "brier": metrics.BrierScore,
    "ece": metrics.ExpectedCalibrationError,
    "mce": metrics.MaximumCalibrationError,
    "classwise": metrics.ClasswiseCalibrationError,
    "adaptive": metrics.AdaptiveCalibrationError,
}


def draw(kind, size=500):
    generator = np.random.default_rng(0)
    probabilities = generator.dirichlet(np.full(4, 0.5), size)
    probabilities = np.maximum(probabilities, 1e-6)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    probabilities = probabilities.astype("float32")
    labels = generator.integers(4, size=size)
    if kind == "soft":
        labels = generator.dirichlet(np.ones(4), size).astype("float32")
    if kind == "members":
        probabilities = np.stack([probabilities, probabilities[::-1]], axis=1)
    if kind == "one unit":
        labels, probabilities = labels % 2, probabilities[:, 0]
    return labels, probabilities, generator.uniform(0.5, 2.0, size)


@pytest.mark.parametrize("kind", ["sparse", "soft", "members", "one unit"])
def test_equals_the_streaming_metrics(kind):
    labels, probabilities, weights = draw(kind)
    errors = calibration_errors(labels, probabilities, sample_weight=weights)
    assert list(errors) == list(METRICS)
    for name, metric_class in METRICS.items():
        metric = metric_class()
        metric.update_state(labels, probabilities, weights)
        expected = pytest.approx(float(metric.result()), abs=3e-6)
        assert errors[name] == expected, name


def test_batches_equal_the_whole():
    labels, probabilities, weights = draw("sparse")
    whole = calibration_errors(labels, probabilities, sample_weight=weights)
    parts = np.split(np.arange(500), [1, 200])
    batches = ((labels[i], probabilities[i], weights[i]) for i in parts)
    assert calibration_errors(batches) == pytest.approx(whole, abs=1e-12)


def test_more_rows_than_a_chunk_are_read_to_the_end():
    size = 300_000
    probabilities = np.tile(np.float32([0.75, 0.25]), (size, 1))
    labels = np.arange(size) % 4 == 3  # a quarter is of class 1
    errors = calibration_errors(labels, probabilities)
    assert errors["ece"] == errors["classwise"] == 0.0
    assert errors["brier"] == pytest.approx(0.375)


def test_equals_the_exact_family_and_scikit_learn(shared_data):
    sklearn = pytest.importorskip("sklearn.metrics")
    file = np.load(shared_data / "model_outputs" / "imdb_test_probs.npz")
    labels, probabilities = file["labels"], file["probs"].astype("float64")
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    errors = calibration_errors(labels, probabilities)
    options = {"top_label": False, "classwise": True}
    exact = {
        "nll": sklearn.log_loss(labels, probabilities),
        "brier": 2 * sklearn.brier_score_loss(labels, probabilities[:, 1]),
        "ece": metrics.calibration_error(labels, probabilities),
        "mce": metrics.calibration_error(labels, probabilities, norm=np.inf),
        "classwise": metrics.calibration_error(
            labels, probabilities, **options
        ),
    }
    for name, expected in exact.items():
        assert errors[name] == pytest.approx(expected, abs=1e-12), name


def test_soft_labels_of_annotators(shared_data):
    scipy = pytest.importorskip("scipy.special")
    probabilities = np.load(
        shared_data / "model_outputs" / "cifar10_test_probs.npz"
    )["probs"].astype("float64")
    counts = np.load(shared_data / "images" / "cifar10h.npz")["counts_test"]
    labels = counts / counts.sum(axis=1, keepdims=True)
    errors = calibration_errors(labels, probabilities)
    entropy = scipy.entr(labels).sum(axis=1).mean()
    divergence = scipy.rel_entr(labels, probabilities).sum(axis=1).mean()
    assert errors["nll"] == pytest.approx(entropy + divergence, abs=1e-9)
    assert metrics.soft_label_kl_divergence(
        labels, probabilities
    ) == pytest.approx(divergence, abs=1e-6)
    distance = np.square(labels - probabilities).sum(axis=1).mean()
    assert errors["brier"] == pytest.approx(distance, abs=1e-9)


def test_probability_zero_of_the_label_is_infinite():
    assert calibration_errors([1], [[1.0, 0.0]])["nll"] == np.inf


def test_an_infinite_value_of_weight_zero_does_not_count():
    errors = calibration_errors(
        [1, 0], [[1.0, 0.0], [1.0, 0.0]], sample_weight=[0.0, 1.0]
    )
    assert errors["nll"] == 0.0


def test_nothing_is_an_error():
    with pytest.raises(ValueError, match="There is no batch"):
        calibration_errors(iter([]))


def test_arrays_without_probabilities_are_an_error():
    with pytest.raises(ValueError, match="must be batches `.labels, prob"):
        calibration_errors(np.zeros((4, 3)))


def test_weights_beside_batches_are_an_error():
    with pytest.raises(ValueError, match="as their third part"):
        calibration_errors([([0], [[1.0, 0.0]])], sample_weight=[1.0])


def test_a_batch_of_other_classes_is_an_error():
    batches = [([0], [[1.0, 0.0]]), ([0], [[1.0, 0.0, 0.0]])]
    with pytest.raises(ValueError, match="as many classes as the first"):
        calibration_errors(batches)


def test_logits_are_an_error():
    with pytest.raises(ValueError, match="apply a softmax first"):
        calibration_errors([0], [[3.0, -1.0]])


def test_a_batch_of_padding_alone_does_not_count():
    labels, probabilities = [1, 0], [[0.2, 0.8], [0.3, 0.7]]
    padded = [
        (labels, probabilities, [1.0, 1.0]),
        (labels, probabilities, [0.0, 0.0]),
        ([], np.zeros((0, 2))),
    ]
    expected = calibration_errors(labels, probabilities)
    assert calibration_errors(padded) == expected
    with pytest.raises(ValueError, match="There is no batch with an example"):
        calibration_errors(padded[1:])
    with pytest.raises(ValueError, match="nor all zero"):
        calibration_errors(labels, probabilities, sample_weight=[0.0, 0.0])
