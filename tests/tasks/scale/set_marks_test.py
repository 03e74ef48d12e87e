"""A mark tells data apart, and reads few of them."""

import numpy as np
import pytest

from keras_plex.tasks import Calibration
from keras_plex.tasks import CovariateShift
from keras_plex.tasks import SubpopulationShift
from keras_plex.tasks.parts import uses_by_data_set
from keras_plex.tasks.scale.set_marks import SetMarks
from tests.task_cases import GROUPS
from tests.task_cases import TEST
from tests.task_cases import logits_model

X, Y = TEST


def marks_of(*tasks):
    marks = SetMarks(logits_model(), 32)
    return [
        marks.of(use)
        for uses in uses_by_data_set(tasks).values()
        for use in uses
    ]


def test_equal_data_have_equal_marks():
    assert marks_of(Calibration(TEST)) == marks_of(
        Calibration((X.copy(), Y.copy()))
    )


@pytest.mark.parametrize("row", [0, 150, 299])
def test_every_example_of_small_arrays_counts(row):
    changed = X.copy()
    changed[row] += 1
    assert marks_of(Calibration(TEST)) != marks_of(Calibration((changed, Y)))


def test_groups_count():
    one, other = [
        marks_of(SubpopulationShift((X, Y, groups)))
        for groups in (GROUPS, GROUPS[::-1])
    ]
    assert one != other


def test_corrupted_copies_differ_in_that_alone():
    images = X.reshape(-1, 2, 2, 1).clip(0, 1), Y
    found = marks_of(
        CovariateShift(images, corruptions=("contrast",), severities=(1, 2))
    )
    assert len({str(one) for one in found}) == 3
    assert len({one["data"] for one in found}) == 1


def test_of_large_arrays_some_hundred_examples_are_read(monkeypatch):
    read = []

    def fingerprint_data(data, batch_size):
        read.append([len(part) for part in data])
        return "mark"

    monkeypatch.setattr(
        "keras_plex.tasks.resume.facts.fingerprint_data", fingerprint_data
    )
    x = np.lib.stride_tricks.as_strided(np.ones(4), (10**6, 4), (0, 8))
    marks_of(Calibration((x, np.zeros(10**6, int))))
    assert read == [[257, 257]]
