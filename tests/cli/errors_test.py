"""Wrong input is told apart from faults."""

import pytest

from keras_plex.cli.errors import UsageError
from keras_plex.cli.errors import as_usage_errors


@pytest.mark.parametrize("error", [ValueError, FileNotFoundError, TypeError])
def test_what_reading_raises_is_the_users(error):
    with pytest.raises(UsageError, match="why"):
        with as_usage_errors():
            raise error("why")


def test_other_faults_stay_what_they_are():
    with pytest.raises(RuntimeError), as_usage_errors():
        raise RuntimeError("ours")
