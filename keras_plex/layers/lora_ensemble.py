"""What the LoRA ensemble layers share: low-rank updates of a frozen kernel."""

import functools
import math

import keras
import numpy as np
from keras import initializers
from keras import ops

from keras_plex.initializers import get_initializer
from keras_plex.layers.batch_ensemble import with_own_seed
from keras_plex.layers.lora_arguments import check_alpha
from keras_plex.layers.lora_arguments import check_random
from keras_plex.layers.lora_arguments import check_rank
from keras_plex.layers.takeover import check_takeover
from keras_plex.ops.ensemble_axis import check_ensemble_size
from keras_plex.ops.ensemble_axis import merge_members
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.low_rank import kernel_labels
from keras_plex.ops.low_rank import low_rank_equations
from keras_plex.types import Config
from keras_plex.types import Tensor

MEMBER_WEIGHTS = ("lora_a", "lora_b")


class LoRAEnsembleLayer:
    """Mixin in front of a Keras layer with a `kernel` and a `bias`.

    A layer says what its shared linear map is, as an einsum equation for
    inputs of a number of axes (`spec`) and as the stock layer computes it
    (`apply_kernel`). `lora_a` is `(ensemble, *axes the kernel sums over, *axes
    of the kernel in inputs and outputs, rank)`, `lora_b` is `(ensemble, rank,
    *axes of the kernel in the outputs)`. It takes over from a stock layer as a
    `BatchEnsembleLayer` does.
    """

    # What a conversion sets when it gives a built stock layer this class.
    own_arguments = ("ensemble_size", "rank", "alpha", "a_initializer")

    def set_members(
        self,
        ensemble_size: int,
        rank: int,
        alpha: float | None,
        a_initializer: str | Config | initializers.Initializer,
    ) -> None:
        if self.lora_rank is not None:
            raise ValueError(
                f"`{type(self).__name__}` has a low-rank update for each "
                "member, and none that they share: pass `rank`, not "
                f"`lora_rank`. Received: lora_rank={self.lora_rank!r}"
            )
        self.ensemble_size = check_ensemble_size(ensemble_size)
        self.rank = check_rank(rank)
        self.alpha = check_alpha(alpha)
        self.a_initializer = with_own_seed(
            check_random(get_initializer(a_initializer))
        )

    def add_own_weights(self) -> None:
        self._check_kernel()
        self._merge_stock_lora()
        spec = self.spec(self.input_spec.ndim or self.input_spec.min_ndim)
        summed, kept, outputs = (
            spec.kernel_sizes(labels, self.kernel.shape)
            for labels in kernel_labels(spec)
        )
        # Small steps would vanish in the 8 bits of a bfloat16 weight.
        is_low = self.variable_dtype in ("bfloat16", "float16")
        dtype = "float32" if is_low else self.variable_dtype
        self.lora_a = self.add_weight(
            name="lora_a",
            shape=(self.ensemble_size, *summed, *kept, self.rank),
            initializer=functools.partial(
                draw_members, self.a_initializer, math.prod(summed)
            ),
            dtype=dtype,
        )
        self.lora_b = self.add_weight(
            name="lora_b",
            shape=(self.ensemble_size, self.rank, *outputs),
            initializer="zeros",
            dtype=dtype,
        )
        for weight in (self.lora_a, self.lora_b):
            weight.trainable = self.trainable
        self._freeze()

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.add_own_weights()

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        x = self.apply_kernel(inputs)  # (ensemble * batch, ..., units)
        x = x + merge_members(self.update(inputs))
        if self.bias is not None:
            x = ops.add(x, self.bias)
        if self.activation is not None:
            x = self.activation(x)
        return x

    def update(self, inputs: Tensor) -> Tensor:
        """The members' own part of the outputs: `(ensemble, batch, ...)`."""
        down, up = low_rank_equations(self.spec(len(inputs.shape)))
        # (ensemble * batch, ..., dim) -> (ensemble, batch, ..., dim)
        x = split_members(inputs, self.ensemble_size)
        a, b = (
            ops.cast(weight, self.compute_dtype)
            for weight in (self.lora_a, self.lora_b)
        )
        x = ops.einsum(down, x, a)  # (ensemble, batch, ..., rank)
        scale = 1.0 if self.alpha is None else self.alpha / self.rank
        return ops.einsum(up, x * scale, b)

    @property
    def trainable(self) -> bool:
        """Whether the members learn; the shared weights never do."""
        return keras.layers.Layer.trainable.fget(self)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        keras.layers.Layer.trainable.fset(self, value)
        if self.built:
            self._freeze()

    def _freeze(self) -> None:
        self.kernel.trainable = False
        if self.bias is not None:
            self.bias.trainable = False

    def _check_kernel(self) -> None:
        if self.quantization_mode is not None:
            raise ValueError(
                f"`{type(self).__name__}` cannot be quantized. Received: "
                f"quantization_mode={self.quantization_mode!r}"
            )
        if self.kernel_constraint is not None:
            raise ValueError(
                "A low-rank update does not keep to a constraint of the "
                "kernel. Remove `kernel_constraint`. Received: "
                f"kernel_constraint={self.kernel_constraint!r}"
            )

    def _merge_stock_lora(self) -> None:
        if not self.lora_enabled:
            return
        kernel = next(w for w in self.weights if w.name == "kernel")
        kernel.assign(self.kernel)
        del self.lora_kernel_a
        del self.lora_kernel_b
        self.lora_enabled = False
        self.lora_rank = self.lora_alpha = None

    def enable_lora(self, *args, **kwargs) -> None:
        """Refused: the members have their own updates."""
        raise NotImplementedError(
            f"`{type(self).__name__}` has a low-rank update for each member, "
            "and none that they share. Choose another rank by `rank`."
        )

    def quantize(self, *args, **kwargs) -> None:
        """Refused."""
        raise NotImplementedError(
            f"`{type(self).__name__}` cannot be quantized."
        )

    @classmethod
    def from_layer(
        cls,
        layer: keras.layers.Layer,
        ensemble_size: int = 3,
        rank: int = 4,
        alpha: float | None = None,
        a_initializer: str | initializers.Initializer = "he_uniform",
    ) -> "LoRAEnsembleLayer":
        """A new layer that takes over a stock layer's weights, frozen.

        Args:
            layer: a built layer of the class that this one extends; it is
                left as it is. LoRA weights are merged into the kernel.
            ensemble_size: positive int, the number of members.
            rank: positive int, of each member's update.
            alpha: the update is scaled by `alpha / rank`; `None` is `rank`.
            a_initializer: a random initializer of each member's `A`.
        """
        check_takeover(cls.__name__, cls.stock_class, layer)
        new = cls.from_config(
            {
                **layer.get_config(),
                "lora_rank": None,
                "lora_alpha": None,
                "ensemble_size": ensemble_size,
                "rank": rank,
                "alpha": alpha,
                "a_initializer": a_initializer,
            }
        )
        new.build_from_config(layer.get_build_config())
        new.kernel.assign(ops.copy(layer.kernel))
        if layer.bias is not None:
            new.bias.assign(ops.copy(layer.bias))
        new.trainable = layer.trainable
        return new

    def save_own_variables(self, store: dict) -> None:
        super().save_own_variables(store)
        for name in MEMBER_WEIGHTS:
            store[name] = getattr(self, name)

    def load_own_variables(self, store: dict) -> None:
        self.kernel.assign(store["0"])
        if self.bias is not None:
            self.bias.assign(store["1"])
        # A stock layer's file has no member weights: they stay as they are.
        for name in MEMBER_WEIGHTS:
            if name in store.keys():
                getattr(self, name).assign(store[name])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "ensemble_size": self.ensemble_size,
            "rank": self.rank,
            "alpha": self.alpha,
            "a_initializer": initializers.serialize(self.a_initializer),
        }


def draw_members(
    initializer: initializers.Initializer,
    fan_in: int,
    shape: tuple[int, ...],
    dtype: str | None = None,
) -> Tensor:
    """One draw for each member, each the size of its own matrix."""
    members, *others = shape
    matrix = (fan_in, math.prod(others) // fan_in)
    draws = [
        member_initializer(initializer, member)(matrix, dtype=dtype)
        for member in range(members)
    ]
    return ops.reshape(ops.stack(draws), shape)


def member_initializer(
    initializer: initializers.Initializer, member: int
) -> initializers.Initializer:
    """The same distribution from a seed of the member's own.

    A Keras initializer with an integer seed repeats its draw.
    """
    if not isinstance(initializer.seed, int):
        return initializer
    sequence = np.random.SeedSequence([initializer.seed, member])
    return initializer.from_config(
        {
            **initializer.get_config(),
            "seed": int(sequence.generate_state(1)[0]),
        }
    )
