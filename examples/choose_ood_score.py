"""Measure which score finds unknown inputs best (docs/ood_scores.md).

You will learn how the scores of `keras_plex.scores` compare on a small Vision
Transformer, stock and converted: the area under the ROC curve (AUROC, higher
is better) and the share of known inputs rejected where 95 % of the unknown
ones are (FPR95, lower is better), near and far from the training data.

    python examples/choose_ood_score.py --data digits --seeds 3

About a minute per seed on two CPU cores; you should see an AUROC near 0.92 for
"relative_mahalanobis" and near 0.91 for "msp". `--data fashion_mnist` and
`--data cifar10` read images from the folder that KERAS_PLEX_TEST_DATA names.
"""

import argparse
import json
import os
import pathlib
import time

import keras
import keras_hub
import numpy as np

import keras_plex
from keras_plex.batches import iterate_batches
from keras_plex.data.digits import load_digits
from keras_plex.metrics.ranking import auroc
from keras_plex.metrics.ranking import fpr_at_tpr
from keras_plex.models.batch_details import predict_batch
from keras_plex.scores import SCORES
from keras_plex.scores import Mahalanobis
from keras_plex.scores import RelativeMahalanobis
from keras_plex.scores import fit_scores

# Ridges that are measured beside the default.
RIDGES = (0.0, 1e-6, 1e-4, 1e-2, 1e-1)


def digits(seed: int, examples: int):
    """0 to 7 are known; 8 and 9 are near."""
    data = load_digits(seed)
    return data.train, data.validation, data.test, {"near: 8, 9": data.ood}


def fashion_mnist(seed: int, examples: int):
    """Classes 0 to 7 are known; 8 and 9 are near, other images far."""
    images = read_arrays("fashion_mnist")
    known = split(images, seed, examples, is_known=lambda y: y < 8)
    unknown = images["x_test"][images["y_test"] >= 8]
    omniglot = 255 - read_arrays("omniglot_small1")["x"]
    far = {
        "near: classes 8, 9": unknown,
        "far: MNIST": read_arrays("mnist_test")["x_test"],
        "far: Omniglot": shrink(omniglot, 28),
    }
    return *known, {name: as_input(x, seed) for name, x in far.items()}


def cifar10(seed: int, examples: int):
    """Classes 0 to 7 are known; 8 and 9 are near, hand signs far."""
    images = read_arrays("cifar10_jpeg")
    known = split(images, seed, examples, is_known=lambda y: y < 8)
    unknown = images["x_test"][images["y_test"] >= 8]
    signs = read_arrays("sign_digits32")["x_train"]
    far = {"near: classes 8, 9": unknown, "far: hand signs": signs}
    return *known, {name: as_input(x, seed) for name, x in far.items()}


DATA = {"digits": digits, "fashion_mnist": fashion_mnist, "cifar10": cifar10}


