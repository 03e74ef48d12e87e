"""Outside, a converted model is the stock one; inside, it has members."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.conversion import forward_pass

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
CROSS_ENTROPY = "sparse_categorical_crossentropy"


def make_stock(units=3, activation=None, **dense):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu", **dense),
            keras.layers.Dense(units, activation),
        ]
    )


def make_plex(stock=None, head="gp", **options):
    if head == "gp":
        options["head_options"] = {"num_features": 8, "mean_field_factor": 2.0}
    stock = make_stock() if stock is None else stock
    return keras_plex.plexify(
        stock, last_blocks=1, head=head, seed=0, **options
    )


def numpy(x):
    return ops.convert_to_numpy(x)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def identity(x):
    return x


BINARY = keras.losses.BinaryCrossentropy(from_logits=True)

# Units, activation, loss, and what makes a mean of the model's outputs.
KINDS = {
    "softmax_logits": (
        3,
        None,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        softmax,
    ),
    "sigmoid_logits": (1, None, BINARY, sigmoid),
    "several_sigmoid_logits": (3, None, BINARY, sigmoid),
    "regression": (2, None, "mse", identity),
    "softmax": (3, "softmax", CROSS_ENTROPY, identity),
    "sigmoid": (2, "sigmoid", "binary_crossentropy", identity),
}


def labels_for(model):
    if "sparse_categorical" in str(model.loss):
        return Y
    units = model.outputs[0].shape[-1]
    rng = np.random.default_rng(1)
    return (rng.uniform(size=(12, units)) > 0.5).astype("float32")


# Every kind of output with a GP head, and other heads with some of them.
CASES = [
    *((kind, "gp") for kind in KINDS),
    ("softmax_logits", "batch_ensemble"),
    ("sigmoid_logits", "keep"),
]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def case(request):
    """A model, its kind of output, and what makes a mean of its outputs."""
    keras.utils.set_random_seed(0)
    kind, head = request.param
    units, activation, loss, link = KINDS[kind]
    model = make_plex(make_stock(units, activation), head)
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
    if head == "gp":
        model.fit_covariance(X)
    return model, kind, link


@pytest.fixture
def model(case):
    return case[0]


def test_forecast_is_the_mean_of_the_members_probabilities(case):
    model, kind, link = case
    members = numpy(model.predict_members(X)).astype("float64")
    forecast = numpy(model(X))
    assert forecast.shape == (12, KINDS[kind][0])
    assert np.ptp(members, axis=1).max() > 0.01  # the members differ
    np.testing.assert_allclose(
        link(forecast), link(members).mean(axis=1), atol=1e-6
    )


def test_predict_gives_what_a_call_gives(model):
    np.testing.assert_allclose(
        model.predict(X, verbose=0, batch_size=5), model(X), atol=1e-6
    )
    np.testing.assert_allclose(model.predict_on_batch(X), model(X), atol=1e-6)


def test_evaluate_gives_the_loss_of_the_forecast(model):
    y = labels_for(model)
    loss = keras.losses.get(model.loss)
    expected = np.mean(loss(y, model(X)))
    found = model.evaluate(X, y, batch_size=5, verbose=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_training_loss_is_the_mean_of_the_members_losses(model):
    y = labels_for(model)
    loss = keras.losses.get(model.loss)
    with forward_pass.returning(forward_pass.MEMBERS):
        rows = numpy(model(X, training=True)).reshape(3, 12, -1)
    expected = np.mean([np.mean(loss(y, member)) for member in rows])
    history = model.fit(X, y, batch_size=4, verbose=0).history
    np.testing.assert_allclose(history["loss"], [expected], rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_neutral_members_leave_shape_kind_and_dtype_as_they_were(kind):
    units, activation, loss, link = KINDS[kind]
    stock = make_stock(units, activation)
    stock.compile(loss=loss)
    neutral = make_plex(stock, fast_weight_stddev=0.0)
    for x in (X, X[:1]):
        ours, theirs = neutral(x), stock(x)
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        np.testing.assert_allclose(
            link(numpy(ours)), link(numpy(theirs)), atol=1e-5
        )


# A model without a GP head, whose members NumPy can compute in three lines.


def member_outputs(model, x):
    """`(ensemble, batch, units)`: each member by itself, in NumPy."""
    hidden, out = model.layers[-2:]
    members = []
    for k in range(3):
        alpha, gamma = numpy(hidden.alpha)[k], numpy(hidden.gamma)[k]
        bias = numpy(hidden.bias) + numpy(hidden.member_bias)[k]
        h = np.maximum((x * alpha) @ numpy(hidden.kernel) * gamma + bias, 0.0)
        members.append(h @ numpy(out.kernel) + numpy(out.bias))
    return np.stack(members)


def cross_entropy(logits, y=Y):
    """`(..., batch)` in nats."""
    y = np.broadcast_to(y, logits.shape[:-1])[..., None]
    return -np.log(np.take_along_axis(softmax(logits), y, -1))[..., 0]


def compiled(model, loss=None, metrics=None, **options):
    if loss is None:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.SGD(0.0),
        loss,
        metrics=metrics,
        run_eagerly=True,
        **options,
    )
    return model


@pytest.fixture(scope="module")
def plain():
    keras.utils.set_random_seed(0)
    return make_plex(head="keep")


def one_epoch(model, *args, **kwargs):
    history = model.fit(*args, verbose=0, shuffle=False, **kwargs).history
    return {name: values[0] for name, values in history.items()}


def test_predict_members_equals_a_loop_over_members(plain):
    members = plain.predict_members(X, batch_size=5)
    assert members.shape == (12, 3, 3) and members.dtype == "float32"
    expected = np.swapaxes(member_outputs(plain, X), 0, 1)
    np.testing.assert_allclose(members, expected, atol=1e-5)


def test_summed_loss_is_the_mean_of_the_members_sums(plain):
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="sum"
    )
    compiled(plain, loss)
    found = one_epoch(plain, X, Y, batch_size=12)["loss"]
    expected = cross_entropy(member_outputs(plain, X)).sum() / 3
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_loss_that_compares_examples_meets_one_member_at_a_time(plain):
    def spread(y_true, y_pred):
        return ops.var(y_pred, axis=0)

    compiled(plain, spread)
    found = one_epoch(plain, X, Y, batch_size=12)["loss"]
    expected = member_outputs(plain, X).var(axis=1).mean()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_sample_weights_weigh_each_members_examples(plain):
    compiled(plain)
    weights = np.arange(12.0, dtype="float32")
    found = one_epoch(plain, X, Y, batch_size=4, sample_weight=weights)["loss"]
    expected = np.mean(weights * cross_entropy(member_outputs(plain, X)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_class_weights_weigh_each_members_examples(plain):
    compiled(plain)
    weights = {0: 1.0, 1: 2.0, 2: 0.5}
    found = one_epoch(plain, X, Y, batch_size=4, class_weight=weights)["loss"]
    each = np.array([weights[y] for y in Y])
    expected = np.mean(each * cross_entropy(member_outputs(plain, X)))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_validation_split_trains_on_the_first_and_tests_on_the_last(plain):
    compiled(plain)
    found = one_epoch(plain, X, Y, batch_size=4, validation_split=0.25)
    members = member_outputs(plain, X)
    loss = np.mean(cross_entropy(members[:, :9], Y[:9]))
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-5)
    forecast = np.log(softmax(members[:, 9:]).mean(axis=0))
    val_loss = np.mean(cross_entropy(forecast, Y[9:]))
    np.testing.assert_allclose(found["val_loss"], val_loss, rtol=1e-5)


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


@pytest.mark.parametrize(
    "make_data", [tf_dataset, lambda: Batches(workers=1)], ids=["tf", "py"]
)
def test_data_set_gives_the_loss_of_its_arrays(plain, make_data):
    compiled(plain)
    data = make_data()
    found = one_epoch(plain, data, validation_data=data)
    members = member_outputs(plain, X)
    np.testing.assert_allclose(
        found["loss"], np.mean(cross_entropy(members)), rtol=1e-5
    )
    forecast = np.log(softmax(members).mean(axis=0))
    val_loss = np.mean(cross_entropy(forecast))
    np.testing.assert_allclose(found["val_loss"], val_loss, rtol=1e-5)
    np.testing.assert_allclose(
        plain.predict_members(data), np.swapaxes(members, 0, 1), atol=1e-5
    )


@pytest.mark.parametrize("head", ["keep", "gp"])
def test_named_inputs_go_in_by_name(head):
    inputs = {name: keras.Input((2,), name=name) for name in ("a", "b")}
    x = keras.layers.Concatenate()([inputs["a"], inputs["b"]])
    x = keras.layers.Dense(8, "relu")(x)
    outputs = keras.layers.Dense(3)(x)
    model = compiled(make_plex(keras.Model(inputs, outputs), head))
    data = {"a": X[:, :2], "b": X[:, 2:]}
    found = one_epoch(model, data, Y, validation_split=0.25, batch_size=3)
    assert np.isfinite([found["loss"], found["val_loss"]]).all()
    members = model.predict_members(data)
    assert members.shape == (12, 3, 3)
    np.testing.assert_allclose(
        softmax(numpy(model(data))), softmax(members).mean(1), atol=1e-6
    )


class RowCount(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="rows")
        self.rows = self.add_weight(shape=(), initializer="zeros", name="rows")

    def update_state(self, y_true, y_pred, sample_weight=None):
        assert y_true.shape[0] == y_pred.shape[0]
        self.rows.assign_add(float(y_pred.shape[0]))

    def result(self):
        return self.rows


def test_compiled_metrics_see_one_forecast_per_example(plain):
    compiled(plain, metrics=[RowCount(), "accuracy"])
    found = one_epoch(plain, X, Y, batch_size=4, validation_data=(X, Y))
    assert found["rows"] == found["val_rows"] == 12
    forecast = softmax(member_outputs(plain, X)).mean(axis=0)
    accuracy = np.mean(forecast.argmax(-1) == Y)
    assert found["accuracy"] == found["val_accuracy"] == pytest.approx(accuracy)


def test_weighted_metrics_see_the_weights_of_the_examples(plain):
    compiled(plain, weighted_metrics=["accuracy"])
    weights = np.arange(12.0, dtype="float32")
    found = one_epoch(plain, X, Y, sample_weight=weights, batch_size=4)
    forecast = softmax(member_outputs(plain, X)).mean(axis=0)
    accuracy = np.average(forecast.argmax(-1) == Y, weights=weights)
    assert found["accuracy"] == pytest.approx(accuracy, rel=1e-5)


def test_regularization_counts_once_whatever_the_ensemble():
    stock = make_stock(kernel_regularizer=keras.regularizers.L2(0.1))
    penalty = 0.1 * np.sum(numpy(stock.layers[0].kernel) ** 2)
    model = compiled(make_plex(stock, "keep"))
    members = member_outputs(model, X)
    found = one_epoch(model, X, Y, batch_size=4, validation_data=(X, Y))
    loss = np.mean(cross_entropy(members)) + penalty
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-5)
    forecast = np.log(softmax(members).mean(axis=0))
    val_loss = np.mean(cross_entropy(forecast)) + penalty
    np.testing.assert_allclose(found["val_loss"], val_loss, rtol=1e-5)


def test_each_of_two_outputs_has_its_own_loss_and_mixture():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu", name="shared")(inputs)
    outputs = {
        "label": keras.layers.Dense(3, "softmax", name="label")(x),
        "size": keras.layers.Dense(1, name="size")(x),
    }
    stock = keras.Model(inputs, outputs)
    model = keras_plex.plexify(stock, head="keep", layers=["shared"], seed=0)
    losses = {"label": CROSS_ENTROPY, "size": "mse"}
    compiled(model, losses)
    sizes = X.sum(-1, keepdims=True)
    found = one_epoch(model, X, {"label": Y, "size": sizes}, batch_size=4)
    members = model.predict_members(X)
    assert members["label"].shape == (12, 3, 3)
    forecast = model(X)
    for name in outputs:
        np.testing.assert_allclose(
            forecast[name], members[name].mean(1), atol=1e-6
        )
    errors = np.mean((members["size"] - sizes[:, None]) ** 2)
    index = np.broadcast_to(Y[:, None, None], (12, 3, 1))
    nll = np.mean(-np.log(np.take_along_axis(members["label"], index, -1)))
    np.testing.assert_allclose(found["loss"], nll + errors, rtol=1e-4)
    np.testing.assert_allclose(found["size_loss"], errors, rtol=1e-4)


@pytest.mark.parametrize("head", ["gp", "keep", "batch_ensemble"])
def test_one_step_moves_every_trainable_weight(head):
    model = make_plex(head=head)
    model.compile("sgd", compiled(model).loss, run_eagerly=True)
    before = [numpy(w) for w in model.trainable_weights]
    model.train_on_batch(X, Y)
    for weight, old in zip(model.trainable_weights, before, strict=True):
        assert np.any(numpy(weight) != old), weight.path


def test_xla_trains_as_eager_does():
    states = []
    for options in ({"run_eagerly": True}, {"jit_compile": True}):
        keras.utils.set_random_seed(1)
        model = make_plex()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, **options)
        model.fit(X, Y, batch_size=4, shuffle=False, verbose=0)
        states.append([numpy(weight) for weight in model.weights])
    for eager, compiled_by_xla in zip(*states, strict=True):
        np.testing.assert_allclose(compiled_by_xla, eager, atol=1e-4)


# Compiled functions of different kinds of passes.


@pytest.fixture(scope="module")
def graph():
    """A compiled model with a GP head, run in graphs."""
    keras.utils.set_random_seed(0)
    model = make_plex()
    model.fit_covariance(X)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, jit_compile=False)
    return model


def assert_forecasts_and_members_stay_apart(model):
    forecast = numpy(model(X))
    shapes = []
    for _ in range(2):
        np.testing.assert_allclose(
            model.predict(X, verbose=0), forecast, atol=1e-6
        )
        shapes.append(model.predict_members(X).shape)
    assert shapes == [(12, 3, 3)] * 2
    np.testing.assert_allclose(model.predict_on_batch(X), forecast, atol=1e-6)


def test_predict_after_predict_members_still_gives_forecasts(graph):
    assert_forecasts_and_members_stay_apart(graph)


def test_features_come_only_when_asked_for(graph):
    for _ in range(2):
        assert graph.predict_uncertainty(X).features is None
        found = graph.predict_uncertainty(X, features=True)
        assert found.features.shape == (12, 3, 8)
    assert_forecasts_and_members_stay_apart(graph)


def test_compiling_again_keeps_forecasts_and_members_apart(graph):
    for options in ({"run_eagerly": True}, {"jit_compile": False}):
        graph.predict_members(X)
        graph.compile("sgd", graph.loss, **options)
        assert_forecasts_and_members_stay_apart(graph)


def test_changed_output_kind_changes_every_forecast(graph):
    before = graph.predict(X, verbose=0)
    loss = graph.evaluate(X, Y, verbose=0)
    graph.output_kind = "regression"
    try:
        members = graph.predict_members(X)
        for forecast in (graph(X), graph.predict(X, verbose=0)):
            np.testing.assert_allclose(forecast, members.mean(1), atol=1e-6)
        assert abs(graph.evaluate(X, Y, verbose=0) - loss) > 1e-4
    finally:
        graph.output_kind = "softmax_logits"
    np.testing.assert_allclose(graph.predict(X, verbose=0), before, atol=1e-6)
    assert_forecasts_and_members_stay_apart(graph)


def test_failed_pass_leaves_forecasts_as_they_were(graph):
    with pytest.raises(ValueError):
        graph.predict_members("no array")
    assert forward_pass.mode() == forward_pass.FORECAST
    assert_forecasts_and_members_stay_apart(graph)


def test_new_covariance_reaches_compiled_functions(graph):
    near = graph.predict_uncertainty(X).variance
    graph.fit_covariance(np.concatenate([X] * 20))
    assert np.all(graph.predict_uncertainty(X).variance < 0.5 * near)
    graph.fit_covariance(X)


def test_members_are_shown_without_a_progress_bar_unless_asked(graph, capsys):
    graph.predict_members(X)
    graph.predict_uncertainty(X)
    assert capsys.readouterr().out == ""
    graph.predict_members(X, verbose=1)
    assert capsys.readouterr().out != ""


def test_predict_arguments_are_handed_on(graph):
    found = graph.predict_members(X, batch_size=5, steps=2)
    assert found.shape == (10, 3, 3)


# Uncertainty.


def test_uncertainty_is_that_of_the_members(graph):
    members = softmax(graph.predict_members(X).astype("float64"))
    mean = members.mean(axis=1)
    found = graph.predict_uncertainty(X, batch_size=5)
    entropy = -np.sum(mean * np.log(mean), axis=-1)
    expected_entropy = -np.sum(members * np.log(members), axis=-1).mean(1)
    votes = members.argmax(-1)
    pairs = [votes[:, i] != votes[:, j] for i, j in ((0, 1), (0, 2), (1, 2))]
    expected = {
        "probabilities": mean,
        "member_probabilities": members,
        "labels": mean.argmax(-1),
        "confidence": mean.max(-1),
        "entropy": entropy,
        "expected_entropy": expected_entropy,
        "mutual_information": entropy - expected_entropy,
        "disagreement": np.mean(pairs, axis=0),
    }
    for name, value in expected.items():
        field = getattr(found, name)
        assert isinstance(field, np.ndarray) and len(field) == 12
        np.testing.assert_allclose(field, value, atol=1e-5, err_msg=name)
    assert np.any(found.disagreement > 0)


def test_forecast_of_uncertainty_is_that_of_predict(graph):
    found = graph.predict_uncertainty(X).probabilities
    expected = softmax(graph.predict(X, verbose=0))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_features_and_variance_are_those_of_the_head(graph):
    found = graph.predict_uncertainty(X, features=True)
    assert found.features.shape == (12, 3, 8)
    assert found.variance.shape == (12,)
    assert found.features.dtype == found.variance.dtype == "float32"
    variance = numpy(graph.covariance_head.variance(found.features))
    np.testing.assert_allclose(found.variance, variance.mean(1), rtol=1e-4)


def test_features_are_the_inputs_of_the_output_layer(plain):
    found = plain.predict_uncertainty(X, features=True)
    out = plain.layers[-1]
    logits = found.features @ numpy(out.kernel) + numpy(out.bias)
    np.testing.assert_allclose(logits, found.member_logits, atol=1e-5)
    assert found.variance is None


def test_features_of_a_model_without_such_a_head_are_refused():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8)(inputs)
    outputs = keras.layers.Dense(3)(x) + keras.layers.Dense(3)(x)
    model = keras_plex.plexify(keras.Model(inputs, outputs), head="keep")
    assert model.predict_uncertainty(X).probabilities.shape == (12, 3)
    with pytest.raises(ValueError, match="no `Dense` output layer"):
        model.predict_uncertainty(X, features=True)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_uncertainty_of_several_labels_is_refused(activation):
    model = make_plex(make_stock(3, activation), "keep")
    if activation is None:
        compiled(model, BINARY)
    with pytest.raises(ValueError, match="3 independent.*`predict_members`"):
        model.predict_uncertainty(X)
    assert model.predict_members(X).shape == (12, 3, 3)


def test_uncertainty_of_a_regression_is_refused():
    model = compiled(make_plex(make_stock(1), "keep"), "mse")
    with pytest.raises(ValueError, match="no class probabilities"):
        model.predict_uncertainty(X)


def test_binary_model_has_two_classes():
    model = compiled(make_plex(make_stock(1)), BINARY)
    found = model.predict_uncertainty(X)
    positive = sigmoid(numpy(model(X)))[:, 0]
    np.testing.assert_allclose(found.probabilities[:, 1], positive, atol=1e-6)
    np.testing.assert_array_equal(found.labels, positive > 0.5)


# What a model is.


def test_model_stays_an_instance_of_its_stock_class(plain):
    assert isinstance(plain, keras.Sequential)
    assert isinstance(plain, keras_plex.PlexModel)
    assert plain.ensemble_size == 3


def test_gp_head_is_there_only_where_there_is_one(plain, graph):
    assert plain.covariance_head is None
    assert graph.covariance_head is graph.layers[-1]


def test_unknown_output_kind_is_refused_and_changes_nothing(plain):
    kind = plain.output_kind
    with pytest.raises(ValueError, match="softmax_logits"):
        plain.output_kind = "logits"
    assert plain.output_kind == kind


def test_mean_field_is_off_for_a_regression_and_back_for_logits():
    stock = make_stock(2)
    options = {"num_features": 8}
    model = keras_plex.plexify(
        stock, last_blocks=1, head="gp", head_options=options
    )
    default = float(model.covariance_head.mean_field)
    assert default > 0
    model.covariance_head.logit_scale.assign(0.5)
    compiled(model, "mse")
    assert float(model.covariance_head.mean_field) == 0.0
    assert float(model.covariance_head.logit_scale) == 1.0
    compiled(model)
    assert float(model.covariance_head.mean_field) == default


def test_preset_is_refused(plain, tmp_path):
    with pytest.raises(ValueError, match="preset.*model.save"):
        plain.save_to_preset(tmp_path / "preset")
    assert not list(tmp_path.iterdir())
