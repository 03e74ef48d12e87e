"""Drawn rows are taken when a column is read."""

import numpy as np

from keras_plex.tasks import Evidence
from keras_plex.tasks import Examples

EXAMPLES = Examples(
    {"nll": np.arange(4.0), "group": np.array(list("abcd"))}, drawn_with="x"
)


def test_all_examples_are_the_columns_themselves():
    assert len(EXAMPLES) == 4
    assert EXAMPLES["nll"] is EXAMPLES.columns["nll"]


def test_a_draw_repeats_and_leaves_out():
    drawn = EXAMPLES.draw(np.array([3, 3, 0]))
    assert len(drawn) == 3 and drawn.drawn_with == "x"
    assert drawn["nll"].tolist() == [3, 3, 0]
    assert drawn["group"].tolist() == ["d", "d", "a"]


def test_a_draw_of_a_draw_is_of_all():
    again = EXAMPLES.draw(np.array([3, 3])).draw(np.array([0]))
    assert again["nll"].tolist() == [0]


def test_evidence_finds_a_set_by_name():
    assert Evidence({"test": EXAMPLES}, 3)["test"] is EXAMPLES
