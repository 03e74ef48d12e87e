"""Each recipe is what `plexify` takes, and what the papers say."""

import keras
import numpy as np
import pytest
from keras import ops

import keras_plex
from keras_plex import recipes
from keras_plex.conversion.heads import HEADS
from keras_plex.conversion.settings import Settings
from tests import cases

RECIPES = {
    name: value for name, value in vars(recipes).items() if name.isupper()
}
NAMED = (
    "BATCH_ENSEMBLE",
    "SNGP",
    "T5_PLEX",
    "VIT_PLEX_IMAGENET21K",
    "VIT_PLEX_JFT",
)


def skip_unless_it_exists(recipe):
    if recipe["head"] not in HEADS:
        pytest.skip(f"There is no head {recipe['head']!r}.")


def converted(recipe):
    stock = cases.make("vit")
    # The recipe for ImageNet needs more classes than its 15 factors.
    return keras_plex.plexify(stock, num_classes=16, seed=0, **recipe)


def test_all_recipes_are_here():
    public = {name for name in RECIPES if not name.startswith("_")}
    assert public == set(NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_recipe_passes_the_checks_of_its_arguments(name):
    skip_unless_it_exists(RECIPES[name])
    Settings(**RECIPES[name])


@pytest.mark.parametrize("name", NAMED)
def test_recipe_converts_a_vision_transformer(name):
    recipe = RECIPES[name]
    skip_unless_it_exists(recipe)
    model = converted(recipe)
    x = cases.examples(model)
    assert model.ensemble_size == recipe["ensemble_size"]
    assert model.predict_members(x).shape == (4, model.ensemble_size, 16)
    assert np.all(np.isfinite(model.predict(x, verbose=0)))


# Blocks and parts of them, by name of the tiny Vision Transformer.
SITES = {
    "VIT_PLEX_JFT": {"transformer_block_2", "transformer_block_3", "mha"},
    "VIT_PLEX_IMAGENET21K": {
        "transformer_block_1",
        "transformer_block_2",
        "transformer_block_3",
    },
    "T5_PLEX": {"transformer_block_3"},
    "SNGP": set(),
    "BATCH_ENSEMBLE": {"transformer_block_2", "transformer_block_3", "mha"},
}


@pytest.mark.parametrize("name", NAMED)
def test_recipe_gives_members_to_the_right_layers(name):
    skip_unless_it_exists(RECIPES[name])
    model = converted(RECIPES[name])
    paths = [layer.path for layer in model.conversion.converted[:-1]]
    parts = {part for path in paths for part in path.split("/")}
    wanted = {"mha", *(f"transformer_block_{i}" for i in (1, 2, 3))}
    assert parts & wanted == SITES[name]


def test_fast_weights_of_t5_are_random_signs():
    model = converted(recipes.T5_PLEX)
    alphas = [
        ops.convert_to_numpy(layer.alpha).ravel()
        for layer in model.conversion.converted[:-1]
    ]
    signs = np.concatenate(alphas)
    assert set(signs) == {-1.0, 1.0}
    assert abs(signs.mean()) < 0.5


@pytest.mark.parametrize("name", ["SNGP", "T5_PLEX"])
def test_gaussian_process_starts_without_the_stock_output_layer(name):
    recipe = RECIPES[name]
    stock = cases.make("mlp")
    model = keras_plex.plexify(stock, **{**recipe, "ensemble_attention": True})
    head = model.covariance_head
    assert head.mean_kernel is None
    assert head.num_features == 1024


def test_ridge_penalty_is_the_references_for_features_of_unit_kernel():
    """Their variance, with features cos(...) and ridge 1, is 512 of ours."""
    generator = np.random.default_rng(0)
    cosines = np.cos(generator.normal(size=(40, 1024)))
    precision = np.eye(1024) + cosines.T @ cosines
    theirs = np.einsum(
        "id,de,ie->i", cosines, np.linalg.inv(precision), cosines
    )
    ridge = recipes.SNGP["head_options"]["ridge_penalty"]
    features = np.sqrt(2 / 1024) * cosines
    precision = ridge * np.eye(1024) + features.T @ features
    inverse = ridge * np.linalg.inv(precision)
    ours = np.einsum("id,de,ie->i", features, inverse, features)
    np.testing.assert_allclose(theirs, 512 * ours, rtol=1e-6)


def test_random_features_have_the_spread_of_the_reference():
    """`N(0, 2 / d)` on normalized inputs."""
    inputs = keras.Input((200,))
    stock = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    model = keras_plex.plexify(stock, seed=0, **recipes.SNGP)
    x = np.random.default_rng(0).normal(size=(1, 200)).astype("float32")
    x = (x - x.mean()) / x.std()
    head = model.covariance_head
    far = ops.convert_to_numpy(
        head.covariance_features(np.concatenate([x, -x]))
    )
    # cos(w x + b) cos(-w x + b) is on average exp(-2 w.x variance) / 2 = e^-4.
    assert (far[0] @ far[1]) == pytest.approx(np.exp(-4), abs=0.1)
    assert (far[0] @ far[0]) == pytest.approx(1.0, abs=0.1)
