"""Evidence in files, so that an evaluation that was killed goes on."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any

import keras

from keras_plex.tasks.collect import OnProgress
from keras_plex.tasks.collect import check_tasks
from keras_plex.tasks.collect import collect_evidence
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.examples import Evidence
from keras_plex.tasks.examples import Examples
from keras_plex.tasks.parts import Columns
from keras_plex.tasks.parts import Part
from keras_plex.tasks.parts import ReadyScores
from keras_plex.tasks.parts import join_parts
from keras_plex.tasks.parts import shares_passes
from keras_plex.tasks.parts import uses_by_data_set
from keras_plex.tasks.resume.facts import Facts
from keras_plex.tasks.resume.folder import EvidenceFolder
from keras_plex.tasks.task import Task
from keras_plex.types import Config


def collect_or_restore(
    model: keras.Model,
    tasks: Sequence[Task],
    directory: str | os.PathLike,
    *,
    batch_size: int = 32,
    max_examples: int | None = None,
    on_progress: OnProgress | None = None,
) -> list[Evidence]:
    """The evidence of each task, of which each finished data set is kept.

    What `directory/evidence` holds is not computed again; a file that is
    damaged is. A task with a `predict` of its own is kept as a whole.

    Args:
        model: a `PlexModel` or another ensemble, or any Keras classifier.
        tasks: what is to be measured.
        directory: of this model alone.
        batch_size: for arrays. Defaults to `32`.
        max_examples: of each set, the first ones. Defaults to all.
        on_progress: called after each batch.

    Raises:
        ValueError: before the first pass, for a directory that holds evidence
            of another model, of other data or with other settings.
    """
    sharing = [task for task in tasks if shares_passes(task)]
    others = [task for task in tasks if not shares_passes(task)]
    check_tasks(model, sharing, batch_size)
    options: dict[str, Any] = {
        "batch_size": batch_size,
        "max_examples": max_examples,
    }
    kept = _Kept(EvidenceFolder(directory, model, **options), model, batch_size)
    restored = {task.name: kept.restore_task(task) for task in others}
    known = kept.restore_sets(sharing)
    options["on_progress"] = on_progress
    _collect_sets(model, sharing, known, kept, options)
    found = {task.name: join_parts(task, known) for task in sharing}
    for task in others:
        evidence = restored[task.name]
        if evidence is None:
            evidence = kept.save_task(task, task.predict(model, **options))
        found[task.name] = evidence
    return [found[task.name] for task in tasks]


def _collect_sets(
    model: keras.Model,
    tasks: Sequence[Task],
    known: dict[tuple[str, str], Columns],
    kept: "_Kept",
    options: dict[str, Any],
) -> None:
    """Fills in what is not known, one data set after the other."""
    scores = ReadyScores(model, options["batch_size"], options["max_examples"])
    for uses in uses_by_data_set(tasks).values():
        missing = [use for use in uses if use.place not in known]
        if not missing:
            continue
        # What the others read of the batches is no sample weight.
        has_groups = any(_reads_groups(use.data_set) for use in uses)
        parts = [
            Part(
                use.task,
                use.set_name,
                _with_groups(use.data_set) if has_groups else use.data_set,
                scores.of(use.task),
            )
            for use in missing
        ]
        found = collect_evidence(model, parts, **options)
        for use, evidence in zip(missing, found, strict=True):
            known[use.place] = kept.save_set(use, evidence)


def _reads_groups(data_set: DataSet) -> bool:
    """Whether the third part of its batches is the group."""
    return data_set.needs_groups and data_set.groups is None


def _with_groups(data_set: DataSet) -> DataSet:
    return dataclasses.replace(data_set, needs_groups=True)


class _Kept:
    """Evidence as files of a folder."""

    def __init__(
        self, folder: EvidenceFolder, model: keras.Model, batch_size: int
    ):
        self.folder = folder
        self.facts = Facts(model, batch_size)
        self.of_task: dict[str, Config] = {}

    def restore_sets(
        self, tasks: Sequence[Task]
    ) -> dict[tuple[str, str], Columns]:
        known = {}
        for uses in uses_by_data_set(tasks).values():
            for use in uses:
                facts = self.facts.of_set(use)
                read = self.folder.restore(use.place, facts)
                if read is not None:
                    found, columns = read
                    known[use.place] = Columns(
                        columns, found["num_classes"], found["seconds"]
                    )
        return known

    def save_set(self, use: Any, evidence: Evidence) -> Columns:
        columns = evidence[use.set_name].columns
        found = {
            "num_classes": evidence.num_classes,
            "seconds": evidence.seconds,
        }
        facts = self.facts.of_set(use)
        self.folder.save(use.place, facts, found, columns)
        return Columns(columns, **found)

    def restore_task(self, task: Task) -> Evidence | None:
        # Before `predict`, which may leave its traces in the task.
        facts = self.of_task[task.name] = self.facts.of_task(task)
        read = self.folder.restore((task.name, ""), facts)
        if read is None:
            return None
        found, entries = read
        sets = {}
        for number, (name, drawn_with) in enumerate(found["sets"]):
            prefix = f"{number}/"
            columns = {
                entry.removeprefix(prefix): column
                for entry, column in entries.items()
                if entry.startswith(prefix)
            }
            sets[name] = Examples(columns, drawn_with=drawn_with)
        return Evidence(sets, found["num_classes"], found["seconds"])

    def save_task(self, task: Task, evidence: Evidence) -> Evidence:
        found = {
            "sets": [[k, one.drawn_with] for k, one in evidence.sets.items()],
            "num_classes": evidence.num_classes,
            "seconds": evidence.seconds,
        }
        columns = {
            f"{number}/{name}": column
            for number, one in enumerate(evidence.sets.values())
            for name, column in one.columns.items()
        }
        facts = self.of_task[task.name]
        self.folder.save((task.name, ""), facts, found, columns)
        return evidence
