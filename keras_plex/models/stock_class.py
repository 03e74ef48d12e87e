"""A class of ours in front of whatever class a stock model has."""

import keras


def in_front_of(
    ours: type,
    stock: type[keras.Model],
    prefix: str,
    mixins: tuple[type, ...] = (),
) -> type:
    """`ours` in front of a stock class, one class for each pair.

    All of them are saved under the registered name of `ours`, whose
    `from_config` loads them.

    Args:
        ours: a class with the `from_config` of a whole model.
        stock: the class of the model.
        prefix: of the new class's name, before that of the stock class.
        mixins: what stands in front of both.
    """
    # Where `from_config` was called on a class made here.
    ours = vars(ours).get("ours", ours)
    key = (*mixins, ours, stock)
    if key not in _classes:
        # Keras would import the stock class's module to find this one.
        names = {"__module__": "keras_plex", "ours": ours}
        new = type(prefix + stock.__name__, key, names)
        for cls in (new, ours):  # the last one is found by the name
            keras.saving.register_keras_serializable(
                "keras_plex", ours.__name__
            )(cls)
        _classes[key] = new
    return _classes[key]


_classes: dict[tuple[type, ...], type] = {}
