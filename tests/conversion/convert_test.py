"""A converted model starts as the stock one, and its members never mix."""

import dataclasses
import math
import warnings

import keras
import numpy as np
import pytest
from keras import ops
from keras import tree

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.conversion.convert import convert
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import intercept_calls
from keras_plex.conversion.surgery import walk_layers
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense
from keras_plex.layers import RandomFeatureGP
from tests import cases

HEADS = ("keep", "gp", "batch_ensemble")
GP = {"num_features": 16}

# What each model needs so that its defaults are legal and quiet.
ARGUMENTS = {
    "regression": {"last_blocks": 1},
    "shared_dense": {"last_blocks": 1},
}


def quiet_plexify(model, **arguments):
    """`plexify` where one of the models warns that all of it is tiled."""
    with warnings.catch_warnings():
        if model.name == "shared_dense":
            warnings.simplefilter("ignore")
        if arguments.get("head") == "gp":
            arguments = {"head_options": GP, **arguments}
        return plexify(model, **{**ARGUMENTS.get(model.name, {}), **arguments})


def probabilities(model, outputs, like):
    """What a stock or converted model forecasts, without its logits."""
    functions = {
        "softmax_logits": lambda x: cases.to_numpy(ops.softmax(x)),
        "sigmoid_logits": lambda x: cases.to_numpy(ops.sigmoid(x)),
    }
    pairs = zip(
        tree.flatten(cases.to_numpy(outputs)), like.output_kinds, strict=True
    )
    return [functions.get(kind, lambda x: x)(x) for x, kind in pairs]


def largest_difference(plex, model, count=4):
    x = cases.examples(model, count)
    ours = tree.flatten(probabilities(plex, plex(x), plex))
    theirs = tree.flatten(probabilities(model, model(x), plex))
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))


def member_outputs(plex, x):
    """The flat outputs, each `(batch, ensemble, ...)`."""
    with forward_pass.returning(forward_pass.DETAILS):
        return tree.flatten(cases.to_numpy(plex(x)["outputs"]))


# Neutral start.


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", cases.MODELS)
def test_members_without_spread_equal_the_stock_model(stock, name, head):
    model = stock(name)
    if name == "multi_output" and head != "keep":
        pytest.skip("has no one head")
    plex = quiet_plexify(model, head=head, fast_weight_stddev=0.0)
    assert largest_difference(plex, model) <= 1e-5


@pytest.mark.parametrize("last_blocks", [1, "all"])
@pytest.mark.parametrize("name", cases.MODELS)
def test_the_neutral_start_holds_at_every_depth(stock, name, last_blocks):
    if name.startswith("vit_"):
        pytest.skip("`vit` stands for them")
    plex = quiet_plexify(
        stock(name),
        head="keep",
        fast_weight_stddev=0.0,
        last_blocks=last_blocks,
    )
    assert largest_difference(plex, stock(name)) <= 1e-5


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("vit", {"ensemble_attention": False}),
        ("transformer", {"ensemble_attention": False, "last_blocks": "all"}),
        ("vit", {"layers": ["query", "block_1/.*dense_2"]}),
        ("transformer", {"layers": ["attention_1/value", "down_2"]}),
        ("transformer", {"ensemble_size": 1}),
        ("transformer", {"ensemble_size": 4, "head": "gp"}),
        ("vit_gap", {"layers": ["block_2"], "head": "batch_ensemble"}),
    ],
)
def test_the_neutral_start_holds_for_every_choice(stock, name, arguments):
    arguments = {"head": "keep", "fast_weight_stddev": 0.0, **arguments}
    plex = quiet_plexify(stock(name), **arguments)
    assert largest_difference(plex, stock(name)) <= 1e-5


@pytest.mark.parametrize("name", ["vit", "mlp", "transformer"])
def test_the_neutral_start_holds_in_mixed_bfloat16(stock, name):
    exact = stock(name)
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = cases.make(name)
    for head in HEADS if name == "mlp" else ["gp"]:
        plex = quiet_plexify(model, head=head, fast_weight_stddev=0.0)
        assert ops.dtype(plex(cases.examples(model))) == "bfloat16"
        # bfloat16 keeps 8 bits: 2^-8 a step, and logits here reach about 4.
        assert largest_difference(plex, model) <= 4 * 2**-8
        assert largest_difference(plex, exact) <= 4 * 2**-8


