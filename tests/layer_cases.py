"""One row per layer and way of using it: `check_layer` runs on each.

A row is `"Class, what is special": LayerCase(...)`; append yours.
"""

from typing import NamedTuple

import keras

from keras_plex.layers import BatchEnsembleConv2D
from keras_plex.layers import BatchEnsembleDense
from keras_plex.layers import BatchEnsembleEinsumDense
from keras_plex.layers import BatchEnsembleEmbedding
from keras_plex.layers import HeteroscedasticDense
from keras_plex.layers import HeteroscedasticGP
from keras_plex.layers import LaplaceDense
from keras_plex.layers import LoRAEnsembleDense
from keras_plex.layers import LoRAEnsembleEinsumDense
from keras_plex.layers import MergeMembers
from keras_plex.layers import RandomFeatureGP
from keras_plex.layers import SpectralNormalization
from keras_plex.layers import TileMembers
from keras_plex.layers.laplace_covariance import LaplaceCovariance
from keras_plex.layers.random_features import RandomFeatures
from keras_plex.types import Config


class LayerCase(NamedTuple):
    """The arguments of `check_layer`."""

    layer_class: type[keras.layers.Layer]
    arguments: Config
    input_shape: tuple[int, ...]
    input_dtype: str = "float32"


LAYERS = {
    "BatchEnsembleDense": LayerCase(
        BatchEnsembleDense, {"units": 4, "ensemble_size": 3}, (6, 4)
    ),
    "BatchEnsembleDense, no bias, tokens": LayerCase(
        BatchEnsembleDense,
        {
            "units": 3,
            "ensemble_size": 3,
            "activation": "relu",
            "use_bias": False,
        },
        (6, 2, 5),
    ),
    "BatchEnsembleDense, equal members": LayerCase(
        BatchEnsembleDense,
        {"units": 3, "ensemble_size": 3, "fast_weight_initializer": "ones"},
        (6, 5),
    ),
    "BatchEnsembleEinsumDense, to heads": LayerCase(
        BatchEnsembleEinsumDense,
        {
            "equation": "abc,cde->abde",
            "output_shape": (None, 2, 3),
            "ensemble_size": 2,
            "bias_axes": "de",
        },
        (6, 5, 4),
    ),
    "BatchEnsembleEinsumDense, as Dense": LayerCase(
        BatchEnsembleEinsumDense,
        {
            "equation": "ab,bc->ac",
            "output_shape": 3,
            "ensemble_size": 2,
            "bias_axes": "c",
        },
        (6, 4),
    ),
    "BatchEnsembleConv2D": LayerCase(
        BatchEnsembleConv2D,
        {"filters": 4, "kernel_size": 2, "ensemble_size": 2},
        (4, 3, 3, 2),
    ),
    "BatchEnsembleConv2D, strides, no bias": LayerCase(
        BatchEnsembleConv2D,
        {
            "filters": 4,
            "kernel_size": (2, 3),
            "ensemble_size": 2,
            "fast_weight_initializer": "random_sign",
            "strides": 2,
            "padding": "same",
            "activation": "relu",
            "use_bias": False,
        },
        (4, 3, 5, 2),
    ),
    "BatchEnsembleEmbedding": LayerCase(
        BatchEnsembleEmbedding,
        {"input_dim": 5, "output_dim": 4, "ensemble_size": 2},
        (4, 3),
        "int32",
    ),
    "BatchEnsembleEmbedding, masked": LayerCase(
        BatchEnsembleEmbedding,
        {
            "input_dim": 5,
            "output_dim": 4,
            "ensemble_size": 2,
            "mask_zero": True,
        },
        (4, 3),
        "int32",
    ),
    "HeteroscedasticDense": LayerCase(
        HeteroscedasticDense, {"units": 3, "num_samples": 32}, (6, 4)
    ),
    "HeteroscedasticDense, factors, tokens": LayerCase(
        HeteroscedasticDense,
        {
            "units": 4,
            "num_factors": 2,
            "temperature": (0.3, 3.0),
            "num_samples": 32,
            "num_training_samples": 8,
            "activation": "softmax",
        },
        (6, 2, 4),
    ),
    "HeteroscedasticDense, parameter-efficient": LayerCase(
        HeteroscedasticDense,
        {
            "units": 4,
            "num_factors": 3,
            "temperature": 2.0,
            "parameter_efficient": True,
            "num_samples": 32,
        },
        (6, 4),
    ),
    "HeteroscedasticDense, one sigmoid": LayerCase(
        HeteroscedasticDense,
        {
            "units": 1,
            "link": "sigmoid",
            "shared_noise": True,
            "num_samples": 32,
            "use_bias": False,
        },
        (6, 4),
    ),
    "HeteroscedasticGP": LayerCase(
        HeteroscedasticGP,
        {"units": 3, "num_features": 16, "num_samples": 32},
        (6, 4),
    ),
    "HeteroscedasticGP, linear mean, factors, tokens": LayerCase(
        HeteroscedasticGP,
        {
            "units": 4,
            "num_features": 16,
            "num_factors": 2,
            "temperature": (0.3, 3.0),
            "num_samples": 32,
            "num_training_samples": 8,
            "mean_function": "linear",
            "likelihood": "softmax",
            "activation": "softmax",
        },
        (6, 2, 4),
    ),
    "HeteroscedasticGP, one sigmoid": LayerCase(
        HeteroscedasticGP,
        {
            "units": 1,
            "num_features": 16,
            "link": "sigmoid",
            "likelihood": "binary_logistic",
            "num_samples": 32,
        },
        (6, 4),
    ),
    "LaplaceCovariance": LayerCase(LaplaceCovariance, {}, (6, 4)),
    "LaplaceCovariance, momentum": LayerCase(
        LaplaceCovariance, {"momentum": 0.9}, (6, 4)
    ),
    "LaplaceCovariance, classes": LayerCase(
        LaplaceCovariance, {"num_classes": 3}, (6, 2, 4)
    ),
    "LaplaceDense": LayerCase(LaplaceDense, {"units": 3}, (6, 4)),
    "LaplaceDense, one unit, no bias, tokens": LayerCase(
        LaplaceDense,
        {
            "units": 1,
            "prior_precision": 2.0,
            "mean_field_factor": 1.0,
            "rows_per_example": 2,
            "activation": "sigmoid",
            "use_bias": False,
        },
        (6, 2, 4),
    ),
    "LoRAEnsembleDense": LayerCase(
        LoRAEnsembleDense, {"units": 4, "ensemble_size": 3}, (6, 4)
    ),
    "LoRAEnsembleDense, scaled, tokens": LayerCase(
        LoRAEnsembleDense,
        {
            "units": 3,
            "ensemble_size": 3,
            "rank": 2,
            "alpha": 8.0,
            "a_initializer": "glorot_normal",
            "activation": "relu",
            "use_bias": False,
        },
        (6, 2, 5),
    ),
    "LoRAEnsembleEinsumDense, to heads": LayerCase(
        LoRAEnsembleEinsumDense,
        {
            "equation": "abc,cde->abde",
            "output_shape": (None, 2, 3),
            "ensemble_size": 2,
            "bias_axes": "de",
        },
        (6, 5, 4),
    ),
    "LoRAEnsembleEinsumDense, in heads": LayerCase(
        LoRAEnsembleEinsumDense,
        {
            "equation": "bhd,hde->bhe",
            "output_shape": (2, 3),
            "ensemble_size": 2,
        },
        (6, 2, 4),
    ),
    "LoRAEnsembleEinsumDense, ellipsis": LayerCase(
        LoRAEnsembleEinsumDense,
        {
            "equation": "...b,bc->...c",
            "output_shape": 3,
            "ensemble_size": 2,
            "bias_axes": "c",
        },
        (6, 5, 4),
    ),
    "MergeMembers, softmax": LayerCase(
        MergeMembers, {"output_kind": "softmax_logits"}, (6, 4)
    ),
    "MergeMembers, sigmoid": LayerCase(
        MergeMembers, {"output_kind": "sigmoid_logits"}, (6, 4)
    ),
    "MergeMembers, probabilities": LayerCase(
        MergeMembers, {"output_kind": "probabilities"}, (6, 4)
    ),
    "MergeMembers, regression": LayerCase(
        MergeMembers, {"output_kind": "regression"}, (6, 4)
    ),
    "MergeMembers, log rates": LayerCase(
        MergeMembers, {"output_kind": "log_rates"}, (6, 4)
    ),
    "RandomFeatureGP": LayerCase(
        RandomFeatureGP, {"units": 3, "num_features": 16, "seed": 1}, (6, 2, 4)
    ),
    "RandomFeatureGP, linear mean": LayerCase(
        RandomFeatureGP,
        {
            "units": 3,
            "num_features": 16,
            "seed": 1,
            "mean_function": "linear",
            "activation": "softmax",
        },
        (6, 2, 4),
    ),
    "RandomFeatureGP, momentum": LayerCase(
        RandomFeatureGP,
        {
            "units": 3,
            "num_features": 16,
            "seed": 1,
            "length_scale": 2.0,
            "orthogonal": False,
            "normalize_input": False,
            "ridge_penalty": 0.5,
            "momentum": 0.9,
            "mean_field_factor": 1.0,
            "use_bias": False,
        },
        (6, 2, 4),
    ),
    "RandomFeatureGP, softmax, sampled": LayerCase(
        RandomFeatureGP,
        {
            "units": 3,
            "num_features": 16,
            "seed": 1,
            "likelihood": "softmax",
            "trainable_length_scale": True,
            "num_samples": 8,
        },
        (6, 2, 4),
    ),
    "RandomFeatureGP, linear kernel, logistic": LayerCase(
        RandomFeatureGP,
        {
            "units": 1,
            "seed": 1,
            "kernel": "linear",
            "likelihood": "binary_logistic",
        },
        (6, 4),
    ),
    "RandomFeatureGP, Poisson, momentum": LayerCase(
        RandomFeatureGP,
        {
            "units": 1,
            "num_features": 16,
            "seed": 1,
            "likelihood": "poisson",
            "momentum": 0.9,
        },
        (6, 4),
    ),
    "RandomFeatures": LayerCase(
        RandomFeatures,
        {"num_features": 16, "seed": 1, "trainable_length_scale": True},
        (6, 4),
    ),
    "SpectralNormalization, Dense": LayerCase(
        SpectralNormalization,
        {"layer": keras.layers.Dense(4, "relu"), "power_iterations": 3},
        (6, 2, 4),
    ),
    "SpectralNormalization, EinsumDense": LayerCase(
        SpectralNormalization,
        {
            "layer": keras.layers.EinsumDense(
                "abc,cde->abde", (None, 2, 3), bias_axes="de"
            ),
            "norm_bound": 0.1,
        },
        (6, 5, 4),
    ),
    "SpectralNormalization, Conv2D": LayerCase(
        SpectralNormalization,
        {"layer": keras.layers.Conv2D(3, 3, padding="same", strides=2)},
        (2, 5, 4, 2),
    ),
    "TileMembers": LayerCase(TileMembers, {"ensemble_size": 3}, (2, 4)),
    "TileMembers, images": LayerCase(
        TileMembers, {"ensemble_size": 3}, (2, 3, 5, 4)
    ),
    "TileMembers, words": LayerCase(
        TileMembers, {"ensemble_size": 3}, (2, 4), "int32"
    ),
}
