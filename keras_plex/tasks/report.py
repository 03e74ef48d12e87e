"""What an evaluation found: to look at, to keep, to read by a machine."""

import dataclasses
import json
import math
import os
import pathlib
import uuid
from typing import Any

import numpy as np

from keras_plex.tables import lookup
from keras_plex.tasks.markdown import report_as_markdown
from keras_plex.tasks.result import TaskResult

SCHEMA = "keras_plex.report/1"
JSON_FILE, MARKDOWN_FILE = "report.json", "report.md"


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
    """

    model: str
    parameters: int
    ensemble_size: int
    results: tuple[TaskResult, ...]
    settings: dict[str, Any]
    environment: dict[str, str]
    seconds: float

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
        """Plain data; a number that is not finite is `None`."""
        results = [
            {
                **dataclasses.asdict(result),
                "scored": list(result.scored),
                "normalized": result.normalized(),
            }
            for result in self.results
        ]
        found = {
            "schema": SCHEMA,
            "model": self.model,
            "parameters": self.parameters,
            "ensemble_size": self.ensemble_size,
            "reliability_score": self.reliability_score,
            "category_scores": self.category_scores,
            "results": results,
            "settings": self.settings,
            "environment": self.environment,
            "seconds": self.seconds,
        }
        return _finite(found)

    def to_json(self) -> str:
        """`to_dict` as JSON text; `schema` names its version."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """A page with one table for all headlines, and one for each task."""
        return report_as_markdown(self)

    def save(self, directory: str | os.PathLike) -> pathlib.Path:
        """Writes `report.json` and `report.md`; never half a file.

        Args:
            directory: a new or empty one, or one that holds a report alone,
                which is replaced.
        """
        directory = pathlib.Path(directory)
        if directory.exists() and not directory.is_dir():
            raise ValueError(
                "`directory` must be a directory. "
                f"Received: the file {str(directory)!r}"
            )
        directory.mkdir(parents=True, exist_ok=True)
        names = {path.name for path in directory.iterdir()}
        ours = {JSON_FILE, MARKDOWN_FILE} if _is_report(directory) else set()
        others = sorted(names - ours)
        if others:
            raise ValueError(
                f"The directory {str(directory)!r} holds other files, which a "
                "report will not join. Pass an empty or a new one. "
                f"Received: {others[:3]}"
            )
        _write(directory / JSON_FILE, self.to_json())
        _write(directory / MARKDOWN_FILE, self.to_markdown())
        return directory


def _is_report(directory: pathlib.Path) -> bool:
    """Whether the directory holds a report, of whatever version."""
    try:
        found = json.loads((directory / JSON_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    schema = found.get("schema") if isinstance(found, dict) else None
    return str(schema).startswith(SCHEMA.partition("/")[0] + "/")


def _score(results: tuple[TaskResult, ...]) -> float:
    values = [one for r in results for one in r.normalized().values()]
    return 100.0 * float(np.mean(values)) if values else math.nan


def _finite(value: Any) -> Any:
    """The same structure; JSON has no NaN and no infinity."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _write(path: pathlib.Path, text: str) -> None:
    # Beside the directory: in it, a leftover would be another file.
    unfinished = path.parent.with_name(
        f".{path.parent.name}.{path.name}.{uuid.uuid4().hex}"
    )
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
