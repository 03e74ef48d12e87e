"""Whole CLIP-like models are refused, and the way out is named."""

import pytest

from keras_plex import plexify
from keras_plex.conversion.families import FAMILIES
from keras_plex.conversion.families import find_family
from keras_plex.conversion.tiling import MixedExamplesError
from tests import vision_models


@pytest.mark.parametrize("name", ["clip", "siglip"])
@pytest.mark.parametrize("arguments", [{"head": "keep"}, {"num_classes": 3}])
def test_a_contrastive_model_is_refused(name, arguments):
    model = getattr(vision_models, name)()
    assert find_family(model) is FAMILIES["contrastive"]
    message = "compares the examples.*plexify.model.vision_encoder"
    with pytest.raises(MixedExamplesError, match=message):
        plexify(model, **arguments)


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_the_way_that_is_named_works(name):
    model = getattr(vision_models, name)()
    plex = plexify(model.vision_encoder, num_classes=3, last_blocks=1)
    assert plex.output_shape == (None, 3)
