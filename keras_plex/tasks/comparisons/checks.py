"""What must hold of reports that are put side by side."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

from keras_plex.tables import lookup

if TYPE_CHECKING:
    from keras_plex.tasks.reports.report import Report


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


def checked_baseline(items: Mapping[str, Any], baseline: str | None) -> str:
    """The name of the baseline, the first by default."""
    if baseline is None:
        return next(iter(items))
    lookup(items, baseline, "baseline")
    return baseline


def check_comparable(reports: Mapping[str, "Report"], baseline: str) -> None:
    """Raises for reports on other tasks, data or draws than the baseline's."""
    expected = reports[baseline]
    for name, report in reports.items():
        for what, one, other in _aspects(report, expected):
            if one != other:
                raise ValueError(
                    "Models are compared on the same tasks, data and "
                    f"resamples. {what} of {name!r} must be that of "
                    f"{baseline!r}, {other!r}: evaluate both again. "
                    f"Received: {one!r}"
                )


def _aspects(
    report: "Report", expected: "Report"
) -> list[tuple[str, Any, Any]]:
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
        ]
    return found


def _tasks(report: "Report") -> list[str]:
    return [f"{result.name} ({result.kind})" for result in report.results]
