"""What differs has another fingerprint, and what does not has the same."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.scores import score
from keras_plex.tasks import fingerprints
from keras_plex.tasks.data_set import Corruption
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.fingerprints import describe_score
from keras_plex.tasks.fingerprints import fingerprint_arrays
from keras_plex.tasks.fingerprints import fingerprint_data
from keras_plex.tasks.fingerprints import fingerprint_model
from tests.task_cases import TEST
from tests.task_cases import logits_model
from tests.task_cases import poor_model

X, Y = TEST


def small_plex():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(4),
        ]
    )
    return keras_plex.plexify(
        stock, last_blocks=1, head_options={"num_features": 8}, seed=0
    )


def test_equal_weights_give_equal_fingerprints():
    assert fingerprint_model(logits_model()) == fingerprint_model(
        logits_model()
    )
    assert fingerprint_model(logits_model()) != fingerprint_model(poor_model())


def test_a_forward_pass_changes_nothing():
    stock = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(4)]
    )
    model = keras_plex.models.MCDropout(stock, num_samples=2)
    before = fingerprint_model(model)
    model.predict_uncertainty(X)
    assert fingerprint_model(model) == before


def test_a_file_gives_the_model_again(tmp_path):
    model = small_plex()
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert fingerprint_model(loaded) == fingerprint_model(model)


def test_calibration_and_the_meaning_of_outputs_count():
    model = small_plex()
    found = {fingerprint_model(model)}
    model.calibrate(TEST)
    found.add(fingerprint_model(model))
    model.calibrate((X[:200], Y[:200]))
    found.add(fingerprint_model(model))
    model.reset_calibration()
    model.output_kind = "probabilities"
    found.add(fingerprint_model(model))
    assert len(found) == 4


def test_every_example_of_arrays_counts():
    before = fingerprint_data((X, Y), 32)
    assert fingerprint_data((X.copy(), Y), 7) == before
    changed = X.copy()
    changed[-1, -1] += 1e-3
    assert fingerprint_data((changed, Y), 32) != before
    assert fingerprint_data((X, (Y + 1) % 4), 32) != before
    assert fingerprint_data((X, None), 32) != before
    assert fingerprint_data(X.reshape(-1), 32) != fingerprint_data(X, 32)


@pytest.mark.parametrize("shift", ["ab", "a"])
def test_texts_are_told_apart(shift):
    texts = np.array(["ab", "c"]), np.array(["a", "bc"])
    assert fingerprint_data(texts[0], 32) != fingerprint_data(texts[1], 32)
    objects = np.array(["ab", "c"], object)
    assert fingerprint_data(objects, 32) != fingerprint_data(
        np.array([shift, "d"], object), 32
    )


def test_of_batches_the_first_and_their_number_count():
    batches = [(X[:8], Y[:8]), (X[8:16], Y[8:16])]
    before = fingerprint_data(batches, 32)
    assert fingerprint_data(list(batches), 32) == before
    assert fingerprint_data(batches[:1], 32) != before
    assert fingerprint_data(batches[::-1], 32) != before


def test_a_score_is_its_options_and_what_it_was_fitted_to():
    assert describe_score("msp") == "msp"
    plain, other = score("knn"), score("knn")
    assert describe_score(plain) == describe_score(other)
    other.parameters = {"features": np.ones((3, 2), "float32")}
    assert describe_score(plain) != describe_score(other)


def test_only_data_sets_of_arrays_are_marked_and_each_array_once(monkeypatch):
    arrays = np.arange(6.0).reshape(3, 2), np.arange(3)
    fog = Corruption("fog", 3)
    sets = {
        "clean": DataSet(arrays),
        "fog": DataSet(arrays, corruption=fog),
        "batches": DataSet([arrays]),
    }
    mark, calls = fingerprint_data(arrays, batch_size=2), []

    def counting(*args, **kwargs):
        calls.append(args)
        return fingerprint_data(*args, **kwargs)

    monkeypatch.setattr(fingerprints, "fingerprint_data", counting)
    assert fingerprint_arrays(sets) == {"clean": mark, "fog": mark}
    assert len(calls) == 1
