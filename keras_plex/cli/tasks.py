"""What can be measured, and what it needs."""

import argparse
import json
from typing import Any

from rich.console import Console
from rich.table import Table

from keras_plex.cli.build_tasks import option_names
from keras_plex.cli.named_tasks import describe_benchmarks
from keras_plex.cli.task_needs import NEEDS
from keras_plex.tasks.table import TASKS

HELP = "list the tasks, what data they need, and the named benchmarks"

EXAMPLES = """\
examples:
  keras-plex tasks
  keras-plex tasks --json
"""

MEBIBYTE = 2**20


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
    table = Table(title="Tasks", show_lines=True)
    table.add_column("task", no_wrap=True)
    for column in ("category", "--data", "headline"):
        table.add_column(column, overflow="fold")
    for task in tasks:
        table.add_row(
            task["kind"],
            task["category"],
            "\n".join(task["data"]).replace("[", "\\["),
            task["headline"],
        )
    console.print(table)
    if benchmarks:
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


def _table_of_benchmarks(benchmarks: list[dict[str, Any]]) -> Table:
    table = Table(title="Named benchmarks")
    for column in ("name", "modality", "data set", "download", "licence"):
        table.add_column(column, overflow="fold")
    for one in benchmarks:
        rows = one["data_sets"]
        table.add_row(
            one["name"],
            one["modality"],
            "\n".join(row["name"] for row in rows),
            "\n".join(_size(row["download_bytes"]) for row in rows),
            "\n".join(row["licence"] or "see its page" for row in rows),
        )
    return table


def _size(count: int | None) -> str:
    return "?" if count is None else f"{count / MEBIBYTE:,.1f} MiB"
