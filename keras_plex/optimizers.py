"""An optimizer that treats members' weights and shared weights as they need."""

import re
from collections.abc import Callable
from collections.abc import Sequence

import keras
from keras import ops

from keras_plex.checks import is_number
from keras_plex.conversion.surgery import OptimizerInterception
from keras_plex.conversion.surgery import has_decay_exclusions
from keras_plex.conversion.surgery import set_optimizer_class
from keras_plex.types import Config
from keras_plex.types import Tensor

REGISTERED = ("keras_plex", "PreparedOptimizer")
DECAYED_NAMES = ("kernel", "embedding")

# What Muon would take for matrices.
MEMBER_VECTORS = "(^|/)(alpha|gamma|member_bias)$"

# Their next value does not start from the last one: no step to multiply.
WITHOUT_STEPS = (keras.optimizers.Ftrl, keras.optimizers.ScheduleFreeAdamW)


def prepare_optimizer(
    optimizer: str | keras.Optimizer,
    *,
    fast_weight_multiplier: float = 1.0,
    decayed_names: Sequence[str] = DECAYED_NAMES,
) -> keras.Optimizer:
    """Prepares an optimizer for a model with BatchEnsemble layers.

    The optimizer stays what it is, but for two things, which are saved with
    the model. Each step of the fast weights `alpha` and `gamma` is multiplied:
    the step, not the gradient, whose scale Adam divides out. And weight decay
    is for kernels and embeddings: it leaves fast weights, which belong around
    one, biases and the scales of normalizations alone.

    `Ftrl` and `ScheduleFreeAdamW` compute a weight anew in place of a step:
    there the learning rate of the fast weights is multiplied. `Muon` treats
    members' weights, stacks of vectors, as it does vectors: by Adam.

    Args:
        optimizer: a Keras optimizer, or the name of one, that is in no use
            yet; it is changed in place.
        fast_weight_multiplier: positive float, the learning rate of the fast
            weights divided by that of the others. Defaults to `1.0`.
        decayed_names: regular expressions; a weight decays whose name one of
            them matches somewhere. Defaults to `("kernel", "embedding")`.

    Returns:
        The optimizer, for `compile`.

    Raises:
        ValueError: for no optimizer, one that is built or prepared already,
            a multiplier that is not positive, a name that is no expression,
            and, when the model is first trained, a multiplier for a model
            without fast weights and a name of your own that matches none.

    Example:

    >>> adam = keras.optimizers.AdamW(1e-3, weight_decay=0.1)
    >>> adam = prepare_optimizer(adam, fast_weight_multiplier=10.0)
    >>> isinstance(adam, keras.optimizers.AdamW)
    True

    Reference:
        Wen, Tran and Ba, 2020, "BatchEnsemble: an alternative approach to
        efficient ensemble and lifelong learning",
        https://arxiv.org/abs/2002.06715
    """
    optimizer = checked_optimizer(optimizer)
    multiplier = checked_multiplier(fast_weight_multiplier)
    decayed_names = checked_patterns(decayed_names)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        prepare_optimizer(
            optimizer.inner_optimizer,
            fast_weight_multiplier=multiplier,
            decayed_names=decayed_names,
        )
        return optimizer
    if isinstance(optimizer, keras.optimizers.Muon):
        others = [e for e in optimizer.exclude_layers if e != MEMBER_VECTORS]
        optimizer.exclude_layers = [*others, MEMBER_VECTORS]
    set_optimizer_class(optimizer, prepared_class(optimizer))
    optimizer.fast_weight_multiplier = multiplier
    optimizer.decayed_names = decayed_names
    return optimizer


