"""The exported model answers what `predict_uncertainty` says."""

import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_plex
from keras_plex.export import answer_request
from keras_plex.export import export_for_serving
from keras_plex.export.signatures import ANSWERS
from keras_plex.models.batch_details import predict_batch
from keras_plex.scores import SCORES
from keras_plex.scores import fit_scores
from keras_plex.scores import load_score
from keras_plex.scores import needs_features
from keras_plex.scores import score


def dense_model(units=3, activation=None, **options):
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, "relu")(inputs)
    stock = keras.Model(inputs, keras.layers.Dense(units, activation)(x))
    if options.get("head", "gp") == "gp":
        options["head_options"] = {"num_features": 16}
    return keras_plex.plexify(stock, last_blocks=1, seed=0, **options)


def sigmoid_logits():
    model = dense_model(1, head="keep")
    model.output_kind = "sigmoid_logits"
    return model


def mixed(head):
    keras.config.set_dtype_policy("mixed_bfloat16")
    return dense_model(head=head)


def sequential():
    stock = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(3),
        ]
    )
    return keras_plex.plexify(stock, last_blocks=1, seed=0)


def with_table():
    inputs = keras.Input((4,))
    x = keras.layers.Discretization([-1.0, 0.0, 1.0])(inputs)
    x = keras.layers.IntegerLookup(vocabulary=[0, 1, 2])(x)
    x = keras.layers.Flatten()(keras.layers.Embedding(4, 4)(x))
    x = keras.layers.Dense(8, "relu")(x)
    stock = keras.Model(inputs, keras.layers.Dense(3)(x))
    return keras_plex.plexify(stock, last_blocks=1, head="keep", seed=0)


MODELS = {
    "gp": dense_model,
    "keep": lambda: dense_model(head="keep"),
    "batch_ensemble": lambda: dense_model(head="batch_ensemble"),
    "one_member": lambda: dense_model(ensemble_size=1),
    "softmax": lambda: dense_model(activation="softmax"),
    "sigmoid": lambda: dense_model(1, "sigmoid", head="keep"),
    "sigmoid_gp": lambda: dense_model(1, "sigmoid"),
    "sigmoid_logits": sigmoid_logits,
    "mixed_bfloat16_gp": lambda: mixed("gp"),
    "mixed_bfloat16_keep": lambda: mixed("keep"),
    "sequential": sequential,
    "lookup_table": with_table,
}


def load(folder):
    """A function of arrays by name and the signature's name."""
    loaded = tf.saved_model.load(str(folder))

    def answer(named, signature):
        tensors = {name: tf.constant(x) for name, x in named.items()}
        answers = loaded.signatures[signature](**tensors)
        return {name: value.numpy() for name, value in answers.items()}

    return answer


def assert_answers_equal(served, model, x, named=None):
    expected = model.predict_uncertainty(x, features=True)
    named = named or {"inputs": x}
    answer = served(named, "serving_default")
    members = served(named, "members")
    features = served(named, "features")
    np.testing.assert_array_equal(answer["label"], expected.labels)
    pairs = {
        **{
            name: (answer[name], getattr(expected, field))
            for name, field in ANSWERS.items()
            if getattr(expected, field) is not None
        },
        "members": (
            members["member_probabilities"],
            expected.member_probabilities,
        ),
        "features": (features["features"], expected.features),
        "ood_score": (answer["ood_score"], 1.0 - expected.confidence),
    }
    for name, (got, wanted) in pairs.items():
        assert got.dtype == ("int32" if name == "label" else "float32"), name
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5, err_msg=name)
    assert set(answer) == {*pairs, "abstain"} - {"members", "features"}
    np.testing.assert_array_equal(answer["abstain"], answer["ood_score"] > 0.5)


@pytest.mark.parametrize("name", MODELS)
def test_answers_are_those_of_predict_uncertainty(name, x, tmp_path):
    model = MODELS[name]()
    if model.covariance_head is not None:
        model.fit_covariance(x)
    served = load(export_for_serving(model, tmp_path))
    for size in (1, 4, 7):
        assert_answers_equal(served, model, x[:size])


