"""What every score of features does, whatever it computes."""

import json
import types

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

import keras_plex
from keras_plex.predictions import Predictions
from keras_plex.scores import SCORES
from keras_plex.scores import load_score
from keras_plex.scores import needs_features
from keras_plex.scores import score

NAMES = [name for name in SCORES if needs_features(name)]


def draw(examples=90, ensemble=2, dim=5, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, examples)
    features = generator.normal(size=(examples, ensemble, dim))
    features = features + labels[:, None, None]
    logits = 4.0 * np.eye(3)[labels][:, None] + features[..., :3]
    predictions = Predictions.from_outputs(
        logits.astype("float32"),
        "softmax_logits",
        features=features.astype("float32"),
    )
    return predictions, labels


def take(predictions, rows):
    return types.SimpleNamespace(
        member_logits=predictions.member_logits[rows],
        features=predictions.features[rows],
    )


def fitted(name, cuts=()):
    predictions, labels = draw()
    one = score(name)
    for rows in np.split(np.arange(len(labels)), sorted(cuts)):
        one.update(take(predictions, rows), labels[rows])
    one.finish()
    return one


@pytest.mark.parametrize("name", NAMES)
def test_far_away_is_higher(name):
    one = fitted(name)
    known = take(draw()[0], slice(0, 20))
    direction = np.array([-40.0, 40.0, -40.0, 40.0, -40.0], "float32")
    unknown = types.SimpleNamespace(
        member_logits=known.member_logits,
        features=known.features + direction,
    )
    assert one(unknown).min() > np.median(one(known))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15)
@given(cuts=st.sets(st.integers(1, 89), max_size=8))
def test_it_does_not_matter_how_the_data_are_cut(name, cuts):
    test = draw(10, seed=1)[0]
    np.testing.assert_allclose(
        fitted(name, cuts)(test), fitted(name)(test), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", NAMES)
def test_file_gives_the_same_values(name, tmp_path):
    one = fitted(name)
    path = tmp_path / "score.npz"
    one.save(path)
    again = load_score(path)
    assert type(again) is type(one)
    assert again.get_config() == one.get_config()
    test = draw(10, seed=1)[0]
    np.testing.assert_array_equal(again(test), one(test))


@pytest.mark.parametrize("name", NAMES)
def test_config_makes_it_again_and_is_plain(name):
    config = json.loads(json.dumps(score(name).get_config()))
    again = SCORES[name].from_config(config)
    assert again.get_config() == config
    assert not again.parameters


@pytest.mark.parametrize("name", NAMES)
def test_each_call_of_the_table_gives_a_new_one(name):
    assert score(name) is not score(name)


@pytest.mark.parametrize("name", NAMES)
def test_unfitted_it_says_how_to_fit(name):
    one = score(name)
    message = rf'"{name}" is not fitted.*fit_scores\(\["{name}"\], model'
    for use in (lambda: one(draw()[0]), lambda: one.save("score.npz")):
        with pytest.raises(ValueError, match=message):
            use()


@pytest.mark.parametrize("name", NAMES)
def test_finish_without_data_is_an_error(name):
    with pytest.raises(ValueError, match="has seen no data"):
        score(name).finish()


@pytest.mark.parametrize("name", NAMES)
def test_fitted_it_takes_no_more_data(name):
    predictions, labels = draw()
    with pytest.raises(ValueError, match="is fitted already. Make a new one"):
        fitted(name).update(predictions, labels)


@pytest.mark.parametrize("name", NAMES)
def test_features_must_be_finite(name):
    predictions, labels = draw()
    predictions.features[3, 1, 2] = np.inf
    with pytest.raises(ValueError, match="`features` must be finite"):
        score(name).update(predictions, labels)


@pytest.mark.parametrize("name", NAMES)
def test_features_of_another_model_are_an_error(name):
    other = draw(dim=4)[0]
    message = r"\(ensemble, dim\) = \(2, 5\).*Received: \(2, 4\)"
    with pytest.raises(ValueError, match=message):
        fitted(name)(other)
    one = score(name)
    one.update(*draw())
    with pytest.raises(ValueError, match=message):
        one.update(*draw(dim=4))


@pytest.mark.parametrize("name", NAMES)
def test_predictions_without_features_are_an_error(name):
    bare = Predictions.from_outputs(draw()[0].member_logits, "softmax_logits")
    with pytest.raises(ValueError, match=r"predict_uncertainty\(x, features=T"):
        fitted(name)(bare)


def test_features_of_another_rank_are_an_error():
    with pytest.raises(ValueError, match=r"Received: shape=\(3,\)"):
        score("knn").update(np.ones(3))


def test_a_vector_per_example_is_one_member():
    features = draw(ensemble=1)[0].features
    one, same = score("knn"), score("knn")
    one.update(features)
    same.update(features[:, 0])
    one.finish()
    same.finish()
    np.testing.assert_array_equal(one(features), same(features[:, 0]))


def make_stock():
    layers = [keras.layers.Dense(6, "relu"), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((4,)), *layers])


