"""Text written the slow way: whole passes, no cache, one token at a time."""

import numpy as np

from keras_plex.models.generation.prompts import token_names


def next_log_probabilities(model, inputs, tokens, position):
    """`(batch, vocabulary)` of the averaged members, from a whole pass."""
    names = token_names(inputs)
    seen = np.broadcast_to(np.arange(tokens.shape[1]) < position, tokens.shape)
    fed = {name: np.asarray(x) for name, x in inputs.items()}
    members = model.predict_members_of(
        {**fed, names[0]: tokens, names[1]: seen}
    )
    logits = members[:, :, position - 1].astype("float64")
    odds = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = odds / odds.sum(-1, keepdims=True)
    return np.log(probabilities.mean(axis=1))


class Members:
    """The members' outputs of a model, without its preprocessor."""

    def __init__(self, model):
        self.model = model

    def predict_members_of(self, inputs):
        return self.model.predict_details(inputs, on_batch=True)["outputs"]


def greedy(model, inputs):
    """The most probable token at each place, after the shortest prompt."""
    names = token_names(inputs)
    tokens = np.array(inputs[names[0]])
    given = np.array(inputs[names[1]])
    for i in range(given.sum(-1).min(), tokens.shape[1]):
        found = next_log_probabilities(Members(model), inputs, tokens, i)
        best = found.argmax(-1)
        tokens[:, i] = np.where(given[:, i], tokens[:, i], best)
    return tokens


def beam(model, inputs, num_beams):
    """The best of `num_beams` texts for one example, kept at each token."""
    names = token_names(inputs)
    start = np.array(inputs[names[0]])
    given = int(np.array(inputs[names[1]]).sum())
    beams = [(0.0, start)]
    for i in range(given, start.shape[1]):
        longer = []
        for score, tokens in beams:
            found = next_log_probabilities(Members(model), inputs, tokens, i)
            for word, log_probability in enumerate(found[0]):
                text = tokens.copy()
                text[0, i] = word
                longer.append((score + log_probability, text))
        beams = sorted(longer, key=lambda x: -x[0])[:num_beams]
    return beams[0][1]