def test_the_neutral_start_holds_for_one_example_and_for_many(stock):
    plex = plexify(stock("transformer"), head="keep", fast_weight_stddev=0.0)
    for count in (1, 2, 3, 7):
        assert largest_difference(plex, stock("transformer"), count) <= 1e-5


def test_the_neutral_start_holds_under_predict(stock):
    model = stock("transformer")
    plex = plexify(model, head="keep", fast_weight_stddev=0.0)
    x = cases.examples(model, 5)
    ours = plex.predict(x, batch_size=2, verbose=0)
    np.testing.assert_allclose(
        ops.softmax(ours), ops.softmax(model(x)), atol=1e-5
    )


def test_a_zero_mean_gp_forgets_the_stock_head(stock):
    plex = plexify(
        stock("mlp"),
        head="gp",
        head_options={"mean_function": "zero", **GP},
        fast_weight_stddev=0.0,
    )
    assert largest_difference(plex, stock("mlp")) > 1e-2
    names = [weight.name for weight in plex.covariance_head.weights]
    assert "mean_kernel" not in names


# Members.

MEMBER_WEIGHTS = ("alpha", "gamma", "member_bias")


def member_weights(plex):
    """`alpha`, `gamma` and `member_bias` of each converted layer."""
    found = [
        getattr(layer, name, None)
        for layer in plex.conversion.converted
        for name in MEMBER_WEIGHTS
    ]
    return [weight for weight in found if weight is not None]


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("vit", {"head": "batch_ensemble"}),
        ("vit_gap", {"head": "keep", "last_blocks": "all"}),
        ("vit_intermediate", {"head": "gp"}),
        ("transformer", {"head": "batch_ensemble", "last_blocks": "all"}),
        ("transformer", {"head": "keep", "last_blocks": 1}),
        ("transformer", {"head": "keep", "layers": ["attention_1/key"]}),
        ("residual_mlp", {"head": "keep"}),
        ("two_inputs", {"head": "keep", "last_blocks": 1}),
        ("nested", {"head": "batch_ensemble"}),
        ("masked", {"head": "keep"}),
        ("custom_blocks", {"head": "keep"}),
        ("multi_output", {"head": "keep", "last_blocks": 1}),
        ("shared_dense", {"head": "keep"}),
    ],
)
def test_each_member_equals_a_model_of_its_own(stock, name, arguments):
    model = stock(name)
    size = 3
    options = {"seed": 0} if arguments["head"] != "gp" else {}
    if arguments["head"] == "gp":
        options = {"head_options": {"seed": 0, **GP}}
    plex = quiet_plexify(model, ensemble_size=size, **arguments, **options)
    alone = quiet_plexify(model, ensemble_size=1, **arguments, **options)
    for a, b in zip(plex.weights, alone.weights, strict=True):
        if a.shape == b.shape:  # the random features of a GP, too
            np.testing.assert_array_equal(*cases.to_numpy([a, b]))
    for seed, weight in enumerate(member_weights(plex)):
        generator = np.random.default_rng(seed)
        weight.assign(generator.normal(1.0, 0.5, size=weight.shape))
    x = cases.examples(model, 4)
    together = member_outputs(plex, x)
    for k in range(size):
        for all_members, one in zip(
            member_weights(plex), member_weights(alone), strict=True
        ):
            one.assign(all_members[k : k + 1])
        for ours, theirs, is_member in zip(
            together,
            member_outputs(alone, x),
            plex.conversion.layout.member_outputs,
            strict=True,
        ):
            ours = ours[:, k] if is_member else ours
            np.testing.assert_allclose(ours, theirs[:, 0], atol=1e-5)


@pytest.mark.parametrize(
    "name", ["residual_mlp", "transformer", "custom_blocks"]
)
def test_members_with_spread_differ(stock, name):
    plex = plexify(stock(name), head="keep", fast_weight_stddev=0.5, seed=0)
    (outputs,) = member_outputs(plex, cases.examples(stock(name)))
    assert outputs.shape == (4, 3, 3)
    assert np.abs(outputs[:, 0] - outputs[:, 1]).max() > 1e-2
    assert np.abs(outputs[:, 1] - outputs[:, 2]).max() > 1e-2


