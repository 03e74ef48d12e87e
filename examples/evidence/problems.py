"""The data of the study: what is learnt, and what a model meets afterwards."""

import dataclasses
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_plex.data import corrupt_texts

Arrays = tuple[Any, np.ndarray]
SEVERITIES = (1, 3, 5)


@dataclasses.dataclass(frozen=True)
class Problem:
    """A classification problem, its unknown, shifted and annotated examples.

    Args:
        modality: a key of `NETWORKS`.
        train: inputs and labels; inputs are images from 0 to 1, or strings.
        validation: likewise.
        test: likewise.
        num_classes: of the labels.
        unknown: name -> inputs of no class.
        shifted: name -> inputs and labels under a shift that happened.
        corruptions: names of image corruptions, drawn over `corrupted`.
        corrupted: the part of the test set that is corrupted.
        annotated: inputs and the shares of people's votes.
    """

    modality: str
    train: Arrays
    validation: Arrays
    test: Arrays
    num_classes: int
    unknown: dict[str, Any]
    shifted: dict[str, Arrays] = dataclasses.field(default_factory=dict)
    corruptions: tuple[str, ...] = ()
    corrupted: Arrays | None = None
    annotated: Arrays | None = None

    def with_sets(
        self,
        of_pairs: Callable[[Arrays], Arrays],
        of_inputs: Callable[[Any], Any],
    ) -> "Problem":
        """The problem with functions of its pairs and of its lone inputs."""
        pairs = ("train", "validation", "test", "corrupted", "annotated")
        found = {name: getattr(self, name) for name in pairs}
        return dataclasses.replace(
            self,
            **{k: of_pairs(x) for k, x in found.items() if x is not None},
            unknown={k: of_inputs(x) for k, x in self.unknown.items()},
            shifted={k: of_pairs(x) for k, x in self.shifted.items()},
        )


IMAGE_CORRUPTIONS = (
    "gaussian_noise",
    "defocus_blur",
    "motion_blur",
    "fog",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
)


def fashion_mnist(folder: pathlib.Path, seed: int) -> Problem:
    """Clothes; digits and letters are unknown."""
    arrays = np.load(folder / "images/fashion_mnist.npz")
    digits = np.load(folder / "images/mnist_test.npz")["x_test"]
    letters = np.load(folder / "images/omniglot_small1.npz")["x"]
    x, y = _images(arrays["x_train"]), _labels(arrays["y_train"])
    train, validation = _split(x, y, 12000, 2000, seed)
    test = _images(arrays["x_test"]), _labels(arrays["y_test"])
    return Problem(
        "image",
        train,
        validation,
        test,
        10,
        unknown={
            "mnist": _images(digits),
            "omniglot": _images(_shrink(255 - letters, 28)),
        },
        corruptions=IMAGE_CORRUPTIONS,
        corrupted=(test[0][:1000], test[1][:1000]),
    )


def cifar10(
    folder: pathlib.Path, seed: int, train_labels: str | None = None
) -> Problem:
    """Photographs; hand signs are unknown, and people's votes are known."""
    arrays = np.load(folder / "images/cifar10_jpeg.npz")
    if train_labels is None:
        y = arrays["y_train"]
    else:
        y = np.load(folder / "images/cifar10n.npz")[train_labels]
    votes = np.load(folder / "images/cifar10h.npz")["counts_test"]
    signs = np.load(folder / "images/sign_digits32.npz")["x_test"]
    x = _images(_decode(arrays, "train"))
    train, validation = _split(x, _labels(y), 12000, 2000, seed)
    test = _images(_decode(arrays, "test")), _labels(arrays["y_test"])
    return Problem(
        "image",
        train,
        validation,
        test,
        10,
        unknown={"sign_digits": _images(signs)},
        corruptions=IMAGE_CORRUPTIONS,
        corrupted=(test[0][:1000], test[1][:1000]),
        annotated=(test[0], _shares(votes)),
    )


def cifar10n(folder: pathlib.Path, seed: int) -> Problem:
    """The same, learnt from what one person said: one label in six is wrong."""
    return cifar10(folder, seed, train_labels="random_label1")


def clinc150(folder: pathlib.Path, seed: int) -> Problem:
    """What people ask an assistant; what it was not made for is unknown."""
    splits = json.loads((folder / "text/clinc150/data_full.json").read_text())
    names = sorted({name for _, name in splits["train"]})

    def part(split: str) -> Arrays:
        texts, labels = zip(*splits[split], strict=True)
        return np.array(texts), _labels([names.index(one) for one in labels])

    test = part("test")
    few = slice(None, None, 3)  # the file is sorted by intent
    typos = {
        f"typos/{severity}": (
            np.array(corrupt_texts(test[0][few].tolist(), "typos", severity)),
            test[1][few],
        )
        for severity in SEVERITIES
    }
    return Problem(
        "text",
        _shuffled(*part("train"), seed),
        part("val"),
        test,
        len(names),
        unknown={
            "out_of_scope": np.array([text for text, _ in splits["oos_test"]])
        },
        shifted=typos,
    )


