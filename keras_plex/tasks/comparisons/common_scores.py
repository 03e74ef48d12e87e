"""Scores of models from the same measures, so that they can be compared."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_plex.tasks.reports.result import TaskResult

if TYPE_CHECKING:
    from keras_plex.tasks.reports.report import Report


def with_common_scores(reports: Mapping[str, "Report"]) -> dict[str, "Report"]:
    """The reports, each scored on the measures that all have.

    Args:
        reports: of the same tasks, by name.
    """
    lacking = lacking_by_measure(reports)
    return {
        name: dataclasses.replace(
            report,
            results=tuple(_scored(one, lacking) for one in report.results),
        )
        for name, report in reports.items()
    }


def lacking_by_measure(
    reports: Mapping[str, "Report"],
) -> dict[tuple[str, str], list[str]]:
    """Task and scored measure -> whose value is missing or NaN, if any is.

    Args:
        reports: of the same tasks, by name.
    """
    scored = dict.fromkeys(
        (result.name, measure)
        for report in reports.values()
        for result in report.results
        for measure in result.scored
    )
    found = {
        (task, measure): [
            name
            for name, report in reports.items()
            if not _has(report[task], measure)
        ]
        for task, measure in scored
    }
    return {place: names for place, names in found.items() if names}


def left_out_text(
    reports: Mapping[str, "Report"], show: Callable[[str], str] = str
) -> str:
    """Says which measures do not count, as a model lacks them, if any.

    Args:
        reports: of the same tasks, by name.
        show: writes a name.
    """
    lacking = lacking_by_measure(reports)
    if not lacking:
        return ""
    measures = "; ".join(
        f"{show(measure)} of {show(task)}, undefined for "
        f"{', '.join(map(show, names))}"
        for (task, measure), names in lacking.items()
    )
    return (
        "The scores are from the measures that all models have, and differ "
        f"from those of the reports. Left out: {measures}."
    )


def _has(result: TaskResult, measure: str) -> bool:
    return measure in result.scored and bool(
        np.isfinite(result.goodness(measure))
    )


def _scored(
    result: TaskResult, lacking: Mapping[tuple[str, str], list[str]]
) -> TaskResult:
    kept = [one for one in result.scored if (result.name, one) not in lacking]
    return dataclasses.replace(result, scored=tuple(kept))
