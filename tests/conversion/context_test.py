"""What enters the first block joins the features, once for each example."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex.conversion import forward_pass
from keras_plex.conversion.context import JoinsContext
from keras_plex.conversion.context import RecordsContext
from keras_plex.conversion.context import mean_token
from keras_plex.conversion.context import split_kernel_inputs
from keras_plex.conversion.surgery import add_mixin
from tests import cases

WIDTH = 8
FIRST_AND_LAST = {"kernel_inputs": "first_and_last"}


def converted(name, **arguments):
    keras.utils.set_random_seed(0)
    stock = cases.make_family(name)
    options = {"num_features": 16, **FIRST_AND_LAST}
    plex = keras_plex.plexify(
        stock, head="gp", head_options=options, seed=0, **arguments
    )
    return stock, plex


def images(count=6):
    x = np.random.default_rng(2).normal(size=(count, 8, 8, 1))
    return x.astype("float32")


def patches(vit, x):
    """What the first block of a ViT gets, `(batch, tokens, dim)`."""
    (embedding,) = [
        layer
        for layer in vit.backbone.layers
        if "PatchingAndEmbedding" in type(layer).__name__
    ]
    return cases.to_numpy(embedding(x))


@pytest.mark.parametrize("last_blocks", [1, "all"])
def test_images_have_the_mean_of_their_patches(last_blocks):
    vit, plex = converted("vit", last_blocks=last_blocks)
    x = images()
    features = plex.predict_details(x, features=True)["features"]
    plain = keras_plex.plexify(
        vit,
        last_blocks=last_blocks,
        head_options={"kernel_inputs": "last"},
        seed=0,
    )
    own = plain.predict_details(x, features=True)["features"]
    np.testing.assert_allclose(features[..., :WIDTH], own, atol=1e-6)
    mean = patches(vit, x).mean(1)
    for member in range(3):
        found = features[:, member, WIDTH:]
        np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)


def word_embeddings(model, words):
    table = model.backbone.token_embedding.embeddings
    return cases.to_numpy(table)[words]


def test_texts_have_the_mean_of_their_words_without_padding():
    t5, plex = converted("t5_classifier", last_blocks=1)
    x = cases.examples(t5)
    words, mask = x["encoder_token_ids"], x["encoder_padding_mask"]
    assert not mask.all()
    features = plex.predict_details(x, features=True)["features"]
    embedded = word_embeddings(t5, words) * mask[..., None]
    mean = embedded.sum(1) / mask.sum(1, keepdims=True)
    for member in range(3):
        found = features[:, member, WIDTH:]
        np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["bert", "deberta_v3", "t5_classifier"])
def test_what_padding_says_changes_nothing(name):
    stock, plex = converted(name, last_blocks=1)
    x = cases.examples(stock)
    (of_words,) = [
        key for key in x if key.endswith("token_ids") and "decoder" not in key
    ]
    (of_mask,) = [key for key in x if "padding" in key and "decoder" not in key]
    x[of_mask][:, -2:] = 0
    before = plex.predict_details(x, features=True)["features"]
    x[of_words][:, -2:] = 3
    after = plex.predict_details(x, features=True)["features"]
    np.testing.assert_allclose(before, after, atol=1e-5)


def test_the_members_at_the_start_are_the_stock_model():
    vit, plex = converted("vit", last_blocks=1, fast_weight_stddev=0.0)
    x = images()
    expected = vit.predict(x, verbose=0)
    members = plex.predict_members(x)
    for member in range(3):
        np.testing.assert_allclose(members[:, member], expected, atol=1e-5)
    head = plex.output_head.layer
    assert head.context_dim == WIDTH
    assert head.length_scale == pytest.approx(WIDTH**0.5)


def test_the_head_says_how_wide_its_inputs_are():
    _, plex = converted("vit", last_blocks=1)
    head = plex.output_head.layer
    assert head.get_build_config() == {"input_shape": (None, 2 * WIDTH)}
    alone = type(head).from_config(head.get_config())
    alone.build_from_config(head.get_build_config())
    shapes = [tuple(weight.shape) for weight in alone.weights]
    assert sorted(shapes) == sorted(tuple(w.shape) for w in head.weights)


def test_it_learns_and_a_file_brings_it_back(tmp_path):
    _, plex = converted("vit", last_blocks=1)
    x, y = images(24), np.arange(24) % cases.CLASSES
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile(keras.optimizers.Adam(1e-2), loss)
    plex.fit(x, y, batch_size=7, epochs=2, verbose=0)
    found = plex.predict_uncertainty(x)
    assert found.variance.shape == (24,) and np.all(found.variance > 0)
    plex.save(tmp_path / "plex.keras")
    again = keras.saving.load_model(tmp_path / "plex.keras")
    other = again.predict_uncertainty(x, batch_size=5)
    np.testing.assert_allclose(other.variance, found.variance, rtol=1e-4)
    np.testing.assert_allclose(
        other.probabilities, found.probabilities, atol=1e-6
    )


def test_the_covariance_is_that_of_both():
    _, plex = converted("vit", last_blocks=1, ensemble_size=2)
    x = images(12)
    plex.fit_covariance(x)
    features = plex.predict_details(x, features=True)["features"]
    head = plex.output_head.layer
    phi = cases.to_numpy(head.covariance_features(features)).reshape(24, -1)
    precision = np.eye(phi.shape[1]) + np.float64(phi.T) @ phi
    expected = np.einsum("nd,de,ne->n", phi, np.linalg.inv(precision), phi)
    found = plex.predict_details(x)["variance"].ravel()
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_an_image_unlike_others_is_told_where_the_last_features_are_equal():
    """The last block and the head see nothing of what is added here."""
    _, plex = converted("vit", last_blocks=1, ensemble_size=1)
    x = images(200)
    plex.fit_covariance(x)
    known = plex.predict_uncertainty(x[:50]).variance
    head = plex.output_head.layer
    features = plex.predict_details(x[:50], features=True)["features"][:, 0]
    features[:, WIDTH:] = np.roll(features[:, WIDTH:], 3, axis=-1)
    moved = cases.to_numpy(head.variance(ops.convert_to_tensor(features)))
    assert np.median(moved) > np.median(known)


def test_a_pass_that_misses_the_first_block_says_so():
    _, plex = converted("vit", last_blocks=1)
    with pytest.raises(ValueError, match="Call the whole converted model"):
        plex.output_head.layer(np.ones((2, WIDTH), "float32"))


def test_a_context_does_not_outlive_its_pass():
    with forward_pass.model_pass(class_token_only=False):
        forward_pass.record_context("outer")
        forward_pass.record_context("a later block")
        assert forward_pass.context() == "outer"
        with forward_pass.model_pass(class_token_only=False):
            assert forward_pass.context() is None
        assert forward_pass.context() == "outer"
    forward_pass.record_context("no pass is open")
    assert forward_pass.context() is None


@pytest.mark.parametrize("shape", [(3, 5), (3, 4, 5), (3, 2, 4, 5)])
def test_the_mean_token_is_over_all_axes_between(shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    expected = x.reshape(3, -1, 5).mean(1)
    found = cases.to_numpy(mean_token(ops.convert_to_tensor(x), None))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_an_example_of_padding_alone_is_finite():
    x, mask = ops.ones((2, 3, 4)), ops.zeros((2, 3))
    np.testing.assert_array_equal(cases.to_numpy(mean_token(x, mask)), 0.0)


class Block(keras.layers.Layer):
    """Takes its mask as attention does."""

    def call(self, inputs, attention_mask=None):
        return inputs


@pytest.mark.parametrize("queries", [(), (1,), (3,), (2, 3)], ids=str)
def test_what_nothing_attends_to_is_no_token(queries):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    mask = np.array([[True, True, False], [True, True, True]])
    axes = tuple(range(1, 1 + len(queries)))
    shape = (2, *queries, 3)
    attention_mask = np.broadcast_to(np.expand_dims(mask, axes), shape)
    block = Block()
    add_mixin(block, RecordsContext)
    with forward_pass.model_pass(class_token_only=False):
        block(x, attention_mask=ops.convert_to_tensor(attention_mask))
        found = cases.to_numpy(forward_pass.context())
    expected = np.stack([x[0, :2].mean(0), x[1].mean(0)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


class Masked(keras.layers.Layer):
    supports_masking = True

    def call(self, inputs, padding_mask=None, mask=None):
        return inputs


@pytest.mark.parametrize("name", ["padding_mask", "mask"])
def test_a_mask_of_tokens_has_many_names(name):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    mask = ops.convert_to_tensor([[True, True, False], [True, True, True]])
    block = Masked()
    add_mixin(block, RecordsContext)
    with forward_pass.model_pass(class_token_only=False):
        block(**{name: mask, "inputs": x})
        found = cases.to_numpy(forward_pass.context())
    expected = np.stack([x[0, :2].mean(0), x[1].mean(0)])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "mask",
    [np.float32([[[0, 0, -1e9]]] * 2), np.tril(np.ones((3, 3), bool))],
    ids=["additive", "causal"],
)
def test_a_mask_that_says_nothing_of_padding_hides_nothing(mask):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    block = Block()
    add_mixin(block, RecordsContext)
    with forward_pass.model_pass(class_token_only=False):
        block(x, attention_mask=ops.convert_to_tensor(mask))
        found = cases.to_numpy(forward_pass.context())
    np.testing.assert_allclose(found, x.mean(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["padding_mask", "mask"])
def test_a_mask_that_is_added_to_scores_hides_nothing(name):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    mask = ops.convert_to_tensor(np.float32([[0, 0, -1e9], [0, 0, 0]]))
    block = Masked()
    add_mixin(block, RecordsContext)
    with forward_pass.model_pass(class_token_only=False):
        block(**{name: mask, "inputs": x})
        found = cases.to_numpy(forward_pass.context())
    np.testing.assert_allclose(found, x.mean(1), rtol=1e-5, atol=1e-6)


@keras.saving.register_keras_serializable("context_test")
class CausalBlock(keras.layers.Layer):
    """Attends to what came before, by a mask that all examples share."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = keras.layers.MultiHeadAttention(1, 4)
        self.dense = keras.layers.Dense(6)

    def build(self, input_shape):
        self.attention.build(input_shape, input_shape)
        self.dense.build(input_shape)
        self.built = True

    def call(self, inputs, attention_mask=None):
        found = self.attention(inputs, inputs, attention_mask=attention_mask)
        return inputs + self.dense(found)