POSITIVE = {0: 0, 1: 1, "Negative": 0, "Positive": 1}


def sst2(folder: pathlib.Path, seed: int) -> Problem:
    """Opinions on films; people then rewrote reviews to mean the opposite."""
    rows = _lines(folder / "text/sst2.jsonl")
    reviews = _lines(folder / "text/cad_imdb.jsonl")
    questions = _lines(folder / "text/trec.jsonl")

    def part(rows: list[dict]) -> Arrays:
        texts = np.array([row["text"] for row in rows])
        return texts, _labels([POSITIVE[row["label"]] for row in rows])

    found = {
        name: part([row for row in rows if row["split"] == name])
        for name in ("train", "dev", "test")
    }
    shifted = {
        f"imdb_{version}": part(
            [
                row
                for row in reviews
                if row["version"] == version and row["split"] == "test"
            ]
        )
        for version in ("original", "revised")
    }
    return Problem(
        "text",
        _shuffled(*found["train"], seed),
        found["dev"],
        found["test"],
        2,
        unknown={
            "trec": np.array(
                [row["text"] for row in questions if row["split"] == "test"]
            )
        },
        shifted=shifted,
    )


def nli(folder: pathlib.Path, seed: int) -> Problem:
    """Does one sentence follow from another? Hundred people did not agree."""
    rows = _lines(folder / "text/sick.jsonl")
    annotated = _lines(folder / "text/chaosnli_snli.jsonl")
    questions = json.loads(
        (folder / "text/clinc150/data_full.json").read_text()
    )
    names = ("entailment", "neutral", "contradiction")

    def part(split: str) -> Arrays:
        chosen = [row for row in rows if row["split"] == split]
        texts = np.array([_pair(row) for row in chosen])
        return texts, _labels([names.index(row["label"]) for row in chosen])

    votes = np.array([row["label_count"] for row in annotated])
    asked = [text for text, _ in questions["oos_test"]]
    pairs = zip(asked[::2], asked[1::2], strict=True)
    return Problem(
        "text",
        _shuffled(*part("train"), seed),
        part("dev"),
        part("test"),
        3,
        unknown={
            "questions": np.array(
                [_pair({"premise": a, "hypothesis": b}) for a, b in pairs]
            )
        },
        annotated=(
            np.array([_pair(row) for row in annotated]),
            _shares(votes),
        ),
    )


PROBLEMS: dict[str, Callable[[pathlib.Path, int], Problem]] = {
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar10n": cifar10n,
    "clinc150": clinc150,
    "sst2": sst2,
    "nli": nli,
}


def shortened(problem: Problem, examples: int | None) -> Problem:
    """At most so many examples of each set."""
    if examples is None:
        return problem

    return problem.with_sets(
        lambda arrays: (arrays[0][:examples], arrays[1][:examples]),
        lambda x: x[:examples],
    )


def _images(x: np.ndarray) -> np.ndarray:
    x = x[..., None] if x.ndim == 3 else x
    return x.astype("float32") / 255.0


def _labels(y: Any) -> np.ndarray:
    return np.asarray(y).astype("int32")


def _shares(votes: np.ndarray) -> np.ndarray:
    return (votes / votes.sum(axis=1, keepdims=True)).astype("float32")


def _split(
    x: np.ndarray, y: np.ndarray, train: int, validation: int, seed: int
) -> tuple[Arrays, Arrays]:
    order = np.random.default_rng(seed).permutation(len(x))
    first, second = order[:train], order[train : train + validation]
    return (x[first], y[first]), (x[second], y[second])


def _shuffled(x: np.ndarray, y: np.ndarray, seed: int) -> Arrays:
    # Files are sorted, and KerasHub's tasks do not shuffle arrays.
    order = np.random.default_rng(seed).permutation(len(x))
    return x[order], y[order]


def _shrink(images: np.ndarray, size: int) -> np.ndarray:
    """Grey images in another size, by means of areas."""
    from PIL import Image

    small = [
        np.asarray(Image.fromarray(one).resize((size, size), Image.BOX))
        for one in images
    ]
    return np.stack(small)


def _decode(arrays: Any, split: str) -> np.ndarray:
    import tensorflow as tf

    data, ends = arrays[f"jpeg_{split}"].tobytes(), arrays[f"offsets_{split}"]
    files = [data[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]
    decode = tf.io.decode_jpeg
    return np.stack([decode(file, channels=3).numpy() for file in files])


def _lines(path: pathlib.Path) -> list[dict]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _pair(row: dict) -> str:
    return f"hypothesis: {row['hypothesis']} premise: {row['premise']}"
