"""`plexify(method="lora_ensemble")`: frozen kernels, members of low rank."""

import math
import warnings

import keras
import numpy as np
import pytest
from keras import ops
from keras import tree

from keras_plex import plexify
from keras_plex.conversion import forward_pass
from keras_plex.layers import LoRAEnsembleDense
from keras_plex.layers import LoRAEnsembleEinsumDense
from tests import cases

GP = {"num_features": 16}
SITE_WEIGHTS = ("kernel", "bias")
MEMBER_WEIGHTS = ("lora_a", "lora_b")
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def lora(model, **arguments):
    with warnings.catch_warnings():
        if model.name == "shared_dense":  # all of it is tiled
            warnings.simplefilter("ignore")
        if model.name in ("regression", "shared_dense"):
            arguments = {"last_blocks": 1, **arguments}
        return plexify(
            model, **{"method": "lora_ensemble", "head": "keep", **arguments}
        )


def member_outputs(plex, x):
    """The flat outputs, each `(batch, ensemble, ...)`."""
    with forward_pass.returning(forward_pass.DETAILS):
        return tree.flatten(cases.to_numpy(plex(x)["outputs"]))


def member_weights(plex):
    return [
        getattr(layer, name)
        for layer in plex.conversion.converted
        for name in MEMBER_WEIGHTS
        if hasattr(layer, name)
    ]


def randomize(weights):
    for seed, weight in enumerate(weights):
        numbers = np.random.default_rng(seed).normal(size=weight.shape)
        weight.assign(0.3 * numbers)


def numpy(weight):
    return ops.convert_to_numpy(weight).copy()


# Start.


@pytest.mark.parametrize("name", cases.MODELS)
def test_members_start_as_the_stock_model(stock, name):
    model = stock(name)
    x = cases.examples(model)
    expected = tree.flatten(cases.to_numpy(model(x)))
    for outputs, one in zip(
        member_outputs(lora(model), x), expected, strict=True
    ):
        for member in range(outputs.shape[1]):
            np.testing.assert_allclose(outputs[:, member], one, atol=1e-5)


@pytest.mark.parametrize(
    "arguments",
    [
        {"head": "gp", "head_options": GP},
        {"head": "batch_ensemble"},
        {"head": "laplace"},
        {"last_blocks": "all"},
        {"ensemble_attention": False},
        {"layers": ["query", "dense_1"]},
        {"ensemble_size": 1, "fast_weight_stddev": 0.0},
    ],
)
def test_the_neutral_start_holds_for_every_choice(stock, arguments):
    model = stock("vit")
    x = cases.examples(model)
    plex = lora(model, method_options={"rank": 2, "alpha": 16}, **arguments)
    ours, theirs = cases.to_numpy([ops.softmax(m(x)) for m in (plex, model)])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_layers_are_those_of_the_method(stock):
    plex = lora(stock("vit"), last_blocks=1, method_options={"rank": 2})
    layers = plex.conversion.converted
    expected = [LoRAEnsembleEinsumDense] * 4 + [LoRAEnsembleDense] * 2
    assert [type(layer) for layer in layers] == expected
    assert {(layer.rank, layer.alpha) for layer in layers} == {(2, None)}


def test_a_stock_lora_is_merged_into_the_kernel():
    model = cases.make("mlp")
    model.layers[1].enable_lora(2, lora_alpha=8)
    cases.with_random_weights(model)
    plex = lora(model)
    x = cases.examples(model)
    (outputs,) = member_outputs(plex, x)
    np.testing.assert_allclose(
        outputs[:, 0], cases.to_numpy(model(x)), atol=1e-5
    )
    names = [weight.name for weight in plex.layers[1].weights]
    assert names == ["kernel", "bias", "lora_a", "lora_b"]
    assert model.layers[1].lora_enabled


# Members.


@pytest.mark.parametrize(
    "name", ["vit", "transformer", "two_inputs", "masked", "custom_blocks"]
)
def test_each_member_equals_a_model_of_its_own(stock, name):
    model = stock(name)
    plex, alone = lora(model, ensemble_size=3), lora(model, ensemble_size=1)
    randomize(member_weights(plex))
    x = cases.examples(model)
    together = member_outputs(plex, x)[0]
    for k in range(3):
        for all_members, one in zip(
            member_weights(plex), member_weights(alone), strict=True
        ):
            one.assign(numpy(all_members)[k : k + 1])
        single = member_outputs(alone, x)[0][:, 0]
        np.testing.assert_allclose(together[:, k], single, atol=1e-5)


def test_the_members_of_a_site_cost_rank_times_inputs_plus_outputs(stock):
    model = stock("vit")
    plex = lora(model, method_options={"rank": 2})
    # query, key, value, output and the two feed-forward layers: 8 -> 8.
    added = 2 * 6 * 3 * 2 * (8 + 8)
    assert plex.count_params() - model.count_params() == added
    assert sum(math.prod(w.shape) for w in member_weights(plex)) == added


# Training.


