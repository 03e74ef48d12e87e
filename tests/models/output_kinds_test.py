"""What a model's outputs are, told from its head and its loss."""

import types

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.conversion.heads import Head
from keras_plex.conversion.heads import find_head
from keras_plex.models.output_kinds import KINDS_BY_LOSS
from keras_plex.models.output_kinds import check_one_label
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import kinds_under_loss
from keras_plex.models.output_kinds import the_one_output
from keras_plex.ops.probabilities import MIXTURES

SOFTMAX, SIGMOID = "softmax_logits", "sigmoid_logits"


def make_stock(units=3, activation=None, loss=None):
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(units, activation),
        ]
    )
    if loss is not None:
        stock.compile(loss=loss)
    return stock


def kind_of_loss(loss):
    model = types.SimpleNamespace(loss=loss, output_names=["a"])
    heads = [Head(keras.layers.Dense(3), "linear")]
    kind = kinds_under_loss(model, heads, ("unsaid",))[0]
    return None if kind == "unsaid" else kind


def kind_of_model(model, head):
    return kinds_of_model(model, [head])[0]


def stock_kind(*args):
    stock = make_stock(*args)
    return kind_of_model(stock, find_head(stock))


def name_of(value):
    """A loss by its name: its `repr` may hold an address."""
    return str(getattr(value, "__name__", getattr(value, "name", value)))


@pytest.mark.parametrize(
    "loss, kind",
    [
        ("sparse_categorical_crossentropy", SOFTMAX),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), SOFTMAX),
        (keras.losses.sparse_categorical_crossentropy, SOFTMAX),
        (keras.losses.CategoricalCrossentropy(from_logits=True), SOFTMAX),
        (keras.losses.CategoricalFocalCrossentropy(from_logits=True), SOFTMAX),
        ("binary_crossentropy", SIGMOID),
        (keras.losses.BinaryCrossentropy(from_logits=True), SIGMOID),
        (keras.losses.binary_crossentropy, SIGMOID),
        (keras.losses.BinaryFocalCrossentropy(from_logits=True), SIGMOID),
        ("mse", "regression"),
        ("mean_squared_error", "regression"),
        ("mae", "regression"),
        ("mape", "regression"),
        ("msle", "regression"),
        ("huber", "regression"),
        ("log_cosh", "regression"),
        (keras.losses.MeanSquaredError(), "regression"),
        (keras.losses.MeanAbsoluteError(), "regression"),
        (keras.losses.MeanAbsolutePercentageError(), "regression"),
        (keras.losses.MeanSquaredLogarithmicError(), "regression"),
        (keras.losses.Huber(), "regression"),
        (keras.losses.LogCosh(), "regression"),
        (keras.losses.mean_squared_error, "regression"),
    ],
    ids=name_of,
)
def test_loss_says_what_a_linear_output_is(loss, kind):
    assert kind_of_loss(loss) == kind
    assert stock_kind(3, None, loss) == kind


def test_loss_of_ones_own_does_not_say():
    assert kind_of_loss(None) is None
    assert kind_of_loss(lambda y, x: x) is None
    assert kind_of_loss({"b": "mse"}) is None


def test_each_output_is_what_its_own_loss_says():
    x = keras.Input((4,))
    h = keras.layers.Dense(8, "relu")(x)
    outputs = [keras.layers.Dense(n, name=f"out{n}")(h) for n in (3, 2, 1)]
    stock = keras.Model(x, outputs)
    model = keras_plex.plexify(stock, head="keep", layers=["^dense"])
    model.compile(
        "sgd",
        [
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "mse",
            keras.losses.BinaryCrossentropy(from_logits=True),
        ],
    )
    assert model.output_kinds == (SOFTMAX, "regression", SIGMOID)
    inputs = np.ones((5, 4), "float32")
    logits, values, binary = model(inputs)
    members = model.predict_members(inputs)
    softmaxes = keras.ops.softmax(members[0]).numpy().mean(axis=1)
    np.testing.assert_allclose(keras.ops.softmax(logits), softmaxes, atol=1e-6)
    np.testing.assert_allclose(values, members[1].mean(axis=1), atol=1e-6)
    sigmoids = keras.ops.sigmoid(members[2]).numpy().mean(axis=1)
    np.testing.assert_allclose(keras.ops.sigmoid(binary), sigmoids, atol=1e-6)
    with pytest.raises(ValueError, match="has 3 outputs"):
        model.predict_uncertainty(inputs)
    with pytest.raises(ValueError, match="has 2 outputs"):
        the_one_output("model", (SOFTMAX, SOFTMAX))


def test_renamed_loss_still_says():
    loss = keras.losses.MeanSquaredError(name="error")
    assert kind_of_loss(loss) == "regression"


def test_each_kind_has_a_mixture():
    assert set(KINDS_BY_LOSS.values()) < set(MIXTURES)


