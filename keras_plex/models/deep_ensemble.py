"""Independent models, side by side: the ensemble others are compared with."""

import dataclasses
from collections.abc import Iterator
from collections.abc import Sequence

import keras
from keras import ops
from keras import tree

from keras_plex.conversion import forward_pass
from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.copying import deserialize_stock
from keras_plex.conversion.copying import serialize_stock
from keras_plex.conversion.fresh_model import check_different
from keras_plex.conversion.fresh_model import fresh_model
from keras_plex.conversion.fresh_model import seeded
from keras_plex.conversion.heads import find_heads
from keras_plex.conversion.preprocessors import preprocessor_of
from keras_plex.conversion.preprocessors import share_preprocessor
from keras_plex.conversion.preprocessors import without_preprocessor
from keras_plex.conversion.surgery import set_model_class
from keras_plex.conversion.tiling import Layout
from keras_plex.models.member_checks import check_members
from keras_plex.models.member_checks import check_stock
from keras_plex.models.member_checks import input_structure
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.member_rows import MemberRows
from keras_plex.models.member_state import MemberState
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import unsure_outputs
from keras_plex.models.output_sources import find_sources
from keras_plex.models.stock_class import in_front_of
from keras_plex.models.tiled_pass import tiled_pass
from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.types import Config
from keras_plex.types import Tensor


@dataclasses.dataclass(kw_only=True)
class EnsembleState(MemberState):
    """The state of a model with members that are models.

    Args:
        members: the models, in order.
        is_computing_loss: whether `compute_loss` runs.
    """

    members: list[keras.Model]
    is_computing_loss: bool = False


