"""A preset becomes the model that `plexify` makes of KerasHub's own."""

import pathlib
import shutil
import subprocess
import sys
import warnings

import keras
import keras_hub
import numpy as np
import pytest

import keras_plex
from keras_plex import from_preset
from keras_plex import plexify
from tests import cases
from tests import text_models

SETTINGS = {"last_blocks": 1, "seed": 0}
TEXTS = np.array(["the quick fox", "a dog sleeps"])
WORDS = ["the", "quick", "fox", "a", "dog", "sleeps"]


def save(model, folder):
    cases.with_random_weights(model)
    model.save_to_preset(str(folder))
    return str(folder)


def bert_with_tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=special + WORDS)
    preprocessor = keras_hub.models.BertTextClassifierPreprocessor(
        tokenizer, sequence_length=6
    )
    return text_models.bert(preprocessor=preprocessor)


def t5_backbone():
    with warnings.catch_warnings():
        # KerasHub's own T5 layers do not expect the mask of its embedding.
        warnings.filterwarnings("ignore", "Layer '")
        return keras_hub.models.T5Backbone(
            vocabulary_size=11,
            num_layers=2,
            num_heads=2,
            hidden_dim=8,
            intermediate_dim=8,
        )


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("presets")
    return {
        "vit": save(cases.vit(2), root / "vit"),
        "vit_backbone": save(cases.vit_backbone(2), root / "vit_backbone"),
        "bert": save(bert_with_tokenizer(), root / "bert"),
        "t5": save(t5_backbone(), root / "t5"),
        "electra": save(text_models.electra_backbone(), root / "electra"),
    }


def assert_equal_outputs(plex, expected, x):
    for ours, theirs in zip(
        cases.to_numpy(keras.tree.flatten(plex(x))),
        cases.to_numpy(keras.tree.flatten(expected(x))),
        strict=True,
    ):
        assert np.ptp(theirs) > 1e-2
        np.testing.assert_array_equal(ours, theirs)


def test_an_image_classifier_is_the_same_as_plexify_gives(folders):
    stock = keras_hub.models.ImageClassifier.from_preset(folders["vit"])
    plex = from_preset(folders["vit"], **SETTINGS)
    assert isinstance(plex, keras_hub.models.ViTImageClassifier)
    assert isinstance(plex, keras_plex.PlexModel)
    assert plex.output_dense.name == "predictions"
    assert_equal_outputs(
        plex, plexify(stock, **SETTINGS), cases.examples(stock)
    )


