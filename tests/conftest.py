"""What every test gets: a backend, quiet logs, seeds, a clean Keras."""

import gc
import os
import pathlib

# Tiny arrays: threads would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import hypothesis  # noqa: E402
import keras  # noqa: E402
import pytest  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]

# The same examples in every run, however busy the machine.
hypothesis.settings.register_profile(
    "keras_plex", deadline=None, derandomize=True
)
hypothesis.settings.load_profile("keras_plex")


def pytest_collection_finish():
    """What is imported by now stays: it need not be looked at again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def keras_state():
    """Seeds each test, and undoes what it sets for all of Keras."""
    floatx, epsilon = keras.config.floatx(), keras.config.epsilon()
    image_data_format = keras.config.image_data_format()
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_epsilon(epsilon)
    keras.config.set_image_data_format(image_data_format)
    keras.config.set_dtype_policy(floatx)
    keras.utils.clear_session(free_memory=False)


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The directory of real images; skips the test where there is none."""
    named = os.environ.get("KERAS_PLEX_TEST_DATA")
    path = pathlib.Path(named or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        if named:
            raise FileNotFoundError(
                "KERAS_PLEX_TEST_DATA must name a directory. "
                f"Received: {named!r}"
            )
        pytest.skip(
            f"Needs real images: there is no directory {path}. "
            "Set KERAS_PLEX_TEST_DATA to where they are."
        )
    return path
