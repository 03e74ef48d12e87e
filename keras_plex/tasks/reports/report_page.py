"""A report as one page to look at."""

from typing import TYPE_CHECKING
from typing import Any

from keras_plex.tasks.cost import Cost
from keras_plex.tasks.measures import find_measure
from keras_plex.tasks.reports.components import count_text
from keras_plex.tasks.reports.components import facts
from keras_plex.tasks.reports.components import folded
from keras_plex.tasks.reports.components import is_long
from keras_plex.tasks.reports.components import meaning
from keras_plex.tasks.reports.components import measure_name
from keras_plex.tasks.reports.components import meter
from keras_plex.tasks.reports.components import page
from keras_plex.tasks.reports.components import score_card
from keras_plex.tasks.reports.components import seconds_text
from keras_plex.tasks.reports.components import table
from keras_plex.tasks.reports.components import with_range
from keras_plex.tasks.reports.explanations import EXPLANATIONS
from keras_plex.tasks.reports.figures import draw_curves
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import breakable
from keras_plex.tasks.reports.markup import element
from keras_plex.tasks.reports.markup import join
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.reports.result import Value

if TYPE_CHECKING:
    from keras_plex.tasks.reports.report import Report

INTERVALS = (
    "Below a value, and as a line on its bar, its 95 % interval: where it "
    "would lie for other examples of the same kind. ↑: higher is better, "
    "↓: lower is better."
)
VALUES = "Values with 95 % intervals"

MAX_COUNTS = 3


def report_page(report: "Report") -> str:
    """Scores, headlines, measures and plots of each task, cost, settings."""
    return page(
        f"Reliability of {report.model}",
        _title(report),
        _scores(report),
        _headlines(report),
        [
            _task(number, result)
            for number, result in enumerate(report.results, start=1)
        ],
        _cost(report),
        made_with({**report.settings, **report.environment}),
    )


def _title(report: "Report") -> Markup:
    parts = [
        f"{report.parameters:,} parameters",
        f"ensemble size {report.ensemble_size}",
        f"{report.seconds:.1f}\u00a0s to evaluate",
        report.environment.get("date"),
    ]
    return element(
        "header",
        element("p", "Reliability report", class_="eyebrow"),
        element("h1", report.model),
        element("p", " · ".join(filter(None, parts)), class_="facts"),
    )


def _scores(report: "Report") -> Markup:
    cards = [
        score_card("Reliability score", report.reliability_score, is_whole=True)
    ]
    cards += [
        score_card(name.capitalize(), score)
        for name, score in report.category_scores.items()
    ]
    return element("div", cards, class_="scores")


def _headlines(report: "Report") -> Markup | None:
    if not report.results:
        return None
    rows = []
    for number, result in enumerate(report.results, start=1):
        value = result.measures[result.headline]
        link = element("a", breakable(result.name), href=f"#task-{number}")
        rows.append(
            [
                join([link, element("span", result.category, class_="sub")]),
                _measure(result.headline, value),
                _value(value),
                _meter(result, value),
            ]
        )
    columns = {
        "Task": None,
        "Measure": None,
        "Value": "num",
        "From bad to perfect": "bar-cell",
    }
    return element(
        "section",
        element("h2", "Headlines"),
        table(columns, rows, INTERVALS),
    )


def _measure(name: str, value: Value) -> Markup:
    means = element("span", meaning(name), class_="sub")
    return join([measure_name(name, value.higher_is_better), means])


def _value(value: Value) -> Markup:
    return with_range(value.value, value.low, value.high)


def _meter(result: TaskResult, value: Value) -> Markup | None:
    kind = find_measure(result.headline)
    share, low, high = [
        kind.normalize(number, result.num_classes)
        for number in (value.value, value.low, value.high)
    ]
    return meter(share, (low, high))


def _task(number: int, result: TaskResult) -> Markup:
    rows = [
        [_measure(name, value), _value(value)]
        for name, value in result.measures.items()
    ]
    columns = {"Measure": None, "Value": "num"}
    measures = [
        folded(table(columns, rows, VALUES), len(rows), len(rows)),
        element("p", _counts(result), class_="note small"),
    ]
    figures = draw_curves({"": result.curves})
    is_pair = len(figures) == 1 and not is_long(len(rows))
    return task_section(
        number,
        result,
        element("div", figures, class_="figures") if figures else None,
        element("div", measures),
        is_pair=is_pair,
    )


def task_section(
    number: int, result: TaskResult, *parts: Any, is_pair: bool = False
) -> Markup:
    """A task: what it asks, its parts, of which two may stand side by side."""
    return element(
        "section",
        _task_header(result),
        element("div", parts, class_="pair" if is_pair else None),
        id=f"task-{number}",
        class_="task",
    )


def _counts(result: TaskResult) -> str:
    counts = set(result.num_examples.values())
    if len(result.num_examples) > MAX_COUNTS and len(counts) == 1:
        number = len(result.num_examples)
        return f"{counts.pop():,} examples in each of {number} data sets."
    shown = ", ".join(
        f"{name} ({count:,})" for name, count in result.num_examples.items()
    )
    return f"Examples: {shown}."


def _task_header(result: TaskResult) -> Markup:
    """Name, category and what the task asks."""
    asked = EXPLANATIONS.get(result.kind)
    return join(
        [
            element(
                "header",
                element("h2", breakable(result.name)),
                element("span", result.category, class_="tag"),
            ),
            element("p", asked, class_="muted") if asked else None,
        ]
    )


def _cost(report: "Report") -> Markup:
    items: dict[str, Any] = {
        "parameters": f"{report.parameters:,}",
        "ensemble size": report.ensemble_size,
    }
    if report.cost is None:
        items["FLOPs and time"] = "not measured: pass measure_cost=True"
    else:
        items |= _cost_facts(report.cost)
    return element("section", element("h2", "Cost"), facts(items))


def _cost_facts(cost: Cost) -> dict[str, str]:
    """What a cost holds, each with how it was measured."""
    flops = cost.flops_source
    if cost.flops is not None:
        flops = f"{count_text(cost.flops)} ({cost.flops_source})"
    return {
        "FLOPs per example": flops,
        "time of one example": seconds_text(cost.seconds_one),
        f"time of {cost.batch_size} examples": (
            f"{seconds_text(cost.seconds_batch)}, "
            f"{seconds_text(cost.seconds_per_example)} each"
        ),
        "measured": (
            f"median of at least {cost.repeats} passes after 2 to warm up, "
            f"on {cost.device}"
        ),
    }


def made_with(items: dict[str, Any]) -> Markup:
    """Settings and environment."""
    return element("section", element("h2", "Made with"), facts(items))
