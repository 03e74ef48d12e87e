"""Handwritten digits that come with scikit-learn, split for reliability."""

import dataclasses

import numpy as np
from sklearn import datasets
from sklearn import model_selection

KNOWN_CLASSES = 8
IMAGE_SHAPE = (16, 16, 1)


@dataclasses.dataclass(frozen=True)
class ReliabilityData:
    """Known classes in three parts, unknown ones, and a corrupted copy.

    Args:
        train: `(images, labels)` of the known classes.
        validation: likewise, for choices during training.
        test: likewise, for the numbers that are reported.
        shifted: the test part, corrupted; same labels.
        ood: images of classes that the model has never seen.
        num_classes: the number of known classes.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    shifted: tuple[np.ndarray, np.ndarray]
    ood: np.ndarray
    num_classes: int


def load_digits(seed: int = 0) -> ReliabilityData:
    """1,797 scans of digits: 0 to 7 are known, 8 and 9 are unknown.

    Images are `(examples, 16, 16, 1)` float32 in `[0, 1]`: each pixel of the
    8x8 scans becomes four. The known classes are split 50/15/35 into train,
    validation and test. The shifted copy adds Gaussian noise of standard
    deviation 0.3 to the 8x8 scans and clips.

    Args:
        seed: int, of the split and the noise. Defaults to `0`.

    Reference:
        Alpaydin and Kaynak, 1998, "Optical recognition of handwritten digits",
        UCI machine learning repository.
    """
    scans, labels = datasets.load_digits(return_X_y=True)
    scans = scans.reshape(-1, 8, 8, 1).astype("float32") / 16.0
    labels = labels.astype("int32")
    is_known = labels < KNOWN_CLASSES
    x, x_test, y, y_test = model_selection.train_test_split(
        scans[is_known],
        labels[is_known],
        test_size=0.35,
        stratify=labels[is_known],
        random_state=seed,
    )
    x_train, x_validation, y_train, y_validation = (
        model_selection.train_test_split(
            x, y, test_size=0.15 / 0.65, stratify=y, random_state=seed
        )
    )
    noise = np.random.default_rng(seed).normal(0.0, 0.3, size=x_test.shape)
    x_shifted = np.clip(x_test + noise, 0.0, 1.0).astype("float32")
    return ReliabilityData(
        train=(_enlarge(x_train), y_train),
        validation=(_enlarge(x_validation), y_validation),
        test=(_enlarge(x_test), y_test),
        shifted=(_enlarge(x_shifted), y_test),
        ood=_enlarge(scans[~is_known]),
        num_classes=KNOWN_CLASSES,
    )


def _enlarge(scans: np.ndarray) -> np.ndarray:
    # (examples, 8, 8, 1) -> (examples, 16, 16, 1)
    return np.kron(scans, np.ones((1, 2, 2, 1), "float32"))
