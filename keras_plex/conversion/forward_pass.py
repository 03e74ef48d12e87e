"""What the layers of a converted model know about the pass they are in."""

import contextlib
import threading
from collections.abc import Iterator

from keras_plex.types import Tensor

# What a converted model returns: one forecast per example; the members as they
# leave the last layer; their details; or these with the head's inputs.
FORECAST, MEMBERS = "forecast", "members"
DETAILS, FEATURES = "details", "features"


# A pass is traced in one thread, from the model's `call` down to its layers, on
# every backend: what is set around it is seen by that trace and nothing else.
class _Current(threading.local):
    mode = FORECAST
    class_token_only = False
    is_open = False
    is_stock = False
    head_inputs: Tensor | None = None
    context: Tensor | None = None
    attended: tuple[Tensor, Tensor | None] | None = None
    # Forecasts and the members they were mixed of, while they are remembered.
    mixed: list[tuple[Tensor, Tensor]] | None = None


_current = _Current()


def mode() -> str:
    """What the model in this pass is asked to return."""
    return _current.mode


@contextlib.contextmanager
def returning(new_mode: str) -> Iterator[None]:
    """Within it, converted models return `new_mode`."""
    old, _current.mode = _current.mode, new_mode
    try:
        yield
    finally:
        _current.mode = old


@contextlib.contextmanager
def model_pass(class_token_only: bool) -> Iterator[_Current]:
    """Around one model's layers; gives what they recorded."""
    names = (
        "class_token_only",
        "is_open",
        "is_stock",
        "head_inputs",
        "context",
    )
    old = [getattr(_current, name) for name in names]
    _current.class_token_only = class_token_only
    _current.is_open, _current.is_stock = True, False
    _current.head_inputs = _current.context = None
    try:
        yield _current
    finally:
        for name, value in zip(names, old, strict=True):
            setattr(_current, name, value)


@contextlib.contextmanager
def stock_pass() -> Iterator[None]:
    """Within it, converted layers do what the stock layers did."""
    old, _current.is_stock = _current.is_stock, True
    try:
        yield
    finally:
        _current.is_stock = old


def is_stock() -> bool:
    """Whether this pass is that of the stock model: no row is tiled."""
    return _current.is_stock


def is_class_token_only() -> bool:
    """Whether this pass needs nothing but the class token of the last block."""
    return _current.class_token_only


@contextlib.contextmanager
def attending_to(tokens: Tensor, padding_mask: Tensor | None) -> Iterator[None]:
    """Around a block that is given one token of these.

    Args:
        tokens: `(rows, length, dim)`.
        padding_mask: `(rows, length)`, zero where there is no token.
    """
    # (rows, length) -> (rows, queries, length)
    mask = None if padding_mask is None else padding_mask[:, None]
    old, _current.attended = _current.attended, (tokens, mask)
    try:
        yield
    finally:
        _current.attended = old


def attended() -> tuple[Tensor, Tensor | None] | None:
    """All tokens and their attention mask, where a block is given but one."""
    return _current.attended


@contextlib.contextmanager
def remembering_members() -> Iterator[None]:
    """Within it, `members_of` knows the members of each forecast."""
    old = _current.mixed
    _current.mixed = [] if old is None else old
    try:
        yield
    finally:
        _current.mixed = old


def record_members(forecast: Tensor, members: Tensor) -> None:
    """Tells the pass, if it remembers them, of what a forecast is the mix.

    Args:
        forecast: `(batch, ...)`.
        members: `(batch, ensemble, ...)`.
    """
    if _current.mixed is not None:
        _current.mixed.append((forecast, members))


def members_of(forecast: Tensor) -> Tensor | None:
    """The members `(batch, ensemble, ...)` of this very tensor, if known."""
    found = [m for mixed, m in _current.mixed or () if mixed is forecast]
    return found[-1] if found else None


def record_head_inputs(inputs: Tensor) -> None:
    """Tells the pass, if one is open, what reaches the output layer."""
    if _current.is_open:
        _current.head_inputs = inputs


def record_context(context: Tensor) -> None:
    """Tells the pass, if one is open, what entered the first block."""
    if _current.is_open and _current.context is None:
        _current.context = context


def context() -> Tensor | None:
    """What entered the first block of this pass, if it was recorded."""
    return _current.context


class RecordsInputs:
    """Mixin in front of an output layer: its inputs are the features."""

    def __call__(self, inputs, *args, **kwargs):
        record_head_inputs(inputs)
        return super().__call__(inputs, *args, **kwargs)