@keras.saving.register_keras_serializable("context_test")
class CausalMask(keras.layers.Layer):
    """`(length, length)`."""

    def call(self, inputs):
        length = inputs.shape[1]
        return ops.tril(ops.ones((length, length), dtype="bool"))

    def compute_output_spec(self, inputs):
        length = inputs.shape[1]
        return keras.KerasTensor((length, length), dtype="bool")


def test_a_mask_of_all_examples_is_none_of_as_many_examples_as_tokens():
    inputs = keras.Input((5, 6))
    mask, x = CausalMask()(inputs), inputs
    for _ in range(2):
        x = CausalBlock()(x, attention_mask=mask)
    x = keras.layers.GlobalAveragePooling1D()(x)
    stock = keras.Model(inputs, keras.layers.Dense(3)(x))
    plex = keras_plex.plexify(stock, last_blocks=1, ensemble_size=2, seed=0)
    x = np.random.default_rng(0).normal(size=(5, 5, 6)).astype("float32")
    with forward_pass.model_pass(class_token_only=False):
        (block,) = [y for y in plex.layers if isinstance(y, RecordsContext)]
        block(x, attention_mask=ops.convert_to_tensor(np.tri(5, dtype=bool)))
        found = cases.to_numpy(forward_pass.context())
    np.testing.assert_allclose(found, x.mean(1), rtol=1e-5, atol=1e-6)


def test_rows_of_members_get_the_context_of_their_example():
    head = keras.layers.Identity()
    add_mixin(head, JoinsContext, context_ensemble_size=2)
    rows = np.zeros((4, 1), "float32")
    for context in ([[1.0], [2.0]], [[1.0], [2.0], [3.0], [4.0]]):
        with forward_pass.model_pass(class_token_only=False):
            forward_pass.record_context(ops.convert_to_tensor(context))
            found = cases.to_numpy(head(rows))
        expected = (context * 2)[:4]
        np.testing.assert_array_equal(found[:, 1:], expected)


def test_an_unknown_choice_lists_what_exists():
    with pytest.raises(ValueError, match="'last', 'first_and_last'"):
        split_kernel_inputs({"kernel_inputs": "all"})
    with pytest.raises(ValueError, match="Unknown kernel_inputs"):
        keras_plex.plexify(
            cases.make("vit"), head_options={"kernel_inputs": None}
        )
    with pytest.raises(ValueError, match="'laplace' has no option"):
        keras_plex.plexify(
            cases.make("vit"), head="laplace", head_options=FIRST_AND_LAST
        )
