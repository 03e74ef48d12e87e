"""The diagrams of a fit: which, when, from what, and what if they fail."""

import io
import sys

import keras
import numpy as np
import pytest
from PIL import Image

import keras_plex
from keras_plex.callbacks import ReliabilityDiagrams
from keras_plex.callbacks import ReliabilityMonitor
from keras_plex.plots import figures

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = np.arange(12) % 3
FAR = 5 * RNG.normal(size=(8, 4)).astype("float32")
TAGS = [
    "ood/far/msp",
    "reliability/validation",
    "risk_coverage/validation",
]


def make_stock():
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    return model


def make_diagrams(directory, monitor=None, **options):
    if monitor is None:
        options = {
            "validation": (X, Y),
            "ood": {"far": FAR},
            "scores": ("msp",),
            **options,
        }
    options = {"tensorboard": False, **options}
    return ReliabilityDiagrams(directory, monitor, **options)


def make_monitor(**options):
    return ReliabilityMonitor(
        (X, Y), ood={"far": FAR}, **{"scores": ("msp",), **options}
    )


def fit(model, *callbacks, epochs=1, **options):
    return model.fit(
        X, Y, epochs=epochs, verbose=0, callbacks=list(callbacks), **options
    )


def drawn(directory):
    """The epochs of each tag that has a PNG file."""
    found = {}
    folder = directory / "images"
    for path in sorted(folder.rglob("*.png")):
        tag = path.parent.relative_to(folder).as_posix()
        epoch = int(path.stem.removeprefix("epoch_"))
        found.setdefault(tag, []).append(epoch)
    return found


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch):
    monkeypatch.setattr(
        "keras_plex.callbacks.reliability_diagrams.DOTS_PER_INCH", 30
    )


def events(directory):
    from tensorboard.backend.event_processing import event_accumulator

    (path,) = (directory / "images").glob("events.out.tfevents.*")
    return event_accumulator.EventAccumulator(
        str(path), {event_accumulator.IMAGES: 0}
    ).Reload()


def test_tensorboard_shows_the_pictures_of_the_files(tmp_path):
    fit(make_stock(), make_diagrams(tmp_path, tensorboard=True), epochs=2)
    found = events(tmp_path)
    assert sorted(found.Tags()["images"]) == TAGS
    for tag in TAGS:
        assert [event.step for event in found.Images(tag)] == [0, 1]
        for event in found.Images(tag):
            path = tmp_path / "images" / tag / f"epoch_{event.step:04d}.png"
            assert event.encoded_image_string == path.read_bytes()
            image = Image.open(io.BytesIO(event.encoded_image_string))
            assert image.size == (event.width, event.height)
            assert np.asarray(image).std() > 10  # something is drawn


def test_picture_is_that_of_the_plot_function(tmp_path):
    model = make_stock()
    fit(model, make_diagrams(tmp_path))
    from keras_plex.plots import reliability_diagram

    buffer = io.BytesIO()
    probabilities = model.predict_on_batch(X)
    figure = reliability_diagram({"validation": probabilities}, Y)
    figure.savefig(buffer, format="png", dpi=30)
    path = tmp_path / "images" / "reliability" / "validation"
    assert (path / "epoch_0000.png").read_bytes() == buffer.getvalue()


def test_without_tensorboard_there_are_only_files(tmp_path):
    fit(make_stock(), make_diagrams(tmp_path))
    assert drawn(tmp_path) == dict.fromkeys(TAGS, [0])
    assert not list(tmp_path.rglob("events*"))


def test_every_second_epoch_and_the_last_are_drawn(tmp_path):
    fit(make_stock(), make_diagrams(tmp_path, every=2), epochs=4)
    assert drawn(tmp_path)["ood/far/msp"] == [0, 2, 3]


def test_history_and_weights_stay_those_of_the_fit(tmp_path):
    results = []
    for callbacks in ([], [make_diagrams(tmp_path)]):
        keras.utils.set_random_seed(1)
        model = make_stock()
        results.append((fit(model, *callbacks).history, model.get_weights()))
    assert results[0][0] == results[1][0]
    for ours, plain in zip(results[1][1], results[0][1], strict=True):
        np.testing.assert_array_equal(ours, plain)


