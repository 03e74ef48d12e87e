"""The page shows every number with its direction."""

import dataclasses
import math

import pytest

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks import SelectivePrediction
from keras_plex.tasks.reports.markdown import number
from keras_plex.tasks.reports.markdown import one_line
from keras_plex.tasks.reports.result import Value
from tests.task_cases import TEST
from tests.task_cases import logits_model

REPORT = keras_plex.evaluate(
    logits_model(),
    [Calibration(TEST), SelectivePrediction(TEST)],
    resamples=20,
    verbose=0,
)


def test_every_measure_is_there_with_its_direction():
    page = REPORT.to_markdown()
    for result in REPORT.results:
        assert f"## {result.name}\n" in page
        for name, value in result.measures.items():
            arrow = "↑" if value.higher_is_better else "↓"
            assert f"| {name} {arrow} | {value.value:.4f} [" in page
    assert "- seed: 0\n" in page


def test_tables_have_as_many_cells_as_heads():
    lines = REPORT.to_markdown().splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {row.count("|") for row in rows} == {4, 5}


def test_what_is_undefined_is_called_so():
    result = REPORT.results[0]
    nothing = Value(math.nan, math.nan, math.nan, False)
    undefined = dataclasses.replace(
        result, measures={**result.measures, "ece": nothing}
    )
    page = dataclasses.replace(REPORT, results=(undefined,)).to_markdown()
    assert "| ece ↓ | undefined |" in page


def test_numbers_are_written_for_readers():
    assert number(math.nan) == "undefined"
    assert [number(sign * math.inf) for sign in (1, -1)] == ["∞", "-∞"]
    assert number(math.inf, signed=True) == "+∞"
    assert number(0.5, 1, signed=True) == "+0.5"


@pytest.mark.parametrize(
    "name, expected",
    [
        ("in_distribution", "in_distribution"),
        ("fog/3 (near)", "fog/3 (near)"),
        ("<script>", "&lt;script&gt;"),
        ("a & &lt;", "a &amp; &amp;lt;"),
        ("`a` *b* ~c~", r"\`a\` \*b\* \~c\~"),
        ("_a_ __b__ c_", r"\_a\_ \_\_b\_\_ c\_"),
        ("[a](b)", r"\[a\](b)"),
        ("a\\|b #", r"a\\\|b \#"),
        ("a\n# b", r"a \# b"),
    ],
)
def test_a_name_is_shown_as_it_is(name, expected):
    assert one_line(name) == expected


def test_names_are_no_markup():
    nasty = "<img src=x onerror=alert(1)>"
    result = REPORT.results[0]
    value = result.measures["ece"]
    changed = dataclasses.replace(
        result,
        name=nasty,
        headline=f"{nasty}/ece",
        scored=(),
        measures={f"{nasty}/ece": value},
        num_examples={nasty: 3},
    )
    page = dataclasses.replace(
        REPORT,
        model=nasty,
        results=(changed,),
        settings={nasty: nasty},
        environment={},
    ).to_markdown()
    assert page.count("&lt;img src=x") == 8 and "<" not in page


def test_a_missing_interval_is_explained():
    few = keras_plex.evaluate(
        logits_model(), [Calibration(TEST)], resamples=1, verbose=0
    )
    page = few.to_markdown()
    ece = few["calibration"]["ece"]
    assert f"| ece ↓ | {ece.value:.4f} |" in page
    assert "of fewer than 20 examples or resamples there is none" in page
