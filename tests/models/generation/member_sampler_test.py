"""The sampler sees examples, the model members."""

import numpy as np
import pytest
from keras import ops

from keras_plex.models.generation.member_sampler import MemberSampler
from keras_plex.ops.ensemble_axis import split_members
from keras_plex.ops.ensemble_axis import tile_members

BATCH, MEMBERS = 2, 3


class Recorder:
    """A sampler that takes one step and notes what it saw."""

    variables = ["seed"]

    def __call__(self, next, prompt, cache, index, mask, hidden_states, **rest):
        self.prompt, self.cache, self.mask = prompt, cache, mask
        self.hidden_states, self.rest = hidden_states, rest
        self.logits, self.hidden, self.next_cache = next(prompt, cache, index)
        return prompt


def mean(logits):
    return ops.mean(split_members(logits, MEMBERS), axis=0)


@pytest.fixture
def step():
    sampler = Recorder()
    # Row = member * batch + example, so a row says whose it is.
    rows = ops.reshape(ops.arange(MEMBERS * BATCH, dtype="float32"), (-1, 1))
    prompt = tile_members(np.array([[5, 0], [6, 0]]), MEMBERS)
    seen = {}

    def next_token(prompt, cache, index):
        seen.update(prompt=prompt, cache=cache)
        return rows, rows, (cache[0] + 10.0, None)

    chosen = MemberSampler(sampler, MEMBERS, mean)(
        next=next_token,
        prompt=prompt,
        cache=(rows, None),
        index=1,
        mask=prompt > 0,
        hidden_states=rows,
        stop_token_ids=(1,),
    )
    return sampler, seen, chosen


def test_the_sampler_sees_one_row_per_example(step):
    sampler, _, _ = step
    np.testing.assert_array_equal(sampler.prompt, [[5, 0], [6, 0]])
    np.testing.assert_array_equal(sampler.mask, [[1, 0], [1, 0]])
    assert sampler.rest == {"stop_token_ids": (1,)}


def test_the_sampler_sees_the_mixture_and_mean_hidden_states(step):
    sampler, _, _ = step
    # Example 0 has the rows 0, 2 and 4; example 1 has 1, 3 and 5.
    for x in (sampler.logits, sampler.hidden, sampler.hidden_states):
        np.testing.assert_array_equal(x, [[2.0], [3.0]])


def test_caches_have_the_batch_first_outside_and_members_rows_inside(step):
    sampler, seen, _ = step
    by_example = np.array([[[0.0], [2.0], [4.0]], [[1.0], [3.0], [5.0]]])
    np.testing.assert_array_equal(sampler.cache[0], by_example)
    assert sampler.cache[1] is None
    np.testing.assert_array_equal(seen["cache"][0][:, 0], np.arange(6.0))
    np.testing.assert_array_equal(sampler.next_cache[0], by_example + 10.0)


def test_the_model_gets_each_token_for_every_member(step):
    _, seen, chosen = step
    rows = [[5, 0], [6, 0]] * MEMBERS
    np.testing.assert_array_equal(seen["prompt"], rows)
    np.testing.assert_array_equal(chosen, rows)


def test_the_state_is_that_of_the_sampler():
    assert MemberSampler(Recorder(), 3, mean).variables == ["seed"]


def test_a_draft_model_raises():
    with pytest.raises(ValueError, match="draft model"):
        MemberSampler(Recorder(), 3, mean)(
            next=None, prompt=None, draft_next=lambda: None
        )