def test_validation_data_of_fit_is_the_default(tmp_path):
    model = keras_plex.plexify(
        keras.Sequential(
            [
                keras.Input((4,)),
                keras.layers.Dense(5, "relu"),
                keras.layers.Dense(3, "softmax"),
            ]
        ),
        last_blocks=1,
        head="keep",
    )
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    diagrams = ReliabilityDiagrams(tmp_path, tensorboard=False)
    fit(model, diagrams, validation_data=(X, Y))
    assert set(drawn(tmp_path)) == set(TAGS[1:])


# With a monitor


class Counting(keras.layers.Layer):
    """Counts the batches that pass outside training."""

    batches = 0

    def call(self, x, training=None):
        if not training:
            self.batches += 1
        return x


def make_counted():
    model = keras.Sequential(
        [
            keras.Input((4,)),
            Counting(name="counting"),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
    return model, model.get_layer("counting")


def test_monitor_is_drawn_without_a_forward_pass(tmp_path):
    counts = []
    for with_diagrams in (False, True):
        model, counting = make_counted()
        monitor = make_monitor(shifted={"blur": (X, Y)})
        callbacks = [monitor]
        if with_diagrams:
            callbacks.append(make_diagrams(tmp_path, monitor))
        before = counting.batches
        fit(model, *callbacks, epochs=2)
        counts.append(counting.batches - before)
    assert counts[0] == counts[1] > 0
    tags = [*TAGS, "reliability/shifted/blur", "risk_coverage/shifted/blur"]
    assert drawn(tmp_path) == {tag: [0, 1] for tag in sorted(tags)}


def test_pictures_with_and_without_a_monitor_are_equal(tmp_path):
    own, model = tmp_path / "own", make_stock()
    monitor = make_monitor()
    fit(
        model,
        monitor,
        make_diagrams(tmp_path / "monitor", monitor),
        make_diagrams(own),
        epochs=2,
    )
    paths = sorted(own.rglob("*.png"))
    assert len(paths) == 6
    for path in paths:
        other = tmp_path / "monitor" / path.relative_to(own)
        assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("order", [1, -1])
def test_order_of_the_two_does_not_matter(tmp_path, order):
    monitor, model = make_monitor(), make_stock()
    diagrams = make_diagrams(tmp_path, monitor)
    for epochs in (3, 2):  # a second fit draws again
        fit(model, *(monitor, diagrams)[::order], epochs=epochs)
        assert drawn(tmp_path) == {
            tag: list(range(epochs)) for tag in sorted(TAGS)
        }
        for path in tmp_path.rglob("*.png"):
            path.unlink()


def test_epochs_that_the_monitor_leaves_out_are_not_drawn(tmp_path):
    monitor = make_monitor(every=2)
    diagrams = make_diagrams(tmp_path, monitor, every=3)
    fit(make_stock(), monitor, diagrams, epochs=8)
    # 0, 2, 4, 6, 7 are measured; 0, 3, 6 and the last are wanted.
    assert drawn(tmp_path)["ood/far/msp"] == [0, 6, 7]


def test_scores_of_the_monitor_are_drawn(tmp_path):
    monitor = make_monitor(scores=("entropy", "mahalanobis"), training=(X, Y))
    fit(make_stock(), monitor, make_diagrams(tmp_path, monitor))
    found = [tag for tag in drawn(tmp_path) if tag.startswith("ood")]
    assert found == ["ood/far/entropy", "ood/far/mahalanobis"]


# Names and faults


def test_names_stay_inside_the_folder(tmp_path):
    names = ["../out", "a/b", "a_b", "blur: 10 %", "ü" * 300]
    logs = tmp_path / "logs"
    diagrams = make_diagrams(logs, ood=dict.fromkeys(names, FAR))
    fit(make_stock(), diagrams)
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    folders = {path.parent for path in (logs / "images/ood").rglob("*.png")}
    assert len(folders) == len(names)
    assert all(folder.name == "msp" for folder in folders)


def broken(*args, **kwargs):
    raise RuntimeError("no ink")


def test_fault_of_one_diagram_is_a_warning_and_the_rest_goes_on(
    tmp_path, monkeypatch
):
    diagrams = make_diagrams(tmp_path, tensorboard=True)

    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            function = broken if epoch == 1 else risk_coverage_diagram
            monkeypatch.setitem(
                sys.modules[ReliabilityDiagrams.__module__].LABELLED,
                "risk_coverage",
                function,
            )

    from keras_plex.plots import risk_coverage_diagram

    with pytest.warns(
        UserWarning, match="epoch 1: risk_coverage/validation.*no ink"
    ):
        history = fit(make_stock(), Break(), diagrams, epochs=3)
    assert len(history.history["loss"]) == 3
    assert drawn(tmp_path) == {
        "ood/far/msp": [0, 1, 2],
        "reliability/validation": [0, 1, 2],
        "risk_coverage/validation": [0, 2],
    }
    steps = [event.step for event in events(tmp_path).Images(TAGS[2])]
    assert steps == [0, 2]


def test_model_that_diverges_is_a_warning(tmp_path):
    model = make_stock()

    class Diverge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[-1].bias.assign(np.full(3, np.nan))

    with pytest.warns(UserWarning, match="'validation' are NaN"):
        history = fit(model, Diverge(), make_diagrams(tmp_path))
    assert "loss" in history.history and not drawn(tmp_path)


def test_full_disk_is_a_warning(tmp_path, monkeypatch):
    def full(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(
        "keras_plex.callbacks.reliability_diagrams.write_atomically", full
    )
    with pytest.warns(UserWarning, match="No space left"):
        fit(make_stock(), make_diagrams(tmp_path))


def test_folder_that_is_a_file_is_an_error_before_the_training(tmp_path):
    (tmp_path / "logs").touch()
    with pytest.raises(OSError):
        fit(make_stock(), make_diagrams(tmp_path / "logs"))


BAD_ARGUMENTS = {
    "unknown score": (dict(scores=["mps"]), "mps"),
    "zero": (dict(every=0), "`every` must be a positive"),
    "fraction": (dict(batch_size=0.5), "`batch_size` must be a positive"),
    "no dict": (dict(ood=FAR), "`ood` must be a dict"),
    "read once": (dict(validation=iter([(X, Y)])), "read only once"),
}


@pytest.mark.parametrize("name", BAD_ARGUMENTS)
def test_bad_argument_is_an_error_at_once(name, tmp_path):
    options, message = BAD_ARGUMENTS[name]
    with pytest.raises(ValueError, match=message):
        make_diagrams(tmp_path, **options)


def test_remote_folder_is_an_error_at_once():
    with pytest.raises(ValueError, match="`log_dir` must be a folder of this"):
        make_diagrams("gs://bucket/logs")


def test_data_beside_a_monitor_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="`validation`, `scores` would do no"):
        ReliabilityDiagrams(
            tmp_path, make_monitor(), validation=(X, Y), scores=("msp",)
        )


def test_monitor_of_another_fit_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="callback of the same `fit`"):
        fit(make_stock(), make_diagrams(tmp_path, make_monitor()))


BAD_SETS = {
    "other shape": (dict(ood={"far": FAR[:, :3]}), "set 'far'"),
    "no labels": (dict(validation=X), "'validation'.*labels"),
    "nothing": (dict(validation=None), "`validation=\\(x, y\\)`"),
}


@pytest.mark.parametrize("name", BAD_SETS)
def test_bad_set_is_an_error_before_the_training(name, tmp_path):
    options, message = BAD_SETS[name]
    model = make_stock()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        fit(model, make_diagrams(tmp_path, **options))
    for ours, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, old)


def test_without_the_extras_the_error_comes_when_made(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(ImportError, match=r"keras_plex\[plots\]"):
            make_diagrams(tmp_path)
    name = "tensorboard.summary.writer.record_writer"
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r"keras_plex\[tensorboard\]"):
        make_diagrams(tmp_path, tensorboard=True)
    make_diagrams(tmp_path)


def test_figures_are_freed(tmp_path, monkeypatch):
    import gc
    import weakref

    made = []
    new_figure = figures.new_figure

    def remember(*size):
        figure = new_figure(*size)
        made.append(weakref.ref(figure))
        return figure

    module = sys.modules["keras_plex.plots.reliability_diagram"]
    monkeypatch.setattr(module, "new_figure", remember)
    fit(make_stock(), make_diagrams(tmp_path), epochs=2)
    gc.collect()
    assert len(made) == 3 and not any(reference() for reference in made)
