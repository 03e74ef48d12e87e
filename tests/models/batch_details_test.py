"""One pass gives outputs and features, and leaves the model as it is."""

import gc
import weakref

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.models.batch_details import call_with_features
from keras_plex.models.batch_details import predict_batch


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = keras.layers.Dense(6, "relu", name="hidden")
        self.head = keras.layers.Dense(3, name="head")

    def call(self, x):
        return self.head(self.hidden(x))


def sequential():
    layers = [
        keras.layers.Dense(6, "relu", name="hidden"),
        keras.layers.Dense(3, name="head"),
    ]
    return keras.Sequential([keras.Input((4,)), *layers])


def functional():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(6, "relu", name="hidden")(inputs)
    x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Dense(3, name="head")(x)
    return keras.Model(inputs, keras.layers.Softmax()(x))


def nested():
    inputs = keras.Input((4,))
    return keras.Model(inputs, sequential()(inputs))


def subclassed():
    model = Subclassed()
    model(np.zeros((1, 4)))
    return model


STOCK = {f.__name__: f for f in (sequential, functional, nested, subclassed)}


def draw(examples=7):
    generator = np.random.default_rng(0)
    return generator.normal(size=(examples, 4)).astype("float32")


def dense_layers(model):
    by_name = {layer.name: layer for layer in model._flatten_layers()}
    return by_name["hidden"], by_name["head"]


@pytest.mark.parametrize("name", STOCK)
def test_stock_model_gives_outputs_and_the_inputs_of_its_head(name):
    model, x = STOCK[name](), draw()
    hidden, _ = dense_layers(model)
    found = predict_batch(model, x, features=True)
    assert set(found) == {"outputs", "features"}
    assert all(type(array) is np.ndarray for array in found.values())
    np.testing.assert_allclose(
        found["outputs"][:, 0], model.predict(x, verbose=0), atol=1e-6
    )
    np.testing.assert_allclose(
        found["features"][:, 0], ops.convert_to_numpy(hidden(x)), atol=1e-6
    )
    without = predict_batch(model, x)
    assert set(without) == {"outputs"}
    np.testing.assert_allclose(without["outputs"], found["outputs"], atol=1e-6)


@pytest.mark.parametrize("name", STOCK)
def test_features_follow_the_weights(name):
    model, x = STOCK[name](), draw()
    before = predict_batch(model, x, features=True)
    hidden, head = dense_layers(model)
    hidden.kernel.assign(3.0 * hidden.kernel)
    head.bias.assign(head.bias + 1.0)
    after = predict_batch(model, x, features=True)
    np.testing.assert_allclose(
        after["features"], 3.0 * before["features"], rtol=1e-5
    )
    np.testing.assert_allclose(
        after["outputs"][:, 0], model.predict(x, verbose=0), atol=1e-5
    )


def test_features_follow_a_training():
    model, x = sequential(), draw(32)
    model.compile("sgd", "mse")
    predict_batch(model, x, features=True)
    model.fit(x, np.ones((32, 3)), epochs=2, verbose=0)
    found = predict_batch(model, x, features=True)
    np.testing.assert_allclose(
        found["outputs"][:, 0], model.predict(x, verbose=0), atol=1e-6
    )


