"""All scores of features are fitted in one forward pass."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.models.batch_details import predict_batch
from keras_plex.scores import SCORES
from keras_plex.scores import Mahalanobis
from keras_plex.scores import fit_scores
from keras_plex.scores import msp
from keras_plex.scores import score


class Counted(keras.utils.PyDataset):
    """Batches of ten; counts how many were read."""

    def __init__(self):
        super().__init__()
        self.read = 0
        generator = np.random.default_rng(0)
        self.x = generator.normal(size=(50, 4)).astype("float32")

    def __len__(self):
        return 5

    def __getitem__(self, index):
        self.read += 1
        x = self.x[10 * index : 10 * index + 10]
        return x, x[:, :3].argmax(axis=1)


def make_model():
    layers = [keras.layers.Dense(6, "relu"), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((4,)), *layers])


def test_one_pass_fits_all():
    model, data = make_model(), Counted()
    scores = fit_scores(list(SCORES), model, data)
    assert data.read == 5
    assert list(scores) == list(SCORES)
    assert scores["msp"] is msp
    features = predict_batch(model, data.x, features=True)["features"]
    for name in ("mahalanobis", "relative_mahalanobis", "knn"):
        alone = score(name).fit(model, Counted())
        np.testing.assert_array_equal(scores[name](features), alone(features))


def test_a_converted_model_gives_one_pass_too():
    model, data = keras_plex.plexify(make_model(), last_blocks=1), Counted()
    scores = fit_scores(["vim", "knn"], model, data, max_examples=15)
    assert data.read == 2
    predictions = model.predict_uncertainty(data.x, features=True)
    assert scores["vim"](predictions).shape == (50,)
    assert scores["knn"].feature_shape == (3, 6)


def test_data_stay_unread_where_nothing_is_fitted():
    data = Counted()
    fitted = fit_scores(["knn"], make_model(), Counted())["knn"]
    scores = fit_scores(["msp", fitted], make_model(), data)
    assert scores == {"msp": msp, "knn": fitted}
    assert data.read == 0
    assert fit_scores(["msp"], make_model(), None) == {"msp": msp}


def test_score_with_options_stands_for_its_name():
    mine = Mahalanobis(ridge=0.1)
    scores = fit_scores([mine], make_model(), Counted())
    assert scores == {"mahalanobis": mine} and mine.parameters


def test_names_in_one_string_are_an_error():
    with pytest.raises(ValueError, match=r"did you mean \['msp'\]"):
        fit_scores("msp", make_model(), Counted())
