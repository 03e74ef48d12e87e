"""Reliability layers: drop them into any Functional or subclassed model."""

from keras_plex.layers.batch_ensemble_dense import (
    BatchEnsembleDense as BatchEnsembleDense,
)
from keras_plex.layers.batch_ensemble_einsum_dense import (
    BatchEnsembleEinsumDense as BatchEnsembleEinsumDense,
)
from keras_plex.layers.merge_members import MergeMembers as MergeMembers
from keras_plex.layers.random_feature_gp import (
    RandomFeatureGP as RandomFeatureGP,
)
from keras_plex.layers.tile_members import TileMembers as TileMembers
