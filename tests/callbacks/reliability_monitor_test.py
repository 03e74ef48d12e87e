"""The monitor's numbers are those one computes by hand after the epoch."""

import csv
import types

import keras
import numpy as np
import pytest
from keras import ops
from sklearn import metrics

import keras_plex
from keras_plex.callbacks import ReliabilityMonitor
from keras_plex.predictions import Predictions
from keras_plex.scores import score
from tests.other_backends import OTHER_BACKENDS
from tests.other_backends import run_tests

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
X_VAL = RNG.normal(size=(20, 4)).astype("float32")
Y_VAL = np.arange(20) % 3
X_FAR = 5 * RNG.normal(size=(8, 4)).astype("float32")
X_SHIFTED = X_VAL + RNG.normal(size=(20, 4)).astype("float32")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

MEASURED = {
    "val_nll",
    "val_ece",
    "val_brier",
    "shifted/noise_accuracy",
    "shifted/noise_nll",
    "shifted/noise_ece",
    "shifted/noise_brier",
    "ood/far/msp_auroc",
    "ood/far/msp_aupr",
    "ood/far/msp_fpr95",
}


def make_stock(units=3, activation=None):
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(units, activation),
        ]
    )


def compiled(model, learning_rate=0.5):
    optimizer = keras.optimizers.SGD(learning_rate)
    model.compile(optimizer, LOSS, run_eagerly=True)
    return model


def make_plex(head="gp", learning_rate=0.5):
    keras.utils.set_random_seed(0)
    options = {"num_features": 8, "mean_field_factor": 2.0}
    model = keras_plex.plexify(
        make_stock(),
        last_blocks=1,
        head=head,
        head_options=options if head == "gp" else None,
        seed=0,
    )
    return compiled(model, learning_rate)


def make_monitor(validation=(X_VAL, Y_VAL), **options):
    return ReliabilityMonitor(
        validation,
        **{
            "ood": {"far": X_FAR},
            "shifted": {"noise": (X_SHIFTED, Y_VAL)},
            **options,
        },
    )


def fit(model, *callbacks, **options):
    """The history of one epoch."""
    return model.fit(
        X,
        Y,
        **{
            "batch_size": 4,
            "verbose": 0,
            "callbacks": list(callbacks),
            **options,
        },
    ).history


def predictions_of(model, x):
    if isinstance(model, keras_plex.PlexModel):
        return model.predict_uncertainty(x)
    outputs = model.predict(x, verbose=0)
    return Predictions.from_outputs(outputs, "softmax_logits")


def forecasts_by_hand(model, x, y):
    forecast = predictions_of(model, x).probabilities.astype("float64")
    confidence, right = forecast.max(-1), forecast.argmax(-1) == y
    ece = 0.0
    for low in np.arange(15) / 15:
        inside = (confidence > low) & (confidence <= low + 1 / 15)
        if inside.any():
            gap = right[inside].mean() - confidence[inside].mean()
            ece += inside.mean() * abs(gap)
    return {
        "accuracy": right.mean(),
        "nll": -np.mean(np.log(forecast[np.arange(len(y)), y])),
        "ece": ece,
        "brier": np.mean(np.sum((forecast - np.eye(3)[y]) ** 2, -1)),
    }


def relative_mahalanobis_by_hand(model, x):
    """The score of the features of a model, fitted to the training data."""
    fitted = score("relative_mahalanobis").fit(model, (X, Y))
    if not isinstance(model, keras_plex.PlexModel):
        features = ops.convert_to_numpy(model.layers[0](x))
        return fitted(types.SimpleNamespace(features=features))
    return fitted(model.predict_uncertainty(x, features=True))


def ood_by_hand(model, score="msp"):
    scores = []
    for x in (X_VAL, X_FAR):
        found = predictions_of(model, x)
        values = 1 - found.confidence if score == "msp" else found.variance
        if score == "relative_mahalanobis":
            values = relative_mahalanobis_by_hand(model, x)
        scores.append(values)
    is_ood = np.array([0] * 20 + [1] * 8)
    threshold = np.sort(scores[1])[0]  # 95 % of 8 are all of them
    scores_of_all = np.concatenate(scores)
    return {
        "auroc": metrics.roc_auc_score(is_ood, scores_of_all),
        "aupr": metrics.average_precision_score(is_ood, scores_of_all),
        "fpr95": np.mean(scores[0] >= threshold),
    }


