"""What can be measured, and what it needs."""

import argparse
import itertools
import json
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from keras_plex.cli.build_tasks import option_names
from keras_plex.cli.named_tasks import describe_benchmarks
from keras_plex.cli.task_needs import NEEDS
from keras_plex.data.named.downloads import size_in_words
from keras_plex.tasks.table import TASKS

HELP = "list the tasks, what data they need, and the named benchmarks"

EXAMPLES = """\
examples:
  keras-plex tasks
  keras-plex tasks --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace) -> None:
    """Prints two tables, or JSON."""
    tasks = [describe_task(kind) for kind in TASKS]
    benchmarks = describe_benchmarks()
    if arguments.json:
        found = {"tasks": tasks, "benchmarks": benchmarks}
        print(json.dumps(found, indent=2))
        return
    console = Console()
    console.print(_table_of_tasks(tasks))
    console.print()
    console.print(_table_of_benchmarks(benchmarks))


def describe_task(kind: str) -> dict[str, Any]:
    """Plain data."""
    task = TASKS[kind]
    is_ready = kind in NEEDS
    return {
        "kind": kind,
        "category": task.category,
        "headline": task.headline,
        "scored": list(task.scored),
        "data": [str(need) for need in NEEDS[kind]] if is_ready else [],
        "options": option_names(kind) if is_ready else [],
        "meaning": (task.__doc__ or "").partition("\n")[0],
    }


def _table_of_tasks(tasks: list[dict[str, Any]]) -> Table:
    table = _table("Tasks")
    table.add_column("--task", no_wrap=True)
    table.add_column("--data", no_wrap=True)
    table.add_column("--option")
    table.add_column("headline", no_wrap=True)
    for category, group in itertools.groupby(tasks, _category):
        table.add_row(f"[italic]{category}")
        for task in group:
            table.add_row(
                task["kind"],
                escape("\n".join(task["data"])),
                ", ".join(task["options"]),
                task["headline"],
            )
        table.add_section()
    return table


def _category(task: dict[str, Any]) -> str:
    return task["category"]


def _table_of_benchmarks(benchmarks: list[dict[str, Any]]) -> Table:
    table = _table("Named benchmarks")
    for column in ("--task", "download"):
        table.add_column(column, no_wrap=True)
    table.add_column("data sets")
    by_modality = sorted(benchmarks, key=_modality)
    for modality, group in itertools.groupby(by_modality, _modality):
        table.add_row(f"[italic]{modality}")
        for one in group:
            names = [row["name"].partition("/")[0] for row in one["data_sets"]]
            table.add_row(
                one["name"],
                _download(one["data_sets"]),
                ", ".join(dict.fromkeys(names)),
            )
        table.add_section()
    table.caption = (
        "by hand: with files that you must fetch yourself. --json has all data "
        "sets, their licences and pages."
    )
    return table


def _modality(benchmark: dict[str, Any]) -> str:
    return benchmark["modality"]


def _table(title: str) -> Table:
    return Table(
        title=title,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_justify="left",
        caption_justify="left",
    )


def _download(data_sets: list[dict[str, Any]]) -> str:
    """How much it is in all, or that it must be fetched by hand."""
    if any(row["manual"] for row in data_sets):
        return "by hand"
    sizes = [row["download_bytes"] for row in data_sets]
    return size_in_words(None if None in sizes else sum(sizes))
