"""A file finds its class by name; values are tested in feature_score_test."""

import numpy as np
import pytest

from keras_plex.scores import SCORES
from keras_plex.scores import FeatureScore
from keras_plex.scores import load_score


class Length(FeatureScore):
    name = "length"

    def observe(self, features, predictions, labels):
        self.largest = np.abs(features).max()

    def solve(self):
        return {"largest": self.largest}

    def compute(self, parameters, features, predictions):
        return abs(features[:, 0, 0]) / parameters["largest"]


def test_score_of_ones_own_is_found_in_the_table(tmp_path, monkeypatch):
    path = tmp_path / "length.npz"
    score = Length()
    score.update(np.array([[2.0], [4.0]]))
    score.finish()
    score.save(path)
    with pytest.raises(ValueError, match="Unknown score: 'length'"):
        load_score(path)
    monkeypatch.setitem(SCORES, "length", Length)
    again = load_score(path)
    assert again(np.array([[-8.0], [1.0]])).tolist() == [2.0, 0.25]