def test_a_text_classifier_takes_strings(folders):
    stock = keras_hub.models.TextClassifier.from_preset(folders["bert"])
    plex = from_preset(folders["bert"], **SETTINGS)
    assert isinstance(plex, keras_hub.models.BertTextClassifier)
    expected = plexify(stock, **SETTINGS)
    found = plex.predict(TEXTS, verbose=0)
    np.testing.assert_array_equal(found, expected.predict(TEXTS, verbose=0))
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_a_new_head_keeps_backbone_and_preprocessor(folders):
    plex = from_preset(folders["bert"], num_classes=5, **SETTINGS)
    assert plex.predict(TEXTS, verbose=0).shape == (2, 5)
    stock = keras_hub.models.Backbone.from_preset(folders["bert"])
    first = plex.backbone.transformer_layers[0].get_weights()
    for ours, theirs in zip(
        first, stock.transformer_layers[0].get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_backbone_gets_a_classifier(folders):
    plex = from_preset(folders["vit_backbone"], num_classes=5, **SETTINGS)
    assert isinstance(plex, keras_hub.models.ViTImageClassifier)
    assert plex(np.zeros((2, 8, 8, 1), "float32")).shape == (2, 5)


def test_a_backbone_without_a_classifier_of_its_own_is_pooled(folders):
    plex = from_preset(folders["electra"], num_classes=5, **SETTINGS)
    x = cases.examples(text_models.electra_backbone())
    assert plex(x).shape == (4, 5)


def test_a_backbone_without_num_classes_says_so(folders):
    with pytest.raises(ValueError, match="no output layer.*`num_classes=`"):
        from_preset(folders["vit_backbone"])
    with pytest.raises(ValueError, match="no task of.*`num_classes=`"):
        from_preset(folders["electra"])


@pytest.mark.filterwarnings("ignore:Layer '")  # as above
def test_a_language_model_is_one(folders):
    stock = keras_hub.models.Seq2SeqLM.from_preset(
        folders["t5"], preprocessor=None
    )
    options = {"preprocessor": None}
    settings = {**SETTINGS, "head": "keep"}
    plex = from_preset(folders["t5"], preset_options=options, **settings)
    assert isinstance(plex, keras_hub.models.T5Seq2SeqLM)
    x = cases.examples(stock)
    assert_equal_outputs(plex, plexify(stock, **settings), x)


def test_weights_are_random_on_request(folders):
    keras.utils.set_random_seed(1)
    plex = from_preset(folders["vit"], load_weights=False, **SETTINGS)
    stock = keras_hub.models.ImageClassifier.from_preset(folders["vit"])
    ours, theirs = (m.backbone.get_weights()[0] for m in (plex, stock))
    assert ours.shape == theirs.shape and np.abs(ours - theirs).max() > 1e-2


def test_options_reach_keras_hub(folders):
    options = {"dtype": "bfloat16"}
    plex = from_preset(folders["vit"], preset_options=options, **SETTINGS)
    assert plex.backbone.dtype_policy.name == "bfloat16"


def test_a_recipe_goes_in(folders):
    recipe = {"head": "laplace"}
    plex = from_preset(folders["vit"], **recipe)
    assert plex.conversion.settings.head == "laplace"


def test_an_unknown_preset_says_what_keras_hub_says_and_more():
    message = "(?s)Unknown preset identifier.*keras_plex.from_preset"
    with pytest.raises(ValueError, match=message):
        from_preset("no_such_preset")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"blocks": 2}, "no argument 'blocks'.*last_blocks"),
        ({"ensemble_size": 0}, "`ensemble_size` must be"),
        ({"preset_options": {"num_classes": 2}}, "Pass 'num_classes' to"),
    ],
)
def test_wrong_arguments_are_seen_before_anything_is_loaded(arguments, message):
    with pytest.raises(ValueError, match=message):
        from_preset("no_such_preset", **arguments)


def test_without_keras_hub_the_error_has_the_pip_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install .*\[hub\]"):
        from_preset("no_such_preset")


def test_a_converted_model_makes_no_preset(folders, tmp_path):
    plex = from_preset(folders["vit"], **SETTINGS)
    with pytest.raises(ValueError, match="preset.*model.save"):
        plex.save_to_preset(str(tmp_path / "preset"))
    assert not list(tmp_path.iterdir())


# The test process may have imported `T5Classifier` already.
T5_FROM_STRINGS = """
import sys
import keras_hub
import keras_plex
from tests.t5_models import t5_backbone, t5_preprocessor

t5_backbone(1).save_to_preset(sys.argv[1])
t5_preprocessor().tokenizer.save_to_preset(sys.argv[1])
assert "keras_plex.hub.t5_classifier" not in sys.modules
for _ in range(2):
    model = keras_plex.from_preset(sys.argv[1], num_classes=3, last_blocks=1)
    assert model.predict(["the quick fox"], verbose=0).shape == (1, 3)
    assert isinstance(model, keras_plex.models.T5Classifier)
"""


@pytest.mark.slow
def test_t5_reads_strings_from_the_first_call_on(tmp_path):
    root = pathlib.Path(__file__).resolve().parents[1]
    subprocess.run(
        [sys.executable, "-c", T5_FROM_STRINGS, str(tmp_path / "t5")],
        check=True,
        cwd=root,
    )


@pytest.mark.filterwarnings("ignore:Layer '")  # as above
def test_a_t5_for_other_classes_drops_the_label_tokens_of_a_preset(tmp_path):
    folder = save(
        keras_plex.models.T5Classifier(
            t5_backbone(), 3, label_token_ids=[3, 5, 7]
        ),
        tmp_path / "t5",
    )
    plex = from_preset(folder, num_classes=3, last_blocks=1)
    assert plex.num_classes == 3
    assert plex.label_token_ids is None


def test_a_half_copied_preset_is_an_error(folders, tmp_path):
    folder = tmp_path / "bert"
    shutil.copytree(folders["bert"], folder)
    (vocabulary,) = folder.rglob("vocabulary.txt")
    vocabulary.unlink()
    with pytest.raises(FileNotFoundError, match="vocabulary"):
        from_preset(str(folder), **SETTINGS)
