import datetime
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_plex
from keras_plex.export import export_for_serving
from keras_plex.export.model_card import check_reliability
from keras_plex.scores import fit_scores


def read_card(folder):
    return json.loads((folder / "assets.extra" / "model_card.json").read_text())


def test_card_says_what_was_exported(model, tmp_path):
    folder = export_for_serving(
        model, tmp_path, ood_score="variance", abstain_threshold=0.25
    )
    card = read_card(folder)
    created = datetime.datetime.fromisoformat(card.pop("created"))
    assert created.utcoffset() == datetime.timedelta(0)
    assert card.pop("keras_plex") in (keras_plex.__version__, None)
    outputs = card.pop("outputs")
    assert {"label", "abstain", "variance"} < set(outputs["serving_default"])
    assert outputs["members"] == ["member_probabilities"]
    assert outputs["features"] == ["features"]
    assert card == {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "model": model.name,
        "model_class": "PlexFunctional",
        "dtype_policy": "float32",
        "output_kind": "softmax_logits",
        "ensemble_size": 3,
        "head": "gp",
        "converted_layers": 2,
        "inputs": {"inputs": {"shape": [None, 4], "dtype": "float32"}},
        "input_kind": "array",
        "ood_score": "variance",
        "abstain_threshold": 0.25,
    }


def test_card_names_a_fitted_score(stock, x, tmp_path):
    fitted = fit_scores(["knn"], stock, x)["knn"]
    folder = export_for_serving(stock, tmp_path, ood_score=fitted)
    assert read_card(folder)["ood_score"] == "knn"


def test_card_holds_measured_numbers_only_if_they_are_given(stock, tmp_path):
    assert "reliability" not in read_card(export_for_serving(stock, tmp_path))
    measured = {"test_ece": np.float32(0.25), "ood/auroc": 1}
    folder = export_for_serving(stock, tmp_path, reliability=measured)
    expected = {"test_ece": 0.25, "ood/auroc": 1.0}
    assert read_card(folder)["reliability"] == expected


def test_card_of_a_stock_model_has_one_member_and_no_head(stock, tmp_path):
    card = read_card(export_for_serving(stock, tmp_path))
    assert card["ensemble_size"] == 1
    assert "head" not in card


@pytest.mark.parametrize(
    "reliability",
    [0.5, [0.5], {"ece": float("nan")}, {"ece": None}, {1: 0.5}],
)
def test_reliability_must_be_finite_numbers_by_name(reliability):
    with pytest.raises(ValueError, match="must map names to finite numbers"):
        check_reliability(reliability)


def test_card_names_calibration_and_promise(model, x, tmp_path):
    model.calibrate((x, np.arange(len(x)) % 3))
    data = np.tile(x, (4, 1)), np.arange(4 * len(x)) % 3
    model.conformalize(data, 0.25, "aps")
    card = read_card(export_for_serving(model, tmp_path))
    assert card["calibration"] == {
        "method": "temperature",
        "examples": len(x),
    }
    assert card["conformal_sets"] == {
        "method": "aps",
        "alpha": 0.25,
        "quantile": model.conformal_sets.quantile,
        "examples": 4 * len(x),
    }
