"""What cannot stand side by side is refused, and says why."""

import keras
import pytest
from keras import layers

import keras_plex
from keras_plex.models.member_checks import check_members
from keras_plex.models.member_checks import check_stock
from tests import cases


def model_of(units=3, activation=None, shape=(4,), dtype="float32", **names):
    inputs = keras.Input(shape, dtype=dtype)
    outputs = layers.Dense(units, activation)(inputs)
    return keras.Model(inputs, names and {"label": outputs} or outputs)


@pytest.mark.parametrize("name", cases.MODELS)
def test_models_made_alike_pass(name):
    check_members([cases.MODELS[name]() for _ in range(2)])


@pytest.mark.parametrize("models", [None, [], model_of(), "models"])
def test_models_must_be_a_list_with_something_in_it(models):
    with pytest.raises(ValueError, match="list of at least one model"):
        check_members(models)


def test_the_same_object_twice_is_no_ensemble():
    model, other = model_of(), model_of()
    message = r"models\[0\] and models\[2\] share the weight.*from_model"
    with pytest.raises(ValueError, match=message):
        check_members([model, other, model])


def test_models_around_one_layer_are_not_independent():
    shared = layers.Dense(3, name="shared")
    models = []
    for _ in range(2):
        inputs = keras.Input((4,))
        models.append(keras.Model(inputs, shared(inputs)))
    with pytest.raises(ValueError, match="share the weight 'shared/kernel'"):
        check_members(models)


DIFFERENT = {
    "input structure": [model_of(), model_of(shape=(5,))],
    "output structure": [model_of(), model_of(names=True)],
    "kind of outputs": [model_of(), model_of(activation="softmax")],
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_models_must_have_the_same(what):
    message = rf"same {what}, but that of models\[0\] is .* models\[1\] is"
    with pytest.raises(ValueError, match=message):
        check_members(DIFFERENT[what])


def test_shapes_and_types_of_inputs_and_outputs_count():
    for other in (model_of(units=2), model_of(dtype="int32")):
        with pytest.raises(ValueError, match="must have the same"):
            check_members([model_of(), other])


def test_preprocessors_must_be_equal():
    keras_hub = pytest.importorskip("keras_hub")

    def task(scale):
        converter = keras_hub.layers.ImageConverter((8, 8), scale=scale)
        preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(
            converter
        )
        return cases.vit(1, preprocessor=preprocessor)

    check_members([task(1.0), task(1.0)])
    with pytest.raises(ValueError, match="same preprocessor.*'scale': 1.0"):
        check_members([task(1.0), task(2.0)])


def test_a_model_that_is_not_built_is_refused():
    with pytest.raises(ValueError, match="is not built.*keras.Input"):
        check_stock(keras.Sequential([layers.Dense(3)]))
    with pytest.raises(ValueError, match="must be a `keras.Model`"):
        check_stock("model")


def test_a_model_with_members_is_refused_also_inside_another():
    plex = keras_plex.plexify(cases.make("mlp"), head="keep")
    inputs = keras.Input((4,))
    for model in (plex, keras.Model(inputs, plex(inputs))):
        with pytest.raises(ValueError, match="has members already"):
            check_stock(model)
