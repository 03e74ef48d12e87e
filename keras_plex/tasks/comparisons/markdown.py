"""A comparison as a page of Markdown."""

import math
from typing import TYPE_CHECKING

from keras_plex.tasks.comparisons.common_scores import left_out_text
from keras_plex.tasks.comparisons.common_scores import with_common_scores
from keras_plex.tasks.comparisons.differences import Difference
from keras_plex.tasks.reports.markdown import arrow
from keras_plex.tasks.reports.markdown import cell
from keras_plex.tasks.reports.markdown import number
from keras_plex.tasks.reports.markdown import one_line

if TYPE_CHECKING:
    from keras_plex.tasks.comparisons.comparison import Comparison

NOTE = (
    "In brackets 95 % intervals from paired bootstrap draws: each draws the "
    "same examples for all models. A difference is within noise if its own "
    "interval holds 0, and unknown if it has none, as of fewer than 20 "
    "examples or draws. Confirmed ones also hold together: the chance of one "
    "false among all scores and headlines is 5 %. Other measures are not "
    "corrected for their number; of many, some are wrong by chance."
)


def comparison_as_markdown(comparison: "Comparison") -> str:
    """Scores, headlines, cost, every measure of each task."""
    names = list(comparison.reports)
    lines = [
        f"# Comparison with {one_line(comparison.baseline)}",
        "",
        NOTE,
        "",
        "| model | reliability score | difference |",
        "|---|---:|---|",
    ]
    for name, report in with_common_scores(comparison.reports).items():
        found = comparison.score_differences.get(name)
        lines.append(
            f"| {one_line(name)} | {number(report.reliability_score, 1)} | "
            f"{difference_text(found, 1)} |"
        )
    note = left_out_text(comparison.reports, one_line)
    lines += ["", note] if note else []
    base = comparison.reports[comparison.baseline]
    headlines = {result.name: [result.headline] for result in base.results}
    lines += ["", "## Headlines", "", *_table(comparison, headlines)]
    lines += ["", "## Cost", "", *_cost(comparison)]
    for result in base.results:
        measures = list(
            dict.fromkeys(
                measure
                for name in names
                for measure in comparison.reports[name][result.name].measures
            )
        )
        lines += ["", f"## {one_line(result.name)}", ""]
        lines += _table(comparison, {result.name: measures})
    return "\n".join(lines) + "\n"


def difference_text(found: Difference | None, digits: int = 4) -> str:
    """The difference, its interval and the verdict in one cell."""
    if found is None:
        return "baseline"
    if math.isnan(found.difference):
        return "undefined"
    text = number(found.difference, digits, signed=True)
    if not math.isnan(found.low):
        ends = [
            number(end, digits, signed=True) for end in (found.low, found.high)
        ]
        text += f" [{ends[0]}, {ends[1]}]"
    confirmed = ", confirmed" if found.confirmed else ""
    return f"{text} {found.verdict}{confirmed}"


def _table(
    comparison: "Comparison", measures: dict[str, list[str]]
) -> list[str]:
    lines = [
        "| task | measure | model | value | difference |",
        "|---|---|---|---:|---|",
    ]
    for task, names in measures.items():
        for measure in names:
            for model, report in comparison.reports.items():
                value = report[task].measures.get(measure)
                if value is None:
                    continue
                found = "baseline"
                if model != comparison.baseline:
                    one = comparison[model][task].get(measure)
                    found = difference_text(one) if one else "no baseline"
                lines.append(
                    f"| {one_line(task)} | {one_line(measure)} {arrow(value)} "
                    f"| {one_line(model)} | {cell(value)} | {found} |"
                )
    return lines


def _cost(comparison: "Comparison") -> list[str]:
    ratios = comparison.cost_ratios()
    columns = ("parameters", "flops", "seconds_one", "seconds_batch")
    lines = [
        f"| model | {' | '.join(columns)} |",
        "|---|---:|---:|---:|---:|",
    ]
    for model, report in comparison.reports.items():
        cells = []
        for column in columns:
            value = getattr(report.cost, column, None)
            if column == "parameters":
                value = report.parameters
            text = "unknown" if value is None else f"{value:.3g}"
            ratio = ratios.get(model, {}).get(column, math.nan)
            cells.append(
                text if math.isnan(ratio) else f"{text} ({ratio:.2f}x)"
            )
        lines.append(f"| {one_line(model)} | {' | '.join(cells)} |")
    return lines
