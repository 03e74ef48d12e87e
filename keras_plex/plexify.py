"""START HERE: a stock Keras model in, a model that says how sure it is out."""

from collections.abc import Sequence

import keras

from keras_plex.conversion.copying import copy_compilation
from keras_plex.conversion.copying import copy_model
from keras_plex.conversion.copying import serialize_stock
from keras_plex.conversion.frozen_members import warn_about_frozen_members
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.stock import check_stock_model
from keras_plex.conversion.stock import with_new_head
from keras_plex.conversion.surgery import walk_layers
from keras_plex.models.member_outputs import MemberOutputs
from keras_plex.models.plex_model import PlexModel
from keras_plex.models.plex_model import adopt
from keras_plex.types import Config


def plexify(
    model: keras.Model,
    ensemble_size: int = 3,
    *,
    last_blocks: int | str = 2,
    ensemble_attention: bool = True,
    method: str = "batch_ensemble",
    method_options: Config | None = None,
    head: str | None = None,
    head_options: Config | None = None,
    fast_weight_stddev: float | None = None,
    layers: Sequence[str] | None = None,
    num_classes: int | None = None,
    seed: int | None = None,
) -> PlexModel:
    """Turns a stock, pretrained Keras model into a reliable one.

    The last blocks get ensemble members that share their kernels
    (BatchEnsemble); the output layer becomes a Gaussian process that knows how
    far an input is from the data. The model passed in is left untouched. The
    result is a copy of it that does all it did (`isinstance` of its class,
    `fit`, `predict`, `save`, ...), plus what `PlexModel` adds. It is compiled
    like the model passed in, with a fresh optimizer, but not with
    `num_classes`: then compile it for its new outputs.

    Args:
        model: a built Keras model: a KerasHub task or backbone, Functional,
            Sequential, or any that can be made again from its `get_config`; a
            subclassed one that was called on data, with inputs in its first
            argument.
        ensemble_size: positive int, the number of members. Defaults to `3`.
        last_blocks: how many trailing Transformer blocks get members, or
            `"all"`, or 0 for the output layer alone. In a model without
            repeated blocks each `Dense` or `EinsumDense` counts as one.
            Defaults to `2`.
        ensemble_attention: bool; `False` leaves the blocks' attention layers
            shared. Defaults to `True`.
        method: `"batch_ensemble"`, or `"lora_ensemble"`: frozen kernels with
            a low-rank update for each member, which starts neutral.
            Defaults to `"batch_ensemble"`.
        method_options: dict of arguments of the method's layers:
            `{"fast_weight_initializer": ...}` instead of
            `fast_weight_stddev`; `{"rank": 8, "alpha": 16, "a_initializer":
            "he_uniform"}` for `"lora_ensemble"`.
        head: what becomes of the output layer: `"gp"`, `"laplace"`,
            `"heteroscedastic"`, `"heteroscedastic_gp"`, `"batch_ensemble"` or
            `"keep"`. `None` is the family's default, `"gp"` for classifiers.
        head_options: dict of arguments of the head layer, such as
            `{"num_features": 1024, "mean_field_factor": 0.39}`. A Gaussian
            process has eight random features for each input of the stock
            output layer, from 512 to 1024, and that of a language model
            1024, unless `num_features` is given. In a model with a row of
            blocks and one forecast for each example it also compares the
            mean token that enters the first block, unless `{"kernel_inputs":
            "last"}` or a mean function of zero or a linear kernel is given.
        fast_weight_stddev: float, members start at `N(1, stddev)`; with `0.0`
            each equals the stock model. `None` is 0.1, but makes no members
            under a Laplace head, which needs no training, and is 0.0 for
            `"lora_ensemble"`, which has no fast weights. Defaults to `None`.
        layers: regular expressions on layer paths that choose the `Dense` and
            `EinsumDense` layers to convert, instead of `last_blocks`; for
            `"batch_ensemble"` also `Conv2D` and `Embedding` layers.
        num_classes: gives the model a new output layer with as many logits;
            needed for a backbone.
        seed: non-negative int, of the fast weights and random features.

    Returns:
        A `PlexModel`.

    Raises:
        ValueError: for a model that is not built or converted already, and
            for arguments that would convert nothing or be ignored. Nothing is
            changed then.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> model = plexify(stock, last_blocks=1, fast_weight_stddev=0.0)
    >>> x = np.ones((5, 4), "float32")
    >>> p, q = keras.ops.softmax(model(x)), keras.ops.softmax(stock(x))
    >>> bool(np.allclose(p, q, atol=1e-5))
    True

    Reference:
        Tran et al., 2022, "Plex: towards reliability using pretrained large
        model extensions", https://arxiv.org/abs/2207.07411
    """
    settings = Settings(
        ensemble_size=ensemble_size,
        last_blocks=last_blocks,
        ensemble_attention=ensemble_attention,
        method=method,
        method_options=method_options,
        head=head,
        head_options=head_options,
        fast_weight_stddev=fast_weight_stddev,
        layers=layers,
        seed=seed,
    )
    if isinstance(model, MemberOutputs):
        raise ValueError(
            f"{model.name!r} is converted already, or has members of its own. "
            "Pass the stock model."
        )
    check_stock_model(model, num_classes)
    inner = [x.name for x in walk_layers(model) if isinstance(x, MemberOutputs)]
    if inner:
        raise ValueError(
            f"{model.name!r} holds a converted model, {inner[0]!r}. Convert "
            "the outer one before, or only the inner one."
        )
    if num_classes is None:
        stock = copy_model(model)
    else:
        stock = with_new_head(model, num_classes)
    plex = adopt(stock, serialize_stock(stock), settings)
    warn_about_frozen_members(plex.conversion, stacklevel=3)
    if num_classes is None:
        copy_compilation(model, plex)
    return plex
