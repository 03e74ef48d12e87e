"""Measure the choices behind the defaults of `plexify` (docs/defaults.md).

You will learn how a Vision Transformer that is fine-tuned as it is compares
with its converted copies: accuracy, negative log likelihood, calibration and
detection of unknown classes, mean and standard error over seeds.

    python examples/choose_defaults.py --data digits --seeds 5

About four minutes per seed on two CPU cores. `--data FILE.npz` takes arrays
`x_train, y_train, x_test, y_test` of grey images, such as Fashion-MNIST.
"""

import argparse
import json
import time

import keras
import keras_hub
import numpy as np
from sklearn import model_selection

import keras_plex
from keras_plex.data.digits import KNOWN_CLASSES
from keras_plex.data.digits import ReliabilityData
from keras_plex.data.digits import load_digits
from keras_plex.metrics.arrays import brier_score
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
from keras_plex.metrics.ranking import auroc
from keras_plex.scores import score

# Name -> arguments of `plexify`; `None` is the stock model, trained on.
VARIANTS = {
    "stock": None,
    "BE 0.1": {"head": "keep", "fast_weight_stddev": 0.1},
    "BE 0.5": {"head": "keep", "fast_weight_stddev": 0.5},
    "GP only": {"ensemble_size": 1, "fast_weight_stddev": 0.0},
    "Plex 0.0": {"fast_weight_stddev": 0.0},
    "Plex 0.1": {"fast_weight_stddev": 0.1},
    "Plex 0.3": {"fast_weight_stddev": 0.3},
    "Plex 0.5": {"fast_weight_stddev": 0.5},
    "Plex, ridge 0.1": {"head_options": {"ridge_penalty": 0.1}},
    "Plex, ridge 10": {"head_options": {"ridge_penalty": 10.0}},
    "Plex, 256 features": {"head_options": {"num_features": 256}},
    "Plex, length /2": {"head_options": {"length_scale": 4.0}},
    "Plex, length x2": {"head_options": {"length_scale": 16.0}},
    "Plex, last features": {"head_options": {"kernel_inputs": "last"}},
    "Plex, zero mean": {"head_options": {"mean_function": "zero"}},
    "Plex, one block": {"last_blocks": 1},
    "Plex, all blocks": {"last_blocks": "all"},
    "Plex, no attention": {"ensemble_attention": False},
    "BE 0.1, all": {"head": "keep", "last_blocks": "all"},
    "LoRA 8": {"method": "lora_ensemble", "method_options": {"rank": 8}},
    "LoRA 8, keep": {
        "method": "lora_ensemble",
        "method_options": {"rank": 8},
        "head": "keep",
    },
    "LoRA 8, all": {
        "method": "lora_ensemble",
        "method_options": {"rank": 8},
        "head": "keep",
        "last_blocks": "all",
    },
}
VARIANTS["LoRA 8, all, rest frozen"] = VARIANTS["LoRA 8, all"]

# After training these, measured again with each mean-field factor.
SWEPT = ("Plex 0.1", "Plex 0.5")
FACTORS = (0.0, 0.39, 1.0, 2.0, 5.0, 10.0, 20.0)


def load_data(name: str, seed: int, examples: int) -> ReliabilityData:
    """The digits, or as many examples of a file."""
    if name == "digits":
        return load_digits(seed)
    return load_file(name, seed, examples)


def load_file(path: str, seed: int, examples: int) -> ReliabilityData:
    """Known classes 0 to 7 and unknown 8 and 9 of a file of grey images."""
    arrays = np.load(path)
    generator = np.random.default_rng(seed)

    def part(name: str, is_wanted, count: int):
        x, y = arrays[f"x_{name}"], arrays[f"y_{name}"].astype("int32")
        rows = generator.permutation(np.flatnonzero(is_wanted(y)))[:count]
        return x[rows][..., None].astype("float32") / 255.0, y[rows]

    x, y = part("train", lambda y: y < KNOWN_CLASSES, examples)
    x_train, x_val, y_train, y_val = model_selection.train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=seed
    )
    x_test, y_test = part("test", lambda y: y < KNOWN_CLASSES, 2000)
    x_ood, _ = part("test", lambda y: y >= KNOWN_CLASSES, 1000)
    noise = generator.normal(0.0, 0.2, size=x_test.shape)
    x_shifted = np.clip(x_test + noise, 0.0, 1.0).astype("float32")
    return ReliabilityData(
        train=(x_train, y_train),
        validation=(x_val, y_val),
        test=(x_test, y_test),
        shifted=(x_shifted, y_test),
        ood=x_ood,
        num_classes=KNOWN_CLASSES,
    )


