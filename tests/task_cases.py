"""One row per task: `check_task` runs on each.

A row is a `TaskCase`; append yours. The features of an example are the
logits of its label, so that a model that passes them on forecasts as well as
can be.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np

from keras_plex.tasks import ActiveLearning
from keras_plex.tasks import Calibration
from keras_plex.tasks import CovariateShift
from keras_plex.tasks import FewShotLearning
from keras_plex.tasks import FewShotUncertainty
from keras_plex.tasks import InDistribution
from keras_plex.tasks import LabelUncertainty
from keras_plex.tasks import OpenSetRecognition
from keras_plex.tasks import SelectivePrediction
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks import Task

CLASSES, EXAMPLES = 4, 300


def softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def draw(seed=0, scale=3.0, size=EXAMPLES):
    """Logits, and labels that come as often as these say."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0.0, scale, (size, CLASSES)).astype("float32")
    steps = softmax(logits.astype("float64")).cumsum(-1)
    labels = (generator.random((size, 1)) > steps).sum(-1)
    return logits, np.minimum(labels, CLASSES - 1)


def logits_model():
    """Passes its inputs on: they are its logits."""
    return linear_model(np.eye(CLASSES))


def poor_model():
    """Sure of itself, and mostly wrong."""
    return linear_model(2 * np.roll(np.eye(CLASSES), 1, axis=1))


def linear_model(kernel):
    layer = keras.layers.Dense(kernel.shape[1], use_bias=False)
    model = keras.Sequential([keras.Input((kernel.shape[0],)), layer])
    layer.kernel.assign(kernel)
    return model


def sum_model():
    """Sees only the sum of its inputs, which says little of them."""
    return linear_model(np.zeros((CLASSES, CLASSES)) + np.arange(CLASSES))


def sum_features_model():
    """Its one feature is the sum of its inputs."""
    layers = [
        keras.layers.Dense(1, kernel_initializer="ones"),
        keras.layers.Dense(CLASSES),
    ]
    return keras.Sequential([keras.Input((CLASSES,)), *layers])


TRAIN, TEST = draw(3), draw()
NEAR = draw(1, scale=0.3)[0]
GROUPS = np.array(["a", "b", "c"])[np.arange(EXAMPLES) % 3]


class TaskCase(NamedTuple):
    """The arguments of `check_task`, but for the good model."""

    make_task: Callable[[], Task]
    make_poor_model: Callable[[], keras.Model] = poor_model


TASKS: dict[str, TaskCase] = {
    "calibration": TaskCase(lambda: Calibration(TEST)),
    "selective_prediction": TaskCase(lambda: SelectivePrediction(TEST)),
    "open_set_recognition": TaskCase(
        lambda: OpenSetRecognition(
            TEST, {"near": NEAR, "nearer": NEAR[:50] / 2}
        ),
        sum_model,
    ),
    "label_uncertainty": TaskCase(
        lambda: LabelUncertainty((TEST[0], softmax(TEST[0])))
    ),
    "in_distribution": TaskCase(lambda: InDistribution(TEST)),
    "covariate_shift": TaskCase(
        lambda: CovariateShift(TEST, {"other": draw(2)})
    ),
    "subpopulation_shift": TaskCase(
        lambda: SubpopulationShift((*TEST, GROUPS))
    ),
    "active_learning": TaskCase(
        lambda: ActiveLearning(TRAIN, TEST, budget=24), sum_features_model
    ),
    "few_shot_learning": TaskCase(
        lambda: FewShotLearning(TRAIN, TEST, shots=(1, 4)),
        sum_features_model,
    ),
    "few_shot_uncertainty": TaskCase(
        lambda: FewShotUncertainty(
            TRAIN, TEST, {"near": NEAR}, shots=(1, 5, 10), l2=1.0
        ),
        sum_features_model,
    ),
}
