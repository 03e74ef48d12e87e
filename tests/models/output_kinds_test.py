"""What a model's outputs are, told from its head and its loss."""

import types

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.conversion.heads import find_head
from keras_plex.models.classifiers import output_kind
from keras_plex.models.output_kinds import KINDS_BY_LOSS
from keras_plex.models.output_kinds import check_one_label
from keras_plex.models.output_kinds import check_probabilities
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import kinds_under_loss
from keras_plex.models.output_kinds import the_one_output
from keras_plex.models.output_sources import Source
from keras_plex.models.output_sources import find_sources
from keras_plex.ops.probabilities import MIXTURES
from tests import cases

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
    sources = [Source("linear", 3)]
    kind = kinds_under_loss(model, sources, ("unsaid",))[0]
    return None if kind == "unsaid" else kind


def kind_of_model(model):
    return kinds_of_model(model, find_sources(model))[0]


def stock_kind(*args):
    return kind_of_model(make_stock(*args))


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
        (3, "log_softmax", SOFTMAX),
        (1, "log_sigmoid", "log_rates"),
    ],
)
def test_head_says_what_an_uncompiled_model_gives(units, activation, kind):
    assert stock_kind(units, activation) == kind


def test_activation_says_more_than_the_loss():
    assert stock_kind(3, "softmax", "mse") == "probabilities"
    assert stock_kind(1, "softplus", "binary_crossentropy") == "regression"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert stock_kind(3, "log_softmax", loss) == SOFTMAX


def test_unknown_source_is_taken_for_probabilities():
    assert kinds_of_model(make_stock(), [None]) == ("probabilities",)


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


# One logit of a KerasHub classifier


def test_one_logit_of_a_task_is_a_sigmoids():
    stock = cases.with_random_weights(cases.vit_one_logit())
    x = cases.examples(stock)
    assert kind_of_model(stock) == SIGMOID  # under its own default loss
    model = keras_plex.plexify(
        stock, last_blocks=1, head="keep", fast_weight_stddev=0.0
    )
    np.testing.assert_allclose(
        model.predict(x, verbose=0), stock.predict(x, verbose=0), atol=1e-5
    )
    for loss in (
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        keras.losses.BinaryCrossentropy(from_logits=True),
        lambda y, x: x,
    ):
        model.compile(loss=loss)
        assert model.output_kind == SIGMOID


# What follows the last layer


def make_followed(*after, **loss):
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu", name="hidden")(inputs)
    x = keras.layers.Dense(3, name="head")(x)
    for operation in after:
        x = operation(x)
    stock = keras.Model(inputs, x, name="followed")
    if loss:
        stock.compile(**loss)
    return stock


def converted(stock, **arguments):
    return keras_plex.plexify(
        stock,
        layers=["hidden"],
        head="keep",
        fast_weight_stddev=0.5,
        seed=0,
        **arguments,
    )


X = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")


def half(x):
    return x / 2.0


def exponential(x):
    """Of logits, which makes no probabilities of them."""
    return keras.ops.exp(x)


@pytest.mark.parametrize(
    "after",
    [
        [half],
        [keras.layers.Rescaling(3.0)],
        [keras.layers.Reshape((1, 3)), keras.layers.Flatten()],
        [lambda x: x + keras.layers.Dense(3)(x)],
        [lambda x: keras.layers.Conv1D(4, 1)(x[:, None])],
        [keras.layers.Activation("log_softmax")],
    ],
)
def test_logits_are_averaged_as_such_whatever_follows(after):
    model = converted(make_followed(*after))
    assert model.output_kinds == (SOFTMAX,)
    members = keras.ops.softmax(model.predict_members(X)).numpy()
    forecast = keras.ops.softmax(model.predict(X, verbose=0)).numpy()
    np.testing.assert_allclose(forecast, members.mean(axis=1), atol=1e-6)


def test_models_of_independent_members_see_what_follows_too():
    dropout = keras.layers.Dropout(0.5)
    mc = keras_plex.models.MCDropout(make_followed(dropout, half), 2)
    assert mc.output_kinds == (SOFTMAX,)
    ensemble = keras_plex.models.DeepEnsemble.from_model(make_followed(half), 2)
    assert ensemble.output_kinds == (SOFTMAX,)
    assert output_kind(make_followed(half)) == SOFTMAX


def test_features_of_a_backbone_are_averaged_as_they_are():
    backbone = cases.make_family("t5_backbone")
    ensemble = keras_plex.models.DeepEnsemble([backbone])
    assert ensemble.output_kinds == ("regression",) * 2
    x = cases.examples(backbone)
    found = ensemble(x)  # without a warning
    for name, expected in backbone(x).items():
        np.testing.assert_allclose(found[name], expected, atol=1e-6)


def test_kind_that_nothing_tells_is_warned_of_once():
    model = converted(make_followed(exponential))
    with pytest.warns(UserWarning, match="'followed'.*`model.output_kinds = "):
        model.predict(X, verbose=0)
    model(X)
    model.predict_members(X)
    with pytest.warns(UserWarning, match="what 'followed' gives .output 0"):
        output_kind(make_followed(exponential))


def test_fit_under_a_loss_of_ones_own_warns():
    model = converted(make_followed(exponential))
    model.compile(
        loss=lambda y, x: keras.ops.mean(x, axis=-1), metrics=["accuracy"]
    )
    with pytest.warns(UserWarning, match="Cannot tell what 'followed' gives"):
        model.fit(X, np.zeros(6), verbose=0)


