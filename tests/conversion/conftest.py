"""What tests of the conversion share."""

import pytest

from tests import cases


@pytest.fixture(scope="module")
def stock():
    """Makes each stock model once; none of the tests may change it."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = cases.make(name)
        return made[name]

    return get
