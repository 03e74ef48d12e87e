"""The data of the study: what is learnt, and what a model meets afterwards."""

import dataclasses
import json
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from arrays import Arrays
from arrays import as_images
from arrays import as_labels
from arrays import as_shares
from arrays import decode_images
from arrays import join_pair
from arrays import read_lines
from arrays import shrink_images
from arrays import shuffle_arrays
from arrays import split_arrays

from keras_plex.data import corrupt_texts

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
    x, y = as_images(arrays["x_train"]), as_labels(arrays["y_train"])
    train, validation = split_arrays(x, y, 12000, 2000, seed)
    test = as_images(arrays["x_test"]), as_labels(arrays["y_test"])
    return Problem(
        "image",
        train,
        validation,
        test,
        10,
        unknown={
            "mnist": as_images(digits),
            "omniglot": as_images(shrink_images(255 - letters, 28)),
        },
        corruptions=IMAGE_CORRUPTIONS,
        corrupted=(test[0][:1000], test[1][:1000]),
    )


def cifar10(
    folder: pathlib.Path,
    seed: int,
    *,
    train_labels: str | None = None,
    train_size: int = 12000,
    checks_validation: bool = False,
) -> Problem:
    """Photographs; hand signs are unknown, and people's votes are known.

    Args:
        folder: of the data.
        seed: of the split.
        train_labels: a key of CIFAR-10N; `None` takes the right labels.
        train_size: how many images are learnt.
        checks_validation: whether the validation labels are right anyway.
    """
    arrays = np.load(folder / "images/cifar10_jpeg.npz")
    right = y = as_labels(arrays["y_train"])
    if train_labels is not None:
        given = np.load(folder / "images/cifar10n.npz")[train_labels]
        y = as_labels(given)
    votes = np.load(folder / "images/cifar10h.npz")["counts_test"]
    signs = np.load(folder / "images/sign_digits32.npz")["x_test"]
    x = as_images(decode_images(arrays, "train"))
    train, validation = split_arrays(x, y, train_size, 2000, seed)
    if checks_validation:
        _, validation = split_arrays(x, right, train_size, 2000, seed)
    test = as_images(decode_images(arrays, "test")), as_labels(arrays["y_test"])
    return Problem(
        "image",
        train,
        validation,
        test,
        10,
        unknown={"sign_digits": as_images(signs)},
        corruptions=IMAGE_CORRUPTIONS,
        corrupted=(test[0][:1000], test[1][:1000]),
        annotated=(test[0], as_shares(votes)),
    )


def cifar10n(folder: pathlib.Path, seed: int) -> Problem:
    """The same, learnt from what one person said: one label in six is wrong."""
    return cifar10(folder, seed, train_labels="random_label1")


def cifar10n_checked(folder: pathlib.Path, seed: int) -> Problem:
    """The same, with validation labels that somebody put right."""
    return cifar10(
        folder, seed, train_labels="random_label1", checks_validation=True
    )


def cifar10_large(folder: pathlib.Path, seed: int) -> Problem:
    """All of CIFAR-10 that there is, for a model that is right more often."""
    return cifar10(folder, seed, train_size=38000)


def open_set(name: str, known: int = 6) -> Callable[..., Problem]:
    """Learns some classes of a problem, which the seed draws, not the others.

    As in Neal et al., 2018, "Open set learning with counterfactual images".

    Args:
        name: of a problem with images.
        known: how many classes are learnt.
    """

    def problem(folder: pathlib.Path, seed: int) -> Problem:
        whole = PROBLEMS[name](folder, seed)
        order = np.random.default_rng(seed).permutation(whole.num_classes)
        classes = np.sort(order[:known])

        def of_classes(arrays: Arrays) -> Arrays:
            x, y = arrays
            is_known = np.isin(y, classes)
            return x[is_known], as_labels(np.searchsorted(classes, y[is_known]))

        x, y = whole.test
        return Problem(
            whole.modality,
            of_classes(whole.train),
            of_classes(whole.validation),
            of_classes(whole.test),
            known,
            unknown={"other_classes": x[~np.isin(y, classes)]},
        )

    return problem


def deep(name: str) -> Callable[..., Problem]:
    """A problem with images, learnt by a network of more blocks."""

    def problem(folder: pathlib.Path, seed: int) -> Problem:
        whole = PROBLEMS[name](folder, seed)
        return dataclasses.replace(whole, modality="image_deep")

    return problem


def clinc150(folder: pathlib.Path, seed: int) -> Problem:
    """What people ask an assistant; what it was not made for is unknown."""
    splits = json.loads((folder / "text/clinc150/data_full.json").read_text())
    names = sorted({name for _, name in splits["train"]})

    def part(split: str) -> Arrays:
        texts, labels = zip(*splits[split], strict=True)
        return np.array(texts), as_labels([names.index(one) for one in labels])

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
        shuffle_arrays(*part("train"), seed),
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
    rows = read_lines(folder / "text/sst2.jsonl")
    reviews = read_lines(folder / "text/cad_imdb.jsonl")
    questions = read_lines(folder / "text/trec.jsonl")

    def part(rows: list[dict]) -> Arrays:
        texts = np.array([row["text"] for row in rows])
        return texts, as_labels([POSITIVE[row["label"]] for row in rows])

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
        shuffle_arrays(*found["train"], seed),
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
    rows = read_lines(folder / "text/sick.jsonl")
    annotated = read_lines(folder / "text/chaosnli_snli.jsonl")
    questions = json.loads(
        (folder / "text/clinc150/data_full.json").read_text()
    )
    names = ("entailment", "neutral", "contradiction")

    def part(split: str) -> Arrays:
        chosen = [row for row in rows if row["split"] == split]
        texts = np.array([join_pair(row) for row in chosen])
        return texts, as_labels([names.index(row["label"]) for row in chosen])

    votes = np.array([row["label_count"] for row in annotated])
    asked = [text for text, _ in questions["oos_test"]]
    pairs = zip(asked[::2], asked[1::2], strict=True)
    return Problem(
        "text",
        shuffle_arrays(*part("train"), seed),
        part("dev"),
        part("test"),
        3,
        unknown={
            "questions": np.array(
                [join_pair({"premise": a, "hypothesis": b}) for a, b in pairs]
            )
        },
        annotated=(
            np.array([join_pair(row) for row in annotated]),
            as_shares(votes),
        ),
    )


PROBLEMS: dict[str, Callable[[pathlib.Path, int], Problem]] = {
    "fashion_mnist": fashion_mnist,
    "cifar10": cifar10,
    "cifar10n": cifar10n,
    "cifar10n_checked": cifar10n_checked,
    "cifar10_large": cifar10_large,
    "fashion_mnist_open_set": open_set("fashion_mnist"),
    "cifar10_open_set": open_set("cifar10"),
    "fashion_mnist_deep": deep("fashion_mnist"),
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
