"""The rows name splits that exist, and every kind of task has some."""

import numpy as np
import pytest

from keras_plex.data.named.benchmark import ADAPTING
from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.data.named.benchmark_table import IMAGENET_CORRUPTED
from keras_plex.data.named.table import DATA_SETS
from keras_plex.tasks import CovariateShift

KINDS = {
    "calibration",
    "selective_prediction",
    "open_set_recognition",
    "label_uncertainty",
    "in_distribution",
    "covariate_shift",
    "subpopulation_shift",
    *ADAPTING,
}


@pytest.mark.parametrize("name", BENCHMARKS)
def test_parts_exist_and_fit(name):
    benchmark = BENCHMARKS[name]
    assert name.count("/") == 1
    classes = set()
    for part, known in benchmark.parts():
        assert part.split.partition("[")[0] in part.row.splits
        assert part.row.modality == benchmark.modality
        assert part.row.group or not part.with_groups
        if known:
            classes |= {frozenset(part.row.labels)}
    if classes:
        assert frozenset.intersection(*classes), "no model fits all"
    is_grouped = benchmark.kind == "subpopulation_shift"
    assert benchmark.test.with_groups == is_grouped


def test_all_ten_kinds_have_images_and_all_but_one_have_texts():
    images = {
        row.kind for row in BENCHMARKS.values() if row.modality == "image"
    }
    texts = {row.kind for row in BENCHMARKS.values() if row.modality != "image"}
    assert images == KINDS
    assert texts == KINDS - {"label_uncertainty"}


def test_every_data_set_is_used():
    used = {part.data_set for b in BENCHMARKS.values() for part, _ in b.parts()}
    assert used == set(DATA_SETS)


def test_imagenet_is_corrupted_in_75_ways():
    assert len(IMAGENET_CORRUPTED) == 75
    assert (
        IMAGENET_CORRUPTED["fog/3"].data_set == "imagenet2012_corrupted/fog_3"
    )
    assert len(BENCHMARKS["covariate_shift/imagenet"].others) == 78


def test_imagenet_c_has_the_error_of_the_literature():
    names = BENCHMARKS["covariate_shift/imagenet"].others
    data = np.eye(2), np.arange(2)
    task = CovariateShift(data, {name: data for name in names})
    assert task.has_all_corruptions
    assert len(task.shifts) == 15 + 3


def test_few_shots_ask_for_uncertainty_too():
    def names(family):
        return {x.partition("/")[2] for x in BENCHMARKS if x.startswith(family)}

    assert names("few_shot/") == names("few_shot_uncertainty/")