@pytest.mark.parametrize(
    "units, activation, kind",
    [
        (3, "softmax", "probabilities"),
        (1, "sigmoid", "probabilities"),
        (3, "sigmoid", "probabilities"),
        (3, None, SOFTMAX),
        (1, None, "regression"),
        (3, "relu", "regression"),
        (2, "tanh", "regression"),
    ],
)
def test_head_says_what_an_uncompiled_model_gives(units, activation, kind):
    assert stock_kind(units, activation) == kind


def test_activation_says_more_than_the_loss():
    assert stock_kind(3, "softmax", "mse") == "probabilities"
    assert stock_kind(1, "softplus", "binary_crossentropy") == "regression"


def test_model_without_a_head_gives_probabilities():
    assert kind_of_model(make_stock(), None) == "probabilities"


# compile


@pytest.fixture(scope="module", params=[1, 3])
def model(request):
    keras.utils.set_random_seed(0)
    return keras_plex.plexify(make_stock(request.param), last_blocks=1, seed=0)


@pytest.mark.parametrize(
    "loss, kind",
    [
        (keras.losses.BinaryCrossentropy(from_logits=True), SIGMOID),
        ("mse", "regression"),
        (keras.losses.binary_crossentropy, SIGMOID),
        (keras.losses.MeanAbsoluteError(), "regression"),
    ],
    ids=name_of,
)
def test_compile_infers_the_kind_from_the_loss(model, loss, kind):
    model.compile(loss=loss)
    assert model.output_kind == kind


@pytest.mark.parametrize("loss", [["mse"], {"head": "mse"}], ids=str)
def test_compile_sees_the_loss_inside_a_list_or_dict(loss):
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu")(inputs)
    outputs = keras.layers.Dense(3, name="head")(x)
    stock = keras.Model(inputs, outputs)
    model = keras_plex.plexify(stock, last_blocks=1, head="keep")
    model.compile(loss=loss)
    assert model.output_kind == "regression"


def test_compile_keeps_the_kind_that_the_user_set(model):
    model.output_kind = SIGMOID
    model.compile(loss=lambda y, x: x)
    assert model.output_kind == SIGMOID
    model.compile()
    assert model.output_kind == SIGMOID


def test_compile_of_an_activated_head_leaves_probabilities():
    stock = make_stock(3, "softmax")
    model = keras_plex.plexify(stock, last_blocks=1, head="keep")
    model.compile(loss="mse")
    assert model.output_kind == "probabilities"


def test_plexify_takes_the_kind_from_a_compiled_model():
    stock = make_stock(1, None, keras.losses.BinaryCrossentropy(True))
    model = keras_plex.plexify(stock, last_blocks=1, head="keep")
    assert model.output_kind == SIGMOID


# check_one_label


@pytest.mark.parametrize(
    "units, activation, kind",
    [(3, "sigmoid", "probabilities"), (3, None, SIGMOID)],
)
def test_several_independent_labels_are_refused(units, activation, kind):
    head = find_head(make_stock(units, activation))
    with pytest.raises(ValueError, match="'net' gives 3 independent labels"):
        check_one_label("net", kind, head)


@pytest.mark.parametrize(
    "units, activation, kind",
    [
        (1, "sigmoid", "probabilities"),
        (1, None, SIGMOID),
        (3, None, SOFTMAX),
        (3, "softmax", "probabilities"),
    ],
)
def test_one_label_passes(units, activation, kind):
    check_one_label("net", kind, find_head(make_stock(units, activation)))
    check_one_label("net", kind, None)


@pytest.mark.parametrize(
    "units, arguments, kind",
    [
        (1, {"head_options": {"likelihood": "poisson"}}, "log_rates"),
        (1, {"head_options": {"likelihood": "binary_logistic"}}, SIGMOID),
        (3, {"head_options": {"likelihood": "softmax"}}, SOFTMAX),
        (1, {"head": "heteroscedastic"}, SIGMOID),
        (1, {"head": "heteroscedastic_gp"}, SIGMOID),
        (3, {"head": "heteroscedastic"}, SOFTMAX),
        (1, {}, "regression"),
        (1, {"head": "laplace"}, "regression"),
    ],
)
def test_a_head_with_a_link_or_likelihood_says_what_it_gives(
    units, arguments, kind
):
    last = {} if arguments.get("head") == "laplace" else {"last_blocks": 1}
    model = keras_plex.plexify(make_stock(units), **last, **arguments)
    assert model.output_kind == kind
    model.compile(loss="mse")
    is_told = arguments not in ({}, {"head": "laplace"})
    assert model.output_kind == (kind if is_told else "regression")


def test_members_of_a_poisson_head_are_averaged_as_rates():
    model = keras_plex.plexify(
        make_stock(1),
        last_blocks=1,
        head_options={"likelihood": "poisson"},
        fast_weight_stddev=0.5,
        seed=0,
    )
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    rates = np.exp(model.predict_members(x)).mean(axis=1)
    np.testing.assert_allclose(
        np.exp(model.predict(x, verbose=0)), rates, rtol=1e-5
    )
    with pytest.raises(ValueError, match="no class probabilities"):
        model.predict_uncertainty(x)