def assert_by_hand(values, model):
    """The last values of a history are those of the model as it is."""
    known = forecasts_by_hand(model, X_VAL, Y_VAL)
    shifted = forecasts_by_hand(model, X_SHIFTED, Y_VAL)
    ood = ood_by_hand(model)
    expected = {
        **{f"val_{name}": known[name] for name in ("nll", "ece", "brier")},
        **{f"shifted/noise_{name}": v for name, v in shifted.items()},
        **{f"ood/far/msp_{name}": v for name, v in ood.items()},
    }
    assert set(expected) == MEASURED
    found = {name: values[name][-1] for name in expected}
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.fixture(scope="module")
def measured():
    """A model that has been fitted, and its history."""
    model = make_plex()
    monitor = make_monitor(scores=("msp", "variance"))
    history = fit(model, monitor, epochs=2)
    return model, history


def test_values_are_those_of_the_model_after_the_epoch(measured):
    model, history = measured
    assert_by_hand(history, model)


def test_variance_is_that_of_this_epochs_covariance(measured):
    model, history = measured
    for name, value in ood_by_hand(model, "variance").items():
        found = history[f"ood/far/variance_{name}"][-1]
        assert found == pytest.approx(value, abs=1e-6)


def test_history_holds_each_value_once_per_epoch(measured):
    _, history = measured
    assert MEASURED < set(history)
    for name in MEASURED:
        assert len(history[name]) == 2
        assert all(type(value) is float for value in history[name])
    assert history["val_nll"][0] != history["val_nll"][1]


def test_model_without_a_gp_head_is_measured():
    model = make_plex("keep")
    assert_by_hand(fit(model, make_monitor()), model)


def test_stock_model_is_measured():
    model = compiled(make_stock())
    assert_by_hand(fit(model, make_monitor()), model)


def test_nothing_but_the_validation_data_is_needed():
    monitor = ReliabilityMonitor((X_VAL, Y_VAL))
    history = fit(compiled(make_stock()), monitor)
    assert set(history) == {"loss", "val_nll", "val_ece", "val_brier"}


# Scores of features


def assert_score_by_hand(history, model, name):
    for metric, value in ood_by_hand(model, name).items():
        found = history[f"ood/far/{name}_{metric}"][-1]
        assert found == pytest.approx(value, abs=1e-6)


def test_a_score_of_features_is_fitted_to_the_training_data_by_default():
    model = make_plex()
    history = fit(model, make_monitor(), epochs=2)
    assert_score_by_hand(history, model, "relative_mahalanobis")
    assert_by_hand(history, model)
    first, last = history["ood/far/relative_mahalanobis_auroc"]
    assert isinstance(first, float) and isinstance(last, float)


def test_own_training_data_fits_the_scores_of_a_stock_model():
    model = compiled(make_stock())
    monitor = make_monitor(training=(X, Y), scores=["relative_mahalanobis"])
    history = fit(model, monitor)
    assert_score_by_hand(history, model, "relative_mahalanobis")
    assert "ood/far/msp_auroc" not in history


def test_a_score_that_is_fitted_already_stays_as_it_is():
    model = make_plex()
    fitted = score("relative_mahalanobis").fit(model, (X, Y))
    before = fitted(model.predict_uncertainty(X_FAR, features=True))
    monitor = make_monitor(scores=["msp", fitted], training=(X[:6], Y[:6]))
    history = fit(compiled(model, 0.0), monitor)
    assert "ood/far/relative_mahalanobis_fpr95" in history
    values = monitor.score_values["ood/far"]["relative_mahalanobis"]
    np.testing.assert_allclose(values, before, rtol=1e-5)


def test_without_training_data_the_default_is_msp_alone():
    history = fit(compiled(make_stock()), make_monitor())
    assert set(history) == {"loss", *MEASURED}


def test_without_training_data_a_score_of_features_is_an_error():
    monitor = make_monitor(scores=("msp", "relative_mahalanobis"))
    with pytest.raises(ValueError, match=r"pass `training=\(x, y\)`"):
        fit(compiled(make_stock()), monitor)


