"""What the contracts of every kind of object share."""

import inspect
import json
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np
from keras import ops

from keras_plex.types import Tensor

# Of the Functional and of the subclassed model. JAX is made to be compiled;
# under PyTorch it is another compiler, a slow one.
JIT_COMPILE = {
    "jax": (True, True),
    "tensorflow": (False, True),
    "torch": (False, False),
}


def check_contracts(
    kind: type, contracts: Mapping[str, Callable], make: Callable, data
) -> None:
    """Runs each check, and names the contract of the one that fails.

    Args:
        kind: the class that is checked.
        contracts: name -> check, called with `make` and `data`.
        make: makes an object of the class, given other arguments.
        data: what the object is called with.
    """
    for contract, check in contracts.items():
        try:
            check(make, data)
        except Exception as error:
            breaks = f"{kind.__name__} breaks the contract {contract!r}"
            raise AssertionError(f"{breaks}: {error!r}") from error


def check_config(make: Callable, data) -> None:
    """`get_config` holds the arguments of the constructor, no more."""
    made = make()
    config = json.loads(json.dumps(made.get_config()))
    classes = type(made).__mro__
    stock = next(c for c in classes if c.__module__.startswith("keras."))
    of_stock = _constructor_arguments(stock) | set(stock.get_config(made))
    own = _constructor_arguments(type(made)) - of_stock
    assert own <= set(config), f"get_config lacks {own - set(config)}"
    extra = set(config) - own - of_stock
    assert not extra, f"get_config holds {extra}: no arguments"
    again = json.loads(json.dumps(made.from_config(config).get_config()))
    changed = [name for name in config if config[name] != again.get(name)]
    assert not changed, f"from_config(get_config()) changes {changed}"
    for name in own:
        assert hasattr(made, name), f"no attribute {name!r}"
        kept = getattr(made, name)
        # A name that became a function or an initializer may differ.
        if isinstance(kept, int | float | str) or kept is None:
            assert kept == config[name], f"{name}={config[name]!r} is {kept!r}"


def _constructor_arguments(kind: type) -> set[str]:
    names, rest = set(), inspect.Parameter.VAR_KEYWORD
    for base in kind.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(base.__init__).parameters.values()
        kinds = (rest, inspect.Parameter.VAR_POSITIONAL)
        names |= {one.name for one in parameters if one.kind not in kinds}
        if not any(one.kind == rest for one in parameters):
            break  # It passes nothing on to the next class.
    return names


def to_numpy(x: Tensor) -> np.ndarray:
    """A tensor of any dtype as float32."""
    return ops.convert_to_numpy(ops.cast(x, "float32"))
