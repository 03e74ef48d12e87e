"""Every named benchmark is measured on made-up data of its own format."""

import dataclasses
import functools
import pathlib

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex.data.corruptions.corrupt_images import IMAGE_CORRUPTIONS
from keras_plex.data.named.benchmark import ADAPTING
from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.data.named.benchmark_table import IN_DISTRIBUTION
from keras_plex.tasks import TASKS
from keras_plex.tasks import Calibration
from keras_plex.tasks import benchmarks
from keras_plex.tasks import load_task
from keras_plex.tasks import load_tasks
from keras_plex.tasks.benchmarks import MAKERS
from tests import cases
from tests.named_data import no_network
from tests.named_data import prepare
from tests.t5_models import t5_classifier
from tests.t5_models import t5_preprocessor
from tests.text_models import bert_of_strings

pytest.importorskip("tensorflow_datasets")

# Three kinds measure the same split: one pass is enough for them.
OF_ONE_SPLIT = ("calibration", "selective_prediction", "in_distribution")
FIXED = [
    name
    for name, row in BENCHMARKS.items()
    if row.kind not in (*ADAPTING, *OF_ONE_SPLIT)
]
# Those that need few classes: a shot is one example of each.
ADAPTIVE = (
    "active_learning/cifar10",
    "active_learning/clinc_oos",
    "few_shot/cifar10",
    "few_shot/trec",
    "few_shot_uncertainty/fashion_mnist",
)


@functools.cache
def image_model(num_classes, side=28):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((side, side, 3)),
            keras.layers.AveragePooling2D(14),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes),
        ]
    )


@functools.cache
def text_model(num_classes):
    return bert_of_strings(num_classes)


def make_model(benchmark):
    """A model of as many classes as all known parts have."""
    classes = [set(part.row.labels) for part, _ in benchmark.parts()][:1]
    classes += [
        set(part.row.labels) for part, known in benchmark.parts() if known
    ]
    num_classes = max(set.intersection(*classes))
    if benchmark.modality == "image":
        return image_model(num_classes)
    return text_model(num_classes)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("tensorflow_datasets")


@functools.cache
def prepared(name, root, num_examples=12):
    return prepare(name, root, num_examples=num_examples)


def prepare_all(names, root, num_examples=12):
    for name in names:
        for part, _ in BENCHMARKS[name].parts():
            prepared(part.data_set, root, num_examples)


def test_every_kind_has_a_maker_and_most_are_tasks():
    assert {row.kind for row in BENCHMARKS.values()} == set(MAKERS)
    assert set(MAKERS) == set(TASKS)


def thinned(benchmark):
    """With few of many shifts: 75 passes take their time."""
    others = list(benchmark.others.items())
    options = dict(benchmark.options)
    if "corruptions" in options:
        options["corruptions"] = options["corruptions"][::8]
    if len(others) > 10:
        others = others[::30] + others[-1:]
    return dataclasses.replace(benchmark, others=dict(others), options=options)


@pytest.mark.parametrize("name", FIXED)
def test_benchmark_is_measured(name, root, monkeypatch):
    benchmark = thinned(BENCHMARKS[name])
    monkeypatch.setitem(BENCHMARKS, name, benchmark)
    prepare_all([name], root)
    model = make_model(benchmark)
    with no_network():
        task = load_task(name, model, data_dir=root)
        report = keras_plex.evaluate(model, task, resamples=0, verbose=0)
    assert task.name == name and task.kind == benchmark.kind
    result = report[name]
    assert set(result.num_examples.values()) <= {8, 12}
    sets = len({part for part, _ in benchmark.parts()})
    # Corrupted copies are the same examples.
    assert len(result.num_examples) == sets - (benchmark.train is not None)
    assert np.isfinite(result[result.headline].value)


