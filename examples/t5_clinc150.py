"""A small T5 learns 150 intents, and to say when it was asked something else.

You will learn how `T5Classifier` takes strings, and what `plexify` does to it:
a stock model, the default of `plexify` and the T5-Plex recipe are trained
further for as many epochs, and meet the queries of CLINC150 that have none of
its intents. The vocabulary is learnt from the training queries alone.

    python examples/t5_clinc150.py --data data_full.json --seeds 3

About five minutes a seed on two idle CPU cores. The file is CLINC150's
(Larson et al., 2019, "An evaluation dataset for intent classification and
out-of-scope prediction", https://github.com/clinc/oos-eval). Measured numbers
are in docs/t5.md.
"""

import argparse
import io
import json
import pathlib
from typing import NamedTuple

import keras
import keras_hub
import numpy as np

import keras_plex
from keras_plex.tasks.measurements import measure_forecasts
from keras_plex.tasks.measurements import measure_ood
from keras_plex.tasks.measurements import predict_data

BATCH_SIZE = 128
SCORES = ("msp", "entropy", "variance")

# None continues the stock model.
VARIANTS = {
    "stock": None,
    "plexify": {},
    "T5-Plex recipe": keras_plex.recipes.T5_PLEX,
    "GP head alone": {"ensemble_size": 1, "last_blocks": 0, "head": "gp"},
}


class Intents(NamedTuple):
    """Queries with intents, and those out of scope."""

    train: tuple[list[str], np.ndarray]
    validation: tuple[list[str], np.ndarray]
    test: tuple[list[str], np.ndarray]
    out_of_scope: list[str]
    num_classes: int


def load_clinc150(path: str) -> Intents:
    """The splits as published, training queries in random order."""
    splits = json.loads(pathlib.Path(path).read_text())
    # The file is sorted by intent, and KerasHub's tasks do not shuffle arrays.
    np.random.default_rng(0).shuffle(splits["train"])
    names = sorted({name for _, name in splits["train"]})
    number = {name: i for i, name in enumerate(names)}

    def labelled(split):
        texts, labels = zip(*splits[split], strict=True)
        return list(texts), np.array([number[name] for name in labels])

    out_of_scope = [text for text, _ in splits["oos_test"]]
    return Intents(
        labelled("train"),
        labelled("val"),
        labelled("test"),
        out_of_scope,
        len(names),
    )


def learn_vocabulary(texts: list[str], size: int) -> bytes:
    """A SentencePiece unigram model of these texts with T5's special pieces."""
    import sentencepiece

    file = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=file,
        model_type="unigram",
        vocab_size=size,
        bos_id=-1,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        pad_piece="<pad>",
        eos_piece="</s>",
        unk_piece="<unk>",
        minloglevel=2,
    )
    return file.getvalue()


def make_classifier(
    texts: list[str],
    num_classes: int,
    *,
    vocabulary_size: int = 2000,
    num_layers: int = 2,
    hidden_dim: int = 128,
) -> keras.Model:
    """A T5 that reads strings, with new weights."""
    tokenizer = keras_hub.models.T5Tokenizer(
        learn_vocabulary(texts, vocabulary_size)
    )
    backbone = keras_hub.models.T5Backbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        num_layers=num_layers,
        num_heads=4,
        hidden_dim=hidden_dim,
        intermediate_dim=2 * hidden_dim,
        dropout=0.1,
    )
    return keras_plex.models.T5Classifier(
        backbone,
        num_classes=num_classes,
        preprocessor=keras_plex.models.T5TextClassifierPreprocessor(
            tokenizer, sequence_length=24
        ),
    )


def train(
    model: keras.Model,
    data: Intents,
    learning_rate: float,
    epochs: int,
    batch_size: int = BATCH_SIZE,
) -> None:
    """As T5 was: Adafactor. AdamW learns little in as many epochs."""
    model.compile(
        keras.optimizers.Adafactor(learning_rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    texts, labels = data.train
    validation_texts, validation_labels = data.validation
    model.fit(
        np.array(texts),
        labels,
        batch_size=batch_size,
        epochs=epochs,
        # Fits the mean-field factor at the end.
        validation_data=(np.array(validation_texts), validation_labels),
        verbose=2,
    )


def measure(model: keras.Model, data: Intents) -> dict[str, float]:
    """Accuracy, calibration, out-of-scope AUROC, the members' disagreement."""
    texts, labels = data.test
    known, _ = predict_data(model, np.array(texts), batch_size=BATCH_SIZE)
    unknown, _ = predict_data(
        model, np.array(data.out_of_scope), batch_size=BATCH_SIZE
    )
    found = measure_forecasts(known, labels)
    for score in SCORES:
        if score != "variance" or known.variance is not None:
            found[score] = measure_ood(known, unknown, score)["auroc"]
    found["disagreement"] = float(np.mean(known.disagreement))
    return found


def run_seed(
    data: Intents, seed: int, epochs: int, further_epochs: int
) -> dict[str, dict[str, float]]:
    """Each variant's numbers, all from the same stock weights."""
    keras.utils.set_random_seed(seed)
    stock = make_classifier(data.train[0], data.num_classes)
    train(stock, data, 1e-2, epochs)
    weights, found = stock.get_weights(), {}
    for name, arguments in VARIANTS.items():
        # No new seed here: TensorFlow would drop the tokenizer's vocabulary.
        stock.set_weights(weights)
        model = stock
        if arguments is not None:
            model = keras_plex.plexify(stock, seed=seed, **arguments)
        train(model, data, 3e-3, further_epochs)
        found[name] = measure(model, data)
        rounded = {key: round(value, 4) for key, value in found[name].items()}
        print(seed, name, rounded, flush=True)
    return found


def print_table(rows: list[dict[str, dict[str, float]]]) -> None:
    """Means over the seeds, as Markdown."""
    columns = ("accuracy", "nll", "ece", *SCORES, "disagreement")
    print("| variant |", " | ".join(columns), "|")
    print("|---|" + "---|" * len(columns))
    for name in VARIANTS:
        cells = []
        for column in columns:
            values = [row[name][column] for row in rows if column in row[name]]
            cells.append(f"{np.mean(values):.3f}" if values else "")
        print(f"| {name} |", " | ".join(cells), "|")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=9)
    parser.add_argument("--further-epochs", type=int, default=3)
    arguments = parser.parse_args()
    data = load_clinc150(arguments.data)
    rows = [
        run_seed(data, seed, arguments.epochs, arguments.further_epochs)
        for seed in range(arguments.seeds)
    ]
    print_table(rows)


if __name__ == "__main__":
    main()
