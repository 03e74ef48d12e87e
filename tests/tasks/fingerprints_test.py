"""What differs has another fingerprint, and what does not has the same."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.scores import score
from keras_plex.tasks import fingerprints
from keras_plex.tasks.data_set import Corruption
from keras_plex.tasks.data_set import DataSet
from keras_plex.tasks.data_set import grouped_arrays
from keras_plex.tasks.fingerprints import describe_score
from keras_plex.tasks.fingerprints import fingerprint_arrays
from keras_plex.tasks.fingerprints import fingerprint_data
from keras_plex.tasks.fingerprints import fingerprint_model
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model
from tests.task_cases import poor_model

ROOT = pathlib.Path(__file__).resolve().parents[2]
X, Y = TEST


def small_plex():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(4),
        ]
    )
    return keras_plex.plexify(
        stock, last_blocks=1, head_options={"num_features": 8}, seed=0
    )


def test_equal_weights_give_equal_fingerprints():
    assert fingerprint_model(logits_model()) == fingerprint_model(
        logits_model()
    )
    assert fingerprint_model(logits_model()) != fingerprint_model(poor_model())


def test_a_forward_pass_changes_nothing():
    stock = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dropout(0.5), keras.layers.Dense(4)]
    )
    model = keras_plex.models.MCDropout(stock, num_samples=2)
    before = fingerprint_model(model)
    model.predict_uncertainty(X)
    assert fingerprint_model(model) == before


def test_a_file_gives_the_model_again(tmp_path):
    model = small_plex()
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert fingerprint_model(loaded) == fingerprint_model(model)


def test_calibration_and_the_meaning_of_outputs_count():
    model = small_plex()
    found = {fingerprint_model(model)}
    model.calibrate(TEST)
    found.add(fingerprint_model(model))
    model.calibrate((X[:200], Y[:200]))
    found.add(fingerprint_model(model))
    model.reset_calibration()
    model.output_kind = "probabilities"
    found.add(fingerprint_model(model))
    assert len(found) == 4


def test_every_example_of_arrays_counts():
    before = fingerprint_data((X, Y), 32)
    assert fingerprint_data((X.copy(), Y), 7) == before
    changed = X.copy()
    changed[-1, -1] += 1e-3
    assert fingerprint_data((changed, Y), 32) != before
    assert fingerprint_data((X, (Y + 1) % 4), 32) != before
    assert fingerprint_data((X, None), 32) != before
    assert fingerprint_data(X.reshape(-1), 32) != fingerprint_data(X, 32)


@pytest.mark.parametrize("shift", ["ab", "a"])
def test_texts_are_told_apart(shift):
    texts = np.array(["ab", "c"]), np.array(["a", "bc"])
    assert fingerprint_data(texts[0], 32) != fingerprint_data(texts[1], 32)
    objects = np.array(["ab", "c"], object)
    assert fingerprint_data(objects, 32) != fingerprint_data(
        np.array([shift, "d"], object), 32
    )


def test_of_batches_the_first_and_their_number_count():
    batches = [(X[:8], Y[:8]), (X[8:16], Y[8:16])]
    before = fingerprint_data(batches, 32)
    assert fingerprint_data(list(batches), 32) == before
    assert fingerprint_data(batches[:1], 32) != before
    assert fingerprint_data(batches[::-1], 32) != before


def test_a_score_is_its_options_and_what_it_was_fitted_to():
    assert describe_score("msp") == "msp"
    plain, other = score("knn"), score("knn")
    assert describe_score(plain) == describe_score(other)
    other.parameters = {"features": np.ones((3, 2), "float32")}
    assert describe_score(plain) != describe_score(other)


def test_only_data_sets_of_arrays_are_marked_and_each_array_once(monkeypatch):
    arrays = np.arange(6.0).reshape(3, 2), np.arange(3)
    fog = Corruption("fog", 3)
    sets = {
        "clean": DataSet(arrays),
        "fog": DataSet(arrays, corruption=fog),
        "batches": DataSet([arrays]),
    }
    mark, calls = fingerprint_data(arrays, batch_size=2), []

    def counting(*args, **kwargs):
        calls.append(args)
        return fingerprint_data(*args, **kwargs)

    monkeypatch.setattr(fingerprints, "fingerprint_data", counting)
    assert fingerprint_arrays(sets) == {"clean": mark, "fog": mark}
    assert len(calls) == 1


def dense_model(*before, activation=None):
    """With weights that are the same whatever stands before them."""
    layer = keras.layers.Dense(4, activation)
    model = keras.Sequential([keras.Input((4,)), *before, layer])
    layer.set_weights([np.eye(4), np.zeros(4)])
    return model


def mc_dropout(rate):
    stock = dense_model(keras.layers.Dropout(rate))
    return keras_plex.models.MCDropout(stock, num_samples=2, seed=0)


def with_ops():
    inputs = keras.Input((4,))
    x = keras.layers.Dense(4, kernel_initializer="ones")(inputs)
    x = keras.layers.Softmax()(x + 1)
    x = keras.layers.Dense(4, "softmax", kernel_initializer="ones")(x[:, :2])
    return keras.Model(inputs, x)


def frozen_plex():
    keras.utils.set_random_seed(0)
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(4),
        ]
    )
    stock.layers[0].trainable = False
    return keras_plex.plexify(
        stock,
        last_blocks=1,
        head_options={"num_features": 8},
        fast_weight_stddev=0.0,
        seed=0,
    )


def ensemble():
    keras.utils.set_random_seed(0)
    return keras_plex.models.DeepEnsemble.from_model(
        dense_model(), ensemble_size=2, seed=0
    )


SAME = {
    "sequential": dense_model,
    "operations": with_ops,
    "mc_dropout": lambda: mc_dropout(0.5),
    "frozen_plex": frozen_plex,
    "ensemble": ensemble,
    "lambda": lambda: dense_model(keras.layers.Lambda(lambda x: 2 * x)),
}


@pytest.mark.parametrize(
    "one, other",
    [
        (
            lambda: dense_model(keras.layers.Rescaling(1.0)),
            lambda: dense_model(keras.layers.Rescaling(-1.0)),
        ),
        (
            lambda: dense_model(activation="softmax"),
            lambda: dense_model(activation="sigmoid"),
        ),
        (
            lambda: dense_model(
                keras.layers.ReLU(), keras.layers.Rescaling(-1)
            ),
            lambda: dense_model(
                keras.layers.Rescaling(-1), keras.layers.ReLU()
            ),
        ),
        (lambda: mc_dropout(0.1), lambda: mc_dropout(0.9)),
        (
            lambda: dense_model(keras.layers.Lambda(lambda x: 2 * x)),
            lambda: dense_model(keras.layers.Lambda(lambda x: 3 * x)),
        ),
    ],
    ids=["scale", "activation", "order", "dropout", "lambda"],
)
def test_models_with_equal_weights_are_told_apart(one, other):
    assert fingerprint_model(one()) == fingerprint_model(one())
    assert fingerprint_model(one()) != fingerprint_model(other())


@pytest.mark.parametrize("name", SAME)
def test_the_same_code_gives_the_same_fingerprint(name):
    first, second = SAME[name](), SAME[name]()
    assert first.layers[-1].name != second.layers[-1].name or name == "ensemble"
    assert fingerprint_model(first) == fingerprint_model(second)


def test_compiling_does_not_count():
    model = dense_model()
    before = fingerprint_model(model)
    model.compile("adam", keras.losses.CategoricalCrossentropy(True))
    assert fingerprint_model(model) == before


PRINTS = """
import sys
import keras
from keras_plex.tasks.fingerprints import fingerprint_model
from tests.tasks.fingerprints_test import SAME
for name, make in reversed(SAME.items()):
    path = f"{sys.argv[1]}/{name}.keras"
    loaded = keras.saving.load_model(path, safe_mode=False)
    print(name, fingerprint_model(make()), fingerprint_model(loaded))
