"""Tables of means over the seeds, and of differences to the stock model."""

from collections.abc import Iterable

import numpy as np
from results import MEASURES
from results import Row

DIFFERENCES = (
    "accuracy",
    "NLL",
    "ECE",
    "Brier",
    "AUROC MSP",
    "AUROC rel. Mahalanobis",
)

Values = dict[str, dict[str, dict[int, float]]]


def format_tables(rows: list[Row], methods: Iterable[str]) -> list[str]:
    """Markdown, one part for each problem of which the stock model is known."""
    found = []
    for problem in sorted({row["problem"] for row in rows}):
        values = read_values(rows, problem, methods)
        if "stock" in values:
            found.append(
                f"### {problem}\n\n{format_means(values)}\n\n"
                f"{format_differences(values)}\n"
            )
    return found


def read_values(
    rows: list[Row], problem: str, methods: Iterable[str]
) -> Values:
    """Method -> column -> seed -> value."""
    values: Values = {}
    for method in methods:
        chosen = [
            row
            for row in rows
            if row["problem"] == problem and row["method"] == method
        ]
        if chosen:
            values[method] = {
                column: {int(row["seed"]): float(row[column]) for row in chosen}
                for column in MEASURES
                if all(row[column] for row in chosen)
            }
    return values


def format_means(values: Values) -> str:
    """Of each method, over its seeds."""
    known = {column for found in values.values() for column in found}
    columns = [one for one in MEASURES if one in known]
    lines = [_line("method", "seeds", *columns), "|---" * (len(columns) + 2)]
    lines[1] += "|"
    for method, found in values.items():
        cells = [
            f"{np.mean(list(found[one].values())):.3f}" if one in found else ""
            for one in columns
        ]
        lines.append(_line(method, len(found["accuracy"]), *cells))
    return "\n".join(lines)


def format_differences(values: Values) -> str:
    """Mean over the seeds of what changes beside stock, and standard error."""
    columns = [one for one in DIFFERENCES if one in values["stock"]]
    lines = [_line("less stock", *columns), "|---" * (len(columns) + 1) + "|"]
    for method, found in values.items():
        if method != "stock":
            cells = [
                _difference(found[column], values["stock"][column])
                if column in found
                else ""
                for column in columns
            ]
            lines.append(_line(method, *cells))
    return "\n".join(lines)


def _difference(found: dict[int, float], stock: dict[int, float]) -> str:
    pairs = [found[seed] - stock[seed] for seed in found if seed in stock]
    shown = f"{np.mean(pairs):+.3f}"
    if len(pairs) > 1:
        shown += f" ± {np.std(pairs, ddof=1) / len(pairs) ** 0.5:.3f}"
    return shown


def _line(*cells: object) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"
