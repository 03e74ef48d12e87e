"""Tables of means over the seeds, and of differences to the stock model."""

import json
import pathlib

import numpy as np

# Column -> task and measure; scores of unknown sets are averaged.
COLUMNS = {
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
DIFFERENCES = ("accuracy", "NLL", "ECE", "AUROC MSP")

Values = dict[str, dict[str, dict[int, float]]]


def print_tables(out: pathlib.Path) -> None:
    """Markdown, one part for each problem that has reports."""
    for folder in sorted(path for path in out.iterdir() if path.is_dir()):
        values = read_values(folder)
        if "stock" in values:
            print_means(folder.name, values)
            print_differences(values)


def read_values(folder: pathlib.Path) -> Values:
    """Method -> column -> seed -> value."""
    found: Values = {}
    for path in sorted(folder.glob("seed_*/*/report.json")):
        seed = int(path.parts[-3].removeprefix("seed_"))
        results = {
            one["name"]: one["measures"]
            for one in json.loads(path.read_text())["results"]
        }
        columns = found.setdefault(path.parent.name, {})
        for column, (task, measure) in COLUMNS.items():
            value = _value(results.get(task, {}), measure)
            if value is not None:
                columns.setdefault(column, {})[seed] = value
    return found


def print_means(name: str, values: Values) -> None:
    known = {column for found in values.values() for column in found}
    columns = [one for one in COLUMNS if one in known]
    print(f"\n### {name}\n")
    print("| method | seeds |", " | ".join(columns), "|")
    print("|---|---|" + "---|" * len(columns))
    for method, found in values.items():
        cells = [
            f"{np.mean(list(found[one].values())):.3f}" if one in found else ""
            for one in columns
        ]
        seeds = len(found[columns[0]])
        print(f"| {method} | {seeds} |", " | ".join(cells), "|")


def print_differences(values: Values) -> None:
    """Mean over the seeds of what changes beside stock, and standard error."""
    print("\n| less stock |", " | ".join(DIFFERENCES), "|")
    print("|---|" + "---|" * len(DIFFERENCES))
    for method, found in values.items():
        if method == "stock":
            continue
        cells = []
        for column in DIFFERENCES:
            stock = values["stock"][column]
            pairs = [
                value - stock[seed]
                for seed, value in found[column].items()
                if seed in stock
            ]
            shown = f"{np.mean(pairs):+.3f}"
            if len(pairs) > 1:
                error = np.std(pairs, ddof=1) / len(pairs) ** 0.5
                shown += f" ± {error:.3f}"
            cells.append(shown)
        print(f"| {method} |", " | ".join(cells), "|")


def _value(measures: dict, name: str) -> float | None:
    if not name.startswith("*"):
        return measures.get(name, {}).get("value")
    found = [
        one["value"]
        for key, one in measures.items()
        if key.endswith(name[1:]) and key.count("/") == name.count("/")
    ]
    return float(np.mean(found)) if found else None