def test_several_inputs_keep_their_names(tmp_path):
    sizes = {"width": 2, "height": 3}
    inputs = {name: keras.Input((n,), name=name) for name, n in sizes.items()}
    x = keras.layers.Concatenate()([inputs["width"], inputs["height"]])
    x = keras.layers.Dense(8, "relu")(x)
    stock = keras.Model(inputs, keras.layers.Dense(3)(x))
    model = keras_plex.plexify(stock, last_blocks=1, head="keep", seed=0)
    served = load(export_for_serving(model, tmp_path))
    x = {
        "height": np.linspace(0, 1, 12, dtype="float32").reshape(4, 3),
        "width": np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2),
    }
    assert_answers_equal(served, model, x, named=x)


def make_vit(preprocessor=None):
    keras_hub = pytest.importorskip("keras_hub")
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(8, 8, 1),
        patch_size=4,
        num_layers=2,
        num_heads=2,
        hidden_dim=8,
        mlp_dim=16,
    )
    return keras_hub.models.ViTImageClassifier(
        backbone=backbone, num_classes=3, preprocessor=preprocessor
    )


def images(size=7):
    generator = np.random.default_rng(0)
    return generator.uniform(size=(size, 8, 8, 1)).astype("float32")


def test_vit_answers_as_in_keras_under_mixed_precision(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = keras_plex.plexify(make_vit(), last_blocks=1, seed=0)
    model.fit_covariance(images())
    served = load(export_for_serving(model, tmp_path))
    for size in (1, 4, 7):
        assert_answers_equal(served, model, images(size))


def test_vit_takes_preprocessed_images(tmp_path):
    keras_hub = pytest.importorskip("keras_hub")
    preprocessor = keras_hub.models.ViTImageClassifierPreprocessor(
        image_converter=keras_hub.layers.ViTImageConverter(
            image_size=(8, 8), scale=1 / 255.0
        )
    )
    model = keras_plex.plexify(make_vit(preprocessor), last_blocks=1, seed=0)
    served = load(export_for_serving(model, tmp_path))
    raw = np.round(255 * images())
    for size in (1, 4, 7):
        named = {"inputs": preprocessor(raw[:size])}
        assert_answers_equal(served, model, raw[:size], named)


def test_stock_classifier_is_one_member(stock, x, tmp_path):
    folder = export_for_serving(stock, tmp_path)
    answer = answer_request(folder, x)
    np.testing.assert_allclose(
        answer["probabilities"],
        keras.ops.softmax(stock.predict(x, verbose=0)),
        rtol=0,
        atol=1e-6,
    )
    assert not answer["mutual_information"].any()
    assert not answer["disagreement"].any()
    members = answer_request(folder, x, "members")["member_probabilities"]
    assert members.shape == (7, 1, 3)
    with pytest.raises(ValueError, match="Unknown signature: 'features'"):
        answer_request(folder, x, "features")


STATELESS = [name for name in SCORES if not needs_features(name)]
FITTED = [name for name in SCORES if needs_features(name)]


def training_data():
    generator = np.random.default_rng(1)
    x = generator.normal(size=(60, 4)).astype("float32")
    return x, x[:, :3].argmax(axis=1)


@pytest.mark.parametrize("name", STATELESS)
def test_score_is_that_of_the_table(name, model, x, tmp_path):
    export_for_serving(model, tmp_path, ood_score=name, abstain_threshold=0.3)
    answer = answer_request(tmp_path, x)
    expected = score(name)(model.predict_uncertainty(x))
    np.testing.assert_allclose(answer["ood_score"], expected, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(answer["abstain"], answer["ood_score"] > 0.3)


@pytest.mark.parametrize("name", FITTED)
def test_fitted_score_is_inside_the_graph_also_from_a_file(
    name, model, x, tmp_path
):
    fitted = fit_scores([name], model, training_data())[name]
    expected = fitted(model.predict_uncertainty(x, features=True))
    fitted.save(tmp_path / "score.npz")
    for number, one in enumerate([fitted, load_score(tmp_path / "score.npz")]):
        folder = tmp_path / str(number)
        export_for_serving(model, folder, ood_score=one)
        answer = answer_request(folder, x)
        np.testing.assert_allclose(
            answer["ood_score"], expected, rtol=1e-5, atol=1e-5
        )
        np.testing.assert_allclose(
            answer["variance"], model.predict_uncertainty(x).variance, rtol=1e-5
        )
        assert answer_request(folder, x[:1])["ood_score"].shape == (1,)


@pytest.mark.parametrize("name", FITTED)
def test_fitted_score_of_a_stock_model_is_inside_the_graph(
    name, stock, x, tmp_path
):
    fitted = fit_scores([name], stock, training_data())[name]
    found = predict_batch(stock, x, features=True)
    predictions = keras_plex.Predictions.from_outputs(
        found["outputs"], "softmax_logits", features=found["features"]
    )
    export_for_serving(stock, tmp_path, ood_score=fitted)
    answer = answer_request(tmp_path, x)
    np.testing.assert_allclose(
        answer["ood_score"], fitted(predictions), rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(
        answer["probabilities"], predictions.probabilities, atol=1e-6
    )


def test_bank_of_neighbours_is_written_once_beside_the_graph(stock, tmp_path):
    generator = np.random.default_rng(0)
    fitted = score("knn")
    fitted.update(generator.normal(size=(5000, 8)))
    fitted.finish()
    folder = export_for_serving(stock, tmp_path, ood_score=fitted)
    size = fitted.parameters["bank"].nbytes
    assert (folder / "saved_model.pb").stat().st_size < size / 2
    written = sum(
        path.stat().st_size for path in (folder / "variables").iterdir()
    )
    assert size < written < size + 8192


@pytest.mark.parametrize("name", FITTED)
def test_score_that_is_not_fitted_says_how(name, stock, tmp_path):
    for unfitted in (name, score(name)):
        with pytest.raises(ValueError, match=rf'"{name}" is not fitted.*fit_s'):
            export_for_serving(stock, tmp_path / "served", ood_score=unfitted)
    assert not any(tmp_path.iterdir())


def test_score_fitted_to_another_model_raises(stock, model, tmp_path):
    fitted = fit_scores(["knn"], model, training_data())["knn"]
    with pytest.raises(ValueError, match=r"\(3, 8\).*Received: \(1, 8\)"):
        export_for_serving(stock, tmp_path / "served", ood_score=fitted)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_input_that_is_not_finite_abstains(value, model, x, tmp_path):
    export_for_serving(model, tmp_path, abstain_threshold=2.0)
    x[1, 2] = value
    abstain = answer_request(tmp_path, x)["abstain"]
    assert abstain.tolist() == [False, True] + 5 * [False]


def test_score_that_is_not_a_number_abstains(model, x, tmp_path, monkeypatch):
    def root(fields):
        return keras.ops.sqrt(fields.probabilities[:, 0] - 2.0)

    monkeypatch.setitem(SCORES, "root", root)
    export_for_serving(model, tmp_path, ood_score="root")
    assert answer_request(tmp_path, x)["abstain"].all()


def test_equal_requests_get_equal_answers(model, x, tmp_path):
    export_for_serving(model, tmp_path)
    one = answer_request(tmp_path, x)
    export_for_serving(model, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
    for folder in (tmp_path / "1", tmp_path / "2"):
        again = answer_request(folder, x)
        for name in one:
            np.testing.assert_array_equal(again[name], one[name])


def test_model_stays_as_it_was(model, x, tmp_path):
    def state():
        weights = {w.path: w.numpy() for w in model.weights}
        return {**weights, "forecast": model.predict(x, verbose=0)}

    before = state()
    export_for_serving(model, tmp_path)
    after = state()
    assert before.keys() == after.keys()
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    model.compile("sgd", "mse")
    model.train_on_batch(x, np.zeros((7, 3)))


def test_each_weight_is_written_once(model, tmp_path):
    folder = export_for_serving(model, tmp_path)
    written = sum(
        path.stat().st_size for path in (folder / "variables").iterdir()
    )
    # A few kilobytes name the weights.
    weights = sum(weight.numpy().nbytes for weight in model.weights)
    assert written < weights + 4096


FRESH = """
import sys
import numpy as np
import tensorflow as tf

folder, x, expected = sys.argv[1:]
loaded = tf.saved_model.load(folder)
answer = loaded.signatures["serving_default"](inputs=tf.constant(np.load(x)))
np.testing.assert_allclose(
    answer["probabilities"], np.load(expected), rtol=0, atol=1e-5
)
assert "keras_plex" not in sys.modules
print("served")
"""


@pytest.mark.slow
def test_fresh_process_needs_tensorflow_alone(model, x, tmp_path):
    folder = export_for_serving(model, tmp_path / "served")
    np.save(tmp_path / "x.npy", x)
    expected = model.predict_uncertainty(x).probabilities
    np.save(tmp_path / "expected.npy", expected)
    names = [folder, tmp_path / "x.npy", tmp_path / "expected.npy"]
    result = subprocess.run(
        [sys.executable, "-c", FRESH, *map(str, names)],
        capture_output=True,
        cwd=tmp_path,
        text=True,
    )
    assert result.stdout == "served\n", result.stderr


WITHOUT_TENSORFLOW = """
import sys
import keras

sys.modules["tensorflow"] = None
from keras_plex.export import answer_request, export_for_serving
print("imported")
"""


@pytest.mark.slow
def test_import_needs_no_tensorflow():
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW],
        capture_output=True,
        cwd=pathlib.Path(keras_plex.__file__).parents[1],
        text=True,
    )
    assert result.stdout == "imported\n", result.stderr


FAULTS = [
    (dict(input_kind="bytes"), "Unknown input kind.*'array', 'encoded_image'"),
    (dict(input_kind="text"), "no preprocessor that turns texts into tokens"),
    (dict(input_kind="encoded_image"), r"input_shape=\(None, 4\)"),
    (dict(value_range=(0, 1)), "`value_range` is .*input_kind='array'"),
    (dict(ood_score="magic"), "Unknown score: 'magic'. Available: 'msp'"),
    (dict(abstain_threshold=float("nan")), "`abstain_threshold` must be a fi"),
    (dict(abstain_threshold=float("inf")), "`abstain_threshold` must be a fi"),
    (dict(abstain_threshold="0.5"), "Received: abstain_threshold='0.5'"),
    (dict(abstain_threshold=True), "Received: abstain_threshold=True"),
    (dict(reliability={"ece": "low"}), "`reliability` must map names to fin"),
    (dict(version=0), "`version` must be a positive integer"),
]


@pytest.mark.parametrize("options, message", FAULTS)
def test_wrong_option_raises(options, message, stock, tmp_path):
    with pytest.raises(ValueError, match=message):
        export_for_serving(stock, tmp_path / "served", **options)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["variance", "max_logit"])
def test_score_that_the_model_cannot_give_raises(name, tmp_path):
    model = dense_model(activation="softmax", head="keep")
    with pytest.raises(ValueError, match=f'Score "{name}" needs'):
        export_for_serving(model, tmp_path / "served", ood_score=name)
    assert not any(tmp_path.iterdir())


def test_other_backend_raises(stock, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="KERAS_BACKEND=tensorflow"):
        export_for_serving(stock, tmp_path)
    assert not any(tmp_path.iterdir())


def test_existing_version_raises_and_stays(stock, x, tmp_path):
    export_for_serving(stock, tmp_path, 3)
    before = answer_request(tmp_path, x)
    message = re.escape(str(tmp_path / "3")) + ".* next free version is 4"
    with pytest.raises(FileExistsError, match=message):
        export_for_serving(stock, tmp_path, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["3"]
    after = answer_request(tmp_path, x)
    np.testing.assert_array_equal(
        before["probabilities"], after["probabilities"]
    )


def test_folder_that_cannot_be_made_raises(stock, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="must be a folder"):
        export_for_serving(stock, tmp_path / "file")
    with pytest.raises(OSError, match="can be made and written"):
        export_for_serving(stock, tmp_path / "file" / "served")
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_failure_in_the_middle_leaves_nothing(stock, tmp_path, monkeypatch):
    def fail(folder, card):
        assert (folder / "saved_model.pb").exists()
        raise RuntimeError("disk on fire")

    monkeypatch.setattr("keras_plex.export.serving.write_model_card", fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        export_for_serving(stock, tmp_path / "deep" / "served")
    assert not any(tmp_path.iterdir())