def test_an_example_does_not_depend_on_its_neighbours(stock):
    plex = plexify(stock("vit"), head="keep", seed=0)
    x = cases.examples(stock("vit"), 4)
    (together,) = member_outputs(plex, x)
    (alone,) = member_outputs(plex, x[2:3])
    np.testing.assert_allclose(together[2:3], alone, atol=1e-5)


def test_the_forecast_is_the_mean_of_the_members_probabilities(stock):
    plex = plexify(stock("vit"), head="keep", seed=0)
    x = cases.examples(stock("vit"))
    (outputs,) = member_outputs(plex, x)
    mean = cases.to_numpy(ops.softmax(outputs)).mean(axis=1)
    np.testing.assert_allclose(ops.softmax(plex(x)), mean, atol=1e-6)


# Cost.


def rows_of(model, x, kind):
    """The shapes of the first argument of each call of a layer class."""
    shapes = []

    def note(operation, args, kwargs):
        if type(operation).__name__ == kind:
            shapes.append(tuple(args[0].shape))
        return args, kwargs

    with intercept_calls(note):
        model(x)
    return shapes


def test_the_trunk_runs_once_per_example():
    model = cases.vit(num_layers=4)
    x = cases.examples(model, 5)
    plex = plexify(model, ensemble_size=3, last_blocks=2, head="keep")
    norms = [shape[0] for shape in rows_of(plex, x, "LayerNormalization")]
    # Two norms in each of four blocks, one after them.
    assert norms == [5, 5, 5, 5, 15, 15, 15, 15, 15]


@pytest.mark.parametrize(
    "last_blocks, rows", [(2, [4, 4]), (3, [4, 12]), ("all", [12, 12])]
)
def test_attention_has_members_where_it_is_among_the_last(
    stock, last_blocks, rows
):
    model = stock("transformer")
    plex = plexify(model, last_blocks=last_blocks, head="keep")
    # The blocks from the end: down_2, up_2, attention_2, down_1, ...
    shapes = rows_of(plex, cases.examples(model), "MultiHeadAttention")
    assert [shape[0] for shape in shapes] == rows


def count(weights):
    return sum(math.prod(weight.shape) for weight in weights)


def test_exactly_the_member_weights_are_added_to_an_mlp(stock):
    model = stock("mlp")
    plex = plexify(model, ensemble_size=3, head="batch_ensemble")
    # alpha, gamma and member_bias of 4 -> 6, 6 -> 5 and 5 -> 3.
    added = 3 * ((4 + 6 + 6) + (6 + 5 + 5) + (5 + 3 + 3))
    assert plex.count_params() - model.count_params() == added


def test_exactly_the_member_weights_are_added_to_a_vit(stock):
    model = stock("vit")
    plex = plexify(model, ensemble_size=3, last_blocks=2, head="keep")
    # query, key, value, output and the two feed-forward layers: 8 -> 8.
    assert plex.count_params() - model.count_params() == 2 * 6 * 3 * 3 * 8


def test_the_shared_weights_of_a_gp_head_are_counted(stock):
    model = stock("mlp")
    plex = plexify(model, last_blocks=1, head="gp", head_options=GP)
    head = plex.covariance_head
    added = count(head.weights) - count(model.layers[-1].weights)
    site = 3 * (6 + 5 + 5)
    assert plex.count_params() - model.count_params() == added + site
    trained = count(head.trainable_weights)
    assert trained == (5 * 3 + 3) + 16 * 3  # the mean, the residual


@pytest.fixture(scope="module")
def plex_vit(stock):
    """Its last block and its head have been converted."""
    return plexify(stock("vit"), last_blocks=1, seed=0, head_options=GP)


def test_member_weights_lie_below_their_layer(plex_vit):
    paths = {w.path for w in plex_vit.weights}
    block = "vit_encoder/transformer_block_3"
    for name in MEMBER_WEIGHTS:
        assert f"{block}/mha/query/{name}" in paths
        assert f"{block}/mlp/dense_1/{name}" in paths
    assert "predictions/residual_kernel" in paths
    assert "predictions/features/projection" in paths
    assert not any("transformer_block_2" in p and "alpha" in p for p in paths)


