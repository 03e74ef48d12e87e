"""Sites are found in every kind of model, in order, with what they are in."""

import keras
import pytest

from keras_plex.conversion.heads import find_head
from keras_plex.conversion.methods import METHODS
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.sites import find_sites
from keras_plex.conversion.sites import group_by_block
from keras_plex.conversion.sites import is_attention_layer
from keras_plex.conversion.sites import list_sites
from keras_plex.conversion.sites import repeated_classes
from keras_plex.conversion.surgery import child_layers
from tests import cases
from tests import text_models

KINDS = tuple(METHODS["batch_ensemble"].layers)
PROJECTIONS = ("query", "key", "value", "attention_output")


@pytest.fixture(scope="module")
def models():
    return Models()


class Models(dict):
    """Each model made when it is asked for first."""

    def __missing__(self, name):
        self[name] = cases.make(name)
        return self[name]


def find(model, **settings):
    head = find_head(model)
    return find_sites(
        model, KINDS, Settings(**settings), head.layer if head else None
    )


def names(sites):
    return [site.layer.name for site in sites]


def vit_block(number):
    block = f"vit_encoder/transformer_block_{number}"
    attention = [f"{block}/mha/{name}" for name in PROJECTIONS]
    return [*attention, f"{block}/mlp/dense_1", f"{block}/mlp/dense_2"]


def test_a_vit_block_has_six_sites(models):
    sites = find(models["vit"], last_blocks=1)
    assert sorted(site.path for site in sites) == sorted(vit_block(3))
    assert {site.block.name for site in sites} == {"transformer_block_3"}
    assert all(site.is_repeated for site in sites)
    attention = [site.path for site in sites if site.is_attention]
    assert attention == [s.path for s in sites if "/mha/" in s.path]
    assert len(attention) == 4


def test_the_blocks_of_a_vit_come_in_their_order(models):
    blocks = group_by_block(find(models["vit"], last_blocks="all"))
    found = [block[0].block.name for block in blocks]
    assert found == [f"transformer_block_{i}" for i in (1, 2, 3)]
    assert [len(block) for block in blocks] == [6, 6, 6]


def test_neither_head_nor_intermediate_layer_counts_as_a_block(models):
    sites = find(models["vit_intermediate"], last_blocks="all")
    assert len(sites) == 2 * 6
    assert not {"pre_logits", "predictions"} & set(names(sites))


def test_a_backbone_has_the_sites_of_its_classifier(models):
    backbone = models["vit"].backbone
    paths = [site.path for site in find(backbone, last_blocks="all")]
    whole = [site.path for site in find(models["vit"], last_blocks="all")]
    assert paths == whole


def test_feed_forward_layers_alone(models):
    sites = find(models["vit"], last_blocks=1, ensemble_attention=False)
    assert names(sites) == ["dense_1", "dense_2"]
    sites = find(
        models["transformer"], last_blocks="all", ensemble_attention=False
    )
    assert names(sites) == ["embed", "up_1", "down_1", "up_2", "down_2"]


SITES = {
    "mlp": ["dense_1", "dense_2"],
    "regression": ["dense_1"],
    "residual_mlp": ["embed", "dense_1", "dense_2"],
    "two_inputs": ["dense_1", "dense_2"],
    "nested": ["embed", "dense_1", "dense_2"],
    "shared_dense": ["shared"],
    "multi_output": ["dense_1", "dense_2", "number", "label"],
    "custom_blocks": ["up", "down"] * 3,
}


@pytest.mark.parametrize("name", SITES)
def test_all_sites_are_found_in_order(models, name):
    found = names(find(models[name], last_blocks="all"))
    if name == "multi_output":
        # Layers of one depth have no order.
        assert set(found) == set(SITES[name])
        assert found[0] == "dense_1"
    else:
        assert found == SITES[name]


def test_attention_of_keras_counts_as_one_block(models):
    sites = find(models["transformer"], last_blocks=3)
    blocks = [block[0].block.name for block in group_by_block(sites)]
    assert blocks == ["attention_2", "up_2", "down_2"]
    assert sorted(s.layer.name for s in sites if s.is_attention) == sorted(
        PROJECTIONS
    )
    assert not any(site.is_repeated for site in sites)


def test_a_repeated_block_that_a_user_wrote_is_one_block(models):
    sites = find(models["custom_blocks"], last_blocks=1)
    assert [site.path for site in sites] == ["block_3/up", "block_3/down"]
    assert {site.block.name for site in sites} == {"block_3"}
    # Layers outside the row are not blocks then.
    everything = list_sites(models["custom_blocks"], KINDS)
    outside = [s.layer.name for s in everything if not s.is_repeated]
    assert outside == ["embed", "head"]


def test_a_nested_model_is_looked_into(models):
    sites = find(models["nested"], last_blocks=1)
    assert names(sites) == ["dense_2"]
    assert sites[0].block is sites[0].layer


def test_a_shared_layer_is_one_site(models):
    assert names(list_sites(models["shared_dense"], KINDS)) == [
        "shared",
        "head",
    ]