"""


@pytest.mark.slow
def test_another_process_gives_the_same_fingerprint(tmp_path):
    expected = {}
    for name, make in SAME.items():
        model = make()
        model.save(tmp_path / f"{name}.keras")
        expected[name] = [fingerprint_model(model)] * 2
    ended = subprocess.run(
        [sys.executable, "-c", PRINTS, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
    )
    lines = [line.split() for line in ended.stdout.splitlines()]
    found = {name: marks for name, *marks in lines}
    assert found == expected, ended.stderr[-1000:]


def test_a_savedmodel_is_told_by_its_calibration(tmp_path):
    pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("exports need TensorFlow")
    from keras_plex.export import export_for_serving
    from keras_plex.export.exported_classifier import ExportedClassifier

    model, marks = small_plex(), []
    for number in range(2):
        model.calibrate(draw(number), method="isotonic")
        export_for_serving(model, tmp_path / str(number))
        loads = [ExportedClassifier(tmp_path / str(number)) for _ in range(2)]
        assert fingerprint_model(loads[0]) == fingerprint_model(loads[1])
        marks.append(fingerprint_model(loads[0]))
    export_for_serving(model, tmp_path / "again")
    again = ExportedClassifier(tmp_path / "again")
    assert fingerprint_model(again) == marks[1] != marks[0]


def test_a_function_is_told_from_another_score_of_its_name():
    one, other = [
        (lambda predictions, sign=sign: sign * predictions.entropy)
        for sign in (1, -1)
    ]
    assert describe_score(one) == describe_score(one) != describe_score(other)


def test_a_stream_of_batches_has_a_fingerprint():
    data = pytest.importorskip("torch.utils.data")

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(zip(X, Y, strict=True))

    stream = data.DataLoader(Stream(), batch_size=50)
    assert fingerprint_data(stream, 32) == fingerprint_data(stream, 32)


def test_a_learnt_vocabulary_counts():
    def model(words):
        layer = keras.layers.TextVectorization(
            output_mode="multi_hot", max_tokens=4
        )
        layer.adapt(words)
        dense = keras.layers.Dense(2, kernel_initializer="ones")
        return keras.Sequential([keras.Input((), dtype="string"), layer, dense])

    one, again, other = map(model, (["a b c"], ["a b c"], ["a b d"]))
    assert fingerprint_model(one) == fingerprint_model(again)
    assert fingerprint_model(one) != fingerprint_model(other)


def test_the_words_of_a_tokenizer_count():
    keras_hub = pytest.importorskip("keras_hub")
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    def model(word):
        keras.utils.set_random_seed(0)
        hub = keras_hub.models
        return hub.BertTextClassifier(
            hub.BertBackbone(6, 1, 1, 4, 4, max_sequence_length=4),
            num_classes=2,
            preprocessor=hub.BertTextClassifierPreprocessor(
                hub.BertTokenizer([*special, word]), sequence_length=4
            ),
        )

    one, again, other = map(model, ("good", "good", "bad"))
    assert fingerprint_model(one) == fingerprint_model(again)
    assert fingerprint_model(one) != fingerprint_model(other)


def test_groups_of_arrays_count():
    one, other = (
        fingerprint_arrays({"test": grouped_arrays((X, Y, groups))})
        for groups in (Y % 2, Y // 2)
    )
    assert one != other
    assert one["test"].startswith(fingerprint_data((X, Y), 1))


def test_batches_may_tell_themselves_apart():
    class Files(list):
        def fingerprint(self):
            return self.name

    one, other = Files([(X, Y)]), Files([(X, Y)])
    one.name, other.name = "one", "other"
    assert fingerprint_data(one, 32) == fingerprint_data(one, 32)
    assert fingerprint_data(one, 32) != fingerprint_data(other, 32)