@pytest.mark.parametrize("data_set", IN_DISTRIBUTION)
def test_three_kinds_are_measured_on_one_split(data_set, root):
    names = [f"{family}/{data_set}" for family in OF_ONE_SPLIT]
    prepare_all(names, root)
    model = make_model(BENCHMARKS[names[0]])
    with no_network():
        tasks = load_tasks(names, model, data_dir=root)
        report = keras_plex.evaluate(model, tasks, resamples=0, verbose=0)
    assert len({task.test.key for task in tasks}) == 1
    for name in names:
        result = report[name]
        assert result.num_examples == {"test": 12}
        assert np.isfinite(result[result.headline].value)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_adapting_benchmark_is_measured(name, tmp_path):
    prepare_all([name], tmp_path, num_examples=300)
    model = make_model(BENCHMARKS[name])
    with no_network():
        task = load_task(name, model, data_dir=tmp_path)
        report = keras_plex.evaluate(model, task, resamples=0, verbose=0)
    result = report[name]
    assert np.isfinite(result[result.headline].value)


def test_corruptions_come_at_the_size_and_in_the_range_of_the_model(root):
    name = "covariate_shift/cifar10"
    prepare_all([name], root)
    task = load_task(name, image_model(10), data_dir=root, value_range=(-1, 1))
    assert set(task.shifts) == set(IMAGE_CORRUPTIONS)
    fog = task.shifted["fog/5"]
    assert fog.corruption.value_range == (-1.0, 1.0)
    x, _, _ = next(iter(fog.batches(32)))
    assert x.shape == (12, 28, 28, 3)
    assert -1 <= x.min() < 0 < x.max() <= 1


def test_options_reach_the_data(root):
    name = "calibration/cifar10"
    prepare_all([name], root)
    task = load_task(
        name, image_model(10), data_dir=root, max_examples=7, batch_size=4
    )
    assert [len(y) for _, y in task.test.data] == [4, 3]


def test_same_numbers_as_from_arrays(root):
    name = "calibration/cifar10"
    prepare_all([name], root)
    model = image_model(10)
    task = load_task(name, model, data_dir=root)
    x, y = zip(*task.test.data, strict=True)
    arrays = type(task)((np.concatenate(x), np.concatenate(y)))
    found = task.measure(task.predict(model))
    expected = arrays.measure(arrays.predict(model))
    assert found == pytest.approx(expected, abs=1e-6)


def test_members_are_measured_too(root):
    name = "open_set/fashion_mnist"
    prepare_all([name], root)
    layers = [
        keras.layers.Flatten(),
        keras.layers.Dense(4, name="hidden"),
        keras.layers.Dense(10),
    ]
    stock = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    model = keras_plex.plexify(stock, 2, layers=["hidden"], head="keep", seed=0)
    task = load_task(name, model, data_dir=root)
    measured = task.measure(task.predict(model))
    assert "mnist/disagreement/auroc" in measured


def test_t5_reads_pairs_as_one_text(root):
    name = "calibration/mnli"
    prepare_all([name], root)
    model = t5_classifier(preprocessor=t5_preprocessor())
    task = load_task(name, model, data_dir=root)
    [(x, _)] = task.test.data
    assert all(text.startswith("premise: ") for text in x)
    assert np.isfinite(task.measure(task.predict(model))["nll"])


def test_image_task_of_keras_hub_gets_raw_images_of_its_size(root):
    name = "calibration/imagenet"
    prepare_all([name], root)
    converter = keras_hub.layers.ViTImageConverter(
        image_size=(8, 8), scale=1 / 255
    )
    backbone = cases.vit(2).backbone
    model = keras_hub.models.ViTImageClassifier(
        backbone,
        1000,
        preprocessor=keras_hub.models.ViTImageClassifierPreprocessor(converter),
    )
    task = load_task(name, model, data_dir=root)
    [(x, _)] = task.test.data
    assert x.shape == (12, 8, 8, 1) and 100 < x.max() <= 255
    found = task.measure(task.predict(model))
    model.preprocessor = None
    [(x, y)] = load_task(name, model, data_dir=root).test.data
    arrays = Calibration((x, y))
    assert found == pytest.approx(
        arrays.measure(arrays.predict(model)), abs=1e-5
    )


