"""A model whose dropout stays on: an ensemble without training one."""

import dataclasses
import inspect
import random

import keras

from keras_plex.checks import is_integer
from keras_plex.conversion import forward_pass
from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.copying import deserialize_stock
from keras_plex.conversion.copying import serialize_stock
from keras_plex.conversion.heads import find_heads
from keras_plex.conversion.member_dropout import sample_dropout
from keras_plex.conversion.stock import check_room_for_members
from keras_plex.conversion.surgery import add_mixin
from keras_plex.conversion.surgery import set_model_class
from keras_plex.conversion.tiling import Layout
from keras_plex.models.member_checks import check_stock
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.member_state import MemberState
from keras_plex.models.member_training import MemberTraining
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import unsure_outputs
from keras_plex.models.output_sources import find_sources
from keras_plex.models.stock_class import in_front_of
from keras_plex.models.tiled_pass import tiled_pass
from keras_plex.types import Config
from keras_plex.types import Tensor

SEEDS = 2**31


@dataclasses.dataclass(kw_only=True)
class DropoutState(MemberState):
    """The state of a model with members, and where it comes from.

    Args:
        stock_config: the stock model, serialized before its conversion.
        layout: where members are.
        seed: of the masks.
        dropout_layers: the paths of the layers that drop at inference.
    """

    stock_config: Config
    layout: Layout
    seed: int
    dropout_layers: list[str]


@keras.saving.register_keras_serializable("keras_plex")
class MCDropout(MemberOutputs):
    """A stock model as an ensemble of the networks that dropout leaves.

    For a model that was trained with dropout: uncertainty without more
    training, at `num_samples` times the cost from the first dropout layer on;
    what lies before it runs once per example. Each member has one mask for
    each dropout layer, the same for every example and call, so that forecasts
    depend neither on the batch nor on when they are made. It gives one
    forecast per example, the mean of the members' probabilities, and what
    `PlexModel` gives beyond that: `predict_members`, `predict_uncertainty`.

    `Dropout` and `SpatialDropout1D`, `2D`, `3D` count, also those inside
    attention and other layers. Other noise (`GaussianDropout`, dropout of
    recurrent layers, dropped paths) stays off at inference, and a
    `BatchNormalization` keeps its statistics. In training the model is the
    stock model: ordinary dropout, one pass per example.

    The model passed in is left untouched. The result is a copy that stays an
    instance of its class, compiled like it with a fresh optimizer.

    Args:
        model: a built Keras model with a dropout layer whose rate is above 0.
        num_samples: positive int, the number of members. Defaults to `10`.
        seed: int, of the masks. Defaults to one drawn at random, which is
            saved with the model.

    Raises:
        ValueError: for a model without dropout, one that is not built, or one
            with members.

    Example:

    >>> dense, dropout = keras.layers.Dense, keras.layers.Dropout(0.5)
    >>> layers = [dense(8, "relu"), dropout, dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> model = MCDropout(stock, num_samples=20, seed=0)
    >>> x = np.ones((2, 4), "float32")
    >>> model.predict_members(x).shape
    (2, 20, 3)
    >>> bool(np.all(model(x)[0] == model(x)[1]))  # equal masks
    True

    Reference:
        Gal and Ghahramani, 2016, "Dropout as a Bayesian approximation:
        representing model uncertainty in deep learning",
        https://arxiv.org/abs/1506.02142; masks that stay the same: Kirsch, van
        Amersfoort and Gal, 2019, "BatchBALD: efficient and diverse batch
        acquisition for deep Bayesian active learning",
        https://arxiv.org/abs/1906.08158
    """

    _plex: DropoutState

    def __new__(
        cls, model: keras.Model, num_samples: int = 10, seed: int | None = None
    ):
        check_stock(model)
        check_room_for_members(model)
        _check_num_samples(num_samples)
        if seed is None:
            seed = random.randrange(SEEDS)
        _check_seed(seed)
        copy = copy_model(model)
        mc = _adopt(cls, copy, serialize_stock(copy), num_samples, seed)
        copy_compilation(model, mc)
        return mc

    def __init__(self, *args, **kwargs):
        """Nothing: `__new__` gives a whole model."""

    @property
    def dropout_layers(self) -> list[str]:
        """The paths of the layers that drop at inference."""
        return self._plex.dropout_layers

    def call(self, *args, **kwargs) -> Tensor:
        bound = inspect.signature(super().call).bind(*args, **kwargs)
        if bound.arguments.get("training"):
            with forward_pass.stock_pass():
                return super().call(*args, **kwargs)
        layout = self._plex.layout
        return tiled_pass(self, super().call, args, kwargs, layout=layout)

    def train_step(self, *args, **kwargs):
        # Not the mean over members: the stock model's step.
        return super(MemberTraining, self).train_step(*args, **kwargs)

    def get_config(self) -> Config:
        return {
            "stock": self._plex.stock_config,
            "num_samples": self.ensemble_size,
            "seed": self._plex.seed,
            "output_kinds": list(self.output_kinds),
            **self.calibration_config(),
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects=None) -> "MCDropout":
        model = deserialize_stock(config["stock"], custom_objects)
        samples, seed = config["num_samples"], config["seed"]
        model = _adopt(MCDropout, model, config["stock"], samples, seed)
        model.output_kinds = tuple(config["output_kinds"])
        model.restore_calibration(config)
        return model


def _adopt(
    cls: type,
    model: keras.Model,
    stock_config: Config,
    num_samples: int,
    seed: int,
) -> MCDropout:
    heads = find_heads(model)
    sources = find_sources(model, heads)
    kinds = kinds_of_model(model, sources)
    dropout_layers, layout = sample_dropout(model, num_samples, seed)
    if len(heads) == 1 and heads[0] is not None:
        add_mixin(heads[0].layer, forward_pass.RecordsInputs)
    model._plex = DropoutState(
        ensemble_size=num_samples,
        member_outputs=layout.member_outputs,
        heads=heads,
        output_kinds=kinds,
        sources=sources,
        unsure_outputs=unsure_outputs(model, sources),
        stock_config=stock_config,
        layout=layout,
        seed=seed,
        dropout_layers=dropout_layers,
    )
    set_model_class(model, in_front_of(cls, type(model), "MCDropoutOf"))
    return model


def _check_num_samples(num_samples: int) -> None:
    if not is_integer(num_samples) or num_samples < 1:
        raise ValueError(
            "`num_samples` must be a positive integer. "
            f"Received: num_samples={num_samples!r}"
        )


def _check_seed(seed: int) -> None:
    if not is_integer(seed) or seed < 0:
        raise ValueError(
            "`seed` must be `None` or a non-negative integer. "
            f"Received: seed={seed!r}"
        )
