import re

import numpy as np
import pytest

from keras_plex.export import answer_request
from keras_plex.export import export_for_serving
from keras_plex.export.request import find_version_folder


@pytest.fixture
def served(stock, tmp_path):
    export_for_serving(stock, tmp_path)
    return tmp_path


def test_newest_version_answers(stock, x, served):
    old = answer_request(served, x)["probabilities"]
    stock.layers[-1].bias.assign([9.0, 0.0, 0.0])
    export_for_serving(stock, served, 10)
    assert find_version_folder(served) == served / "10"
    assert (answer_request(served, x)["label"] == 0).all()
    again = answer_request(served / "1", x)["probabilities"]
    np.testing.assert_array_equal(again, old)


def test_inputs_may_be_named_and_are_cast(x, served):
    named = answer_request(served, {"inputs": x.astype("float64").tolist()})
    np.testing.assert_array_equal(
        named["probabilities"], answer_request(served, x)["probabilities"]
    )


FAULTS = [
    (np.ones((2, 5)), r"must have the shape \(None, 4\)"),
    (np.ones(4), r"Received: shape=\(4,\)"),
    ({"images": np.ones((2, 4))}, "takes the inputs .'inputs'.*images"),
]


@pytest.mark.parametrize("inputs, message", FAULTS)
def test_inputs_that_do_not_fit_raise(inputs, message, served):
    with pytest.raises(ValueError, match=message):
        answer_request(served, inputs)


def test_unknown_signature_lists_what_exists(x, served):
    with pytest.raises(ValueError, match="Unknown signature: 'predict'. Avail"):
        answer_request(served, x, "predict")


@pytest.mark.parametrize("name", [".", "missing"])
def test_folder_without_a_model_raises(name, x, tmp_path):
    message = re.escape(f"Found no exported model in {tmp_path / name}")
    with pytest.raises(FileNotFoundError, match=message):
        answer_request(tmp_path / name, x)
