"""Bars that show how far an evaluation is."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn


@contextlib.contextmanager
def show_progress(
    verbose: int,
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Gives a function that moves the bar of that name."""
    if not verbose:
        yield lambda name, count, total: None
        return
    progress = Progress(
        TextColumn("{task.description:<36}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        # Output can be piped.
        console=Console(stderr=True),
    )
    bars = {}

    def move(name: str, count: int, total: int | None) -> None:
        if name not in bars:
            bars[name] = progress.add_task(name, total=total)
        done = count if total is None else min(count, total)
        progress.update(bars[name], completed=done)

    with progress:
        yield move
