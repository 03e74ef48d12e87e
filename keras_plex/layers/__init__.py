"""Reliability layers: drop them into any Functional or subclassed model."""

from keras_plex.layers.batch_ensemble_conv2d import (
    BatchEnsembleConv2D as BatchEnsembleConv2D,
)
from keras_plex.layers.batch_ensemble_dense import (
    BatchEnsembleDense as BatchEnsembleDense,
)
from keras_plex.layers.batch_ensemble_einsum_dense import (
    BatchEnsembleEinsumDense as BatchEnsembleEinsumDense,
)
from keras_plex.layers.batch_ensemble_embedding import (
    BatchEnsembleEmbedding as BatchEnsembleEmbedding,
)
from keras_plex.layers.heteroscedastic_dense import (
    HeteroscedasticDense as HeteroscedasticDense,
)
from keras_plex.layers.heteroscedastic_gp import (
    HeteroscedasticGP as HeteroscedasticGP,
)
from keras_plex.layers.laplace_dense import LaplaceDense as LaplaceDense
from keras_plex.layers.lora_ensemble_dense import (
    LoRAEnsembleDense as LoRAEnsembleDense,
)
from keras_plex.layers.lora_ensemble_einsum_dense import (
    LoRAEnsembleEinsumDense as LoRAEnsembleEinsumDense,
)
from keras_plex.layers.merge_members import MergeMembers as MergeMembers
from keras_plex.layers.random_feature_gp import (
    RandomFeatureGP as RandomFeatureGP,
)
from keras_plex.layers.spectral_normalization import (
    SpectralNormalization as SpectralNormalization,
)
from keras_plex.layers.tile_members import TileMembers as TileMembers
