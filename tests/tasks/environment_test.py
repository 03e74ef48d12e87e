"""A report names what it was measured with."""

import datetime
import platform

import keras
import numpy as np

from keras_plex.tasks.environment import describe_environment


def test_versions_backend_and_day():
    found = describe_environment()
    assert found["keras"] == keras.__version__
    assert found["numpy"] == np.__version__
    assert found["python"] == platform.python_version()
    backend = keras.config.backend()
    assert found["backend"] == backend and found[backend] != "unknown"
    day = datetime.date.fromisoformat(found["date"])
    assert abs(day - datetime.date.today()) <= datetime.timedelta(days=1)
