"""A KerasHub task: strings in, one decoder step, a class out."""

import keras
import keras_hub
import numpy as np
import pytest
from keras import ops

from keras_plex import plexify
from keras_plex import recipes
from keras_plex.hub.t5_classifier import vocabulary_kernel
from keras_plex.models import T5Classifier
from tests import cases
from tests.t5_models import t5_backbone
from tests.t5_models import t5_classifier
from tests.t5_models import t5_preprocessor

# One decoder step attends to itself: KerasHub's own models warn of it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:You are using a softmax over axis:UserWarning"
)

TEXTS = np.array(["the quick fox", "the dog", "brown dog", "the lazy fox"])
LABELS = np.array([0, 1, 2, 0])


@pytest.fixture(autouse=True)
def keras_state():
    """Nothing: seeding TensorFlow or clearing Keras ends SentencePiece."""


@pytest.fixture(scope="module")
def classifier():
    keras.utils.set_random_seed(0)
    model = t5_classifier(preprocessor=t5_preprocessor(), dropout=0.1)
    return cases.with_random_weights(model)


def test_it_is_a_kerashub_task(classifier):
    assert isinstance(classifier, keras_hub.models.TextClassifier)
    assert isinstance(classifier.backbone, keras_hub.models.T5Backbone)
    # `compile` of KerasHub's classifiers.
    assert isinstance(classifier.optimizer, keras.optimizers.Adam)
    assert classifier.loss.from_logits


def test_it_learns_from_strings(classifier):
    model = t5_classifier(preprocessor=classifier.preprocessor)
    model.compile(
        keras.optimizers.Adam(0.003),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,
    )
    many = np.tile(TEXTS, 25), np.tile(LABELS, 25)
    model.fit(*many, epochs=4, batch_size=4, verbose=0)
    assert model.evaluate(TEXTS, LABELS, verbose=0)[1] == 1.0
    found = model.predict(list(TEXTS), verbose=0)
    assert found.argmax(-1).tolist() == LABELS.tolist()


def test_the_decoder_sees_its_start_token_alone(classifier):
    x = cases.examples(classifier)
    start = np.zeros((4, 1), "int32")
    states = classifier.backbone(
        {**x, "decoder_token_ids": start, "decoder_padding_mask": start + 1}
    )
    state = states["decoder_sequence_output"][:, 0]
    np.testing.assert_allclose(
        classifier(x), classifier.output_dense(state), atol=1e-6
    )


def test_padding_changes_nothing(classifier):
    x = cases.examples(classifier)
    longer = {
        name: np.pad(tokens, [(0, 0), (0, 3)]) for name, tokens in x.items()
    }
    longer["encoder_token_ids"][:, 5:] = 7  # behind the mask
    np.testing.assert_allclose(classifier(longer), classifier(x), atol=1e-5)


@pytest.mark.parametrize("tied", [True, False])
def test_label_tokens_start_with_the_language_models_logits(tied):
    backbone = cases.with_random_weights(
        t5_backbone(1, tie_embedding_weights=tied)
    )
    labels = [3, 9, 5]
    model = T5Classifier(backbone, 3, label_token_ids=labels)
    language_model = keras_hub.models.T5Seq2SeqLM(backbone)
    x = cases.examples(model)
    start = np.zeros((4, 1), "int32")
    logits = language_model(
        {**x, "decoder_token_ids": start, "decoder_padding_mask": start + 1}
    )
    expected = ops.take(logits[:, 0], labels, axis=-1)
    np.testing.assert_allclose(model(x), expected, atol=1e-5)


@pytest.mark.parametrize("labels", [[1, 2], [1, 2, 12], [1, 2, 2], ["a", 1, 2]])
def test_wrong_label_tokens_are_an_error(labels):
    with pytest.raises(ValueError, match="label_token_ids"):
        T5Classifier(t5_backbone(1), 3, label_token_ids=labels)


# KerasHub leaves the vocabulary's file open.
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_preset_brings_it_back(classifier, tmp_path):
    classifier.save_to_preset(str(tmp_path))
    again = T5Classifier.from_preset(str(tmp_path))
    assert isinstance(again, T5Classifier)
    np.testing.assert_allclose(
        again.predict(TEXTS, verbose=0),
        classifier.predict(TEXTS, verbose=0),
        atol=1e-6,
    )