def train_stock(data: ReliabilityData, epochs: int) -> keras.Model:
    """A small ViT trained from scratch: the pretrained model of this study."""
    shape = data.train[0].shape[1:]
    backbone = keras_hub.models.ViTBackbone(
        image_shape=shape,
        patch_size=shape[0] // 4,
        num_layers=4,
        num_heads=4,
        hidden_dim=64,
        mlp_dim=128,
        dropout_rate=0.1,
    )
    model = keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=data.num_classes
    )
    fit(model, data, 1e-3, epochs)
    return model


def freeze_all_but_members_and_head(model: keras.Model) -> None:
    """The paper's setting of LoRA ensembles."""
    head = {id(weight) for weight in model.output_dense.weights}
    for weight in model.trainable_weights:
        if not weight.name.startswith("lora_") and id(weight) not in head:
            weight.trainable = False


def fit(model, data: ReliabilityData, learning_rate: float, epochs: int):
    model.compile(
        optimizer=keras.optimizers.AdamW(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.fit(
        *data.train,
        validation_data=data.validation,
        epochs=epochs,
        batch_size=32,
        verbose=0,
    )


def predictions(model, x):
    if isinstance(model, keras_plex.PlexModel):
        return model.predict_uncertainty(x)
    outputs = model.predict(x, verbose=0)
    return keras_plex.Predictions.from_outputs(outputs, "softmax_logits")


def measure(model, data: ReliabilityData) -> dict[str, float]:
    known, unknown = (
        predictions(model, data.test[0]),
        predictions(model, data.ood),
    )
    shifted = predictions(model, data.shifted[0])
    y = data.test[1]
    is_ood = np.repeat([0, 1], [len(known), len(unknown)])
    measured = {
        "accuracy": float(np.mean(known.labels == y)),
        "nll": negative_log_likelihood(y, known.probabilities),
        "ece": expected_calibration_error(y, known.probabilities),
        "brier": brier_score(y, known.probabilities),
        "shifted_nll": negative_log_likelihood(y, shifted.probabilities),
        "shifted_ece": expected_calibration_error(y, shifted.probabilities),
    }
    for name in ("msp", "entropy", "mutual_information", "variance"):
        if name == "variance" and known.variance is None:
            continue
        both = [score(name)(known), score(name)(unknown)]
        scores = np.concatenate([np.asarray(s) for s in both])
        measured[f"auroc_{name}"] = auroc(scores, is_ood)
    head = getattr(model, "covariance_head", None)
    if head is not None:
        measured["factor"] = float(head.mean_field)
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--examples", type=int, default=5000)
    parser.add_argument("--stock-epochs", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--only", help="variants, separated by ;")
    parser.add_argument("--out", help="a file of one JSON object per run")
    arguments = parser.parse_args()
    names = arguments.only.split(";") if arguments.only else list(VARIANTS)
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(
        arguments.first_seed, arguments.first_seed + arguments.seeds
    ):
        keras.utils.set_random_seed(seed)
        data = load_data(arguments.data, seed, arguments.examples)
        stock = train_stock(data, arguments.stock_epochs)
        weights = stock.get_weights()
        before = {"stock, before": measure(stock, data)}
        rows.setdefault("stock, before", []).append(before["stock, before"])
        write(arguments.out, seed, before)
        for name in names:
            start = time.time()
            keras.utils.set_random_seed(seed)
            stock.set_weights(weights)
            model = stock
            if VARIANTS[name] is not None:
                model = keras_plex.plexify(stock, seed=seed, **VARIANTS[name])
            if name.endswith("rest frozen"):
                freeze_all_but_members_and_head(model)
            fit(model, data, arguments.learning_rate, arguments.epochs)
            found = {name: measure(model, data)}
            if name in SWEPT:
                for factor in FACTORS:
                    model.covariance_head.mean_field.assign(factor)
                    found[f"{name}, factor {factor}"] = measure(model, data)
            for found_name, row in found.items():
                rows.setdefault(found_name, []).append(row)
            write(arguments.out, seed, found)
            print(seed, name, round(time.time() - start), flush=True)
    print_table(rows)


def write(path: str | None, seed: int, rows: dict[str, dict]) -> None:
    """Appends the rows of one run as lines of JSON."""
    if path is None:
        return
    with open(path, "a") as file:
        for name, row in rows.items():
            line = {"seed": seed, "variant": name, **row}
            file.write(json.dumps(line) + "\n")


def print_table(rows: dict[str, list[dict[str, float]]]) -> None:
    columns = list(max((r[0] for r in rows.values()), key=len))
    print("| variant | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name, runs in rows.items():
        cells = []
        for column in columns:
            values = [run[column] for run in runs if column in run]
            if not values:
                cells.append("")
                continue
            error = np.std(values) / max(len(values) - 1, 1) ** 0.5
            cells.append(f"{np.mean(values):.3f} ± {error:.3f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
