"""Reads the evaluation file of HANS, which TensorFlow Datasets lacks."""

import csv
import pathlib

import numpy as np

LABELS = {"non-entailment": 0, "entailment": 1}
COLUMNS = ("gold_label", "sentence1", "sentence2", "subcase")


def read_hans(path: pathlib.Path) -> dict[str, np.ndarray]:
    """The features of `heuristics_evaluation_set.txt`, in a fixed random order.

    The file is sorted by subcase: the first examples of it would all be of one.

    Args:
        path: the file: tab-separated, with a header.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = set(COLUMNS) - set(rows.fieldnames or ())
        if missing:
            raise ValueError(
                f"{str(path)!r} must be the evaluation set of HANS, "
                f"tab-separated with a header. It lacks: {sorted(missing)}"
            )
        table = [[row[column] for column in COLUMNS] for row in rows]
    if not table:
        raise ValueError(
            f"{str(path)!r} holds no example of HANS. Fetch the evaluation set "
            "again. Received: a header alone"
        )
    unknown = {row[0] for row in table} - set(LABELS)
    if unknown:
        raise ValueError(
            f"Labels in {str(path)!r} must be {list(LABELS)}. "
            f"Received: {sorted(map(str, unknown))[:3]}"
        )
    order = np.random.default_rng(0).permutation(len(table))
    labels, premises, hypotheses, subcases = np.array(table, str)[order].T
    return {
        "premise": premises,
        "hypothesis": hypotheses,
        "label": np.array([LABELS[label] for label in labels]),
        "subcase": subcases,
    }