@keras.saving.register_keras_serializable("keras_plex")
class DeepEnsemble(MemberOutputs):
    """Independent models whose forecasts are averaged.

    The strongest simple baseline, at `len(models)` times the cost. It gives one
    forecast per example, the mean of the members' probabilities, and what
    `PlexModel` gives beyond that: `predict_members`, `predict_uncertainty`.

    The models are shared, not copied: `fit` trains them in place, all on the
    same batches, each on its own loss. The loss shown is the mean of theirs;
    each member gets the gradient of its own loss alone, so that an optimizer
    treats it as if it were trained by itself. Only what looks at all weights
    at once sees all members: `global_clipnorm`.

    It is compiled like the first model, with a fresh optimizer. KerasHub tasks
    may be members: `fit`, `predict` and `evaluate` then take what a task takes
    and use the first one's preprocessor, which must be that of the others.

    Args:
        models: list of built Keras models with the same inputs and outputs;
            none may share a weight with another.
        name: of the ensemble. Defaults to `"deep_ensemble"`.

    Raises:
        ValueError: for no model, a model that is not built or has members
            itself, and models that differ in structure or share weights.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> model = DeepEnsemble.from_model(stock, ensemble_size=5, seed=0)
    >>> x = np.ones((2, 4), "float32")
    >>> model(x).shape == stock(x).shape
    True
    >>> model.predict_members(x).shape
    (2, 5, 3)

    Reference:
        Lakshminarayanan, Pritzel and Blundell, 2017, "Simple and scalable
        predictive uncertainty estimation using deep ensembles",
        https://arxiv.org/abs/1612.01474
    """

    _plex: EnsembleState

    def __new__(cls, models: Sequence[keras.Model], name: str | None = None):
        check_members(models)
        first = models[0]
        inputs = tree.map_structure(_input_like, input_structure(first))
        rows = MemberRows(models, dtype=first.dtype_policy, name="members")
        model = keras.Model(inputs, rows(inputs), name=name or "deep_ensemble")
        names = getattr(first, "output_names", None)
        if names is not None:  # a loss may be given for each
            model.output_names = names
        heads = find_heads(first)
        sources = find_sources(first, heads)
        model._plex = EnsembleState(
            ensemble_size=len(models),
            member_outputs=(True,) * len(model.outputs),
            heads=heads,
            output_kinds=kinds_of_model(first, sources),
            sources=sources,
            unsure_outputs=unsure_outputs(first, sources),
            members=list(models),
        )
        stock = _pipeline_class(first) or type(model)
        set_model_class(model, in_front_of(cls, stock, "DeepEnsembleOf"))
        copy_compilation(first, model)
        return model

    def __init__(self, *args, **kwargs):
        """Nothing: `__new__` gives a whole model."""

    @classmethod
    def from_model(
        cls,
        model: keras.Model,
        ensemble_size: int = 3,
        *,
        seed: int | None = None,
        name: str | None = None,
    ) -> "DeepEnsemble":
        """Members made like `model`, each with new random weights.

        Layers that are frozen (`trainable=False`) keep the weights that they
        have in `model`, which itself is no member and left untouched.

        Args:
            model: a built Keras model that can be made from its `get_config`.
            ensemble_size: positive int, the number of members.
            seed: int, of the new weights and the members' dropout.
            name: of the ensemble.
        """
        check_stock(model)
        check_ensemble_size(ensemble_size)
        members = []
        with seeded(seed):
            for number in range(ensemble_size):
                with keras.name_scope(f"member_{number}"):
                    member = fresh_model(model, f"{model.name}_{number}")
                members.append(member)
        check_different(members)
        ensemble = cls(members, name=name)
        copy_compilation(model, ensemble)
        return ensemble

    @property
    def members(self) -> list[keras.Model]:
        """The models, in order."""
        return self._plex.members

    @property
    def preprocessor(self):
        """That of the first member; the others have the same."""
        return preprocessor_of(self.members[0])

    def preprocess_samples(self, x, y=None, sample_weight=None):
        """What KerasHub applies to the data of `fit`, `predict`, ..."""
        return self.members[0].preprocess_samples(x, y, sample_weight)

    def call(self, *args, **kwargs) -> Tensor:
        layout = Layout(tiled_inputs=False, member_outputs=self.member_outputs)
        return tiled_pass(self, super().call, args, kwargs, layout=layout)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        self._plex.is_computing_loss = True
        try:
            loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        finally:
            self._plex.is_computing_loss = False
        if forward_pass.mode() != forward_pass.MEMBERS:
            return loss
        # The value of the mean, the gradient of the sum.
        rest = (self.ensemble_size - 1) * loss
        return loss + (rest - ops.stop_gradient(rest))

    @property
    def losses(self) -> list[Tensor]:
        """The members' regularization; in the loss counts the mean."""
        count = self.ensemble_size if self._plex.is_computing_loss else 1
        return [loss / count for loss in super().losses]

    def named_parameters(self, prefix: str = "", *args, **kwargs) -> Iterator:
        """What PyTorch calls so: Keras finds them by paths, which may agree."""
        for number, member in enumerate(self.members):
            inner = f"{prefix}.members.{number}".lstrip(".")
            yield from member.named_parameters(inner, *args, **kwargs)

    def get_config(self) -> Config:
        members = [serialize_stock(member) for member in self.members]
        for serialized in members[1:]:
            serialized["config"] = without_preprocessor(
                self.members[0], serialized["config"]
            )
        return {
            "members": members,
            "name": self.name,
            "output_kinds": list(self.output_kinds),
            **self.calibration_config(),
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects=None) -> "DeepEnsemble":
        members = []
        for number, serialized in enumerate(config["members"]):
            with keras.name_scope(f"member_{number}"):
                members.append(deserialize_stock(serialized, custom_objects))
        for member in members[1:]:
            share_preprocessor(members[0], member)
        model = cls(members, name=config["name"])
        model.output_kinds = tuple(config["output_kinds"])
        model.restore_calibration(config)
        return model


def _input_like(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.Input(
        x.shape[1:], x.shape[0], x.dtype, sparse=x.sparse, name=x.name
    )


def _pipeline_class(model: keras.Model) -> type | None:
    """What makes a KerasHub task take raw data."""
    for base in type(model).__mro__:
        is_hub = base.__module__.partition(".")[0] == "keras_hub"
        if is_hub and base.__name__ == "PipelineModel":
            return base
    return None
