"""A text classifier that says how sure it is, next to the stock one.

You will learn what `plexify` changes in a small DistilBERT, trained from
scratch on strings: accuracy, negative log likelihood (NLL) and calibration
error (ECE) on test texts, and how well uncertainty tells texts of another kind
from these (AUROC, higher is better). Stock and converted model get the same
further epochs.

    KERAS_PLEX_TEST_DATA=data python examples/text_classifier.py --seeds 3

The folder holds `trec.jsonl` (or `sst2.jsonl`), `snips.jsonl` and
`subj.jsonl`, with an object of `text`, `label` and `split` on each line.
"""

import argparse
import json
import os
import pathlib

import choose_defaults
import keras
import keras_hub
import numpy as np
import tensorflow as tf

import keras_plex
from keras_plex.metrics.arrays import expected_calibration_error
from keras_plex.metrics.arrays import negative_log_likelihood
from keras_plex.metrics.ranking import auroc
from keras_plex.scores import score

# Unknown texts for each data set: none is a question, or about films.
UNKNOWN = {"trec": ("snips", "subj"), "sst2": ("snips", "trec")}

VARIANTS = {
    "stock": None,
    "GP head alone": {"ensemble_size": 1},
    "plexify": {},
}


def read_texts(name: str, split: str | None = None):
    """Texts and labels of one file."""
    folder = os.environ.get("KERAS_PLEX_TEST_DATA")
    if not folder:
        raise SystemExit("Set KERAS_PLEX_TEST_DATA to the folder of texts.")
    (path,) = pathlib.Path(folder).rglob(f"{name}.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [x for x in lines if split is None or x["split"] == split]
    return np.array([x["text"] for x in lines]), [x["label"] for x in lines]


def load_data(name: str, seed: int) -> dict:
    """Training, validation and test texts, and unknown ones."""
    texts, labels = read_texts(name, "train")
    classes = sorted(set(labels))
    y = np.array([classes.index(label) for label in labels])
    order = np.random.default_rng(seed).permutation(len(texts))
    cut = len(order) * 9 // 10
    test_texts, test_labels = read_texts(name, "test")
    test_y = np.array([classes.index(label) for label in test_labels])
    return {
        "train": (texts[order[:cut]], y[order[:cut]]),
        "validation": (texts[order[cut:]], y[order[cut:]]),
        "test": (test_texts, test_y),
        "unknown": {x: read_texts(x)[0][:1000] for x in UNKNOWN[name]},
        "num_classes": len(classes),
    }


def make_classifier(texts: np.ndarray, num_classes: int) -> keras.Model:
    """A DistilBERT of three blocks whose words are those of the texts."""
    vocabulary = keras_hub.tokenizers.compute_word_piece_vocabulary(
        tf.data.Dataset.from_tensor_slices(texts),
        vocabulary_size=2000,
        lowercase=True,
    )
    tokenizer = keras_hub.models.DistilBertTokenizer(vocabulary, lowercase=True)
    preprocessor = keras_hub.models.DistilBertTextClassifierPreprocessor(
        tokenizer, sequence_length=24
    )
    backbone = keras_hub.models.DistilBertBackbone(
        vocabulary_size=len(vocabulary),
        num_layers=3,
        num_heads=4,
        hidden_dim=64,
        intermediate_dim=128,
        dropout=0.1,
        max_sequence_length=24,
    )
    return keras_hub.models.DistilBertTextClassifier(
        backbone, num_classes, preprocessor=preprocessor
    )


def fit(model, data: dict, learning_rate: float, epochs: int) -> None:
    model.compile(
        keras.optimizers.AdamW(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.fit(
        *data["train"],
        validation_data=data["validation"],
        batch_size=64,
        epochs=epochs,
        verbose=0,
    )


def measure(model, data: dict) -> dict[str, float]:
    x, y = data["test"]
    known = choose_defaults.predictions(model, x)
    measured = {
        "accuracy": float(np.mean(known.labels == y)),
        "NLL": negative_log_likelihood(y, known.probabilities),
        "ECE": expected_calibration_error(y, known.probabilities),
    }
    for name, texts in data["unknown"].items():
        unknown = choose_defaults.predictions(model, texts)
        is_unknown = np.repeat([0, 1], [len(known), len(unknown)])
        for kind in ("msp", "entropy"):
            scores = [score(kind)(known), score(kind)(unknown)]
            rank = auroc(np.concatenate(scores), is_unknown)
            measured[f"{name} AUROC {kind}"] = rank
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=UNKNOWN, default="trec")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--stock-epochs", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    arguments = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(arguments.seeds):
        keras.utils.set_random_seed(seed)
        data = load_data(arguments.data, seed)
        stock = make_classifier(data["train"][0], data["num_classes"])
        fit(stock, data, 1e-3, arguments.stock_epochs)
        weights = stock.get_weights()
        for name, settings in VARIANTS.items():
            keras.utils.set_random_seed(seed)
            stock.set_weights(weights)
            model = stock
            if settings is not None:
                model = keras_plex.plexify(stock, seed=seed, **settings)
            fit(model, data, arguments.learning_rate, arguments.epochs)
            found = measure(model, data)
            rows.setdefault(name, []).append(found)
            numbers = {key: round(x, 3) for key, x in found.items()}
            print(seed, name, numbers, flush=True)
    choose_defaults.print_table(rows)


if __name__ == "__main__":
    main()
