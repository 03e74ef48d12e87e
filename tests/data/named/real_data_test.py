"""Published files go through the download path, without the network."""

import collections
import contextlib
import importlib.util
import io
import json

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.data.named.downloads import prepare_data_sets
from keras_plex.data.named.table import DATA_SETS
from keras_plex.tasks import load_tasks
from tests.named_data import no_network
from tests.named_data import prepare

pytest.importorskip("tensorflow_datasets")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("tensorflow_datasets")


@pytest.fixture(scope="module")
def download(shared_data, root):
    """Function of names: as if the files had just come through."""
    script = shared_data / "tfds_offline.py"
    if not script.is_file():
        pytest.skip(f"Needs {script}, which lays out published files.")
    spec = importlib.util.spec_from_file_location("tfds_offline", script)
    offline = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(offline)

    def run(*names):
        with contextlib.redirect_stdout(io.StringIO()), no_network():
            for name in names:
                offline.place(name, root, shared_data, "cache")
            rows = [DATA_SETS[name] for name in names]
            return prepare_data_sets(rows, root, download=True)

    return run


def features(path, split):
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(str(path))
    return list(tfds.as_numpy(builder.as_dataset(split=split)))


def test_clinc_is_that_of_its_authors(download, shared_data):
    path = download("clinc_oos")["clinc_oos"]
    published = json.loads(
        (shared_data / "text" / "clinc150" / "data_full.json").read_text()
    )
    row = DATA_SETS["clinc_oos"]
    intent_of = {}
    for split, key in (("test", "test"), ("validation", "val")):
        found = features(path, split)
        assert len(found) == len(published[key]) == row.splits[split]
        pairs = [(x["text"].decode(), x["intent_name"].decode()) for x in found]
        # Some are written otherwise: "what 's".
        same = set(pairs) & {tuple(pair) for pair in published[key]}
        assert len(same) > 0.8 * len(pairs)
        for one in found:
            name = intent_of.setdefault(one["intent"], one["intent_name"])
            assert name == one["intent_name"]
    labels = [one["intent"] for one in features(path, "test")]
    assert collections.Counter(labels) == dict.fromkeys(range(150), 30)
    assert len(features(path, "test_oos")) == row.splits["test_oos"] == 1000
    domains = row.group({"domain_name": [x["domain_name"] for x in found]})
    assert len(set(domains)) == 10


def test_trec_is_that_of_its_authors(download, shared_data):
    path = download("trec")["trec"]
    lines = (shared_data / "text" / "trec.jsonl").read_text().splitlines()
    published = collections.Counter(
        json.loads(line)["label"] for line in lines if '"test"' in line
    )
    found = features(path, "test")
    labels = DATA_SETS["trec"].labels[6](
        {"label-coarse": np.array([x["label-coarse"] for x in found])}
    )
    counts = collections.Counter(labels.tolist())
    assert sorted(counts.values()) == sorted(published.values())
    assert sum(counts.values()) == DATA_SETS["trec"].splits["test"]


@pytest.mark.slow
def test_trained_model_has_the_accuracy_of_the_arrays(
    download, shared_data, root
):
    download("fashion_mnist")
    prepare("mnist", root)
    data = np.load(shared_data / "images" / "fashion_mnist.npz")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.AveragePooling2D(4),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    x = data["x_train"][:6000, ..., None].astype("float32") / 255
    model.fit(x, data["y_train"][:6000], epochs=2, batch_size=128, verbose=0)
    names = [
        f"{family}/fashion_mnist"
        for family in ("in_distribution", "calibration", "open_set")
    ]
    tasks = load_tasks(names, model, data_dir=root, batch_size=500)
    report = keras_plex.evaluate(model, tasks, resamples=0, verbose=0)
    x_test = data["x_test"][..., None].astype("float32") / 255
    logits = model.predict(x_test, batch_size=500, verbose=0)
    accuracy = np.mean(logits.argmax(-1) == data["y_test"])
    result = report["in_distribution/fashion_mnist"]
    assert accuracy > 0.6
    assert result.num_examples == {"test": 10_000}
    assert result["accuracy"].value == pytest.approx(accuracy, abs=1e-12)


@pytest.mark.slow
def test_published_pixels_come_through(download, shared_data, root):
    path = download("cifar10")["cifar10"]
    found = features(path, "test")
    assert len(found) == 10_000
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10),
        ]
    )
    [task] = load_tasks(
        ["calibration/cifar10"], model, data_dir=root, value_range=(0, 255)
    )
    x, y = next(iter(task.test.data))
    by_id = {one["id"]: one for one in found}
    np.testing.assert_array_equal(x, [one["image"] for one in found[:32]])
    assert y.tolist() == [one["label"] for one in found[:32]]
    labels = np.load(shared_data / "images" / "cifar10h.npz")["y_test"]
    ordered = [by_id[f"test_{i:05d}".encode()]["label"] for i in range(10_000)]
    np.testing.assert_array_equal(ordered, labels)
