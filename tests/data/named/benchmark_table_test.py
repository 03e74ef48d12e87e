"""The rows name splits that exist, and every kind of task has some."""

import pytest

from keras_plex.data.named.benchmark import ADAPTING
from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.data.named.benchmark_table import IMAGENET_CORRUPTED
from keras_plex.data.named.table import DATA_SETS

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