def test_training_data_without_labels_are_an_error():
    monitor = make_monitor(training=X, scores=["relative_mahalanobis"])
    with pytest.raises(ValueError, match="set 'training'.*label"):
        fit(compiled(make_stock()), monitor)


# What it keeps


def test_what_was_measured_last_is_kept_for_other_callbacks():
    model, monitor = make_plex(), make_monitor(every=2)
    fit(model, monitor, epochs=3)
    assert monitor.measured_epoch == 2
    sets = {"validation": Y_VAL, "shifted/noise": Y_VAL, "ood/far": None}
    assert set(monitor.predictions) == set(sets)
    for name, labels in sets.items():
        found, known = monitor.predictions[name]
        assert found.features is None
        np.testing.assert_array_equal(known, labels)
    np.testing.assert_allclose(
        monitor.predictions["ood/far"][0].probabilities,
        model.predict_uncertainty(X_FAR).probabilities,
        atol=1e-6,
    )
    for name, x in (("validation", X_VAL), ("ood/far", X_FAR)):
        values = monitor.score_values[name]
        assert set(values) == {"msp", "relative_mahalanobis"}
        np.testing.assert_allclose(
            values["relative_mahalanobis"],
            relative_mahalanobis_by_hand(model, x),
            rtol=1e-4,
        )


def test_progress_is_shown_when_asked_for(capsys):
    fit(make_plex(), make_monitor(ood=None))
    assert not capsys.readouterr().out
    fit(make_plex(), make_monitor(ood=None, verbose=1))
    shown = capsys.readouterr().out
    assert "validation\n" in shown and "shifted/noise\n" in shown
    assert shown.count("20/20") == 2  # examples


# A model that diverges


