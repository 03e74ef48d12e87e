"""A report as plain data, and the report that such data hold."""

import dataclasses
import json
import math
import pathlib
from typing import Any

from keras_plex.tasks.cost import Cost
from keras_plex.tasks.reports.plain_data import decode_drawn
from keras_plex.tasks.reports.plain_data import encode_drawn
from keras_plex.tasks.reports.plain_data import number
from keras_plex.tasks.reports.plain_data import restore_infinities
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.reports.result import Value

SCHEMA = "keras_plex.report/4"
# The third has null for infinities; the second no settings of tasks, either.
READABLE = (SCHEMA, "keras_plex.report/3", "keras_plex.report/2")


def result_as_dict(result: TaskResult) -> dict[str, Any]:
    """Plain data, but for numbers that are not finite."""
    return {
        **dataclasses.asdict(result),
        "scored": list(result.scored),
        "measures": {
            name: {
                **dataclasses.asdict(value),
                "drawn": encode_drawn(value.drawn),
            }
            for name, value in result.measures.items()
        },
        "normalized": result.normalized(),
    }


def read_report(path: pathlib.Path) -> dict[str, Any]:
    """The arguments of the `Report` in a file.

    Raises:
        ValueError: for a file that is no report of this version.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"There is no report {str(path)!r}. Pass a directory that "
            "`Report.save` wrote, or its `report.json`."
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} is no report: it holds no JSON. {error}"
        ) from error
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema not in READABLE:
        raise ValueError(
            f"{str(path)!r} must be a report of schema {SCHEMA!r}: evaluate "
            f"and save it again. Received: schema={schema!r}"
        )
    try:
        return report_arguments(found)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} is no whole report. {type(error).__name__}: {error}"
        ) from error


def report_arguments(found: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a `Report` from its `to_dict`."""
    cost = found["cost"]
    return {
        "model": found["model"],
        "parameters": found["parameters"],
        "ensemble_size": found["ensemble_size"],
        "results": tuple(map(_result, found["results"])),
        "settings": found["settings"],
        "environment": found["environment"],
        "seconds": found["seconds"],
        "cost": None if cost is None else Cost(**cost),
    }


def _result(found: dict[str, Any]) -> TaskResult:
    fields = {one.name for one in dataclasses.fields(TaskResult)}
    arguments = {key: one for key, one in found.items() if key in fields}
    return TaskResult(
        **{
            **arguments,
            "scored": tuple(found["scored"]),
            "curves": restore_infinities(found["curves"]),
            "measures": {
                name: _value(one, is_counted=name in found["normalized"])
                for name, one in found["measures"].items()
            },
        }
    )


def _value(found: dict[str, Any], *, is_counted: bool) -> Value:
    is_higher = found["higher_is_better"]
    value = number(found["value"])
    # What counts is no NaN: older files have null for infinities, too.
    if math.isnan(value) and is_counted:
        value = -math.inf if is_higher else math.inf
    return Value(
        value,
        number(found["low"]),
        number(found["high"]),
        is_higher,
        decode_drawn(found["drawn"]),
    )