def make_data(examples=60):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(examples, 4)).astype("float32")
    return x, x[:, :3].argmax(axis=1)


MODELS = {
    "stock": make_stock,
    "plex": lambda: keras_plex.plexify(make_stock(), last_blocks=1, seed=0),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", NAMES)
def test_fit_is_one_update_with_all_predictions(name, model):
    model, (x, y) = MODELS[model](), make_data()
    found = keras_plex.models.batch_details.predict_batch(
        model, x, features=True
    )
    predictions = Predictions.from_outputs(
        found["outputs"], "softmax_logits", features=found["features"]
    )
    by_hand = score(name)
    by_hand.use_model(model)
    by_hand.update(predictions, y)
    by_hand.finish()
    one = score(name).fit(model, (x, y), batch_size=7)
    np.testing.assert_allclose(
        one(predictions), by_hand(predictions), rtol=1e-4, atol=1e-4
    )


def test_fit_stops_after_so_many_examples():
    model, (x, y) = make_stock(), make_data()
    one = score("knn").fit(model, (x, y), batch_size=8, max_examples=20)
    assert one.parameters["bank"].shape == (1, 24, 6)


def test_fit_anew_forgets_the_old_data():
    model, (x, y) = make_stock(), make_data()
    one = score("knn").fit(model, (x, y))
    one.fit(model, (x[:10], y[:10]))
    assert one.parameters["bank"].shape == (1, 10, 6)
    found = keras_plex.models.batch_details.predict_batch(
        model, x[:10], features=True
    )
    np.testing.assert_allclose(
        score("knn").fit(model, x[:10])(found["features"]),
        one(found["features"]),
    )


def test_fit_that_fails_leaves_the_score_as_it_was():
    model, (x, y) = make_stock(), make_data()
    one = score("mahalanobis").fit(model, (x, y))
    before = one.parameters
    with pytest.raises(ValueError, match="names no class"):
        one.fit(model, (x, np.zeros((60, 3))))
    assert one.parameters is before
    one.fit(model, (x[:30], y[:30]))
    assert one.parameters is not before


def test_data_that_can_be_read_once_are_an_error():
    batches = iter([make_data()])
    with pytest.raises(ValueError, match="`dataset` can be read only once"):
        score("knn").fit(make_stock(), batches)


def test_no_data_are_an_error():
    with pytest.raises(ValueError, match="fitted to training data.*None"):
        score("knn").fit(make_stock(), None)


def test_a_regression_has_no_score():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="regression model has no class"):
        score("knn").fit(model, make_data())


@pytest.mark.parametrize("name", NAMES)
def test_empty_batches_are_no_data(name):
    predictions, labels = draw()
    one = score(name)
    empty = types.SimpleNamespace(
        **{
            field: value[:0] if isinstance(value, np.ndarray) else value
            for field, value in vars(predictions).items()
        }
    )
    one.update(empty, labels[:0])
    with pytest.raises(ValueError, match="has seen no data"):
        one.finish()
