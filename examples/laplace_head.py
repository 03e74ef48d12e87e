"""A finished classifier learns how sure it is, without training.

You will learn what `plexify(model, head="laplace")` does to a Vision
Transformer that was trained to the end: the labels stay, the negative log
likelihood and the calibration error fall, most of all on noisy images.

    python examples/laplace_head.py --data digits --seeds 5

About two minutes per seed on two CPU cores. `--data FILE.npz` takes arrays
`x_train, y_train, x_test, y_test` of grey images, such as Fashion-MNIST;
`--network relu` trains dense layers instead, in seconds.
Measured numbers are in docs/heads.md.
"""

import argparse

import choose_defaults
import keras
import numpy as np

import keras_plex

NAMES = ("stock", "Laplace, evidence", "Laplace, validation")


def train_relu_network(data, epochs: int) -> keras.Model:
    """Two dense layers, trained to the end in seconds."""
    model = keras.Sequential(
        [
            keras.Input(data.train[0].shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(128, "relu"),
            keras.layers.Dense(64, "relu"),
            keras.layers.Dense(data.num_classes),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(*data.train, epochs=epochs, batch_size=64, verbose=0)
    return model


NETWORKS = {"vit": choose_defaults.train_stock, "relu": train_relu_network}


def variants(stock: keras.Model, data) -> dict[str, keras.Model]:
    """The stock model, and its posterior without and with validation data."""
    models = {"stock": stock}
    for name in NAMES[1:]:
        model = keras_plex.plexify(stock, ensemble_size=1, head="laplace")
        given = data.validation if name.endswith("validation") else None
        model.fit_covariance(data.train[0], validation_data=given)
        models[name] = model
    return models


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--examples", type=int, default=3000)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--network", choices=NETWORKS, default="vit")
    arguments = parser.parse_args()
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in NAMES}
    for seed in range(arguments.seeds):
        keras.utils.set_random_seed(seed)
        data = choose_defaults.load_data(
            arguments.data, seed, arguments.examples
        )
        stock = NETWORKS[arguments.network](data, arguments.epochs)
        labels = choose_defaults.predictions(stock, data.test[0]).labels
        for name, model in variants(stock, data).items():
            found = choose_defaults.measure(model, data)
            own = choose_defaults.predictions(model, data.test[0]).labels
            found["labels_changed"] = float(np.sum(own != labels))
            rows[name].append(found)
            print(seed, name, {k: round(v, 4) for k, v in found.items()})
    choose_defaults.print_table(rows)


if __name__ == "__main__":
    main()
