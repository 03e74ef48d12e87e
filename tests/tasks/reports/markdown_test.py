"""The page shows every number with its direction."""

import dataclasses
import math

import keras_plex
from keras_plex.tasks import Calibration
from keras_plex.tasks import SelectivePrediction
from keras_plex.tasks.reports.result import Value
from tests.task_cases import TEST
from tests.task_cases import logits_model

REPORT = keras_plex.evaluate(
    logits_model(),
    [Calibration(TEST), SelectivePrediction(TEST)],
    resamples=10,
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