ARGUMENTS = {
    "default": {"last_blocks": 1, "fast_weight_stddev": 0.0},
    "label tokens": {"last_blocks": 1, "fast_weight_stddev": 0.0},
    "recipe": recipes.T5_PLEX,
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_it_is_plexified(classifier, name):
    if name == "label tokens":
        classifier = cases.with_random_weights(
            t5_classifier(label_token_ids=[3, 5, 7])
        )
        classifier.preprocessor = t5_preprocessor()
    plex = plexify(classifier, seed=0, **ARGUMENTS[name])
    assert isinstance(plex, T5Classifier)
    assert plex.preprocessor is classifier.preprocessor
    members = plex.predict_members(TEXTS)
    assert members.shape == (4, 3, 3)
    if name != "recipe":  # which begins with a new head
        expected = classifier.predict(TEXTS, verbose=0)
        np.testing.assert_allclose(
            ops.softmax(plex.predict(TEXTS, verbose=0)),
            ops.softmax(expected),
            atol=1e-5,
        )


def test_a_backbone_gets_a_head():
    plex = plexify(t5_backbone(1), num_classes=4, last_blocks=1)
    assert isinstance(plex, T5Classifier)
    assert plex.num_classes == 4


def test_other_classes_have_no_label_tokens():
    stock = t5_classifier(label_token_ids=[3, 5, 7])
    plex = plexify(stock, num_classes=5, last_blocks=1)
    assert plex.label_token_ids is None
    assert plex(cases.examples(stock)).shape == (4, 5)


def test_a_file_brings_back_the_dtype_of_the_head(tmp_path):
    backbone = t5_backbone(1, dtype="mixed_bfloat16")
    for dtype, expected in [("float32", "float32"), (None, "mixed_bfloat16")]:
        model = T5Classifier(backbone, 3, head_dtype=dtype)
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
        assert again.output_dense.dtype_policy.name == expected


# Keras tries to quantize every layer, the `InputLayer` first.
TRIES_ALL = "ignore:.*does not have a `quantize` method:UserWarning"


@pytest.mark.filterwarnings(TRIES_ALL)
def test_a_quantized_classifier_comes_back_from_a_file(tmp_path):
    model = cases.with_random_weights(t5_classifier(label_token_ids=[3, 5, 7]))
    model.quantize("int8")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert again.output_dense.quantization_mode == "int8"
    x = cases.examples(model)
    np.testing.assert_allclose(again(x), model(x), atol=1e-6)


@pytest.mark.filterwarnings(TRIES_ALL)
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("mode, error", [("int8", 0.01), ("int4", 0.15)])
def test_label_tokens_start_from_a_quantized_vocabulary(tied, mode, error):
    backbone = cases.with_random_weights(
        t5_backbone(1, tie_embedding_weights=tied)
    )
    labels = [3, 9, 5]
    exact = vocabulary_kernel(backbone, labels)
    backbone.quantize(mode)
    model = T5Classifier(backbone, 3, label_token_ids=labels)
    largest = np.abs(exact).max()
    np.testing.assert_allclose(
        model.output_dense.kernel, exact, atol=error * largest
    )


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """The folder of a preset with label tokens, and its backbone."""
    folder = str(tmp_path_factory.mktemp("presets") / "labelled")
    model = cases.with_random_weights(t5_classifier(label_token_ids=[3, 5, 7]))
    model.save_to_preset(folder)
    return folder, model


def from_labelled(folder, **arguments):
    return T5Classifier.from_preset(folder, preprocessor=None, **arguments)


def test_a_preset_keeps_its_label_tokens_and_its_head(labelled):
    folder, model = labelled
    again = from_labelled(folder)
    assert again.label_token_ids == [3, 5, 7]
    np.testing.assert_array_equal(
        again.output_dense.kernel, model.output_dense.kernel
    )


@pytest.mark.parametrize("num_classes", [3, 5])
def test_other_classes_do_not_keep_a_presets_label_tokens(
    labelled, num_classes
):
    model = from_labelled(labelled[0], num_classes=num_classes)
    assert model.num_classes == num_classes
    assert model.label_token_ids is None
    assert model.output_dense.use_bias


@pytest.mark.parametrize(
    "arguments", [{"num_classes": 2}, {}], ids=["number given", "counted"]
)
def test_new_label_tokens_start_from_the_loaded_vocabulary(labelled, arguments):
    folder, stock = labelled
    model = from_labelled(folder, label_token_ids=[4, 8], **arguments)
    assert model.label_token_ids == [4, 8]
    np.testing.assert_array_equal(
        model.output_dense.kernel, vocabulary_kernel(stock.backbone, [4, 8])
    )


def test_wrong_label_tokens_for_a_preset_are_an_error(labelled):
    with pytest.raises(ValueError, match="num_classes=5, label_token_ids="):
        from_labelled(labelled[0], num_classes=5, label_token_ids=[4, 8])
