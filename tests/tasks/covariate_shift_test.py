"""Means over shifts by arithmetic; corruptions are those of `data`."""

import keras
import numpy as np
import pytest

from keras_plex.data import IMAGE_CORRUPTIONS
from keras_plex.data import corrupt_images
from keras_plex.data import corrupt_texts
from keras_plex.metrics.mean_corruption_error import ALEXNET_ERRORS
from keras_plex.tasks import CovariateShift
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model

X, Y = TEST
GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.random((12, 28, 28, 1)).astype("float32")
LABELS = np.arange(12) % 3


class SeenImages(keras.Model):
    """Guesses, and keeps what it was shown."""

    def __init__(self):
        super().__init__()
        self.head = keras.layers.Dense(3, "softmax")
        self.seen = []
        self.build((None, 28, 28, 1))

    def build(self, input_shape):
        self.head.build((None, 784))

    def call(self, inputs):
        return self.head(keras.ops.reshape(inputs, (-1, 784)))

    def predict_on_batch(self, x):
        self.seen.append(x)
        return super().predict_on_batch(x)


def test_numbers_are_means_over_shifts():
    others = {"one": draw(2), "two": draw(3, scale=1.0)}
    task = CovariateShift(TEST, others)
    measured = task.measure(task.predict(logits_model()))
    accuracies = [np.mean(x.argmax(-1) == y) for x, y in others.values()]
    assert measured["one/accuracy"] == pytest.approx(accuracies[0])
    assert measured["accuracy"] == pytest.approx(np.mean(accuracies))
    clean = np.mean(X.argmax(-1) == Y)
    assert measured["clean/accuracy"] == pytest.approx(clean)
    drop = clean - np.mean(accuracies)
    assert measured["accuracy_drop"] == pytest.approx(drop)


@pytest.mark.parametrize("batch_size", [5, 12])
def test_corruptions_do_not_depend_on_the_batch(batch_size):
    model = SeenImages()
    task = CovariateShift(
        (IMAGES, LABELS), corruptions=("gaussian_noise",), severities=(2, 5)
    )
    task.predict(model, batch_size=batch_size)
    seen = np.concatenate(model.seen).reshape(3, 12, 28, 28, 1)
    np.testing.assert_array_equal(seen[0], IMAGES)
    for images, severity in zip(seen[1:], (2, 5), strict=True):
        expected = corrupt_images(IMAGES, "gaussian_noise", severity)
        np.testing.assert_array_equal(images, expected)


def test_a_corruption_counts_once_whatever_its_severities():
    task = CovariateShift(
        (IMAGES, LABELS),
        {"own": (IMAGES / 2, LABELS)},
        corruptions=("contrast", "pixelate"),
        severities=(1, 3),
    )
    evidence = task.predict(SeenImages())
    measured = task.measure(evidence)
    by_shift = [
        measured["own/nll"],
        np.mean([measured[f"contrast/{s}/nll"] for s in (1, 3)]),
        np.mean([measured[f"pixelate/{s}/nll"] for s in (1, 3)]),
    ]
    assert measured["nll"] == pytest.approx(np.mean(by_shift))
    curves = task.curves(evidence)
    assert curves["shifted"]["names"] == ["clean", "own"]
    assert list(curves["severities"]) == ["contrast", "pixelate"]
    contrast = curves["severities"]["contrast"]
    assert contrast["severity"] == [0, 1, 3]
    assert contrast["ece"] == [
        measured[f"{name}/ece"]
        for name in ("clean", "contrast/1", "contrast/3")
    ]


def test_all_corruptions_of_imagenet_c_give_its_error():
    task = CovariateShift(
        (IMAGES, LABELS),
        {"own": (IMAGES / 2, LABELS)},
        corruptions=tuple(IMAGE_CORRUPTIONS),
    )
    measured = task.measure(task.predict(SeenImages()))
    errors = {
        name: np.mean(
            [1 - measured[f"{name}/{s}/accuracy"] for s in range(1, 6)]
        )
        for name in IMAGE_CORRUPTIONS
    }
    ratios = [errors[name] / ALEXNET_ERRORS[name] for name in errors]
    assert len(ratios) == 15
    found = measured["mean_corruption_error"]
    assert found == pytest.approx(np.mean(ratios))


def test_corrupted_sets_of_yours_give_it_too():
    sets = {name: TEST for name in IMAGE_CORRUPTIONS}
    task = CovariateShift(TEST, sets)
    measured = task.measure(task.predict(logits_model()))
    alexnet = [ALEXNET_ERRORS[name] for name in sets]
    expected = np.mean((1 - measured["clean/accuracy"]) / np.array(alexnet))
    assert measured["mean_corruption_error"] == pytest.approx(expected)