def trained(plex, x, steps=2):
    """What a few steps moved, by path."""
    before = {w.path: numpy(w) for w in plex.weights}
    plex.compile(keras.optimizers.SGD(0.1), LOSS)
    for _ in range(steps):
        plex.train_on_batch(x, np.arange(4, dtype="int32") % 3)
    return {
        w.path
        for w in plex.weights
        if np.abs(numpy(w) - before[w.path]).max() > 0
    }


def test_training_moves_members_and_what_else_is_trainable(stock):
    model = stock("vit")
    plex = lora(model, seed=0)
    moved = trained(plex, cases.examples(model))
    sites = [
        f"vit_encoder/{layer.path.split('vit_encoder/')[-1]}"
        for layer in plex.conversion.converted
    ]
    frozen = {f"{site}/{name}" for site in sites for name in SITE_WEIGHTS}
    members = {f"{site}/{name}" for site in sites for name in MEMBER_WEIGHTS}
    assert members <= moved
    assert not frozen & moved
    others = {w.path for w in plex.trainable_weights} - members
    assert others & moved and not others & frozen
    still = {w.path for w in plex.trainable_weights} - moved
    # Attention is the same whatever is added to all keys.
    assert all(path.endswith("key/bias") for path in still)


def test_the_rest_of_the_model_keeps_its_flags():
    model = cases.make("transformer")
    model.get_layer("norm_2").trainable = False
    model.get_layer("embed").trainable = False
    plex = lora(model, layers=["up_2", "down_2"])
    moved = trained(plex, cases.examples(model))
    assert not any("norm_2" in path or "embed" in path for path in moved)
    assert any("up_1/kernel" in path for path in moved)
    assert any("head/kernel" in path for path in moved)
    assert not any("up_2/kernel" in path for path in moved)
    plex.trainable = False
    plex.trainable = True
    names = {w.path for w in plex.trainable_weights}
    assert not any("up_2/kernel" in path for path in names)


def test_members_differ_after_one_step(stock):
    model = stock("vit")
    x = cases.examples(model)
    plex = lora(model, seed=0)
    (before,) = member_outputs(plex, x)
    assert np.abs(before - before[:, :1]).max() < 1e-6
    trained(plex, x, steps=1)
    (after,) = member_outputs(plex, x)
    for one, two in ((0, 1), (1, 2), (0, 2)):
        assert np.abs(after[:, one] - after[:, two]).max() > 1e-4


# Seeds.


def draws(plex):
    return {w.path: numpy(w) for w in member_weights(plex) if "_a" in w.name}


def test_a_seed_gives_the_same_weights_again(stock):
    first, again, other = (
        draws(lora(stock("mlp"), seed=seed)) for seed in (3, 3, 4)
    )
    for path, weight in first.items():
        np.testing.assert_array_equal(weight, again[path])
        assert np.abs(weight - other[path]).max() > 1e-2


@pytest.mark.parametrize("seed", [None, 0])
def test_no_two_sites_and_no_two_members_draw_the_same(stock, seed):
    plex = lora(stock("vit"), last_blocks="all", seed=seed)
    numbers = np.concatenate([a.ravel() for a in draws(plex).values()])
    assert len(numbers) == 3 * 6 * 3 * 8 * 4
    # 32 bits of a draw may meet by chance; a member's 32 numbers cannot.
    assert len(np.unique(numbers)) > 0.99 * len(numbers)


# Files.


@pytest.mark.parametrize("head", ["keep", "gp"])
def test_a_file_restores_bit_for_bit_and_trains_alike(stock, head, tmp_path):
    model = stock("transformer")
    x = cases.examples(model)
    options = {"head_options": GP} if head == "gp" else {}
    plex = lora(
        model,
        head=head,
        method_options={"rank": 2, "a_initializer": "glorot_normal"},
        seed=0,
        **options,
    )
    trained(plex, x)
    plex.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.conversion.settings == plex.conversion.settings
    np.testing.assert_array_equal(*cases.to_numpy([loaded(x), plex(x)]))
    ours, theirs = (
        [w.path for w in m.trainable_weights] for m in (plex, loaded)
    )
    assert ours == theirs
    for m in (plex, loaded):
        m.train_on_batch(x, np.zeros(4, "int32"))
    np.testing.assert_allclose(
        *cases.to_numpy([loaded(x), plex(x)]), rtol=1e-5, atol=1e-6
    )


def test_a_weights_file_restores_bit_for_bit(stock, tmp_path):
    x = cases.examples(stock("vit"))
    one, two = lora(stock("vit"), seed=0), lora(stock("vit"), seed=1)
    randomize(member_weights(one))
    one.save_weights(tmp_path / "model.weights.h5")
    two.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(*cases.to_numpy([one(x), two(x)]))


# Warnings.


def test_frozen_members_are_worth_a_warning():
    model = cases.make("mlp")
    model.layers[1].trainable = False
    message = "1 of 1 converted layers are frozen .*cannot learn to differ"
    with pytest.warns(UserWarning, match=message):
        plex = lora(model, last_blocks=1)
    assert not plex.layers[1].trainable
    assert not trained(plex, cases.examples(model)) & {
        w.path for w in plex.layers[1].weights
    }
