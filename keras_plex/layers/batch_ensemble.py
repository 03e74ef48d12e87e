"""What the BatchEnsemble layers share: member weights around one kernel."""

import keras
from keras import initializers
from keras import ops

from keras_plex.initializers import get_initializer
from keras_plex.layers.takeover import check_takeover
from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.ops.ensemble_axis import merge_members
from keras_plex.ops.ensemble_axis import per_member
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.types import Config
from keras_plex.types import Tensor

DEFAULT_STDDEV = 0.5
FAST_WEIGHTS = ("alpha", "gamma")
MEMBER_WEIGHTS = (*FAST_WEIGHTS, "member_bias")


class BatchEnsembleLayer:
    """Mixin in front of a Keras layer: each member scales one shared weight.

    A layer says what its shared linear map is (`apply_kernel`) and where the
    member weights lie: `(weight shape, axes)` for `alpha` (inputs), `gamma`
    (outputs) and the bias. It takes over from a stock layer either as a new
    layer (`from_layer`) or in place, when a conversion gives a built layer
    this class, its `own_arguments`, and calls `add_own_weights`.
    """

    # What a conversion sets when it gives a built stock layer this class.
    own_arguments = ("ensemble_size", "fast_weight_initializer")

    # The weight that members share: its name, and the attribute that holds it.
    shared_weight = "kernel"

    def set_members(
        self,
        ensemble_size: int,
        fast_weight_initializer: str | initializers.Initializer | None,
    ) -> None:
        if fast_weight_initializer is None:
            fast_weight_initializer = initializers.RandomNormal(
                mean=1.0, stddev=DEFAULT_STDDEV
            )
        self.ensemble_size = check_ensemble_size(ensemble_size)
        self.fast_weight_initializer = with_own_seed(
            get_initializer(fast_weight_initializer)
        )

    def add_own_weights(self) -> None:
        alpha_initializer = self.fast_weight_initializer
        self.alpha = self.add_weight(
            name="alpha",
            shape=(self.ensemble_size, *self.alpha_shape()),
            initializer=alpha_initializer,
        )
        self.gamma = self.add_weight(
            name="gamma",
            shape=(self.ensemble_size, *self.gamma_shape()),
            initializer=reseeded(alpha_initializer),
        )
        # An optimizer knows them by this (`prepare_optimizer`).
        self.alpha.is_fast_weight = self.gamma.is_fast_weight = True
        self.member_bias = None
        if self.bias is not None:
            self.member_bias = self.add_weight(
                name="member_bias",
                shape=(self.ensemble_size, *self.bias.shape),
                initializer="zeros",
            )

    def build(self, input_shape: tuple | None = None) -> None:
        if self.quantization_mode is not None:
            raise NotImplementedError(no_quantization(self))
        # Enabling LoRA ends a build: it comes last.
        lora_rank, self.lora_rank = self.lora_rank, None
        super().build(input_shape)
        self.add_own_weights()
        if lora_rank:
            self.enable_lora(lora_rank, lora_alpha=self.lora_alpha)

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        rank = len(inputs.shape) + 1
        # (ensemble * batch, ..., dim) -> (ensemble, batch, ..., dim)
        x = split_members(inputs, self.ensemble_size)
        # Keras casts floats alone; bags of words are integers.
        x = ops.cast(x, self.compute_dtype)
        x = x * per_member(self.alpha, self.alpha_axes(rank), rank)
        x = self.apply_kernel(merge_members(x))
        rank = len(x.shape) + 1
        x = split_members(x, self.ensemble_size)
        x = x * per_member(self.gamma, self.gamma_axes(rank), rank)
        if self.bias is not None:
            bias = ops.add(self.bias, self.member_bias)
            x = x + per_member(bias, self.bias_axes_of(rank), rank)
        if self.activation is not None:
            x = self.activation(x)
        return merge_members(x)  # (ensemble * batch, ..., units)

    def bias_axes_of(self, rank: int) -> tuple[int, ...]:
        return tuple(range(rank - len(self.bias.shape), rank))

    @classmethod
    def from_layer(
        cls,
        layer: keras.layers.Layer,
        ensemble_size: int = 3,
        fast_weight_initializer: str | initializers.Initializer = "ones",
    ) -> "BatchEnsembleLayer":
        """A new layer that takes over a stock layer's weights.

        Args:
            layer: a built layer of the class that this one extends; it is
                left as it is. LoRA weights are merged into the shared weight.
            ensemble_size: positive int, the number of members.
            fast_weight_initializer: where the members start. `"ones"` makes
                each equal to `layer`, and equal they stay in training; any
                noise, such as `RandomNormal(1.0, 0.5)`, lets them part.
        """
        check_takeover(cls.__name__, cls.stock_class, layer)
        new = cls.from_config(
            {
                **layer.get_config(),
                "lora_rank": None,
                "ensemble_size": ensemble_size,
                "fast_weight_initializer": fast_weight_initializer,
            }
        )
        new.build_from_config(layer.get_build_config())
        # Copies: on JAX two variables would share one buffer.
        shared = ops.copy(getattr(layer, cls.shared_weight))
        new.shared_variable().assign(shared)
        if new.bias is not None:
            new.bias.assign(ops.copy(layer.bias))
        new.trainable = layer.trainable
        return new

    def shared_variable(self) -> keras.Variable:
        """The shared weight; its attribute adds the LoRA update, if any."""
        return next(v for v in self.weights if v.name == self.shared_weight)

    def quantize(self, mode=None, type_check=True, config=None) -> None:
        raise NotImplementedError(no_quantization(self))

    def save_own_variables(self, store: dict) -> None:
        # With LoRA merged, as Keras does.
        store["0"] = getattr(self, self.shared_weight)
        if self.bias is not None:
            store["1"] = self.bias
        for name in MEMBER_WEIGHTS:
            if getattr(self, name) is not None:
                store[name] = getattr(self, name)

    def load_own_variables(self, store: dict) -> None:
        self.shared_variable().assign(store["0"])
        if self.lora_enabled:
            lora = getattr(self, f"lora_{self.shared_weight}_b")
            lora.assign(ops.zeros(lora.shape))
        if self.bias is not None:
            self.bias.assign(store["1"])
        # A stock layer's file has no member weights: they stay as they are.
        for name in MEMBER_WEIGHTS:
            if getattr(self, name) is not None and name in store.keys():
                getattr(self, name).assign(store[name])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "ensemble_size": self.ensemble_size,
            "fast_weight_initializer": initializers.serialize(
                self.fast_weight_initializer
            ),
        }


def with_own_seed(
    initializer: initializers.Initializer,
) -> initializers.Initializer:
    """A copy with its own seed, where none was given.

    A Keras initializer repeats its draw: two layers would start equal.
    """
    if not isinstance(initializer, initializers.Initializer):
        return initializer
    config = initializer.get_config()
    if "seed" in config and config["seed"] is None:
        return initializer.from_config(config)
    return initializer


def reseeded(
    initializer: initializers.Initializer,
) -> initializers.Initializer:
    """The same distribution from the next seed.

    A Keras initializer with a fixed seed repeats its draw: `alpha` and `gamma`
    would be equal.
    """
    seed = getattr(initializer, "seed", None)
    if not isinstance(seed, int):
        return initializer
    return initializer.from_config(
        {**initializer.get_config(), "seed": seed + 1}
    )


def no_quantization(layer: keras.layers.Layer) -> str:
    """Why a layer stays in floating point."""
    return (
        f"A {type(layer).__name__} cannot be quantized: its members scale the "
        "shared weight in floating point. Leave it as it is. "
        f"Received: layer={layer.name!r}"
    )
