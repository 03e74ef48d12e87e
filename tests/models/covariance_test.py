"""A GP head's covariance and mean-field factor after a look at data."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special

import keras_plex
from keras_plex.layers.likelihoods import LIKELIHOODS
from tests.other_backends import OTHER_BACKENDS
from tests.other_backends import run_tests

RNG = np.random.default_rng(0)
X = RNG.normal(size=(14, 4)).astype("float32")
Y = np.arange(14) % 3
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
LOSS_OF_PROBABILITIES = "sparse_categorical_crossentropy"


def make_stock(units=3, activation=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(units, activation),
        ]
    )


def make_plex(stock=None, loss=LOSS, **options):
    keras.utils.set_random_seed(0)
    model = keras_plex.plexify(
        make_stock() if stock is None else stock,
        last_blocks=1,
        head="gp",
        head_options={"num_features": 8, **options},
        seed=0,
    )
    model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    return model


def numpy(x):
    return ops.convert_to_numpy(x)


def random_features(model, x=X):
    """`(examples * ensemble, num_features)` in float64."""
    features = model.predict_uncertainty(x, features=True).features
    phi = numpy(model.covariance_head.covariance_features(features))
    return phi.reshape(-1, phi.shape[-1]).astype("float64")


def assert_knows(model, phi, rtol=1e-4):
    """The covariance is that of `phi`, ready for use."""
    covariance = model.covariance_head.covariance
    np.testing.assert_allclose(
        covariance.precision, phi.T @ phi, rtol=rtol, atol=1e-5
    )
    inverse = np.linalg.inv(np.eye(phi.shape[1]) + phi.T @ phi)
    expected = np.einsum("ni,ij,nj->n", phi, inverse, phi)
    np.testing.assert_allclose(
        covariance(phi.astype("float32")), expected, rtol=1e-3
    )


@pytest.fixture
def model():
    return make_plex()


class Batches:
    def __iter__(self):
        for start in range(0, 14, 4):
            yield X[start : start + 4], Y[start : start + 4]


class Sequence(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(4 * index, 4 * index + 4)
        return X[rows], Y[rows]


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


# fit_covariance


@pytest.mark.parametrize(
    "make_data",
    [
        lambda: X,
        lambda: (X, Y),
        Batches,
        lambda: Sequence(workers=1),
        tf_dataset,
    ],
    ids=["x", "x and y", "batches", "PyDataset", "tf.data"],
)
def test_covariance_is_the_sum_over_the_data_set(model, make_data):
    model.fit_covariance(make_data(), batch_size=5)
    assert_knows(model, random_features(model))


def test_second_data_set_replaces_the_first(model):
    model.fit_covariance(X)
    model.fit_covariance(X[:3])
    assert_knows(model, random_features(model, X[:3]))


@pytest.mark.parametrize("batch_size", [7, 100, 300])
def test_the_size_of_batches_does_not_matter(model, batch_size):
    x = np.random.default_rng(1).normal(size=(300, 4)).astype("float32")
    model.fit_covariance(x, batch_size)
    assert_knows(model, random_features(model, x))


def test_batches_of_other_lengths_are_taken_with_their_padding():
    stock = keras.Sequential(
        [
            keras.Input((None, 4)),
            keras.layers.Masking(),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model = make_plex(stock)
    lengths = (3, 3, 5, 2)
    batches = [RNG.normal(size=(2, n, 4)).astype("float32") for n in lengths]
    for batch in batches:
        batch[1, -1] = 0.0
    model.fit_covariance([(batch,) for batch in batches])
    seen = []
    for batch in batches:
        features = model.predict_details(batch, features=True)["features"]
        phi = numpy(model.covariance_head.covariance_features(features))
        seen += [phi[0].reshape(-1, 8), phi[1, :, :-1].reshape(-1, 8)]
    assert_knows(model, np.concatenate(seen).astype("float64"))


def test_a_moving_average_counts_each_batch():
    model = make_plex(momentum=0.75)
    model.fit_covariance([(X[:7],), (X[7:],)])
    first, second = random_features(model).reshape(2, 7 * 3, 8)
    first, second = first.T @ first / 21, second.T @ second / 21
    np.testing.assert_allclose(
        model.covariance_head.covariance.precision,
        0.75 * 0.25 * first + 0.25 * second,
        rtol=1e-4,
        atol=1e-5,
    )


def test_nothing_but_the_covariance_changes(model):
    before = {w.path: numpy(w) for w in model.weights}
    model.fit_covariance(X)
    changed = {
        w.path for w in model.weights if np.any(numpy(w) != before[w.path])
    }
    covariance = model.covariance_head.covariance
    own = (covariance.precision, covariance.root, covariance.has_data)
    assert changed == {weight.path for weight in own}


def test_variance_is_small_at_the_data_and_larger_away():
    model = make_plex(num_features=64)
    model.fit_covariance(np.concatenate([X[:7]] * 50))
    near = model.predict_uncertainty(X[:7]).variance
    far = model.predict_uncertainty(X[7:]).variance
    # Seen 50 times, a direction has at most the variance 1 / 50.
    assert near.max() < 1 / 50
    assert np.mean(far) > 5 * np.mean(near)


def test_uncompiled_model_can_learn_its_covariance():
    model = keras_plex.plexify(make_stock(), last_blocks=1, seed=0)
    model.fit_covariance(X)
    assert model.predict_uncertainty(X).variance.max() < 1.0


def test_nan_in_a_batch_is_left_out_with_one_warning(model):
    x = X.copy()
    x[3, 0], x[9, 2] = np.nan, np.inf
    with pytest.warns(UserWarning, match="6 rows with NaN or infinite"):
        model.fit_covariance(x, batch_size=4)
    kept = np.delete(X, [3, 9], axis=0)
    assert_knows(model, random_features(model, kept))
    model.fit_covariance(x)  # no second warning: it would be an error here
    assert np.isfinite(model.predict(X, verbose=0)).all()


def test_model_without_such_a_head_is_refused():
    model = keras_plex.plexify(make_stock(), last_blocks=1, head="keep")
    with pytest.raises(ValueError, match='no head with a covariance.*"gp"'):
        model.fit_covariance(X)


@pytest.mark.parametrize(
    "data, message",
    [
        ((x for x in [X]), "only once"),
        ((X, Y[:3]), "same number"),
        (X[:0], "holds no example"),
        (np.zeros((5, 3), "float32"), "expected axis -1"),
    ],
    ids=["generator", "unequal lengths", "empty", "other shape"],
)
def test_bad_data_leaves_the_covariance_as_it_was(model, data, message):
    model.fit_covariance(X)
    with pytest.raises(ValueError, match=message):
        model.fit_covariance(data)
    assert_knows(model, random_features(model))


# The mean-field factor, in fit


def check_mean_field(model, x, labels):
    """Scale and factor are the best of many pairs near them, in NumPy."""
    head = model.covariance_head
    features = model.predict_uncertainty(x, features=True).features
    logits = numpy(head.mean_logits(features)).astype("float64")
    variance = numpy(head.variance(features)).astype("float64")[..., None]
    rows = np.arange(len(labels))

    def loss(log_scale, log_factor):
        scaled = np.exp(log_scale) * logits
        scaled /= np.sqrt(1 + np.exp(log_factor) * variance)
        forecast = special.softmax(scaled, axis=-1).mean(axis=1)
        nll = -np.sum(np.log(forecast[rows, labels]))
        # The logarithms have the priors N(0, 0.5) and N(-log median, 2).
        distance = (log_factor + np.log(np.median(variance))) / 2.0
        return nll + 0.5 * distance**2 + 0.5 * (log_scale / 0.5) ** 2

    found = np.log([float(head.logit_scale), factor_of(model)])
    least = loss(*found)
    assert np.isfinite(least)
    for log_scale in np.linspace(-4, 0, 41):
        for log_factor in np.linspace(-7, 9, 65):
            assert least <= loss(log_scale, log_factor) + 1e-5
    for step in ((0, 0.05), (0, -0.05), (-0.02, 0)):
        assert least < loss(*(found + step))


def factor_of(model):
    return float(model.covariance_head.mean_field)


def scale_of(model):
    return float(model.covariance_head.logit_scale)


X_VALIDATION = np.random.default_rng(1).normal(size=(40, 4))
X_VALIDATION = X_VALIDATION.astype("float32")


def confident_model(loss=LOSS, **options):
    """Large logits, and labels of `X_VALIDATION`, every third one wrong."""
    keras.utils.set_random_seed(0)
    stock = make_stock()
    stock.layers[-1].kernel.assign(6 * stock.layers[-1].kernel)
    model = make_plex(stock, **options)
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
    labels = model.predict_uncertainty(X_VALIDATION).labels
    labels[::3] = (labels[::3] + 1) % 3
    return model, labels


def tf_batches(labels, size=8):
    tf = pytest.importorskip("tensorflow")
    arrays = (X_VALIDATION, labels)
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


@pytest.mark.parametrize(
    "make_data",
    [
        lambda y: (X_VALIDATION, y[:, None], np.ones(40)),
        tf_batches,
    ],
    ids=["arrays", "tf.data"],
)
def test_no_pair_of_a_grid_suits_the_validation_data_better(make_data):
    model, labels = confident_model()
    data = make_data(labels)
    history = model.fit(X, Y, validation_data=data, verbose=0).history
    check_mean_field(model, X_VALIDATION, labels)
    loss = model.evaluate(X_VALIDATION, labels, verbose=0)
    assert loss < history["val_loss"][-1]


def test_one_hot_labels_give_the_same_factor():
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model, labels = confident_model(loss)
    data = (X_VALIDATION, np.eye(3)[labels])
    model.fit(X, np.eye(3)[Y], validation_data=data, verbose=0)
    check_mean_field(model, X_VALIDATION, labels)


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_factor_of_an_activated_head_is_fitted_too(activation):
    is_binary = activation == "sigmoid"
    y = Y % 2 if is_binary else Y
    loss = "binary_crossentropy" if is_binary else LOSS_OF_PROBABILITIES
    model = make_plex(make_stock(1 if is_binary else 3, activation), loss)
    model.fit(X, y, validation_data=(X, y), verbose=0)
    assert factor_of(model) != LIKELIHOODS["gaussian"].typical_factor


def test_validation_split_is_used_as_well():
    model, labels = confident_model()
    x = np.concatenate([X, X_VALIDATION])
    y = np.concatenate([Y, labels])
    model.fit(x, y, validation_split=40 / 54, verbose=0)
    check_mean_field(model, X_VALIDATION, labels)


@pytest.mark.parametrize("is_endless", [False, True])
def test_validation_steps_bound_what_is_used(is_endless):
    model, labels = confident_model()
    data = tf_batches(labels, size=8)
    if is_endless:
        data = data.repeat()
    model.fit(X, Y, validation_data=data, validation_steps=4, verbose=0)
    check_mean_field(model, X_VALIDATION[:32], labels[:32])


def test_factor_stays_without_validation_data(model):
    model.fit(X, Y, verbose=0)
    assert factor_of(model) == LIKELIHOODS["gaussian"].typical_factor
    assert scale_of(model) == 1.0


def test_factor_that_the_user_chose_stays():
    model = make_plex(mean_field_factor=0.25)
    model.fit(X, Y, validation_data=(X, Y), verbose=0)
    assert factor_of(model) == 0.25
    assert scale_of(model) == 1.0


@pytest.mark.parametrize("units", [1, 2])
def test_regression_has_no_factor(units):
    model = make_plex(make_stock(units), "mse")
    assert model.output_kind == "regression"
    assert factor_of(model) == 0.0
    y = X[:, :units]
    model.fit(X, y, validation_data=(X, y), verbose=0)
    assert factor_of(model) == 0.0
    assert scale_of(model) == 1.0
    # The forecast is the mean function, whatever the variance.
    rows = model.predict_details(X, features=True)["features"]
    mean = numpy(model.covariance_head.mean_logits(rows)).mean(axis=1)
    np.testing.assert_allclose(numpy(model(X)), mean, atol=1e-6)


def test_generator_leaves_the_factor_with_a_warning(model):
    def batches():
        while True:
            yield X, Y

    with pytest.warns(
        UserWarning, match="validation data.*stays as it is.*once"
    ):
        model.fit(
            X, Y, validation_data=batches(), validation_steps=1, verbose=0
        )
    assert factor_of(model) == LIKELIHOODS["gaussian"].typical_factor


def test_labels_per_token_end_the_training_with_a_warning():
    # A Dense head on a sequence: one label per token.
    stock = keras.Sequential(
        [
            keras.Input((5, 4)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    model = make_plex(stock)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 5, 4)).astype("float32")
    y = rng.integers(0, 3, size=(6, 5))
    with pytest.warns(UserWarning, match="validation data.*stays as it is"):
        model.fit(x, y, validation_data=(x, y), verbose=0)
    assert factor_of(model) == LIKELIHOODS["gaussian"].typical_factor


# The mean-field factor, in fit_covariance


def test_fit_covariance_fits_the_factor_to_labelled_data():
    model, labels = confident_model()
    model.fit_covariance(X, validation_data=(X_VALIDATION, labels))
    assert_knows(model, random_features(model))
    check_mean_field(model, X_VALIDATION, labels)


def test_fit_covariance_without_labels_leaves_the_factor(model):
    model.fit_covariance(X)
    assert factor_of(model) == LIKELIHOODS["gaussian"].typical_factor
    with pytest.raises(ValueError, match="no labels"):
        model.fit_covariance(X, validation_data=X)
    assert factor_of(model) == LIKELIHOODS["gaussian"].typical_factor


def test_fit_covariance_of_a_regression_or_a_chosen_factor_keeps_it():
    regression = make_plex(make_stock(2), "mse")
    chosen = make_plex(mean_field_factor=0.25)
    # What would ask for a large factor: every forecast is wrong.
    opposite = -np.sign(regression.predict(X, verbose=0))
    wrong = (chosen.predict_uncertainty(X).labels + 1) % 3
    for model, y, factor in (
        (regression, opposite, 0.0),
        (chosen, wrong, 0.25),
    ):
        try:
            model.fit_covariance(X, validation_data=(X, y))
        except ValueError:
            pass  # To refuse an argument that would be ignored is fair.
        assert factor_of(model) == factor


def test_factor_is_saved_with_the_model(tmp_path):
    model, labels = confident_model()
    model.fit(X, Y, validation_data=(X_VALIDATION, labels), verbose=0)
    model.covariance_head.logit_scale.assign(0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (
        factor_of(loaded)
        == factor_of(model)
        != LIKELIHOODS["gaussian"].typical_factor
    )
    assert scale_of(loaded) == 0.5
    np.testing.assert_array_equal(numpy(loaded(X)), numpy(model(X)))


# What counts of the validation data


def test_examples_of_weight_0_do_not_count():
    model, labels = confident_model()
    weights = np.ones(40)
    weights[30:] = 0.0
    labels[30:] = -1
    data = (X_VALIDATION, labels, weights)
    model.fit_covariance(X, validation_data=data)
    check_mean_field(model, X_VALIDATION[:30], labels[:30])


@pytest.mark.parametrize("ignored", [-1, 255])
def test_labels_that_the_loss_ignores_do_not_count(ignored):
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, ignore_class=ignored
    )
    model, labels = confident_model(loss)
    labels[30:] = ignored
    model.fit(X, Y, validation_data=(X_VALIDATION, labels), verbose=0)
    check_mean_field(model, X_VALIDATION[:30], labels[:30])


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_it_is_the_same_on_another_backend(backend):
    run_tests(backend, __file__)