def test_tasks_are_for_models_of_the_same_inputs(root):
    name = "calibration/cifar10"
    prepare_all([name], root)
    plain, small = image_model(10), image_model(10, side=14)
    raw = keras.Sequential(
        [keras.Input((28, 28, 3)), keras.layers.Rescaling(1 / 255), plain],
        name="raw",
    )
    task = load_task(name, plain, data_dir=root)
    others = {
        r"takes size=\(14, 14\), and \(28, 28\) was loaded": small,
        "'cifar10' was loaded for another model than 'raw'.*(0, 255)": raw,
    }
    for message, other in others.items():
        with pytest.raises(ValueError, match=message):
            keras_plex.evaluate(other, task, verbose=0)
        with pytest.raises(ValueError, match=message):
            keras_plex.compare({"a": plain, "b": other}, [task], verbose=0)
    said = load_task(name, plain, data_dir=root, value_range=(0, 255))
    options = {"resamples": 0, "verbose": 0}
    found = keras_plex.compare({"a": plain, "b": raw}, [said], **options)
    assert set(found.reports) == {"a", "b"}


def test_model_that_does_not_say_what_it_takes_is_trusted(root):
    class Silent(keras.Model):
        def call(self, inputs):
            return image_model(10)(inputs)

    name = "calibration/cifar10"
    prepare_all([name], root)
    task = load_task(name, image_model(10), data_dir=root)
    silent = Silent()
    silent.compile(loss=keras.losses.SparseCategoricalCrossentropy(True))
    report = keras_plex.evaluate(silent, task, resamples=0, verbose=0)
    assert report[name].num_examples == {"test": 12}


def test_directory_of_tfds_is_the_default(root, monkeypatch):
    name = "calibration/cifar10"
    prepare_all([name], root)
    monkeypatch.setenv("TFDS_DATA_DIR", str(root))
    assert load_task(name, image_model(10)).test.data.path == (
        root / "cifar10" / "3.0.2"
    )


def test_missing_data_are_all_named_at_once(tmp_path):
    names = ["calibration/cifar10", "open_set/cifar10"]
    with pytest.raises(ValueError) as caught:
        load_tasks(names, image_model(10), data_dir=tmp_path)
    text = str(caught.value)
    assert text.startswith("3 data sets are not in")
    for name in ("cifar10", "cifar100", "svhn_cropped"):
        assert f"- {name}: " in text


def test_data_that_do_not_fit_are_refused_before_any_download(tmp_path):
    with pytest.raises(
        ValueError, match="have 10 classes, and the model has 7"
    ):
        load_task(
            "calibration/cifar10",
            image_model(7),
            data_dir=tmp_path,
            download=True,
        )
    with pytest.raises(ValueError, match="must take one batch of images"):
        load_task("calibration/cifar10", text_model(10), data_dir=tmp_path)
    with pytest.raises(ValueError, match="feed strings"):
        load_task("calibration/trec", image_model(6), data_dir=tmp_path)
    assert not list(pathlib.Path(tmp_path).iterdir())


def test_unknown_names_list_what_exists():
    with pytest.raises(ValueError, match="Unknown benchmark: 'calibration/x'"):
        load_task("calibration/x", image_model(10))
    with pytest.raises(ValueError, match="Unknown modality: 'audio'"):
        benchmarks("audio")
    with pytest.raises(ValueError, match=r"did you mean \['a/b'\]"):
        load_tasks("a/b", image_model(10))


@pytest.mark.parametrize("argument", ["max_examples", "batch_size"])
def test_numbers_must_be_positive(argument):
    with pytest.raises(ValueError, match=f"`{argument}` must be a positive"):
        load_task("calibration/cifar10", image_model(10), **{argument: 0})


def test_model_must_be_a_classifier():
    with pytest.raises(ValueError, match="must be a Keras model"):
        load_task("calibration/cifar10", "model.keras")


def test_listing_is_of_one_modality():
    pairs = benchmarks("text pair")
    assert set(pairs) < set(BENCHMARKS)
    assert {row.modality for row in pairs.values()} == {"text pair"}
    assert dataclasses.is_dataclass(pairs["calibration/mnli"])