@pytest.mark.parametrize(
    "loss, kind",
    [
        ("sparse_categorical_crossentropy", "probabilities"),
        ("mse", "probabilities"),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), SOFTMAX),
    ],
    ids=name_of,
)
def test_loss_tells_what_no_layer_does(loss, kind):
    for model in (
        converted(make_followed(exponential, loss=loss)),
        converted(make_followed(exponential)),
    ):
        model.compile(loss=loss)
        assert model.output_kind == kind
        model(X)  # without a warning
    assert output_kind(make_followed(exponential, loss=loss)) == kind


def test_user_tells_what_no_layer_does():
    model = converted(make_followed(exponential))
    model.output_kinds = (SOFTMAX,)
    model(X)  # without a warning
    model.compile(loss=lambda y, x: x)
    model(X)


def test_loss_of_one_output_leaves_the_doubt_of_another():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu", name="hidden")(inputs)
    one, other = keras.layers.Dense(3)(x), keras.layers.Dense(2)(x)
    outputs = [exponential(one), exponential(other)]
    model = converted(keras.Model(inputs, outputs))
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss=[logits, lambda y, x: x])
    with pytest.warns(UserWarning, match=r"\(output 1\)"):
        model(X)


# check_probabilities


def test_uncertainty_of_what_are_no_probabilities_is_refused():
    model = converted(make_followed(keras.layers.LayerNormalization()))
    model.compile(loss="sparse_categorical_crossentropy")
    match = '(?s)smallest is -.*`model.output_kind = "softmax_logits"`'
    with pytest.raises(ValueError, match=match):
        model.predict_uncertainty(X)
    with pytest.raises(ValueError, match=match):
        model.calibrate((X, np.zeros(6, "int32")))
    model.output_kind = SOFTMAX
    assert model.predict_uncertainty(X).entropy.shape == (6,)


def test_uncertainty_of_labels_without_a_head_is_refused():
    model = converted(make_followed(half))
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="several independent labels"):
        model.predict_uncertainty(X)


@pytest.mark.parametrize(
    "rows, is_right",
    [
        ([[[0.5, 0.5]]], True),
        ([[[0.7]]], True),
        ([[[0.5, 0.504]]], True),  # rounded to half precision
        ([[[0.5, 0.6]]], False),
        ([[[1.5, -0.5]]], False),
        ([[[1.2]]], False),
        ([[[np.nan, 0.5]]], True),  # another check's business
    ],
)
def test_probabilities_sum_to_one(rows, is_right):
    rows = np.array(rows, "float32")
    check_probabilities("net", "regression", rows)
    check_probabilities("net", SOFTMAX, rows)
    if is_right:
        check_probabilities("net", "probabilities", rows)
        return
    with pytest.raises(ValueError, match="outputs of 'net' are taken for prob"):
        check_probabilities("net", "probabilities", rows)


# Logarithms of probabilities


@pytest.mark.parametrize("head", ["gp", "laplace"])
def test_head_under_a_log_softmax_gives_log_probabilities(head):
    stock = make_stock(3, "log_softmax")
    options = {"fast_weight_stddev": 0.0, "last_blocks": 1}
    model = keras_plex.plexify(stock, head=head, seed=0, **options)
    assert model.output_kind == SOFTMAX
    found = keras.ops.exp(model.predict(X, verbose=0))
    np.testing.assert_allclose(keras.ops.sum(found, -1), 1.0, atol=1e-5)
    np.testing.assert_allclose(
        model.predict_uncertainty(X).probabilities, found, atol=1e-5
    )
    linear = make_stock(3)
    linear.set_weights(stock.get_weights())
    twin = keras_plex.plexify(linear, head=head, seed=0, **options)
    for each in (model, twin):
        each.fit_covariance(X)
    np.testing.assert_allclose(
        model.predict_uncertainty(X).probabilities,
        twin.predict_uncertainty(X).probabilities,
        atol=1e-5,
    )


def test_log_sigmoids_are_averaged_as_probabilities():
    stock = make_stock(1, "log_sigmoid")
    model = keras_plex.plexify(
        stock, last_blocks=1, head="keep", fast_weight_stddev=0.5, seed=0
    )
    members = np.exp(model.predict_members(X))
    np.testing.assert_allclose(
        np.exp(model.predict(X, verbose=0)), members.mean(axis=1), atol=1e-6
    )
    with pytest.raises(ValueError, match="Leave its `log_sigmoid` out"):
        model.predict_uncertainty(X)


def test_heteroscedastic_head_refuses_logarithms():
    stock = make_stock(3, "log_softmax")
    with pytest.raises(ValueError, match="must be `None` or 'softmax'"):
        keras_plex.plexify(stock, last_blocks=1, head="heteroscedastic")


@pytest.mark.parametrize(
    "head, name, value",
    [
        ("heteroscedastic", "link", "sigmoid"),
        ("laplace", "likelihood", "binary_logistic"),
    ],
)
def test_head_before_a_log_sigmoid_is_one_of_sigmoids(head, name, value):
    stock = make_followed(keras.layers.Activation("log_sigmoid"))
    last_blocks = 0 if head == "laplace" else 1
    model = keras_plex.plexify(stock, last_blocks=last_blocks, head=head)
    assert getattr(model.output_head.layer, name) == value
