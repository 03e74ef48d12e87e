"""Loops of known length, which can be laid out to be counted."""

import contextlib
import contextvars
from collections.abc import Callable
from collections.abc import Iterator

from keras import ops

from keras_plex.types import Tensor

_laid_out = contextvars.ContextVar("laid_out", default=False)

State = tuple[Tensor, ...]


def run_loop(
    times: int, body: Callable[[int | Tensor, State], State], state: State
) -> State:
    """`state` after `body(i, state)` for each `i` below `times`."""
    if times == 1 or _laid_out.get():
        for i in range(times):
            state = body(i, state)
        return state
    return ops.fori_loop(0, times, body, state)


@contextlib.contextmanager
def laid_out() -> Iterator[None]:
    """Within it, a loop is traced turn by turn.

    Counters of operations see the body of a loop of the backend once, or not
    at all.
    """
    token = _laid_out.set(True)
    try:
        yield
    finally:
        _laid_out.reset(token)
