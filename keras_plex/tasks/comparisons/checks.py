"""What must hold of reports that are put side by side."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

from keras_plex.tables import lookup
from keras_plex.tasks.open_set_recognition import OpenSetRecognition
from keras_plex.tasks.reports.report import Report
from keras_plex.tasks.reports.result import TaskResult
from keras_plex.tasks.table import TASKS

# Characters of a value in an error.
LONGEST = 300


def check_names(items: Any, what: str) -> None:
    """Raises unless `items` maps two or more names to something."""
    if not isinstance(items, Mapping):
        raise ValueError(
            f"`{what}` must be a dict by name, as in "
            '{"base": base, "plex": plex}. '
            f"Received: {type(items).__name__}"
        )
    if len(items) < 2:
        raise ValueError(
            f"`{what}` must hold at least two, one of them the baseline. "
            f"Received: {list(items)}"
        )
    for name in items:
        if not isinstance(name, str) or not name:
            raise ValueError(
                f"The names of `{what}` must be strings that are not empty. "
                f"Received: {name!r}"
            )


def check_reports(items: Mapping[str, Any]) -> None:
    """Raises unless each item is a report."""
    for name, item in items.items():
        if not isinstance(item, Report):
            raise ValueError(
                f"`reports[{name!r}]` must be a `Report`; `Report.load(path)` "
                f"reads one that was saved. Received: {item!r:.80}"
            )


def checked_baseline(items: Mapping[str, Any], baseline: str | None) -> str:
    """The name of the baseline, the first by default."""
    if baseline is None:
        return next(iter(items))
    lookup(items, baseline, "baseline")
    return baseline


def check_comparable(reports: Mapping[str, Report], baseline: str) -> None:
    """Raises for other tasks, options, data or draws than the baseline's."""
    expected = reports[baseline]
    for name, report in reports.items():
        for what, one, other in _aspects(report, expected):
            if one != other:
                raise ValueError(
                    "Models are compared on the same tasks, options, data and "
                    f"resamples. {what} of {name!r} must be that of "
                    f"{baseline!r}, {_told(other)}: evaluate both again. "
                    f"Received: {_told(one)}"
                )


def _told(value: Any) -> str:
    """A value in an error: of seventy-five sets a few will do."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _aspects(report: Report, expected: Report) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = [
        ("The list of tasks", _tasks(report), _tasks(expected)),
    ]
    if found[0][1] != found[0][2]:
        return found
    for key in ("seed", "resamples", "max_examples"):
        found.append(
            (
                f"The setting {key}",
                report.settings.get(key),
                expected.settings.get(key),
            )
        )
    for one, other in zip(report.results, expected.results, strict=True):
        marks = [one.fingerprints, other.fingerprints]
        both = [name for name in marks[0] if name in marks[1]]
        task = f"of the task {one.name!r}"
        found += [
            (
                f"The number of classes {task}",
                one.num_classes,
                other.num_classes,
            ),
            (f"The examples {task}", one.num_examples, other.num_examples),
            *(
                (f"The data {name!r} {task}", marks[0][name], marks[1][name])
                for name in both
            ),
            *_settings_aspects(one, other, both),
        ]
    return found


def _settings_aspects(
    one: TaskResult, other: TaskResult, of_arrays: Sequence[str]
) -> list[tuple[str, Any, Any]]:
    """What the settings say; `of_arrays` are names of sets of equal arrays."""
    task = f"of the task {one.name!r}"
    if one.settings is None or other.settings is None:
        pair = _measured(one), _measured(other)
        return [(f"The measures {task}", *_parting(*pair))]
    options = one.settings["options"], other.settings["options"]
    sets = (
        _corruptions(one.settings["sets"], of_arrays),
        _corruptions(other.settings["sets"], of_arrays),
    )
    return [
        *(
            (f"The option {name!r} {task}", options[0][name], options[1][name])
            for name in options[0]
            if name in options[1]
        ),
        (f"The sets {task}", *_parting(*sets)),
    ]


def _corruptions(
    sets: Mapping[str, list | None], of_arrays: Sequence[str]
) -> dict[str, list | None]:
    """What was done to the data of each set.

    The value range counts for the very same arrays. Other data may come as
    each model takes them: the same images, from 0 to 1 or from 0 to 255.
    """
    return {
        name: drawn if drawn is None or name in of_arrays else drawn[:2]
        for name, drawn in sets.items()
    }


def _measured(result: TaskResult) -> dict[str, None]:
    """The measures that all models have: those of our tasks, one score."""
    if result.kind not in TASKS:
        return {}
    names = list(result.measures)
    if result.kind == OpenSetRecognition.kind:
        # An ensemble has more scores, after the first.
        scores = {name: name.split("/")[-2] for name in names if "/" in name}
        first = next(iter(scores.values()), None)
        names = [one for one in names if scores.get(one, first) == first]
    return dict.fromkeys(names)


def _parting(
    one: Mapping[str, Any], other: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The entries of each that the other lacks."""
    shared = {key for key in one if key in other and one[key] == other[key]}
    return (
        {key: value for key, value in one.items() if key not in shared},
        {key: value for key, value in other.items() if key not in shared},
    )


def _tasks(report: Report) -> list[str]:
    return [f"{result.name} ({result.kind})" for result in report.results]