def read_arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays of a file; JPEG files in it are decoded."""
    folder = os.environ.get("KERAS_PLEX_TEST_DATA")
    if not folder:
        raise SystemExit("Set KERAS_PLEX_TEST_DATA to the folder of images.")
    (path,) = pathlib.Path(folder).rglob(f"{name}.npz")
    arrays = dict(np.load(path))
    for key in [key for key in arrays if key.startswith("jpeg_")]:
        part = key.removeprefix("jpeg_")
        data, ends = arrays[key].tobytes(), arrays[f"offsets_{part}"]
        arrays[f"x_{part}"] = np.stack(
            [
                decode_jpeg(data[start:end])
                for start, end in zip(ends[:-1], ends[1:], strict=True)
            ]
        )
    return arrays


def decode_jpeg(data: bytes) -> np.ndarray:
    import tensorflow as tf

    return tf.io.decode_jpeg(data, 3, dct_method="INTEGER_ACCURATE").numpy()


def split(images: dict, seed: int, examples: int, is_known):
    """Known training, validation and test images, a subset by seed."""
    generator = np.random.default_rng(seed)

    def part(name: str, count: int):
        x, y = images[f"x_{name}"], images[f"y_{name}"].astype("int32")
        rows = generator.permutation(np.flatnonzero(is_known(y)))[:count]
        return as_floats(x[rows]), y[rows]

    x, y = part("train", examples)
    cut = len(x) * 9 // 10
    return (x[:cut], y[:cut]), (x[cut:], y[cut:]), part("test", 2000)


def as_input(x: np.ndarray, seed: int, count: int = 2000) -> np.ndarray:
    rows = np.random.default_rng(seed).permutation(len(x))[:count]
    return as_floats(x[rows])


def as_floats(x: np.ndarray) -> np.ndarray:
    x = x.astype("float32") / 255.0
    return x if x.ndim == 4 else x[..., None]


def shrink(x: np.ndarray, size: int) -> np.ndarray:
    images = keras.ops.image.resize(
        x[..., None].astype("float32"), (size, size), antialias=True
    )
    return keras.ops.convert_to_numpy(images)[..., 0]


def make_stock(shape: tuple, num_classes: int) -> keras.Model:
    backbone = keras_hub.models.ViTBackbone(
        image_shape=shape,
        patch_size=shape[0] // 4,
        num_layers=4,
        num_heads=4,
        hidden_dim=64,
        mlp_dim=128,
        dropout_rate=0.1,
    )
    return keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=num_classes
    )


def fit(model, train, learning_rate: float, epochs: int, validation=None):
    model.compile(
        keras.optimizers.AdamW(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.fit(
        *train,
        validation_data=validation,
        epochs=epochs,
        batch_size=64,
        verbose=0,
    )


def predict(model, x) -> keras_plex.Predictions:
    """Predictions with features, of a stock or a converted model."""
    if isinstance(model, keras_plex.PlexModel):
        return model.predict_uncertainty(x, features=True)
    batches = [
        predict_batch(model, batch, features=True)
        for batch, _, _ in iterate_batches(x, 256)
    ]
    found = {
        name: np.concatenate([batch[name] for batch in batches])
        for name in batches[0]
    }
    return keras_plex.Predictions.from_outputs(
        found["outputs"], "softmax_logits", features=found["features"]
    )


def all_scores(model, train) -> dict:
    """Every score that the model can give, fitted in one pass."""
    has_variance = getattr(model, "covariance_head", None) is not None
    members = getattr(model, "ensemble_size", 1)
    left_out = set() if has_variance else {"variance"}
    if members == 1:
        left_out |= {"mutual_information", "disagreement"}
    scores = fit_scores(
        [name for name in SCORES if name not in left_out],
        model,
        train,
        batch_size=256,
    )
    predictions = predict(model, train[0])
    for ridge in RIDGES:
        for kind in (Mahalanobis, RelativeMahalanobis):
            one = kind(ridge)
            one.update(predictions, train[1])
            one.finish()
            scores[f"{kind.name}, ridge {ridge:g}"] = one
    return scores


def measure(model, train, test, unknown) -> list[dict]:
    known = predict(model, test[0])
    rows = [{"score": "accuracy", "accuracy": np.mean(known.labels == test[1])}]
    scores = all_scores(model, train)
    for set_name, x in unknown.items():
        strange = predict(model, x)
        is_ood = np.arange(len(known) + len(strange)) >= len(known)
        for name, score in scores.items():
            values = np.concatenate([score(known), score(strange)])
            rows.append(
                {
                    "set": set_name,
                    "score": name,
                    "auroc": auroc(values, is_ood),
                    "fpr95": fpr_at_tpr(values, is_ood),
                }
            )
    return rows


def run(arguments, seed: int) -> list[dict]:
    keras.utils.set_random_seed(seed)
    train, validation, test, unknown = DATA[arguments.data](
        seed, arguments.examples
    )
    stock = make_stock(train[0].shape[1:], num_classes=8)
    fit(stock, train, 1e-3, arguments.stock_epochs)
    model = keras_plex.plexify(stock, seed=seed)
    rows = []
    for name, one in {"stock": stock, "plex": model}.items():
        start = time.time()
        fit(one, train, 3e-4, arguments.epochs, validation)
        for row in measure(one, train, test, unknown):
            rows.append({"seed": seed, "model": name, **row})
        print(seed, name, f"{time.time() - start:.0f} s", flush=True)
    return rows


def print_table(rows: list[dict], model: str) -> None:
    """Mean and standard error over seeds; a column for each unknown set."""
    rows = [row for row in rows if row["model"] == model]
    accuracy = [row["accuracy"] for row in rows if "accuracy" in row]
    print(f"\n{model}: accuracy {with_error(accuracy)}\n")
    sets = list(dict.fromkeys(row["set"] for row in rows if "set" in row))
    print("| score | " + " | ".join(f"{s}, AUROC | FPR95" for s in sets) + " |")
    print("|---|" + "---|---|" * len(sets))
    names = dict.fromkeys(row["score"] for row in rows if "set" in row)
    for name in names:
        cells = [
            with_error(
                [
                    row[metric]
                    for row in rows
                    if row["score"] == name and row.get("set") == s
                ]
            )
            for s in sets
            for metric in ("auroc", "fpr95")
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def with_error(values: list[float]) -> str:
    error = np.std(values) / max(len(values) - 1, 1) ** 0.5
    return f"{np.mean(values):.3f} ± {error:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=DATA, default="digits")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=10_000)
    parser.add_argument("--stock-epochs", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--out", help="a file of one JSON object per number")
    arguments = parser.parse_args()
    rows = []
    for seed in range(arguments.seeds):
        found = run(arguments, seed)
        rows += found
        if arguments.out:
            with open(arguments.out, "a") as file:
                file.writelines(
                    json.dumps(row, default=float) + "\n" for row in found
                )
    for model in ("stock", "plex"):
        print_table(rows, model)


if __name__ == "__main__":
    main()
