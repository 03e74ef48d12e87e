"""The page shows the tables as they are."""

import pathlib

from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.data.named.markdown import benchmarks_table
from keras_plex.data.named.markdown import data_sets_table
from keras_plex.data.named.markdown import write_tables
from keras_plex.data.named.table import DATA_SETS

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "guides" / "named_benchmarks.md"


def test_page_equals_the_tables():
    page = PAGE.read_text()
    assert write_tables(page) == page, (
        f"Run: python -m keras_plex.data.named.markdown {PAGE}"
    )
    assert data_sets_table(DATA_SETS.values()) in page
    assert benchmarks_table(BENCHMARKS) in page


def test_line_says_what_the_row_says():
    lines = data_sets_table([DATA_SETS["mnli"]]).splitlines()
    assert len(lines) == 3
    cells = [cell.strip() for cell in lines[2].strip("|").split("|")]
    assert cells[1:3] == ["`glue/mnli:2.0.0`", "3 or 2"]
    assert "train 392,702" in cells[3]
    assert cells[4] == "298.3 MiB" and cells[7] == "Williams et al., 2018"


def test_family_has_one_line():
    rows = [row for name, row in DATA_SETS.items() if "corrupted" in name]
    lines = data_sets_table(rows).splitlines()
    assert len(lines) == 3 and "and 74 more" in lines[2]


def test_many_shifts_are_counted():
    name = "covariate_shift/imagenet"
    line = benchmarks_table({name: BENCHMARKS[name]}).splitlines()[2]
    assert line.startswith(f"| `{name}` | imagenet2012 validation |")
    assert "and 76 more" in line