class PreparedOptimizer(OptimizerInterception):
    """Mixin in front of an optimizer's class: see `prepare_optimizer`."""

    stock: Config  # names the optimizer's class in a file

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        fast = [v for v in variables if getattr(v, "is_fast_weight", False)]
        if self.fast_weight_multiplier != 1 and not fast:
            raise ValueError(
                "`fast_weight_multiplier` needs fast weights, and none of the "
                f"{len(variables)} trainable variables is one: use layers "
                "such as `BatchEnsembleDense`, or `plexify`, and leave them "
                "trainable. Received: fast_weight_multiplier="
                f"{self.fast_weight_multiplier}"
            )
        self.fast_keys = frozenset(self.variable_key(v) for v in fast)
        self._check_decayed_names(variables)
        super().build(variables)

    def _check_decayed_names(self, variables: Sequence[keras.Variable]) -> None:
        if not getattr(self, "weight_decay", None):
            return
        names = sorted({variable.name for variable in variables})
        for pattern in set(self.decayed_names) - set(DECAYED_NAMES):
            if not any(re.search(pattern, name) for name in names):
                raise ValueError(
                    "Each of `decayed_names` must match the name of a "
                    f"trainable variable: {', '.join(names[:10])}. "
                    f"Received: {pattern!r}"
                )

    def decays(self, variable: keras.Variable) -> bool:
        """Whether weight decay, if there is any, is for this variable."""
        return any(re.search(e, variable.name) for e in self.decayed_names)

    def take_step(
        self,
        step: Callable[[Tensor], None],
        variables: Sequence[Tensor],
        learning_rate: Tensor,
    ) -> None:
        """Takes a step that changes `variables`, the fast ones by more."""
        multiplier = self.fast_weight_multiplier
        fast = [v for v in variables if self.variable_key(v) in self.fast_keys]
        if not fast or multiplier == 1:
            step(learning_rate)
        elif isinstance(self, WITHOUT_STEPS):
            step(learning_rate * multiplier)
        else:
            before = [ops.copy(variable) for variable in fast]
            step(learning_rate)
            for variable, start in zip(fast, before, strict=True):
                moved = ops.subtract(variable, start)
                self.assign(variable, ops.add(start, multiplier * moved))

    def exclude_from_weight_decay(self, var_list=None, var_names=None) -> None:
        raise ValueError(exclusions_are_lost(self))

    def get_config(self) -> Config:
        return {
            "optimizer": {**self.stock, "config": super().get_config()},
            "fast_weight_multiplier": self.fast_weight_multiplier,
            "decayed_names": list(self.decayed_names),
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects=None):
        stock = keras.saving.deserialize_keras_object(
            config["optimizer"], custom_objects=custom_objects
        )
        return prepare_optimizer(**{**config, "optimizer": stock})


def checked_optimizer(optimizer: str | keras.Optimizer) -> keras.Optimizer:
    """The optimizer, or an error that says why it cannot be prepared."""
    if isinstance(optimizer, str):
        optimizer = keras.optimizers.get(optimizer)
    received = f"Received: optimizer={optimizer!r}"
    if not isinstance(optimizer, keras.Optimizer):
        raise ValueError(f"`optimizer` must be a Keras optimizer. {received}")
    if isinstance(optimizer, keras.optimizers.MultiOptimizer):
        raise ValueError(
            "Prepare the optimizers that a `MultiOptimizer` consists of, "
            f"before it is made of them. {received}"
        )
    if isinstance(optimizer, PreparedOptimizer):
        raise ValueError(f"The optimizer is prepared already. {received}")
    if optimizer.built:
        raise ValueError(
            "The optimizer is built already: it knows its variables. Prepare "
            f"a new one, before `fit` and before `build`. {received}"
        )
    if has_decay_exclusions(optimizer):
        raise ValueError(exclusions_are_lost(optimizer))
    return optimizer


def checked_multiplier(multiplier: float) -> float:
    """The multiplier as a float, or an error if it is not positive."""
    if not is_number(multiplier) or not 0 < multiplier < float("inf"):
        raise ValueError(
            "`fast_weight_multiplier` must be a positive number. "
            f"Received: fast_weight_multiplier={multiplier!r}"
        )
    return float(multiplier)


def checked_patterns(patterns: Sequence[str]) -> tuple[str, ...]:
    """The patterns, or an error that names one that is no expression."""
    if isinstance(patterns, str):
        raise ValueError(
            "`decayed_names` must be a sequence of regular expressions. "
            f"Received: decayed_names={patterns!r}"
        )
    patterns = tuple(patterns)
    for pattern in patterns:
        try:
            re.compile(pattern)
        except (re.error, TypeError) as error:
            raise ValueError(
                "Each of `decayed_names` must be a regular expression. "
                f"Received: {pattern!r}: {error}"
            ) from error
    return patterns


def exclusions_are_lost(optimizer: keras.Optimizer) -> str:
    """Why `exclude_from_weight_decay` and `prepare_optimizer` do not mix."""
    return (
        "A saved optimizer forgets `exclude_from_weight_decay`. Say instead "
        "which names decay: `prepare_optimizer(..., decayed_names=...)`. "
        f"Received: optimizer={optimizer!r}"
    )


def prepared_class(optimizer: keras.Optimizer) -> type:
    """`PreparedOptimizer` in front of the class of an optimizer."""
    stock = type(optimizer)
    if stock not in _prepared_classes:
        saved = keras.saving.serialize_keras_object(optimizer)
        del saved["config"]
        names = {"__module__": "keras_plex.optimizers", "stock": saved}
        name = "Prepared" + stock.__name__
        cls = type(name, (PreparedOptimizer, stock), names)
        # All are saved under one name, which loads through the mixin.
        keras.saving.register_keras_serializable(*REGISTERED)(cls)
        keras.saving.register_keras_serializable(*REGISTERED)(PreparedOptimizer)
        _prepared_classes[stock] = cls
    return _prepared_classes[stock]


_prepared_classes: dict[type, type] = {}
keras.saving.register_keras_serializable(*REGISTERED)(PreparedOptimizer)
