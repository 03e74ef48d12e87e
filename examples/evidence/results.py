"""The numbers of the reports, in a table that grows from run to run."""

import csv
import json
import pathlib

import numpy as np

# Column -> task and measure; of several unknown sets the mean.
MEASURES = {
    "accuracy": ("in_distribution", "accuracy"),
    "NLL": ("in_distribution", "nll"),
    "ECE": ("calibration", "ece"),
    "Brier": ("calibration", "brier"),
    "AUROC MSP": ("open_set_recognition", "*/msp/auroc"),
    "AUROC variance": ("open_set_recognition", "*/variance/auroc"),
    "AUROC mutual information": (
        "open_set_recognition",
        "*/mutual_information/auroc",
    ),
    "AUROC rel. Mahalanobis": (
        "open_set_recognition",
        "*/relative_mahalanobis/auroc",
    ),
    "shift: accuracy": ("shift", "accuracy"),
    "shift: NLL": ("shift", "nll"),
    "shift: ECE": ("shift", "ece"),
    "corrupted: accuracy": ("corruptions", "accuracy"),
    "corrupted: NLL": ("corruptions", "nll"),
    "corrupted: ECE": ("corruptions", "ece"),
    "people: KL": ("label_uncertainty", "kl"),
}
KEYS = ("problem", "method", "seed")
FIELDS = (*KEYS, "date", "tensorflow", "keras", *MEASURES)

Row = dict[str, str]


def read_reports(out: pathlib.Path) -> list[Row]:
    """A row for each report under `out`."""
    return [
        read_report(path) for path in sorted(out.glob("*/seed_*/*/report.json"))
    ]


def read_report(path: pathlib.Path) -> Row:
    """`RESULTS/problem/seed_N/method/report.json`, condensed."""
    problem, seed, method = path.parts[-4:-1]
    report = json.loads(path.read_text())
    environment = report["environment"]
    results = {one["name"]: one["measures"] for one in report["results"]}
    row = {
        "problem": problem,
        "method": method,
        "seed": seed.removeprefix("seed_"),
        **{name: environment[name] for name in ("date", "tensorflow", "keras")},
    }
    for column, (task, measure) in MEASURES.items():
        found = find(results.get(task, {}), measure)
        row[column] = f"{np.mean(found):.5f}" if found else ""
    return row


def find(measures: dict, name: str) -> list[float]:
    """A measure, or `*/name` of each set; an infinite one is a text there."""
    return [
        float(one["value"])
        for key, one in measures.items()
        if key == name
        or name.startswith("*")
        and key.endswith(name[1:])
        and key.count("/") == name.count("/")
    ]


def read_table(path: pathlib.Path) -> list[Row]:
    """The rows of a file; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def write_table(path: pathlib.Path, rows: list[Row]) -> None:
    """All rows, in a file that is whole at any time."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    unfinished.replace(path)


def merge(old: list[Row], new: list[Row]) -> list[Row]:
    """Rows by problem, method and seed; a new one replaces an old one."""
    rows = {tuple(row[key] for key in KEYS): row for row in [*old, *new]}
    return [rows[key] for key in sorted(rows)]