def test_repeated_classes_are_rows_of_blocks(models):
    blocks = repeated_classes(models["custom_blocks"], KINDS)
    assert blocks == {cases.FeedForwardBlock}
    # Neither attention layers nor `Dense` layers are blocks.
    assert repeated_classes(models["transformer"], KINDS) == set()
    assert repeated_classes(models["mlp"], KINDS) == set()


@pytest.mark.parametrize(
    "layer, expected",
    [
        (keras.layers.MultiHeadAttention(2, 4), True),
        (keras.layers.GroupQueryAttention(4, 2, 1), True),
        (keras.layers.Dense(3, name="attention"), False),
    ],
)
def test_attention_is_told_by_the_class(layer, expected):
    assert is_attention_layer(layer) is expected


def test_patterns_choose_sites_in_the_order_of_the_model(models):
    sites = find(models["vit"], layers=["block_3/mlp", "block_1/.*query$"])
    assert [site.path for site in sites] == [
        "vit_encoder/transformer_block_1/mha/query",
        "vit_encoder/transformer_block_3/mlp/dense_1",
        "vit_encoder/transformer_block_3/mlp/dense_2",
    ]


def test_patterns_that_overlap_choose_once(models):
    sites = find(models["mlp"], layers=["dense", "dense_1"])
    assert names(sites) == ["dense_1", "dense_2"]


def test_a_pattern_reaches_layers_outside_the_blocks(models):
    assert names(find(models["custom_blocks"], layers=["embed"])) == ["embed"]
    sites = find(models["vit_intermediate"], layers=["pre_logits"])
    assert names(sites) == ["pre_logits"]


def test_a_pattern_without_a_match_is_refused_with_all_paths(models):
    message = "(?s)'dens\\$' in `layers` matches none .*'mlp'.*dense_1.*dense_2"
    with pytest.raises(ValueError, match=message) as error:
        find(models["mlp"], layers=["dense_1", "dens$"])
    assert "head" not in str(error.value)


def test_a_pattern_of_the_head_alone_blames_no_method(models):
    with pytest.raises(ValueError, match="'head' in `layers` matches none"):
        find(models["mlp"], layers=["head"])


@pytest.mark.parametrize(
    "name, depth", [("vit", 3), ("mlp", 2), ("transformer", 7)]
)
def test_the_depth_is_named_when_it_is_passed(models, name, depth):
    assert len(group_by_block(find(models[name], last_blocks=depth))) == depth
    message = f"has {depth} blocks. Received: last_blocks={depth + 1}"
    with pytest.raises(ValueError, match=message):
        find(models[name], last_blocks=depth + 1)


def test_a_model_with_nothing_but_a_head_is_refused():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="Found nothing to convert"):
        find(model)


@pytest.mark.parametrize("name, count", [("mlp", "0 of 2"), ("vit", "8 of 8")])
def test_leaving_attention_out_must_change_something(models, name, count):
    model = models[name]
    kinds = KINDS if name == "mlp" else (keras.layers.EinsumDense,)
    settings = Settings(ensemble_attention=False)
    message = f"{count} layers found in {model.name!r} belong to attention"
    with pytest.raises(ValueError, match=message):
        find_sites(model, kinds, settings, find_head(model).layer)


@pytest.mark.parametrize("name", text_models.CLASSIFIERS)
def test_a_text_classifier_has_its_three_blocks(name):
    model = text_models.CLASSIFIERS[name]()
    blocks = group_by_block(find(model, last_blocks="all"))
    found = [block[0].block for block in blocks]
    assert found == model.backbone.transformer_layers
    attention = [site for site in blocks[-1] if site.is_attention]
    assert len(attention) == (0 if name == "f_net" else 4)
    assert len(blocks[-1]) == len(attention) + 2


def test_a_block_named_as_attention_is_a_block():
    block = text_models.deberta_v3().backbone.transformer_layers[0]
    assert type(block).__name__ == "DisentangledAttentionEncoder"
    assert not is_attention_layer(block)
    attention = child_layers(block)[0]
    assert type(attention).__name__ == "DisentangledSelfAttention"
    assert is_attention_layer(attention)


def test_the_block_that_albert_shares_over_its_depth_counts_once():
    model = text_models.albert()
    blocks = group_by_block(find(model, last_blocks="all"))
    assert [block[0].block.name for block in blocks] == [
        "embedding_projection",
        "group_0_inner_layer_0",
        "pooled_dense",
    ]


class WithSpare(keras.layers.Layer):
    """Makes a layer that it does not call, as KerasHub's MBConv does."""

    def __init__(self):
        super().__init__()
        self.used = keras.layers.Dense(4)
        self.spare = keras.layers.Dense(4)

    def build(self, input_shape):
        self.used.build(input_shape)

    def call(self, x):
        return self.used(x)


def test_a_layer_that_was_never_built_is_no_site():
    model = keras.Sequential([keras.Input((4,)), WithSpare()])
    sites = list_sites(model, (keras.layers.Dense,))
    assert [site.layer for site in sites] == [model.layers[0].used]
