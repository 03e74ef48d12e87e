"""A report as a page of Markdown."""

import html
import math
import re
from typing import TYPE_CHECKING

from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.reports.result import Value
from keras_plex.types import Config

if TYPE_CHECKING:
    from keras_plex.tasks.reports.report import Report


# What Markdown takes for markup; within a word it leaves `_` alone.
SPECIAL = re.compile(r"[\\`*\[\]|~#]|(?<![^\W_])_|_(?![^\W_])")


def report_as_markdown(report: "Report") -> str:
    """The page: scores, headlines, every measure of each task, environment."""
    lines = [
        f"# Reliability of {one_line(report.model)}",
        "",
        f"Reliability score: {number(report.reliability_score, 1)} of 100 ("
        + "; ".join(
            f"{name} {number(score, 1)}"
            for name, score in report.category_scores.items()
        )
        + ").",
        "",
        f"{report.parameters:,} parameters, ensemble size "
        f"{report.ensemble_size}, {report.seconds:.1f} s. In brackets the 95 % "
        "bootstrap interval; of fewer than 20 examples or resamples there is "
        "none. Arrows point to what is better.",
        "",
        "| task | category | measure | value |",
        "|---|---|---|---:|",
    ]
    for result in report.results:
        value = result.measures[result.headline]
        lines.append(
            f"| {one_line(result.name)} | {one_line(result.category)} | "
            f"{one_line(result.headline)} {arrow(value)} | {cell(value)} |"
        )
    for result in report.results:
        lines += ["", *_section(result)]
    if report.cost is not None:
        lines += ["", "## Cost", ""]
        lines += _list(report.cost.to_dict())
    lines += ["", "## Made with", ""]
    lines += _list({**report.settings, **report.environment})
    return "\n".join(lines) + "\n"


def _section(result: TaskResult) -> list[str]:
    counts = ", ".join(
        f"{one_line(name)} {count:,}"
        for name, count in result.num_examples.items()
    )
    lines = [
        f"## {one_line(result.name)}",
        "",
        f"Examples: {counts}. {result.seconds:.1f} s.",
        "",
        "| measure | value | meaning |",
        "|---|---:|---|",
    ]
    for name, value in result.measures.items():
        meaning = find_measure(name).meaning
        lines.append(
            f"| {one_line(name)} {arrow(value)} | {cell(value)} | {meaning} |"
        )
    return lines


def _list(facts: Config) -> list[str]:
    return [
        f"- {one_line(name)}: {one_line(str(value))}"
        for name, value in facts.items()
    ]


def arrow(value: Value) -> str:
    """Points to what is better."""
    return "↑" if value.higher_is_better else "↓"


def cell(value: Value) -> str:
    """A value with its interval."""
    if math.isnan(value.low):
        return number(value.value)
    interval = f"[{number(value.low)}, {number(value.high)}]"
    return f"{number(value.value)} {interval}"


def number(value: float, digits: int = 4, *, signed: bool = False) -> str:
    """Its digits; "undefined" for NaN.

    Example:

    >>> number(0.5, 2), number(0.5, 2, signed=True), number(-math.inf)
    ('0.50', '+0.50', '-∞')
    """
    if math.isnan(value):
        return "undefined"
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace("inf", "∞")


def one_line(text: str) -> str:
    r"""A name that Markdown shows as it is, and that ends no cell or line.

    Example:

    >>> print(one_line("in_distribution"), one_line("<b>|*a*"))
    in_distribution &lt;b&gt;\|\*a\*
    """
    return SPECIAL.sub(r"\\\g<0>", html.escape(" ".join(text.split()), False))