@pytest.mark.parametrize("name", ["vit", "transformer"])
def test_stock_weights_keep_their_paths(stock, name):
    paths = {w.path for w in stock(name).weights}
    plex = plexify(stock(name), head="keep")
    assert paths <= {w.path for w in plex.weights}


# What the caller gets.


def test_the_conversion_lists_what_it_converted(plex_vit):
    *sites, head = plex_vit.conversion.converted
    expected = [BatchEnsembleEinsumDense] * 4 + [BatchEnsembleDense] * 2
    for layer, cls in zip(sites, expected, strict=True):
        assert isinstance(layer, cls)
    assert isinstance(head, RandomFeatureGP)
    assert head is plex_vit.output_dense
    assert plex_vit.conversion.settings.head == "gp"


def test_convert_works_in_place(stock):
    model = copy_model(stock("mlp"))
    dense = model.layers[1]
    conversion = convert(model, Settings(last_blocks=1, head="keep"))
    assert conversion.converted == (dense,)
    assert isinstance(dense, BatchEnsembleDense)
    assert conversion.layout.member_outputs == (True,)
    assert not conversion.class_token_only


def test_a_frozen_layer_keeps_its_flag(stock):
    model = cases.make("mlp")
    model.layers[1].trainable = False
    with pytest.warns(UserWarning, match="1 of 1 converted layers are frozen"):
        plex = plexify(model, last_blocks=1, head="keep")
    assert not plex.layers[1].trainable
    assert plex.layers[0].trainable


# Seeds.


def fast_weights(plex):
    drawn = [w for w in member_weights(plex) if w.name != "member_bias"]
    if plex.covariance_head is not None:
        features = plex.covariance_head.features
        drawn += [features.projection, features.phase]
    return {w.path: ops.convert_to_numpy(w) for w in drawn}


def test_a_seed_gives_the_same_weights_again(stock):
    model = stock("mlp")
    first = fast_weights(plexify(model, seed=3, head_options=GP))
    again = fast_weights(plexify(model, seed=3, head_options=GP))
    other = fast_weights(plexify(model, seed=4, head_options=GP))
    assert len(first) == 2 * 2 + 2
    for path, weight in first.items():
        np.testing.assert_array_equal(weight, again[path])
        assert np.abs(weight - other[path]).max() > 1e-2


def test_without_a_seed_each_model_is_another(stock):
    model = stock("mlp")
    first = fast_weights(plexify(model, head_options=GP))
    again = fast_weights(plexify(model, head_options=GP))
    for path, weight in first.items():
        assert np.abs(weight - again[path]).max() > 1e-2


@pytest.fixture(scope="module")
def draws(stock):
    """Of 3 blocks, 6 layers, alpha and gamma, each 3 members of 8."""
    plex = plexify(
        stock("vit"),
        seed=0,
        head="keep",
        last_blocks="all",
        fast_weight_stddev=0.25,
    )
    draws = np.stack([w.ravel() for w in fast_weights(plex).values()])
    assert draws.shape == (3 * 6 * 2, 24)
    return draws


def test_no_two_layers_draw_the_same(draws):
    assert len(np.unique(np.round(draws[:, 0], 5))) == 36
    # Nor do the members of one layer, nor its inputs.
    assert all(len(np.unique(draw)) == 24 for draw in draws)


def test_the_spread_of_the_members_is_the_stddev(draws):
    # 864 draws: standard errors are 0.25 / sqrt(864) and that / sqrt(2).
    assert abs(draws.mean() - 1.0) < 4 * 0.25 / 864**0.5
    assert abs(draws.std() - 0.25) < 4 * 0.25 / (2 * 864) ** 0.5


def test_a_head_seed_overrides_the_seed(stock):
    model = stock("mlp")
    options = {**GP, "seed": 9}
    first = plexify(model, seed=1, head_options=options).covariance_head
    other = plexify(model, seed=2, head_options=options).covariance_head
    np.testing.assert_array_equal(
        ops.convert_to_numpy(first.features.projection),
        ops.convert_to_numpy(other.features.projection),
    )


# The model passed in.


