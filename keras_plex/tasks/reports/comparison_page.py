"""A comparison as one page to look at."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any

from keras_plex.tasks.comparisons.common_scores import left_out_text
from keras_plex.tasks.comparisons.common_scores import with_common_scores
from keras_plex.tasks.comparisons.differences import Difference
from keras_plex.tasks.reports.chart import legend
from keras_plex.tasks.reports.components import count_text
from keras_plex.tasks.reports.components import facts
from keras_plex.tasks.reports.components import folded
from keras_plex.tasks.reports.components import grouped_table
from keras_plex.tasks.reports.components import measure_name
from keras_plex.tasks.reports.components import meter
from keras_plex.tasks.reports.components import number_text
from keras_plex.tasks.reports.components import page
from keras_plex.tasks.reports.components import score_card
from keras_plex.tasks.reports.components import seconds_text
from keras_plex.tasks.reports.components import with_range
from keras_plex.tasks.reports.difference_strip import difference_strip
from keras_plex.tasks.reports.figures import draw_curves
from keras_plex.tasks.reports.figures import shares_figures
from keras_plex.tasks.reports.markup import Markup
from keras_plex.tasks.reports.markup import breakable
from keras_plex.tasks.reports.markup import element
from keras_plex.tasks.reports.markup import join
from keras_plex.tasks.reports.report_page import made_with
from keras_plex.tasks.reports.report_page import task_section

if TYPE_CHECKING:
    from keras_plex.tasks.comparisons.comparison import Comparison
    from keras_plex.tasks.reports.report import Report

MARKS = {
    "better, worse": "than the baseline, by more than the choice of test "
    "examples explains",
    "within noise": "other test examples could turn it around",
    "unknown": "there are too few examples or resamples to tell",
    "✓": "it is so even though many differences are tested here: the chance "
    "of one false ✓ on this page is about 5 %",
}
NOTE = (
    "Below a number its 95 % interval, which the lines show. All models are "
    "measured on the same examples."
)
UNCORRECTED = (
    "95 % intervals, each on its own: of many differences about one in twenty "
    "looks clear by chance, so that no ✓ is given here."
)
COLUMNS = {"Model": None, "Value": "num", "Difference": "num"}


def comparison_page(comparison: "Comparison") -> str:
    """Scores, headlines, cost; measures and plots of each task."""
    base = comparison.reports[comparison.baseline]
    return page(
        f"Comparison with {comparison.baseline}",
        _title(comparison),
        _scores(comparison),
        _headlines(comparison, base),
        _cost(comparison),
        [
            _task(comparison, number, result.name)
            for number, result in enumerate(base.results, start=1)
        ],
        made_with({**base.settings, **base.environment}),
    )


def _title(comparison: "Comparison") -> Markup:
    names = list(comparison.reports)
    return element(
        "header",
        element("p", "Reliability comparison", class_="eyebrow"),
        element("h1", f"{len(names)} models, baseline {comparison.baseline}"),
    )


def _scores(comparison: "Comparison") -> Markup:
    cards = []
    for name, report in with_common_scores(comparison.reports).items():
        found = comparison.score_differences.get(name)
        note = element("div", "baseline", class_="range")
        if found is not None:
            note = element("div", _difference(found, 1), class_="sub")
        is_base = name == comparison.baseline
        cards.append(
            score_card(
                name,
                report.reliability_score,
                is_whole=is_base,
                more=[note, _categories(report)],
            )
        )
    made = element("div", cards, class_="scores wide-cards")
    note = left_out_text(comparison.reports)
    return join(
        [made, element("section", element("p", note)) if note else None]
    )


def _categories(report: "Report") -> Markup:
    """A bar for each category."""
    return element(
        "ul",
        [
            element(
                "li",
                element("span", name.capitalize()),
                element("span", number_text(score, 1)),
                meter(score / 100),
            )
            for name, score in report.category_scores.items()
        ],
        class_="categories",
    )


def _headlines(comparison: "Comparison", base: "Report") -> Markup | None:
    if not base.results:
        return None
    groups = []
    for number, result in enumerate(base.results, start=1):
        value = result.measures[result.headline]
        heading = join(
            [
                element("a", breakable(result.name), href=f"#task-{number}"),
                " · ",
                measure_name(result.headline, value.higher_is_better),
            ]
        )
        rows = _rows(comparison, result.name, result.headline)
        strips = _strips(comparison, result.name, result.headline)
        groups.append(
            (
                heading,
                [
                    (*row, strip)
                    for row, strip in zip(rows, strips, strict=True)
                ],
            )
        )
    columns = {**COLUMNS, "Worse ← 0 → better": "bar-cell zero"}
    return element(
        "section",
        element("h2", "Headlines"),
        facts(MARKS),
        grouped_table(columns, groups, NOTE),
    )


def _rows(
    comparison: "Comparison", task: str, measure: str
) -> list[Sequence[Any]]:
    rows = []
    for model, report in comparison.reports.items():
        value = report[task].measures.get(measure)
        if value is None:
            continue
        cell: Any = element("span", "baseline", class_="muted")
        if model != comparison.baseline:
            found = comparison[model][task].get(measure)
            cell = _difference(found) if found else "not in baseline"
        rows.append(
            (
                breakable(model),
                with_range(value.value, value.low, value.high),
                cell,
            )
        )
    return rows


def _strips(
    comparison: "Comparison", task: str, measure: str
) -> list[Markup | None]:
    """For each row of `_rows` its interval, on one scale."""
    found = {
        model: comparison[model][task].get(measure)
        for model in comparison.differences
    }
    ends = [
        abs(end)
        for one in found.values()
        if one is not None
        for end in (one.low, one.high, one.difference)
        if math.isfinite(end)
    ]
    reach = max(ends, default=0.0) or 1.0
    return [
        difference_strip(found.get(model), reach)
        for model, report in comparison.reports.items()
        if measure in report[task].measures
    ]


def _difference(found: Difference, digits: int = 4) -> Markup:
    sign = " ✓" if found.confirmed else ""
    is_clear = found.verdict in ("better", "worse")
    verdict = element(
        "span",
        f"{found.verdict}{sign}",
        class_=f"verdict {found.verdict if is_clear else 'muted'}",
        title=MARKS["✓"] if sign else None,
    )
    numbers = with_range(
        found.difference, found.low, found.high, signed=True, digits=digits
    )
    return join([verdict, " ", numbers])


def _cost(comparison: "Comparison") -> Markup:
    ratios = comparison.cost_ratios()
    groups = []
    for key, (heading, show) in COSTS.items():
        rows = []
        for name, report in comparison.reports.items():
            value = getattr(report.cost, key, None)
            if key == "parameters":
                value = report.parameters
            ratio = ratios.get(name, {}).get(key, math.nan)
            times = "unknown" if math.isnan(ratio) else f"{ratio:.2f} times"
            if name == comparison.baseline:
                times = "baseline"
            rows.append(
                (
                    breakable(name),
                    "unknown" if value is None else show(value),
                    times,
                )
            )
        groups.append((heading, rows))
    columns = {"Model": None, "Cost": "num", "Of baseline": "num"}
    made = grouped_table(columns, groups, _how_measured(comparison))
    return element("section", element("h2", "Cost"), made)


COSTS = {
    "parameters": ("Parameters", count_text),
    "flops": ("FLOPs per example", count_text),
    "seconds_one": ("Time of one example", seconds_text),
    "seconds_batch": ("Time of a batch", seconds_text),
}


def _how_measured(comparison: "Comparison") -> str:
    costs = [one.cost for one in comparison.reports.values()]
    known = [cost for cost in costs if cost is not None]
    if not known:
        return "FLOPs and times were not measured."
    sources = dict.fromkeys(cost.flops_source for cost in known)
    devices = dict.fromkeys(cost.device for cost in known)
    sizes = dict.fromkeys(str(cost.batch_size) for cost in known)
    return (
        f"FLOPs: {'; '.join(sources)}. Times: medians on "
        f"{', '.join(devices)}, batches of {', '.join(sizes)}."
    )


def _task(comparison: "Comparison", number: int, task: str) -> Markup:
    reports = comparison.reports
    result = reports[comparison.baseline][task]
    curves = {name: one[task].curves for name, one in reports.items()}
    figures = draw_curves(curves)
    key = legend(list(curves)) if shares_figures(curves) else None
    directions = {
        name: value.higher_is_better
        for one in reports.values()
        for name, value in one[task].measures.items()
    }
    groups = [
        (measure_name(name, is_higher), _rows(comparison, task, name))
        for name, is_higher in directions.items()
    ]
    num_rows = sum(len(rows) for _, rows in groups)
    made = grouped_table(COLUMNS, groups, UNCORRECTED)
    measures = folded(made, num_rows, len(groups))
    return task_section(
        number,
        result,
        key,
        element("div", figures, class_="figures") if figures else None,
        element("div", measures),
    )