def test_sets_named_by_severity_are_one_shift():
    sets = {f"fog/{s}": draw(s) for s in (5, 1)} | {"own": draw(7)}
    task = CovariateShift(TEST, sets)
    evidence = task.predict(logits_model())
    measured = task.measure(evidence)
    fog = [measured[f"fog/{s}/accuracy"] for s in (1, 5)]
    assert fog[0] != fog[1]
    expected = np.mean([np.mean(fog), measured["own/accuracy"]])
    assert measured["accuracy"] == pytest.approx(expected)
    curves = task.curves(evidence)
    assert curves["shifted"]["names"] == ["clean", "own"]
    assert curves["severities"]["fog"]["severity"] == [0, 1, 5]
    assert curves["severities"]["fog"]["accuracy"][1:] == fog


@pytest.mark.parametrize("severities, is_there", [(range(1, 6), 1), ((1,), 0)])
def test_imagenet_c_as_sets_gives_its_error(severities, is_there):
    sets = {f"{x}/{s}": TEST for x in IMAGE_CORRUPTIONS for s in severities}
    task = CovariateShift(TEST, {**sets, "imagenet_a": TEST})
    measured = task.measure(task.predict(logits_model()))
    assert ("mean_corruption_error" in measured) == is_there
    if is_there:
        alexnet = [ALEXNET_ERRORS[name] for name in IMAGE_CORRUPTIONS]
        error = 1 - measured["clean/accuracy"]
        expected = np.mean(error / np.array(alexnet))
        assert measured["mean_corruption_error"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "corruptions, severities",
    [(tuple(IMAGE_CORRUPTIONS), (1, 3)), (("fog", "snow"), (1, 2, 3, 4, 5))],
)
def test_with_fewer_there_is_no_corruption_error(corruptions, severities):
    task = CovariateShift(
        (IMAGES, LABELS), corruptions=corruptions, severities=severities
    )
    assert not task.has_all_corruptions


@pytest.mark.parametrize("make", [list, lambda x: np.array(x, dtype=object)])
def test_texts_are_corrupted_too(make):
    texts = make([b"what is the balance of my account"] * 6)
    seen = []

    class Reader(SeenImages):
        def predict_on_batch(self, x):
            seen.append(np.asarray(x))
            return np.eye(3)[np.arange(len(x)) % 3]

    task = CovariateShift(
        [(texts, LABELS[:6])], corruptions=("word_dropout",), severities=(4,)
    )
    task.predict(Reader())
    assert seen[1].dtype.kind == "U"
    words = [text.decode() for text in texts]
    assert seen[1].tolist() == corrupt_texts(words, "word_dropout", 4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "Received: neither"),
        ({"corruptions": ("fogg",)}, "Unknown corruption: 'fogg'"),
        ({"corruptions": "fog"}, "did you mean"),
        ({"corruptions": ("fog",), "severities": (0,)}, "from 1, mild"),
        ({"corruptions": ("fog",), "severities": ()}, "from 1 to 5"),
        ({"shifted": {"clean": TEST}}, "must not be called"),
        (
            {"shifted": {"fog/1": TEST}, "corruptions": ("fog",)},
            "must not be called",
        ),
        ({"shifted": {"fog": TEST, "fog/1": TEST}}, "not both"),
        ({"shifted": {"a": TEST}, "severities": (2,)}, "are missing"),
        ({"shifted": {"a": TEST}, "value_range": (0, 1)}, "is that of images"),
        (
            {"corruptions": ("typos",), "value_range": (0, 1)},
            "is that of images",
        ),
        ({"shifted": TEST}, "must be a dict"),
    ],
)
def test_mistakes_are_found_when_it_is_made(arguments, message):
    with pytest.raises(ValueError, match=message):
        CovariateShift((IMAGES, LABELS), **arguments)


@pytest.mark.parametrize("make", [lambda x: {"a": x}, lambda x: (x, x)])
def test_structured_inputs_are_refused_with_what_to_do(make):
    task = CovariateShift([(make(IMAGES), LABELS)], corruptions=("fog",))
    with pytest.raises(ValueError, match="pass them as `shifted`"):
        task.predict(SeenImages())


def test_inputs_that_cannot_be_corrupted_are_refused_before_any_pass():
    model = SeenImages()
    small = IMAGES[:, :8, :8]
    task = CovariateShift((small, LABELS), corruptions=("fog",))
    with pytest.raises(ValueError, match="at least 28 pixels"):
        task.predict(model)
    assert not model.seen


@pytest.mark.parametrize("value_range", [5, (1, 0), (0, 1, 255), "ab"])
def test_a_value_range_is_black_and_white(value_range):
    with pytest.raises(ValueError, match="two finite numbers, black and white"):
        CovariateShift(
            (IMAGES, LABELS), corruptions=("fog",), value_range=value_range
        )


def test_corruptions_may_come_from_a_generator():
    named = (name for name in ("fog", "snow"))
    task = CovariateShift((IMAGES, LABELS), corruptions=named, severities=(2,))
    assert list(task.data_sets()) == ["clean", "fog/2", "snow/2"]


def test_a_severity_counts_once():
    with pytest.raises(ValueError, match=r"must differ.*\(1, 1, 5\)"):
        CovariateShift(
            (IMAGES, LABELS), corruptions=("fog",), severities=(1, 1, 5)
        )
