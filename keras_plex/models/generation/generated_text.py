"""Text that a model wrote, and how sure it was of each token."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class GeneratedText:
    """Generated text with its uncertainty, as NumPy arrays.

    `generate_with_uncertainty` of a converted language model returns one. The
    distribution of a token is the mean of the members' distributions, given
    the prompt and the tokens before it; no temperature and no top-k are in it,
    whatever sampler chose the token. Numbers at tokens that were not generated
    (prompt and padding) are 0. For a single prompt all of it is without the
    `batch` axis.

    Args:
        text: list of `batch` strings, as `generate` returns them; `None`
            without a preprocessor.
        token_ids: `(batch, length)` int, prompt and generated tokens.
        generated: `(batch, length)` bool, which tokens were generated, the end
            token among them.
        entropy: `(batch, length)` float, of each token's distribution, nats:
            total uncertainty.
        mutual_information: `(batch, length)` float, the part of the entropy
            that is uncertainty about the model.
        log_probability: `(batch, length)` float, of each generated token.

    Example:

    >>> found = GeneratedText(
    ...     text=["to be"],
    ...     token_ids=np.array([[0, 5, 6, 1]]),
    ...     generated=np.array([[False, True, True, True]]),
    ...     entropy=np.zeros((1, 4)),
    ...     mutual_information=np.zeros((1, 4)),
    ...     log_probability=np.log([[1.0, 0.5, 0.25, 1.0]]),
    ... )
    >>> found.sequence_log_probability.round(3), found.confidence.round(3)
    (array([-2.079]), array([0.5]))

    Reference:
        Malinin and Gales, 2021, "Uncertainty estimation in autoregressive
        structured prediction", https://arxiv.org/abs/2002.07650
    """

    text: list[str] | str | None
    token_ids: np.ndarray
    generated: np.ndarray
    entropy: np.ndarray
    mutual_information: np.ndarray
    log_probability: np.ndarray

    @property
    def sequence_log_probability(self) -> np.ndarray:
        """`(batch,)` float, of all generated tokens together."""
        return np.sum(self.log_probability, axis=-1)

    @property
    def confidence(self) -> np.ndarray:
        """`(batch,)` float: the geometric mean of the tokens' probabilities.

        It is 1 where no token was generated.
        """
        count = np.maximum(np.sum(self.generated, axis=-1), 1)
        return np.exp(self.sequence_log_probability / count)
