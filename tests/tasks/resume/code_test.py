"""What code does counts, and where it stands does not."""

import os
import subprocess
import sys

import pytest

from keras_plex.tasks.resume.code import mark_code
from keras_plex.tasks.resume.code import names_in

SOURCE = "lambda x: x in {'a', 'b', 'c'} and (lambda y: y + 1)(x)"


def mark(source):
    return mark_code(eval(source).__code__)


@pytest.mark.parametrize(
    "other",
    [
        "lambda x: x + 2",
        "lambda x: x - 1",
        "lambda x: x + 1.0",
        "lambda x: x + True",
        "lambda x: x.a + 1",
        "lambda x: (lambda: x + 1)()",
        "lambda x, y: x + 1",
    ],
)
def test_what_it_does_counts(other):
    assert mark("lambda x: x + 1") != mark(other)


@pytest.mark.parametrize("inner", ["x.a", "2", "'b'", "x - 1"])
def test_functions_within_count(inner):
    assert mark("lambda x: (lambda: 1)()") != mark(
        f"lambda x: (lambda: {inner})()"
    )


def test_lines_do_not_count():
    assert mark("lambda x: x + 1") == mark("lambda x: (\n\n x + 1)")


@pytest.mark.slow
def test_another_process_gives_the_same():
    command = (
        "from keras_plex.tasks.resume.code import mark_code\n"
        f"print(mark_code(({SOURCE}).__code__))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", command],
        env={**os.environ, "PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
    )
    assert ended.stdout.strip() == mark(SOURCE), ended.stderr[-1000:]


def test_names_are_those_of_all_functions_within():
    code = eval("lambda x: a(x).b + (lambda: c)()").__code__
    assert names_in(code) == {"a", "b", "c"}