def test_pass_is_traced_once():
    traced = []

    class Counted(keras.layers.Dense):
        def call(self, inputs):
            traced.append(1)
            return super().call(inputs)

    layers = [Counted(6), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    predict_batch(model, draw(), features=True)
    traced.clear()
    for _ in range(3):
        predict_batch(model, draw(), features=True)
    is_eager = keras.config.backend() == "torch"
    assert len(traced) == (3 if is_eager else 0)


@pytest.mark.parametrize("name", STOCK)
def test_model_and_its_functions_stay_as_they_were(name):
    model, x = STOCK[name](), draw()
    model.compile(loss="sparse_categorical_crossentropy")
    expected = model.predict(x, verbose=0)
    state = {
        key: id(value)
        for key, value in vars(model).items()
        if key.endswith("_function") or "layers" in key
    }
    classes = [type(layer) for layer in model._flatten_layers()]
    weights = [id(weight) for weight in model.weights]
    predict_batch(model, x, features=True)
    assert [type(layer) for layer in model._flatten_layers()] == classes
    assert [id(weight) for weight in model.weights] == weights
    for key, value in state.items():
        assert id(vars(model)[key]) == value, key
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_model_is_not_kept_alive():
    model = subclassed()
    predict_batch(model, draw(), features=True)
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None


def test_converted_model_gives_its_details():
    model = keras_plex.plexify(sequential(), last_blocks=1, seed=0)
    model.fit_covariance(draw())
    found = predict_batch(model, draw(), features=True)
    expected = model.predict_details(draw(), features=True)
    assert set(found) == {"outputs", "variance", "features"}
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)


def test_task_takes_what_its_preprocessor_takes():
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(8, 8, 1),
        patch_size=4,
        num_layers=1,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=8,
    )
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(
        image_converter=keras_hub.layers.ViTImageConverter(
            image_size=(8, 8), scale=1 / 255.0
        )
    )
    model = keras_hub.models.ViTImageClassifier(
        backbone, num_classes=3, preprocessor=preprocessor
    )
    raw = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1))
    raw = raw.astype("float32")
    found = predict_batch(model, raw, features=True)
    assert found["features"].shape == (5, 1, 8)
    np.testing.assert_allclose(
        found["outputs"][:, 0], model.predict(raw, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("make", [list, np.array, np.bytes_])
def test_model_that_reads_texts_takes_lists_and_arrays(make, features):
    words = keras.layers.TextVectorization(output_mode="multi_hot")
    words.adapt(["pay my bill", "play a song"])
    layers = [words, keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input((), dtype="string"), *layers])
    texts = ["pay", "play a bill"]
    found = predict_batch(model, make(texts), features=features)
    expected = model.predict(np.array(texts, dtype=object), verbose=0)
    np.testing.assert_allclose(found["outputs"][:, 0], expected, atol=1e-6)


def test_features_are_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    found = predict_batch(sequential(), draw(), features=True)
    assert found["features"].dtype == "float32"


def test_call_with_features_runs_eagerly():
    model, x = sequential(), draw()
    outputs, features = call_with_features(model, x)
    np.testing.assert_allclose(
        ops.convert_to_numpy(model.layers[-1](features)),
        ops.convert_to_numpy(outputs),
        atol=1e-6,
    )


def without_dense():
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.LayerNormalization()(inputs))


def token_outputs():
    inputs = keras.Input((4,))
    x = keras.layers.Reshape((2, 2))(inputs)
    return keras.Model(inputs, keras.layers.Dense(3)(x))


@pytest.mark.parametrize("make", [without_dense, token_outputs])
def test_model_without_features_is_an_error(make):
    with pytest.raises(ValueError, match="takes one vector per example"):
        predict_batch(make(), draw(), features=True)


def test_several_outputs_are_an_error():
    inputs = keras.Input((4,))
    outputs = [keras.layers.Dense(n)(inputs) for n in (2, 3)]
    with pytest.raises(ValueError, match="must have one output of shape"):
        predict_batch(keras.Model(inputs, outputs), draw())


@pytest.mark.parametrize("converted", [False, True])
def test_tensors_of_another_backend_are_taken_too(converted):
    """As those that a `tf.data.Dataset` yields under JAX."""
    model = sequential()
    if converted:
        model = keras_plex.plexify(model, last_blocks=1, head="keep", seed=0)
    x = np.ones((5, 4), "float32")
    if keras.config.backend() == "tensorflow":
        foreign = pytest.importorskip("torch").tensor(x)
    else:
        foreign = pytest.importorskip("tensorflow").constant(x)
    for features in (False, True):
        expected = predict_batch(model, x, features=features)
        found = predict_batch(model, foreign, features=features)
        np.testing.assert_allclose(
            found["outputs"], expected["outputs"], atol=1e-6
        )
