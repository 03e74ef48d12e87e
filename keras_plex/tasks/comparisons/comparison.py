"""Models side by side, each with its distance from a baseline."""

import dataclasses
import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from keras_plex.tables import lookup
from keras_plex.tasks.comparisons.checks import check_comparable
from keras_plex.tasks.comparisons.checks import check_names
from keras_plex.tasks.comparisons.checks import check_reports
from keras_plex.tasks.comparisons.checks import checked_baseline
from keras_plex.tasks.comparisons.common_scores import lacking_by_measure
from keras_plex.tasks.comparisons.common_scores import with_common_scores
from keras_plex.tasks.comparisons.differences import Difference
from keras_plex.tasks.comparisons.differences import confirm_together
from keras_plex.tasks.comparisons.differences import paired_difference
from keras_plex.tasks.comparisons.differences import score_difference
from keras_plex.tasks.comparisons.markdown import comparison_as_markdown
from keras_plex.tasks.reports.comparison_page import comparison_page
from keras_plex.tasks.reports.files import save_files
from keras_plex.tasks.reports.plain_data import replace_non_finite
from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.resume.folder import FOLDER

SCHEMA = "keras_plex.comparison/3"

# Measure -> its difference; of a model, by task.
Differences = dict[str, dict[str, Difference]]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `keras_plex.compare` found.

    Args:
        reports: of the models by name, the baseline's among them.
        baseline: the name of what the others are compared with.
        differences: by model, task and measure; of measures that both models
            have. `comparison["plex"]["calibration"]["ece"]` is one.
        score_differences: by model, of `Report.reliability_score` from the
            measures that all models have.
    """

    reports: dict[str, Report]
    baseline: str
    differences: dict[str, Differences]
    score_differences: dict[str, Difference]

    @classmethod
    def from_reports(
        cls, reports: Mapping[str, Report], baseline: str | None = None
    ) -> "Comparison":
        """Compares reports, such as `Report.load` gives; no model is needed.

        Args:
            reports: two or more by name, of `evaluate` on the same tasks and
                data with the same seed and number of resamples.
            baseline: a name. Defaults to the first.

        Raises:
            ValueError: for reports on other tasks, data or resamples, as far
                as names, numbers and fingerprints show it; and for what is no
                report, such as a path.
        """
        check_names(reports, "reports")
        check_reports(reports)
        baseline = checked_baseline(reports, baseline)
        check_comparable(reports, baseline)
        base = reports[baseline]
        others = {k: one for k, one in reports.items() if k != baseline}
        differences = {
            name: _differences(one, base) for name, one in others.items()
        }
        scored = with_common_scores(reports)
        scores = {
            name: score_difference(scored[name], scored[baseline])
            for name in others
        }
        _confirm(differences, scores, base)
        return cls(dict(reports), baseline, differences, scores)

    def __getitem__(self, name: str) -> Differences:
        return lookup(self.differences, name, "compared model")

    def cost_ratios(self) -> dict[str, dict[str, float]]:
        """By model, how many times the baseline's cost it has.

        `parameters`, `flops`, `seconds_one` and `seconds_batch`; NaN where a
        cost is not known, or was measured elsewhere than the baseline's.
        """
        base = self.reports[self.baseline]
        return {
            name: _ratios(self.reports[name], base) for name in self.differences
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain data; NaN is `None`, infinity `"Infinity"`.

        `scores` are from the measures that all models have; `left_out` names
        the others, with the models that lack them.
        """
        scored = with_common_scores(self.reports)
        found = {
            "schema": SCHEMA,
            "baseline": self.baseline,
            "models": {
                name: report.to_dict() for name, report in self.reports.items()
            },
            "scores": {
                name: {
                    "reliability_score": one.reliability_score,
                    "category_scores": one.category_scores,
                }
                for name, one in scored.items()
            },
            "left_out": [
                {"task": task, "measure": measure, "models": names}
                for (task, measure), names in lacking_by_measure(
                    self.reports
                ).items()
            ],
            "score_differences": {
                name: one.to_dict()
                for name, one in self.score_differences.items()
            },
            "differences": {
                name: {
                    task: {key: one.to_dict() for key, one in measures.items()}
                    for task, measures in tasks.items()
                }
                for name, tasks in self.differences.items()
            },
            "cost_ratios": self.cost_ratios(),
        }
        return replace_non_finite(found)

    def to_json(self) -> str:
        """`to_dict` as JSON text; `schema` names its version."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """A page with tables of scores, headlines, cost and every measure."""
        return comparison_as_markdown(self)

    def to_html(self) -> str:
        """A page with plots: one file that asks for nothing from elsewhere."""
        return comparison_page(self)

    def save(self, directory: str | os.PathLike) -> pathlib.Path:
        """Writes `comparison.json`, `.md` and `.html`, or nothing.

        Args:
            directory: a new or empty one, or one that holds a comparison,
                which is replaced, or what `compare` kept there.
        """
        files = {
            "comparison.json": self.to_json(),
            "comparison.md": self.to_markdown(),
            "comparison.html": self.to_html(),
        }
        return save_files(directory, files, schema=SCHEMA, beside=(FOLDER,))


def _differences(report: Report, base: Report) -> Differences:
    return {
        result.name: {
            name: paired_difference(value, base[result.name].measures[name])
            for name, value in result.measures.items()
            if name in base[result.name].measures
        }
        for result in report.results
    }


def _confirm(
    differences: dict[str, Differences],
    scores: dict[str, Difference],
    base: Report,
) -> None:
    """Tests all headlines and scores of all models together."""
    places = [
        (differences[model][result.name], result.headline)
        for model in differences
        for result in base.results
        if result.headline in differences[model][result.name]
    ]
    places += [(scores, model) for model in scores]
    found = confirm_together([table[key] for table, key in places])
    for (table, key), one in zip(places, found, strict=True):
        table[key] = one


def _ratios(report: Report, base: Report) -> dict[str, float]:
    ratios = {"parameters": _ratio(report.parameters, base.parameters)}
    # Each backend counts in its own way; time is that of a machine.
    circumstances = {
        "flops": _backend,
        "seconds_one": _machine,
        "seconds_batch": _machine,
    }
    for name, circumstance in circumstances.items():
        ratios[name] = math.nan
        if circumstance(report) == circumstance(base):
            ratios[name] = _ratio(
                getattr(report.cost, name, None),
                getattr(base.cost, name, None),
            )
    return ratios


def _backend(report: Report) -> str | None:
    return report.environment.get("backend")


def _machine(report: Report) -> tuple:
    return (
        _backend(report),
        report.environment.get("platform"),
        getattr(report.cost, "device", None),
        getattr(report.cost, "batch_size", None),
    )


def _ratio(value: float | None, base: float | None) -> float:
    return value / base if value is not None and base else math.nan
