"""The state is plain data that models do not share."""

import pytest

from keras_plex.models.member_state import MemberState

FIELDS = {
    "ensemble_size": 3,
    "member_outputs": (True, False),
    "heads": [None, None],
    "output_kinds": ("softmax_logits", "regression"),
}


def test_fields_are_given_by_name():
    state = MemberState(**FIELDS)
    assert {name: getattr(state, name) for name in FIELDS} == FIELDS
    with pytest.raises(TypeError):
        MemberState(3, (True,), [None], ("regression",))


def test_states_share_no_compiled_functions():
    one, other = MemberState(**FIELDS), MemberState(**FIELDS)
    one.functions["details"] = print
    assert other.functions == {}


def test_no_data_is_kept_outside_of_fit():
    assert MemberState(**FIELDS).validation_data is None


def test_state_starts_uncalibrated():
    state = MemberState(**FIELDS)
    assert state.calibrator is None and state.conformal_sets is None
