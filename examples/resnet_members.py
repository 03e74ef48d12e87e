"""Give a ResNet members in its last residual blocks, and see what it brings.

You will learn how a small ResNet that is trained on as it is compares with its
converted copy, from the same weights and for the same epochs: accuracy,
negative log likelihood, calibration and detection of unknown classes.

    KERAS_BACKEND=torch python examples/resnet_members.py --seeds 3

A few minutes on two free CPU cores, on any backend.
"""

import argparse
import statistics

import keras
import keras_hub
import numpy as np

import keras_plex
from keras_plex.data.digits import load_digits
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
from keras_plex.metrics.ranking import auroc

# Name -> arguments of `plexify`; `None` is the stock model, trained on.
VARIANTS = {
    "stock": None,
    "plexify": {},
    "members, stock head": {"head": "keep"},
}
METRICS = ("accuracy", "NLL", "ECE", "shifted NLL", "OOD AUROC")


def main() -> None:
    """Trains, measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--stock-epochs", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    rows = {name: [] for name in VARIANTS}
    first = arguments.first_seed
    for seed in range(first, first + arguments.seeds):
        for name, values in run(seed, arguments).items():
            rows[name].append(values)
            print(seed, name, [f"{value:.3f}" for value in values], flush=True)
    print("| variant |", " | ".join(METRICS), "|")
    print("|---" * (len(METRICS) + 1) + "|")
    for name, values in rows.items():
        cells = [mean_and_error(column) for column in zip(*values, strict=True)]
        print(f"| {name} |", " | ".join(cells), "|")


def run(seed: int, arguments: argparse.Namespace) -> dict[str, list[float]]:
    """One stock model and what becomes of it."""
    data = load_digits(seed)
    keras.utils.set_random_seed(seed)
    stock = make_resnet(data)
    fit(stock, data, arguments.stock_epochs, 1e-3)
    weights = stock.get_weights()
    results = {}
    for name, options in VARIANTS.items():
        keras.utils.set_random_seed(seed)
        stock.set_weights(weights)
        model = stock
        if options is not None:
            model = keras_plex.plexify(stock, seed=seed, **options)
        fit(model, data, arguments.epochs, 3e-4)
        results[name] = measure(model, data)
    return results


def make_resnet(data) -> keras.Model:
    """Two stages of two residual blocks, 0.2 million weights."""
    backbone = keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[2, 2],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=data.train[0].shape[1:],
    )
    return keras_hub.models.ResNetImageClassifier(
        backbone=backbone, num_classes=data.num_classes
    )


def fit(model: keras.Model, data, epochs: int, learning_rate: float) -> None:
    """AdamW on the cross-entropy, as for any Keras model."""
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate, weight_decay=1e-4),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[],
        jit_compile=False,
    )
    model.fit(
        *data.train,
        batch_size=32,
        epochs=epochs,
        validation_data=data.validation,
        verbose=0,
    )


def measure(model: keras.Model, data) -> list[float]:
    """The values of `METRICS`."""
    x, labels = data.test
    known, shifted, unknown = (
        softmax(model.predict(images, verbose=0))
        for images in (x, data.shifted[0], data.ood)
    )
    is_unknown = np.repeat([0, 1], [len(known), len(unknown)])
    uncertainty = 1 - np.concatenate([known, unknown]).max(-1)
    return [
        float(np.mean(known.argmax(-1) == labels)),
        float(negative_log_likelihood(labels, known)),
        float(expected_calibration_error(labels, known)),
        float(negative_log_likelihood(data.shifted[1], shifted)),
        float(auroc(uncertainty, is_unknown)),
    ]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities, in float64."""
    exponentials = np.exp(logits - logits.max(-1, keepdims=True), dtype=float)
    return exponentials / exponentials.sum(-1, keepdims=True)


def mean_and_error(values) -> str:
    """Mean and standard error over seeds."""
    error = statistics.stdev(values) / len(values) ** 0.5 if values[1:] else 0
    return f"{statistics.mean(values):.3f} ± {error:.3f}"


if __name__ == "__main__":
    main()
