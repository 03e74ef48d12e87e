"""Stock models are checked first, and can get a new head."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from keras_plex import plexify
from keras_plex.conversion.stock import check_stock_model
from keras_plex.conversion.stock import with_new_head
from tests import cases


class Subclassed(keras.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(5, "relu")
        self.head = layers.Dense(3)

    def call(self, x):
        return self.head(self.hidden(x))


def fixed_batch():
    x = keras.Input(batch_shape=(8, 4))
    return keras.Model(x, layers.Dense(3)(layers.Dense(5)(x)))


def no_weights():
    x = keras.Input((4,))
    return keras.Model(x, layers.Flatten()(x))


class Graph(keras.Model):
    """Functional, with a step of its own."""

    def __init__(self, **kwargs):
        inputs = keras.Input((4,))
        hidden = layers.Dense(5, "relu")(inputs)
        outputs = layers.Dense(3, name="head")(hidden)
        super().__init__(inputs, outputs, **kwargs)

    def train_step(self, *args, **kwargs):
        return super().train_step(*args, **kwargs)

    def get_config(self):
        return {"name": self.name}


class Stack(keras.Sequential):
    """Sequential, with a step of its own."""

    train_step = Graph.train_step


MESSAGES = [
    (lambda: "vit_base", "must be a `keras.Model`.*'vit_base' of type str"),
    (lambda: None, "must be a `keras.Model`.*of type NoneType"),
    (lambda: layers.Dense(3), "must be a `keras.Model`.*of type Dense"),
    (lambda: cases.vit, "must be a `keras.Model`.*of type function"),
    (lambda: keras.Sequential([layers.Dense(3)]), "is not built"),
    (Subclassed, "is not built"),
    (Subclassed, "wrap a subclassed model as `keras.Model"),
    (no_weights, "it has no weights"),
    (fixed_batch, r"fixed batch size.*keras\.Input\(shape\).*\(8, 4\)"),
    (cases.vit_backbone, "is a backbone .* Pass `num_classes=`.*=None"),
]


@pytest.mark.parametrize("make, message", MESSAGES)
def test_what_cannot_be_converted_is_refused(make, message):
    model = make()
    with pytest.raises(ValueError, match=message):
        check_stock_model(model, None)
    with pytest.raises(ValueError, match=message):
        plexify(model)


@pytest.mark.parametrize("num_classes", [0, -1, 2.0, True, "3", [3]])
def test_num_classes_must_be_a_positive_integer(num_classes):
    with pytest.raises(ValueError, match="`num_classes` must be a positive"):
        check_stock_model(cases.mlp(), num_classes)


@pytest.mark.parametrize("name", cases.MODELS)
def test_what_can_be_converted_passes(name):
    check_stock_model(cases.MODELS[name](), None)


def test_a_subclassed_model_converts_as_its_message_says():
    inputs = keras.Input((4,))
    subclassed = Subclassed()
    model = keras.Model(inputs, subclassed(inputs))
    cases.with_random_weights(model)
    plex = plexify(model, last_blocks=1, head="keep", fast_weight_stddev=0.0)
    x = cases.examples(model)
    np.testing.assert_allclose(
        ops.softmax(plex(x)), ops.softmax(model(x)), atol=1e-5
    )


def test_a_sequential_model_built_by_data_converts():
    model = keras.Sequential([layers.Dense(5, "relu"), layers.Dense(3)])
    model(np.ones((2, 4)))
    plex = plexify(model, last_blocks=1, head="keep", fast_weight_stddev=0.0)
    x = np.random.default_rng(0).normal(size=(7, 4))
    np.testing.assert_allclose(
        ops.softmax(plex(x)), ops.softmax(model(x)), atol=1e-5
    )


# New heads.


def kept_weights(old, new, head):
    """Checks that all weights but those of the head are equal."""
    ours = [w for w in new.weights if head not in w.path.split("/")]
    theirs = [w for w in old.weights if head not in w.path.split("/")]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(a), ops.convert_to_numpy(b)
        )
        assert a.trainable == b.trainable
    return len(ours)


@pytest.mark.parametrize("use_class_token", [True, False])
def test_a_backbone_gets_its_familys_head(use_class_token):
    backbone = cases.with_random_weights(
        cases.vit_backbone(2, use_class_token=use_class_token)
    )
    model = with_new_head(backbone, 5)
    x = cases.examples(backbone)
    tokens = cases.to_numpy(backbone(x))
    pooled = tokens[:, 0] if use_class_token else tokens.mean(axis=1)
    np.testing.assert_allclose(model(x), model.output_dense(pooled), atol=1e-5)
    assert model.num_classes == 5
    assert model.backbone is not backbone
    assert kept_weights(backbone, model, "predictions") > 30


def test_a_converted_backbone_is_a_classifier():
    backbone = cases.vit_backbone(2)
    plex = plexify(backbone, num_classes=5, last_blocks=1)
    assert plex(cases.examples(backbone)).shape == (4, 5)
    assert plex.conversion.class_token_only


@pytest.mark.parametrize("name", ["vit", "vit_gap", "vit_intermediate"])
def test_a_task_keeps_all_but_its_head(name):
    model = cases.make(name)
    new = with_new_head(model, 7)
    assert type(new) is type(model)
    assert new.pooling == model.pooling
    assert new(cases.examples(model)).shape == (4, 7)
    count = kept_weights(model, new, "predictions")
    assert count == len(model.weights) - 2


def test_a_frozen_task_stays_frozen_below_its_new_head():
    model = cases.make("vit")
    model.backbone.trainable = False
    new = with_new_head(model, 7)
    assert kept_weights(model, new, "predictions") > 30
    assert len(new.trainable_weights) == 2


def test_a_task_with_lora_keeps_it_below_its_new_head():
    model = cases.make("vit")
    model.backbone.enable_lora(2)
    cases.with_random_weights(model)
    new = with_new_head(model, 3)
    x = cases.examples(model)
    np.testing.assert_allclose(new.backbone(x), model.backbone(x), atol=1e-5)


@pytest.mark.parametrize(
    "name", ["mlp", "residual_mlp", "transformer", "custom_blocks", "masked"]
)
def test_a_functional_model_gets_a_new_head_in_place_of_the_old(name):
    model = cases.make(name)
    new = with_new_head(model, 7)
    assert new(cases.examples(model)).shape == (4, 7)
    assert kept_weights(model, new, "head") == len(model.weights) - 2
    assert new.name == model.name


def test_a_head_of_an_inner_model_cannot_be_replaced_and_says_so():
    with pytest.raises(ValueError, match="'head' lies in an inner model"):
        with_new_head(cases.make("nested"), 7)


def test_inputs_keep_their_names_below_a_new_head():
    model = cases.make("two_inputs")
    new = with_new_head(model, 7)
    assert new(cases.examples(model)).shape == (4, 7)
    assert set(new.input) == {"a", "b"}


def test_the_new_head_of_a_task_gives_logits():
    model = cases.make("vit_softmax")
    assert plexify(model, num_classes=7).output_kind == "softmax_logits"
    assert model.output_dense.activation.__name__ == "softmax"


def test_the_new_head_gives_logits():
    model = cases.make("residual_mlp")  # which ends in a softmax
    outputs = cases.to_numpy(with_new_head(model, 7)(cases.examples(model)))
    assert np.abs(outputs.sum(axis=-1) - 1.0).max() > 1e-2


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_outputs_of_any_rank_are_pooled(shape):
    inputs = keras.Input((*shape, 4))
    x = layers.Dense(6, name="dense")(inputs)
    model = keras.Model(inputs, layers.LayerNormalization()(x))
    cases.with_random_weights(model)
    new = with_new_head(model, 5)
    x = cases.examples(model)
    axes = tuple(range(1, 1 + len(shape)))
    pooled = cases.to_numpy(model(x)).mean(axis=axes)
    np.testing.assert_allclose(new(x), new.layers[-1](pooled), atol=1e-5)
    plex = plexify(model, num_classes=5, last_blocks=1)
    assert plex(x).shape == (4, 5)


def test_the_model_stays_as_it_is_under_a_new_head():
    model = cases.make("residual_mlp")
    x = cases.examples(model)
    before = cases.to_numpy(model(x))
    weights = len(model.weights)
    with_new_head(model, 7).layers[1].trainable = False
    np.testing.assert_array_equal(cases.to_numpy(model(x)), before)
    assert len(model.weights) == weights
    assert all(weight.trainable for weight in model.weights)


def test_several_outputs_have_no_one_head_to_replace():
    message = "replaces the one output .*'multi_output' has 2"
    with pytest.raises(ValueError, match=message):
        with_new_head(cases.make("multi_output"), 7)
    with pytest.raises(ValueError, match=message):
        plexify(cases.make("multi_output"), num_classes=7)


def stack(*last):
    return Stack([keras.Input((4,)), layers.Dense(5), *last])


@pytest.mark.parametrize(
    "make", [Graph, lambda: stack(layers.LayerNormalization())]
)
def test_a_class_that_a_new_head_would_lose_is_an_error(make):
    model = make()
    message = (
        f"methods of its class {type(model).__name__!r}.*"
        "keras.Model.*num_classes=7"
    )
    with pytest.raises(ValueError, match=message):
        plexify(model, num_classes=7)
    graph = keras.Model(model.inputs[0], model.outputs[0])  # as it says
    plex = plexify(graph, num_classes=7, last_blocks=1)
    assert plex(np.ones((2, 4))).shape == (2, 7)


def test_the_new_head_of_a_frozen_sequential_model_learns():
    model = stack(layers.Dense(8), layers.Dense(3, use_bias=False))
    model.trainable = False
    new = with_new_head(model, 5)
    assert [w.path.split("/")[-1] for w in new.trainable_weights] == ["kernel"]
    assert new.trainable_weights[0].shape == (8, 5)
    assert not model.trainable and not new.layers[0].trainable


@pytest.mark.parametrize("how", ["lora", "int8", "both"])
def test_hidden_layers_of_a_head_stay_what_they_are(how):
    import keras_hub

    backbone = keras_hub.models.RobertaBackbone(9, 2, 2, 8, 8)
    model = keras_hub.models.RobertaTextClassifier(backbone, num_classes=2)
    if how != "lora":
        model.pooled_dense.quantize("int8")
    if how != "int8":
        model.pooled_dense.enable_lora(2)
    new = with_new_head(model, 4)
    old, new = model.pooled_dense, new.pooled_dense
    assert new.quantization_mode == old.quantization_mode
    assert new.lora_enabled == old.lora_enabled
    x = np.random.default_rng(0).normal(size=(3, 8)).astype("float32")
    np.testing.assert_allclose(new(x), old(x), atol=1e-6)


def test_a_sequential_model_keeps_its_class_under_a_new_head():
    new = with_new_head(stack(layers.Dense(3)), 7)
    assert type(new) is Stack
    assert new(np.ones((2, 4))).shape == (2, 7)


HALF = {"dtype": "mixed_bfloat16"}


def in_half_precision(*last):
    layer = layers.Dense(5, "relu", **HALF)
    return keras.Sequential([keras.Input((2, 4)), layer, *last])


def graph_in_half_precision():
    x = inputs = keras.Input((4,))
    for layer in in_half_precision(layers.Dense(3, **HALF)).layers:
        x = type(layer).from_config(layer.get_config())(x)
    return keras.Model(inputs, layers.Softmax(**HALF)(x))


@pytest.mark.parametrize(
    "make",
    [
        lambda: in_half_precision(layers.Dense(3, **HALF)),
        lambda: in_half_precision(layers.LayerNormalization(**HALF)),
        graph_in_half_precision,
    ],
    ids=["popped", "pooled", "replaced"],
)
def test_a_new_head_computes_as_the_old(make):
    new = with_new_head(make(), 7)
    found = {
        layer.dtype_policy.name
        for layer in new.layers
        if not isinstance(layer, layers.InputLayer)
    }
    assert found == {"mixed_bfloat16"}


# Keras tries to quantize every layer, the `InputLayer` first.
@pytest.mark.filterwarnings("ignore:.*does not have a `quantize` method")
def test_a_new_head_of_a_quantized_model_is_not_quantized():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5), layers.Dense(3)]
    )
    model.quantize("int8")
    new = with_new_head(model, 7)
    assert new.layers[0].quantization_mode == "int8"
    assert new.layers[-1].dtype_policy.name == "float32"
    assert np.ptp(new.layers[-1].kernel) > 0
