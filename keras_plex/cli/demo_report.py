"""The demo's report: a table, Markdown, JSON and a picture."""

import dataclasses
import datetime
import importlib.metadata
import json
import pathlib
import platform

import numpy as np
from rich.console import Console
from rich.table import Table

from keras_plex.plots.reliability_diagram import reliability_diagram
from keras_plex.predictions import Predictions

REPORT_FILE = "report.json"
SCHEMA = 1

# Title -> (value of a row, format, whether more is better).
COLUMNS = {
    "accuracy": (lambda row: row.test["accuracy"], "{:.3f}"),
    "NLL": (lambda row: row.test["nll"], "{:.3f}"),
    "ECE": (lambda row: row.test["ece"], "{:.3f}"),
    "Brier": (lambda row: row.test["brier"], "{:.3f}"),
    "NLL, noise": (lambda row: row.shifted["nll"], "{:.3f}"),
    "ECE, noise": (lambda row: row.shifted["ece"], "{:.3f}"),
    "OOD AUROC (msp)": (lambda row: row.ood["msp"]["auroc"], "{:.3f}"),
    "OOD AUROC (variance)": (
        lambda row: row.ood.get("variance", {}).get("auroc"),
        "{:.3f}",
    ),
    "trained weights": (lambda row: row.trained_weights, "{:,}"),
    "time / stock": (lambda row: row.cost_ratio, "{:.2f}"),
}


@dataclasses.dataclass
class ModelRow:
    """What was measured on one model.

    Args:
        name: what to call it.
        test: accuracy, nll, ece, brier on the test images.
        shifted: the same on the corrupted ones.
        ood: by score: auroc, aupr, fpr95 of unknown against test images.
        trained_weights: their number.
        seconds: median time of one forward pass of 256 images.
        predictions: on the test images.
    """

    name: str
    test: dict[str, float]
    shifted: dict[str, float]
    ood: dict[str, dict[str, float]]
    trained_weights: int
    seconds: float
    predictions: Predictions
    cost_ratio: float = 1.0

    def to_dict(self) -> dict:
        """Plain data, without the predictions."""
        fields = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self)
        }
        del fields["predictions"]
        return fields


@dataclasses.dataclass
class DemoReport:
    """All that one run of the demo measured."""

    seed: int
    epochs: tuple[int, int]
    rows: list[ModelRow]
    history: dict[str, list[float]]
    labels: np.ndarray
    reloaded_is_equal: bool
    answer: dict[str, np.ndarray]
    mean_field_factor: float
    logit_scale: float
    seconds: float

    def __post_init__(self):
        for row in self.rows:
            row.cost_ratio = row.seconds / self.rows[0].seconds

    def to_dict(self) -> dict:
        """Plain data for JSON."""
        return {
            "schema": SCHEMA,
            "command": "keras-plex demo",
            "seed": self.seed,
            "epochs": list(self.epochs),
            "models": [row.to_dict() for row in self.rows],
            "history": self.history,
            "reloaded_is_equal": self.reloaded_is_equal,
            "answer": {
                k: np.asarray(v).tolist() for k, v in self.answer.items()
            },
            "mean_field_factor": self.mean_field_factor,
            "logit_scale": self.logit_scale,
            "seconds": self.seconds,
            "environment": _environment(),
        }


def write_report(report: DemoReport, folder: pathlib.Path) -> None:
    """Writes `report.json`, `report.md` and `reliability.png`."""
    figure = reliability_diagram(
        {row.name: row.predictions for row in report.rows}, report.labels
    )
    figure.savefig(folder / "reliability.png", dpi=150)
    (folder / "report.md").write_text(_markdown(report), encoding="utf-8")
    text = json.dumps(report.to_dict(), indent=2)
    (folder / REPORT_FILE).write_text(text + "\n", encoding="utf-8")


def print_report(
    report: DemoReport, folder: pathlib.Path, console: Console
) -> None:
    """Prints the table and what came of saving and serving."""
    table = Table(title=f"Digits 0-7 known, 8-9 unknown; seed {report.seed}")
    table.add_column("measured on this machine")
    for row in report.rows:
        table.add_column(row.name, justify="right")
    for title in COLUMNS:
        table.add_row(title, *(_cell(title, row) for row in report.rows))
    console.print(table)
    for line in _sentences(report):
        console.print(line, highlight=False)
    console.print(f"Report, picture and models: {folder}/", highlight=False)


def _sentences(report: DemoReport) -> list[str]:
    answer = report.answer
    equal = "equal" if report.reloaded_is_equal else "NOT equal"
    lines = [
        f"Reloaded from model.keras: predictions {equal} bit for bit.",
        f"Fitted on validation data: mean-field factor "
        f"{report.mean_field_factor:.2f}, scale of the logits "
        f"{report.logit_scale:.2f}.",
    ]
    half = len(answer["label"]) // 2
    for what, rows in {
        "known": slice(None, half),
        "unknown": slice(half, None),
    }.items():
        lines.append(
            f"Exported model, asked about {half} {what} digits: mean variance "
            f"{np.mean(answer['variance'][rows]):.3f}, mean confidence "
            f"{np.mean(answer['confidence'][rows]):.3f}."
        )
    return lines


def _markdown(report: DemoReport) -> str:
    names = [row.name for row in report.rows]
    lines = [
        "# keras-plex demo",
        "",
        f"`keras-plex demo --seed {report.seed} --stock-epochs "
        f"{report.epochs[0]} --epochs {report.epochs[1]}`, "
        f"{report.seconds:.0f} s; "
        + ", ".join(f"{name} {what}" for name, what in _environment().items()),
        "",
        "| measured | " + " | ".join(names) + " |",
        "|---|" + "---:|" * len(names),
    ]
    for title in COLUMNS:
        cells = [_cell(title, row) for row in report.rows]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    lines += ["", *(f"- {line}" for line in _sentences(report)), ""]
    lines += ["![Reliability diagram](reliability.png)", ""]
    return "\n".join(lines)


def _cell(title: str, row: ModelRow) -> str:
    value_of, form = COLUMNS[title]
    value = value_of(row)
    return "" if value is None else form.format(value)


def _environment() -> dict[str, str]:
    packages = ("keras", "keras-hub", "tensorflow", "numpy")
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        **{name: importlib.metadata.version(name) for name in packages},
    }