def snapshot(model, x):
    return {
        "weights": [ops.convert_to_numpy(w).copy() for w in model.weights],
        "paths": [w.path for w in model.weights],
        "classes": [type(layer) for layer in walk_layers(model)],
        "ids": [id(layer) for layer in walk_layers(model)],
        "class": type(model),
        "config": model.get_config(),
        "layer_flags": [layer.trainable for layer in walk_layers(model)],
        "flags": [w.trainable for w in model.weights],
        "compiled": (model.compiled, id(model.optimizer), model.loss),
        "optimizer": [
            ops.convert_to_numpy(v) for v in model.optimizer.variables
        ],
        "outputs": cases.to_numpy(model(x)),
    }


FAILURES = [
    {"last_blocks": 99},
    {"layers": ["nowhere"]},
    {"head_options": {"kernel": "cubic"}},
    {"ensemble_size": 0},
]


@pytest.mark.parametrize("name", ["vit_gap", "transformer"])
def test_the_stock_model_stays_as_it_is(name):
    model = cases.make(name)
    walk_layers(model)[1].trainable = False
    model.compile(keras.optimizers.SGD(0.1), "mse")
    x = cases.examples(model)
    before = snapshot(model, x)
    # Frozen members are worth a warning, which is not the claim here.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plex = plexify(model, head_options=GP)
    # Neither does training the new one change it.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plex.compile("sgd", loss, metrics=[], run_eagerly=True)
    plex.train_on_batch(x, np.zeros(4, "int32"))
    plexify(model, num_classes=5, head="keep", fast_weight_stddev=0.0)
    for arguments in FAILURES:
        with pytest.raises(ValueError):
            plexify(model, fast_weight_stddev=0.0, **arguments)
    after = snapshot(model, x)
    for key in ("weights", "optimizer"):
        for a, b in zip(before.pop(key), after.pop(key), strict=True):
            np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(before.pop("outputs"), after.pop("outputs"))
    assert before == after


# Errors.


def test_a_model_without_one_dense_output_needs_keep(stock):
    message = "no `Dense` that makes the one output .* 'gp'.*keep.*model.inputs"
    with pytest.raises(ValueError, match=message):
        plexify(stock("multi_output"))


def test_layers_that_reach_no_output_are_refused():
    x = keras.Input((4,))
    seen = keras.layers.Dense(3, name="seen")(x)
    model = keras.Model(x, seen)
    model.unseen = keras.layers.Dense(3, name="unseen")
    model.unseen.build((None, 4))
    settings = Settings(last_blocks=1, head="keep")
    with pytest.raises(ValueError, match="No output .* depends on .*unseen"):
        convert(model, settings)


def test_a_converted_model_is_refused(stock):
    plex = plexify(stock("mlp"), head="keep")
    with pytest.raises(ValueError, match="'mlp' is converted already"):
        plexify(plex)


def test_a_model_with_a_converted_part_is_refused(stock):
    inner = plexify(stock("mlp"), head="keep")
    x = keras.Input((4,))
    hidden = keras.layers.Dense(4)(x)
    outer = keras.Model(x, keras.layers.Dense(3)(inner(hidden)))
    with pytest.raises(ValueError, match="converted"):
        plexify(outer, last_blocks=1)


def test_quantized_layers_are_refused():
    model = cases.make("mlp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # InputLayer cannot be quantized
        model.quantize("int8")
    with pytest.raises(ValueError, match="quantized"):
        plexify(model, head="keep")


def test_a_lora_head_keeps_its_update():
    model = cases.make("mlp")
    model.layers[-1].enable_lora(2)
    cases.with_random_weights(model)
    for head in HEADS:
        plex = quiet_plexify(model, head=head, fast_weight_stddev=0.0)
        assert largest_difference(plex, model) <= 1e-5, head


def test_the_settings_are_those_of_the_arguments(stock):
    plex = plexify(stock("mlp"), 2, last_blocks=1, seed=5, head_options=GP)
    settings = dataclasses.asdict(plex.conversion.settings)
    assert settings == {
        "ensemble_size": 2,
        "last_blocks": 1,
        "ensemble_attention": True,
        "method": "batch_ensemble",
        "method_options": None,
        "head": "gp",
        "head_options": {**GP, "kernel_inputs": "last"},
        "fast_weight_stddev": 0.1,
        "layers": None,
        "seed": 5,
    }
