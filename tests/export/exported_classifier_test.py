"""A SavedModel is measured as the model that it was."""

import keras
import numpy as np
import pytest

import keras_plex
from keras_plex.data.named.model_inputs import check_takes_texts
from keras_plex.data.named.model_inputs import image_inputs
from keras_plex.export import export_for_serving
from keras_plex.export.exported_classifier import ExportedClassifier
from keras_plex.tasks.fingerprints import fingerprint_model
from tests.task_cases import NEAR
from tests.task_cases import TEST
from tests.task_cases import draw
from tests.task_cases import logits_model
from tests.tasks.fingerprints_test import small_plex

pytest.importorskip("tensorflow")
pytestmark = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="exports need TensorFlow"
)
X, Y = TEST


@pytest.fixture(scope="module")
def plex():
    model = small_plex()
    model.fit_covariance(TEST)
    model.calibrate(draw(3), method="isotonic")
    model.conformalize(draw(4))
    return model


@pytest.fixture(scope="module")
def served(plex, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    export_for_serving(plex, folder)
    return ExportedClassifier(folder)


@pytest.fixture(scope="module")
def stock_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "stock"
    logits_model().export(str(folder), verbose=False)
    return folder


def test_it_says_what_the_model_says(plex, served):
    found = served.predict_uncertainty(X, features=True)
    expected = plex.predict_uncertainty(X, features=True)
    for name in (
        "probabilities",
        "member_probabilities",
        "mutual_information",
        "variance",
        "features",
        "prediction_sets",
    ):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), atol=1e-5
        )
    assert served.ensemble_size == 3
    shapes = [tuple(weight.shape) for weight in served.weights]
    assert (3, 4) in shapes and served.count_params() > 300


def test_it_is_evaluated_as_the_model_is(plex, served):
    scores = ["msp", "mutual_information", "variance", "mahalanobis"]
    task = keras_plex.tasks.OpenSetRecognition(
        X, {"near": NEAR}, scores=scores, training=draw(3)
    )
    tasks = [keras_plex.tasks.Calibration(TEST), task]
    one, other = [
        keras_plex.evaluate(model, tasks, resamples=0, verbose=0)
        for model in (plex, served)
    ]
    assert other.ensemble_size == 3
    for name in ("ece", "nll"):
        expected = one["calibration"].measures.get(name)
        if expected is not None:
            found = other["calibration"][name].value
            assert found == pytest.approx(expected.value, abs=1e-5)
    for score in scores:
        name = f"near/{score}/auroc"
        found = other["open_set_recognition"][name].value
        expected = one["open_set_recognition"][name].value
        assert found == pytest.approx(expected, abs=1e-3)


def test_it_has_the_scores_of_the_model_by_default(plex, served, stock_folder):
    task = keras_plex.tasks.OpenSetRecognition(X, {"near": NEAR})
    assert "variance" in task.scores(plex)
    assert task.scores(served) == task.scores(plex)
    stock = ExportedClassifier(stock_folder, "softmax_logits")
    assert task.scores(stock) == ["msp", "entropy"]


def test_a_stock_export_is_one_member(stock_folder):
    model = ExportedClassifier(stock_folder, "softmax_logits")
    found = model.predict_uncertainty(X)
    expected = np.exp(X) / np.exp(X).sum(-1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    assert model.ensemble_size == 1 and model.count_params() == 16
    assert model.name == "stock"


def test_other_weights_are_another_fingerprint(stock_folder, tmp_path):
    other = logits_model()
    other.layers[-1].kernel.assign_add(np.full((4, 4), 0.1))
    other.export(str(tmp_path / "stock"), verbose=False)
    first = ExportedClassifier(stock_folder, "softmax_logits")
    second = ExportedClassifier(tmp_path / "stock", "softmax_logits")
    again = ExportedClassifier(stock_folder, "softmax_logits")
    assert fingerprint_model(first) == fingerprint_model(again)
    assert fingerprint_model(first) != fingerprint_model(second)


def test_what_a_file_does_not_say_must_be_said(stock_folder, served, tmp_path):
    with pytest.raises(ValueError, match="pass `output_kind`.*softmax_logits"):
        ExportedClassifier(stock_folder)
    with pytest.raises(ValueError, match="Unknown output kind: 'regression'"):
        ExportedClassifier(stock_folder, "regression")
    with pytest.raises(FileNotFoundError, match="no exported model"):
        ExportedClassifier(tmp_path)
    model = ExportedClassifier(stock_folder, "softmax_logits")
    with pytest.raises(ValueError, match="no signature that answers features"):
        model.predict_details(X, features=True)
    with pytest.raises(ValueError, match=r"takes the inputs.*\['a'\]"):
        model.predict_details({"a": X[:2]}, on_batch=True)
    with pytest.raises(NotImplementedError, match="no layer"):
        model.call(X)


def test_a_kind_that_would_be_ignored_is_refused(plex, tmp_path):
    export_for_serving(plex, tmp_path)
    with pytest.raises(ValueError, match="leave `output_kind` out"):
        ExportedClassifier(tmp_path, "softmax_logits")


def exported(model, folder):
    model.export(str(folder), verbose=False)
    return ExportedClassifier(folder, "softmax_logits")


def test_its_input_is_that_of_the_model(served, tmp_path):
    assert served.input_shape == (None, 4) and not served.takes_texts
    images = keras.Sequential(
        [keras.Input((8, 6, 3)), keras.layers.Rescaling(1 / 255)]
        + [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    )
    model = exported(images, tmp_path / "images")
    with pytest.raises(ValueError, match="shows no layers.*value_range"):
        image_inputs(model)
    found = image_inputs(model, (0, 255))
    assert (found.size, found.channels) == ((8, 6), 3)
    inputs = [keras.Input((2,), name=name) for name in "ab"]
    x = keras.layers.Concatenate()(inputs)
    several = keras.Model(inputs, keras.layers.Dense(2)(x))
    assert exported(several, tmp_path / "several").input_shape is None


def test_strings_are_texts_and_tokens_are_not(tmp_path):
    words = keras.layers.TextVectorization(
        output_sequence_length=3, vocabulary=["good", "bad"]
    )
    tokens = keras.Sequential(
        [keras.Input((3,), dtype="int32"), keras.layers.Embedding(4, 2)]
        + [keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    with pytest.raises(ValueError, match="'tokens' has none"):
        check_takes_texts(exported(tokens, tmp_path / "tokens"))
    text = keras.Input((), dtype="string")
    texts = keras.Model(text, tokens(words(text)))
    model = exported(texts, tmp_path / "texts")
    check_takes_texts(model)
    task = keras_plex.tasks.Calibration(
        (np.array(["good", "bad"], object), [0, 1])
    )
    assert keras_plex.evaluate(model, task, resamples=0, verbose=0)


def test_several_outputs_are_refused(tmp_path):
    x = keras.Input((4,))
    outputs = [keras.layers.Dense(2)(x), keras.layers.Dense(3)(x)]
    keras.Model(x, outputs).export(str(tmp_path / "two"), verbose=False)
    model = ExportedClassifier(tmp_path / "two", "softmax_logits")
    with pytest.raises(ValueError, match="must have one output"):
        model.predict_details(X)
