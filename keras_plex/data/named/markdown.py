"""The tables of named data sets and benchmarks, as their page shows them.

`python -m keras_plex.data.named.markdown PAGE` writes them into the page.
"""

import itertools
import pathlib
import re
import sys
from collections.abc import Iterable
from collections.abc import Mapping

from keras_plex.data.named.benchmark import Benchmark
from keras_plex.data.named.benchmark import Part
from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.data.named.downloads import size_in_words
from keras_plex.data.named.named_data_set import NamedDataSet
from keras_plex.data.named.table import DATA_SETS

DATA_SETS_HEADER = (
    "name",
    "in TensorFlow Datasets",
    "classes",
    "examples",
    "download",
    "fetch yourself",
    "licence",
    "by",
)
BENCHMARKS_HEADER = ("name", "measured on", "shifted or unknown", "training")


def write_tables(page: str) -> str:
    """The text of the page, with the tables as they are now.

    Args:
        page: text that holds `<!-- benchmarks -->` and `<!-- data sets -->`,
            each followed by `<!-- end -->`.
    """
    for title, table in (
        ("benchmarks", benchmarks_table(BENCHMARKS)),
        ("data sets", data_sets_table(DATA_SETS.values())),
    ):
        place = re.compile(f"(<!-- {title} -->\n).*?(<!-- end -->)", re.S)
        page = place.sub(
            lambda found, t=table: f"{found[1]}\n{t}\n{found[2]}", page
        )
    return page


def data_sets_table(rows: Iterable[NamedDataSet]) -> str:
    """Markdown, a line for each data set; those of one folder share it.

    Args:
        rows: of `DATA_SETS`.
    """
    lines = [_line(DATA_SETS_HEADER), _line(["---"] * len(DATA_SETS_HEADER))]
    for _, folder in itertools.groupby(rows, _folder):
        lines.append(_line(_data_set_cells(list(folder))))
    return "\n".join(lines) + "\n"


def benchmarks_table(rows: Mapping[str, Benchmark]) -> str:
    """Markdown, a line for each benchmark.

    Args:
        rows: `BENCHMARKS`.
    """
    lines = [_line(BENCHMARKS_HEADER), _line(["---"] * len(BENCHMARKS_HEADER))]
    for name, row in rows.items():
        others = [_part(part) for part in row.others.values()]
        others += row.options.get("corruptions", ())
        if len(others) > 3:
            others = [*others[:2], f"and {len(others) - 2} more"]
        train = "" if row.train is None else _part(row.train)
        lines.append(
            _line([f"`{name}`", _part(row.test), ", ".join(others), train])
        )
    return "\n".join(lines) + "\n"


def _folder(row: NamedDataSet) -> str:
    return row.name.partition("/")[0]


def _data_set_cells(folder: list[NamedDataSet]) -> list[str]:
    row = folder[0]
    more = f" and {len(folder) - 1} more" if len(folder) > 1 else ""
    yourself = [*row.manual, *([row.file] if row.file else [])]
    return [
        f"[`{row.name}`]({row.homepage}){more}",
        f"`{row.tfds}`" if row.tfds else "no",
        " or ".join(map(str, row.labels)),
        ", ".join(f"{name} {_number(n)}" for name, n in row.splits.items()),
        size_in_words(row.download_bytes) if row.tfds else "",
        ", ".join(yourself),
        row.licence or "see its page",
        row.citation,
    ]


def _part(part: Part) -> str:
    grouped = ", grouped" if part.with_groups else ""
    return f"{part.data_set} {part.split}{grouped}"


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    path.write_text(write_tables(path.read_text("utf-8")), "utf-8")