class Diverge(keras.callbacks.Callback):
    """Makes a weight NaN in the second epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            weight = self.model.trainable_weights[0]
            weight.assign(np.full(weight.shape, np.nan))


def test_values_of_a_model_that_diverged_are_nan_and_the_fit_goes_on():
    model = make_plex("keep", learning_rate=0.0)
    with pytest.warns(UserWarning, match="'validation' are NaN or inf.*NaN"):
        history = fit(model, Diverge(), make_monitor(), epochs=3)
    for name in MEASURED:
        assert np.isfinite(history[name][0])
        assert np.isnan(history[name][1:]).all()


def test_a_model_that_has_diverged_already_is_an_error():
    model = make_plex("keep")
    weight = model.trainable_weights[0]
    weight.assign(np.full(weight.shape, np.nan))
    with pytest.raises(ValueError, match="set 'validation' are NaN or infin"):
        fit(model, make_monitor())


# A fit that is killed


class Killed(Exception):
    """Ends `fit` as if the process had been killed."""


class Kill(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise Killed


def resumable_fit(directory, *others, every=3, momentum=None):
    """Six epochs, and the model; what is in `directory` is gone on with."""
    keras.utils.set_random_seed(0)
    options = {"num_features": 8, "mean_field_factor": 2.0}
    model = keras_plex.plexify(
        make_stock(),
        last_blocks=1,
        head_options={**options, "momentum": momentum},
        seed=0,
    )
    compiled(model, 0.1)
    backup = keras.callbacks.BackupAndRestore(
        directory, delete_checkpoint=False
    )
    monitor = make_monitor(every=every, backup_dir=directory)
    history = fit(model, monitor, backup, *others, epochs=6, shuffle=False)
    return history, model


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_a_killed_fit_goes_on_with_the_same_values_and_covariance(
    tmp_path, momentum
):
    history, model = resumable_fit(tmp_path / "whole", momentum=momentum)
    killed = tmp_path / "killed"
    with pytest.raises(Killed):
        resumable_fit(killed, Kill(2), momentum=momentum)
    rest, resumed = resumable_fit(killed, momentum=momentum)
    assert set(rest) == set(history)
    for name, values in history.items():
        assert len(rest[name]) == 4
        assert rest[name] == pytest.approx(values[2:], abs=1e-6), name
    for ours, expected in zip(
        resumed.get_weights(), model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, expected, atol=1e-6)
    np.testing.assert_allclose(
        resumed.predict_uncertainty(X_FAR).variance,
        model.predict_uncertainty(X_FAR).variance,
        atol=1e-6,
    )


def test_the_backup_is_gone_when_the_training_is_over(tmp_path):
    fit(make_plex(), make_monitor(backup_dir=tmp_path / "backup"))
    assert not list((tmp_path / "backup").iterdir())


# How it is trained


@pytest.mark.skipif(
    keras.config.backend() == "torch", reason="PyTorch takes single steps"
)
def test_several_steps_per_execution_give_the_same_values():
    model = make_plex()
    model.compile(keras.optimizers.SGD(0.1), LOSS, steps_per_execution=3)
    assert_by_hand(fit(model, make_monitor()), model)


# What depends on how a backend computes, trains and restores.
ELSEWHERE = (
    "values_of_the_model",
    "variance_is",
    "stock_model_is_measured",
    "fitted_to_the_training_data",
    "diverged",
    "killed_fit",
    "changes_nothing",
    "each_example_passes_once",
    "tf_data_sets",
    "binary_classifier",
)


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
def test_the_monitor_does_the_same_on_another_backend(backend):
    run_tests(backend, __file__, "-k", " or ".join(ELSEWHERE))


# Callbacks that come after it


def test_early_stopping_finds_the_values():
    stop = keras.callbacks.EarlyStopping(
        monitor="val_ece", mode="min", patience=1
    )
    # Nothing moves: the second epoch is no better, and the last.
    model = make_plex(learning_rate=0.0)
    history = fit(model, make_monitor(), stop, epochs=9)
    assert len(history["val_ece"]) == 2
    assert stop.best == history["val_ece"][0]


def test_checkpoint_and_csv_log_find_the_values(tmp_path):
    path = str(tmp_path / "{epoch}-{val_nll:.4f}.keras")
    save = keras.callbacks.ModelCheckpoint(path, monitor="val_nll", mode="min")
    log = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    history = fit(make_plex(), make_monitor(), save, log, epochs=2)
    for epoch, value in enumerate(history["val_nll"]):
        assert (tmp_path / f"{epoch + 1}-{value:.4f}.keras").exists()
    with open(tmp_path / "log.csv") as file:
        rows = list(csv.DictReader(file))
    for name in MEASURED:
        found = [float(row[name]) for row in rows]
        assert found == pytest.approx(history[name])


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="writes by TensorFlow"
)
def test_tensorboard_finds_the_values(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    from tensorboard.util.tensor_util import make_ndarray

    board = keras.callbacks.TensorBoard(tmp_path)
    history = fit(make_plex(), make_monitor(), board, epochs=2)
    events = accumulator.EventAccumulator(str(tmp_path / "train"))
    validation = accumulator.EventAccumulator(str(tmp_path / "validation"))
    events.Reload()
    validation.Reload()
    found = {*events.Tags()["tensors"], *validation.Tags()["tensors"]}
    # Keras strips the prefix of what belongs to the run "validation".
    names = {f"epoch_{name.removeprefix('val_')}" for name in MEASURED}
    assert names <= found
    values = validation.Tensors("epoch_ece")
    found = [make_ndarray(event.tensor_proto) for event in values]
    assert found == pytest.approx(history["val_ece"])


def test_validation_of_keras_and_the_monitor_share_the_logs():
    history = fit(make_plex(), make_monitor(), validation_data=(X_VAL, Y_VAL))
    # The compiled loss of the forecast, and the monitor's, are the same.
    assert history["val_loss"] == pytest.approx(history["val_nll"], abs=1e-5)


def test_monitor_changes_nothing_of_the_training():
    weights = []
    for callbacks in ([], [make_monitor()]):
        model = make_plex()
        fit(model, *callbacks)
        weights.append(model.get_weights())
    for with_monitor, without in zip(*weights, strict=True):
        np.testing.assert_array_equal(with_monitor, without)


# When, and how much


def epochs_measured(every, **options):
    """The epochs after which values changed; all change them."""
    monitor = make_monitor(every=every, ood=None, shifted=None)
    history = fit(make_plex(), monitor, **options)["val_nll"]
    first = options.get("initial_epoch", 0)
    changed = [
        first + i
        for i, value in enumerate(history)
        if i == 0 or value != history[i - 1]
    ]
    return changed, len(history)


def test_every_second_epoch_and_the_last_are_measured():
    assert epochs_measured(2, epochs=6) == ([0, 2, 4, 5], 6)


def test_first_epoch_of_a_later_fit_is_measured():
    assert epochs_measured(3, epochs=7, initial_epoch=4) == ([4, 6], 3)


class Counting(keras.layers.Layer):
    """Counts the rows that pass through the model outside training."""

    rows = 0

    def call(self, x, training=None):
        if not training and isinstance(x.shape[0], int):
            self.rows += x.shape[0]
        return x


@pytest.mark.parametrize("head", ["gp", "keep"])
def test_each_example_passes_once_per_measured_epoch(head):
    inputs = keras.Input((4,))
    x = Counting(name="counting")(inputs)
    x = keras.layers.Dense(8, "relu")(x)
    stock = keras.Model(inputs, keras.layers.Dense(3)(x))
    options = {"num_features": 8} if head == "gp" else None
    model = keras_plex.plexify(
        stock, last_blocks=1, head=head, head_options=options
    )
    compiled(model)
    counting = model.get_layer("counting")
    seen = []

    class Note(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(counting.rows)

        def on_epoch_end(self, epoch, logs=None):
            seen.append(counting.rows)

    scores = ["msp", "entropy", "max_logit", "mutual_information"]
    monitor = make_monitor(scores=scores, every=2)
    fit(model, monitor, Note(), epochs=4)
    per_epoch = np.diff(seen)[::2]
    # 20 validation, 20 shifted and 8 unknown ones; epoch 1 is left out.
    assert per_epoch.tolist() == [48, 0, 48, 48]


def test_max_examples_bounds_each_set():
    monitor = make_monitor(max_examples=4, batch_size=4)
    model = make_plex()
    history = fit(model, monitor)
    first = forecasts_by_hand(model, X_VAL[:4], Y_VAL[:4])
    assert history["val_nll"][-1] == pytest.approx(first["nll"], abs=1e-5)
    shifted = forecasts_by_hand(model, X_SHIFTED[:4], Y_VAL[:4])
    found = history["shifted/noise_accuracy"][-1]
    assert found == pytest.approx(shifted["accuracy"])


def tf_dataset(*arrays, size=8):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


def test_max_examples_counts_the_examples_of_batched_data():
    data = tf_dataset(X_VAL, Y_VAL, size=4)
    monitor = ReliabilityMonitor(data, max_examples=16)
    model = make_plex()
    history = fit(model, monitor)
    first = forecasts_by_hand(model, X_VAL[:16], Y_VAL[:16])
    assert history["val_nll"][-1] == pytest.approx(first["nll"], abs=1e-5)


# Kinds of data


def test_tf_data_sets_give_the_values_of_their_arrays():
    model = make_plex()
    monitor = ReliabilityMonitor(
        tf_dataset(X_VAL, Y_VAL),
        ood={"far": tf_dataset(X_FAR, np.zeros(8))},  # labels are not used
        shifted={"noise": tf_dataset(X_SHIFTED, Y_VAL)},
    )
    assert_by_hand(fit(model, monitor), model)


@pytest.mark.parametrize(
    "options",
    [
        {"validation_data": (X_VAL, Y_VAL)},
        {
            "x": np.concatenate([X, X_VAL]),
            "y": np.concatenate([Y, Y_VAL]),
            "validation_split": 20 / 32,
        },
    ],
    ids=["validation_data", "validation_split"],
)
def test_validation_data_of_fit_is_the_default(options):
    model = make_plex()
    monitor = make_monitor(validation=None)
    options = {"x": X, "y": Y, **options}
    history = model.fit(
        batch_size=4, verbose=0, callbacks=[monitor], **options
    ).history
    assert_by_hand(history, model)


def test_own_validation_data_comes_before_that_of_fit():
    model = make_plex()
    history = fit(model, make_monitor(), validation_data=(X, Y))
    assert_by_hand(history, model)


def test_one_hot_labels_give_the_same_values():
    one_hot = np.eye(3)[Y_VAL]
    model = make_plex()
    monitor = make_monitor(
        validation=(X_VAL, one_hot), shifted={"noise": (X_SHIFTED, one_hot)}
    )
    assert_by_hand(fit(model, monitor), model)


def test_binary_classifier_is_measured():
    stock = make_stock(1, "sigmoid")
    model = keras_plex.plexify(stock, last_blocks=1, head="gp")
    model.compile("sgd", "binary_crossentropy", run_eagerly=True)
    labels = (Y_VAL > 0).astype("float32")
    data = (X_VAL, labels)
    history = model.fit(
        X,
        Y > 0,
        verbose=0,
        callbacks=[ReliabilityMonitor(data)],
    ).history
    forecast = ops.convert_to_numpy(model(X_VAL))[:, 0]
    nll = metrics.log_loss(labels, forecast.astype("float64"))
    assert history["val_nll"] == pytest.approx([nll], abs=1e-5)


def test_monitor_can_be_used_for_a_second_fit():
    model, monitor = make_plex(), make_monitor(every=5)
    fit(model, monitor)
    assert_by_hand(fit(model, monitor), model)


# What cannot be measured


BAD_ARGUMENTS = {
    "unknown score": (dict(scores=["mps"]), "mps.*msp"),
    "score as a string": (dict(scores="msp"), r"list of names.*\('msp',\)"),
    "no score": (dict(scores=[3]), "must be a name, or a score.*3"),
    "zero": (dict(every=0), "`every` must be a positive"),
    "negative": (dict(max_examples=-1), "`max_examples` must be a positive"),
    "fraction": (dict(batch_size=0.5), "`batch_size` must be a positive"),
    "no dict": (dict(ood=X_FAR), "`ood` must be a dict.*ndarray"),
    "no dict of shifted": (dict(shifted=[X]), "`shifted` must be a dict"),
    "generator": (
        dict(validation=((X, Y) for _ in range(2))),
        "`validation` can be read only once",
    ),
    "generator of unknown": (
        dict(ood={"far": iter([X_FAR])}),
        r"ood\['far'\].*only once",
    ),
}


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
def test_bad_argument_is_an_error_at_once(name):
    options, message = BAD_ARGUMENTS[name]
    with pytest.raises(ValueError, match=message):
        make_monitor(**options)


def test_data_set_without_end_is_an_error_at_once():
    data = tf_dataset(X_VAL, Y_VAL).repeat()
    with pytest.raises(ValueError, match="`validation` never ends"):
        make_monitor(validation=data)
    with pytest.raises(ValueError, match=r"shifted\['noise'\].*never ends"):
        make_monitor(shifted={"noise": data})


BAD_SETS = {
    "no validation": (dict(validation=None), "nothing to measure on"),
    "other shape": (dict(ood={"far": X_FAR[:, :3]}), "set 'far'"),
    "validation without labels": (dict(validation=X_VAL), "'validation'.*lab"),
    "shifted without labels": (
        dict(shifted={"noise": X_SHIFTED}),
        "'noise' needs labels",
    ),
    "unequal lengths": (
        dict(shifted={"noise": (X_SHIFTED, Y)}),
        "'noise'.*same number",
    ),
    "empty": (dict(ood={"far": X_FAR[:0]}), "'far'.*no example|number of"),
    "labels beyond the classes": (
        dict(validation=(X_VAL, Y_VAL + 3)),
        "class indices 0 to 2",
    ),
}


@pytest.mark.parametrize("name", BAD_SETS)
def test_bad_set_is_an_error_before_the_training(name):
    options, message = BAD_SETS[name]
    model = make_plex()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        fit(model, make_monitor(**options))
    for ours, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, old)


def test_variance_needs_a_head_that_has_one():
    for model in (make_plex("keep"), compiled(make_stock())):
        with pytest.raises(ValueError, match='"variance" needs a head'):
            fit(model, make_monitor(scores=["variance"]))


def test_stock_model_needs_its_own_validation_data():
    model = compiled(make_stock())
    monitor = make_monitor(validation=None)
    with pytest.raises(ValueError, match="pass `validation"):
        fit(model, monitor, validation_data=(X_VAL, Y_VAL))


def test_regression_cannot_be_monitored():
    stock = make_stock(1)
    stock.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match="no class probabilities"):
        fit(stock, make_monitor())
