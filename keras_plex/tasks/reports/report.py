"""What an evaluation found: to look at, to keep, to read by a machine."""

import dataclasses
import json
import math
import os
import pathlib
from typing import Any

import numpy as np

from keras_plex.tables import lookup
from keras_plex.tasks.cost import Cost
from keras_plex.tasks.reports.files import save_files
from keras_plex.tasks.reports.markdown import report_as_markdown
from keras_plex.tasks.reports.plain_data import replace_non_finite
from keras_plex.tasks.reports.read_report import SCHEMA
from keras_plex.tasks.reports.read_report import read_report
from keras_plex.tasks.reports.read_report import result_as_dict
from keras_plex.tasks.reports.report_page import report_page
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.resume.folder import FOLDER

JSON_FILE = "report.json"
FILES = (JSON_FILE, "report.md", "report.html")


@dataclasses.dataclass(frozen=True)
class Report:
    """What `keras_plex.evaluate` measured on one model.

    Args:
        model: its name.
        parameters: the number of its weights.
        ensemble_size: of the model; 1 if it is no ensemble.
        results: one per task, in their order; `report["calibration"]` finds
            one by its name.
        settings: `seed`, `resamples`, `batch_size`, `max_examples`.
        environment: versions, backend, platform and date.
        seconds: of the whole evaluation.
        cost: of one forecast, if `evaluate` measured it.
    """

    model: str
    parameters: int
    ensemble_size: int
    results: tuple[TaskResult, ...]
    settings: dict[str, Any]
    environment: dict[str, str]
    seconds: float
    cost: Cost | None = None

    def __getitem__(self, name: str) -> TaskResult:
        by_name = {result.name: result for result in self.results}
        return lookup(by_name, name, "result")

    @property
    def reliability_score(self) -> float:
        """One number from 0 to 100 for all tasks; higher is better.

        The simple mean, times 100, of the scored measures of all tasks, each
        brought to [0, 1] and cut to it:

        | task | measure | counts as |
        |---|---|---|
        | calibration | `ece` | 1 - ECE |
        | selective prediction | `calibration_auc` | itself |
        | open-set recognition | `auroc` | itself |
        | label uncertainty | `kl` | 1 - KL / ln K |
        | in-distribution | `accuracy`, `nll` | itself; 1 - NLL / ln K |
        | covariate shift | `accuracy`, `nll`, `ece` | likewise |
        | subpopulation shift | `accuracy_p25` | itself |
        | few-shot learning | `accuracy`, `nll` | itself; 1 - NLL / ln K |
        | few-shot uncertainty | `ece`, `calibration_auc` | likewise |
        | and with unknown sets | `auroc` | itself |
        | active learning | `aubc` | itself |

        K is the number of classes, of the few-shot data where these are others,
        and ln K the NLL of a model that knows nothing. Those of the few-shot
        tasks are means over the shots, one shot left out.
        A measure that is NaN, as `calibration_auc` without errors, is left
        out. Compare it for the same tasks on the same data only. NaN without
        tasks.

        Reference:
            Tran et al., 2022, "Plex: towards reliability using pretrained
            large model extensions".
        """
        return _score(self.results)

    @property
    def category_scores(self) -> dict[str, float]:
        """`reliability_score` of the tasks of each category that is there."""
        names = dict.fromkeys(result.category for result in self.results)
        return {
            name: _score(
                tuple(one for one in self.results if one.category == name)
            )
            for name in names
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain data; NaN is `None`, infinity `"Infinity"`."""
        found = {
            "schema": SCHEMA,
            "model": self.model,
            "parameters": self.parameters,
            "ensemble_size": self.ensemble_size,
            "reliability_score": self.reliability_score,
            "category_scores": self.category_scores,
            "cost": None if self.cost is None else self.cost.to_dict(),
            "results": [result_as_dict(result) for result in self.results],
            "settings": self.settings,
            "environment": self.environment,
            "seconds": self.seconds,
        }
        return replace_non_finite(found)

    def to_json(self) -> str:
        """`to_dict` as JSON text; `schema` names its version."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """A page with one table for all headlines, and one for each task."""
        return report_as_markdown(self)

    def to_html(self) -> str:
        """A page with plots: one file that asks for nothing from elsewhere."""
        return report_page(self)

    def save(self, directory: str | os.PathLike) -> pathlib.Path:
        """Writes `report.json`, `report.md` and `report.html`, or nothing.

        Args:
            directory: a new or empty one, or one that holds a report, which is
                replaced, or the evidence of `evaluate`, which stays.
        """
        texts = self.to_json(), self.to_markdown(), self.to_html()
        files: dict[str, str] = dict(zip(FILES, texts, strict=True))
        return save_files(directory, files, schema=SCHEMA, beside=[FOLDER])

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Report":
        """The report that `save` wrote.

        Args:
            path: the directory, or its `report.json`.

        Raises:
            ValueError: for a file that is no report of this version.
        """
        path = pathlib.Path(path)
        if path.is_dir():
            path = path / JSON_FILE
        return cls(**read_report(path))


def _score(results: tuple[TaskResult, ...]) -> float:
    values = [one for r in results for one in r.normalized().values()]
    return 100.0 * float(np.mean(values)) if values else math.nan
