"""The case of a family: conversions, targets, differences."""

import numpy as np
import pytest

from keras_plex.ops.probabilities import OUTPUT_KINDS
from keras_plex.testing.family_case import LOSSES
from keras_plex.testing.family_case import FamilyCase
from keras_plex.testing.family_case import flat_arrays
from keras_plex.testing.family_case import largest_difference
from tests import cases


def case(name, **arguments):
    stock = cases.make(name)
    return FamilyCase(stock, arguments, cases.examples(stock))


def test_each_kind_of_output_has_a_loss():
    assert set(LOSSES) == set(OUTPUT_KINDS)
    labels, outputs = np.ones((1, 1)), np.full((1, 2), 0.5)
    for kind, make_loss in LOSSES.items():
        is_class = kind in ("softmax_logits", "probabilities")
        y = labels if is_class else np.repeat(labels, 2, axis=1)
        assert np.isfinite(float(make_loss()(y, outputs)))


def test_it_converts_once_neutrally_and_once_with_a_spread():
    made = case("mlp", last_blocks=1, head="keep")
    assert made.neutral is made.neutral and made.spread is made.spread
    (layer,) = made.neutral.conversion.converted
    assert (flat_arrays(layer.alpha)[0] == 1).all()
    (layer,) = made.spread.conversion.converted
    assert flat_arrays(layer.alpha)[0].std() > 0.2
    assert made.spread.compiled and not made.neutral.compiled


def test_targets_have_the_shapes_of_the_outputs():
    made = case("multi_output", last_blocks=1, head="keep")
    targets = made.targets(made.neutral)
    assert targets["label"].tolist() == [0, 1, 0, 1]
    assert targets["number"].shape == (4, 1)


def test_the_largest_difference_is_over_all_outputs():
    one = {"a": np.zeros((2, 2)), "b": np.zeros(3)}
    other = {"a": np.zeros((2, 2)), "b": np.array([0.0, 0.5, -0.75])}
    assert largest_difference(one, other) == 0.75
    with pytest.raises(AssertionError, match=r"\(3,\) is not \(2,\)"):
        largest_difference(np.zeros(3), np.zeros(2))
