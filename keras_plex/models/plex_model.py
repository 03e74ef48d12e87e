"""What a converted model adds to the stock one."""

import dataclasses
import inspect
from collections.abc import Sequence

import keras
import numpy as np

from keras_plex.conversion import forward_pass
from keras_plex.conversion.convert import Conversion
from keras_plex.conversion.convert import convert
from keras_plex.conversion.settings import Settings
from keras_plex.conversion.surgery import set_model_class
from keras_plex.conversion.surgery import tile_with_mask
from keras_plex.conversion.tiling import map_tensors
from keras_plex.layers.random_feature_gp import RandomFeatureGP
from keras_plex.models.covariance import fit_covariance
from keras_plex.models.covariance import fit_mean_field
from keras_plex.models.covariance import has_free_mean_field
from keras_plex.models.covariance import set_mean_field_for
from keras_plex.models.covariance import try_fit_mean_field
from keras_plex.models.fit_arguments import FitArguments
from keras_plex.models.member_training import MemberTraining
from keras_plex.models.output_kinds import check_one_label
from keras_plex.models.output_kinds import kinds_of_model
from keras_plex.models.output_kinds import kinds_under_loss
from keras_plex.models.output_kinds import the_one_output
from keras_plex.models.pickling import from_bytes
from keras_plex.models.pickling import to_bytes
from keras_plex.models.plex_state import PlexState
from keras_plex.models.predictive_distribution import predictive_distribution
from keras_plex.models.returns import RETURNS
from keras_plex.models.summary import print_conversion
from keras_plex.ops.probabilities import MIXTURES
from keras_plex.predictions import Predictions
from keras_plex.tables import lookup
from keras_plex.types import Config
from keras_plex.types import Data

REGISTERED = ("keras_plex", "PlexModel")


class PlexModel(MemberTraining):
    """A stock Keras model whose last layers are an ensemble.

    `plexify` makes one. It stays what it was (`isinstance` of the stock class,
    `.backbone`, `.preprocessor`, `fit`, `predict`, `save`): outside it gives
    one forecast per example, the mean of the members' probabilities; inside,
    the training loss is the mean of the members' losses.

    Example:

    >>> layers = [keras.layers.Dense(8, "relu"), keras.layers.Dense(3)]
    >>> stock = keras.Sequential([keras.Input((4,)), *layers])
    >>> model = keras_plex.plexify(stock, last_blocks=1, seed=0)
    >>> x = np.ones((5, 4), "float32")
    >>> model.predict(x, verbose=0).shape
    (5, 3)
    >>> model.predict_members(x).shape
    (5, 3, 3)
    >>> model.predict_uncertainty(x).entropy.shape
    (5,)
    """

    _plex: PlexState

    @property
    def ensemble_size(self) -> int:
        """The number of members."""
        return self._plex.conversion.settings.ensemble_size

    @property
    def conversion(self) -> Conversion:
        """What was converted."""
        return self._plex.conversion

    @property
    def gp_head(self) -> RandomFeatureGP | None:
        """The Gaussian-process output layer, if there is one."""
        head = self.conversion.head
        is_gp = head is not None and isinstance(head.layer, RandomFeatureGP)
        return head.layer if is_gp else None

    @property
    def fit_validation_data(self) -> Data | None:
        """What the current `fit` validates on, for its callbacks."""
        return self._plex.validation_data

    @property
    def output_kinds(self) -> tuple[str, ...]:
        """What each output is; set it where a loss of your own does not say."""
        return self._plex.output_kinds

    @output_kinds.setter
    def output_kinds(self, kinds: Sequence[str]) -> None:
        for kind in kinds:
            lookup(MIXTURES, kind, "output kind")
        self._plex.output_kinds = tuple(kinds)
        self._plex.functions.clear()
        self.test_function = self.predict_function = self.train_function = None
        set_mean_field_for(self._plex.output_kinds, self.gp_head)

    @property
    def output_kind(self) -> str:
        """What the one output is; see `output_kinds`."""
        return the_one_output(self.name, self.output_kinds)

    @output_kind.setter
    def output_kind(self, kind: str) -> None:
        self.output_kinds = (kind,)

    def predict_members(self, x: Data, **kwargs) -> np.ndarray:
        """The members' outputs: `(batch, ensemble, ...)`.

        Args:
            x: what `predict` takes.
            **kwargs: of `predict`; `verbose` defaults to 0.
        """
        return self.predict_details(x, **kwargs)["outputs"]

    def predict_uncertainty(
        self, x: Data, *, features: bool = False, **kwargs
    ) -> Predictions:
        """Forecasts with their uncertainty, from one forward pass.

        Args:
            x: what `predict` takes.
            features: whether to return the inputs of the output layer, too.
            **kwargs: of `predict`; `verbose` defaults to 0.
        """
        check_one_label(self.name, self.output_kind, self.conversion.head)
        details = self.predict_details(x, features=features, **kwargs)
        return Predictions.from_outputs(
            details["outputs"],
            self.output_kind,
            variance=details.get("variance"),
            features=details.get("features"),
        )

    predictive_distribution = predictive_distribution

    def predict_details(
        self,
        x: Data,
        *,
        features: bool = False,
        on_batch: bool = False,
        **kwargs,
    ) -> dict[str, np.ndarray]:
        """Member `outputs`, `variance` and `features` from one forward pass.

        Args:
            x: what `predict` takes, or `predict_on_batch`.
            features: whether to return the inputs of the output layer, too.
            on_batch: whether `x` is one batch.
            **kwargs: of `predict`; `verbose` defaults to 0.
        """
        mode = forward_pass.FEATURES if features else forward_pass.DETAILS
        stock_function = self.predict_function
        self.predict_function = self._plex.functions.get(mode)
        try:
            with forward_pass.returning(mode):
                if on_batch:
                    return self.predict_on_batch(x)
                return self.predict(x, **{"verbose": 0, **kwargs})
        finally:
            self._plex.functions[mode] = self.predict_function
            self.predict_function = stock_function

    def fit_covariance(
        self,
        dataset: Data,
        batch_size: int = 32,
        *,
        validation_data: Data | None = None,
    ) -> None:
        """Makes the covariance that of a data set, without training.

        Args:
            dataset: `x`, `(x, y)`, or batches of them; labels are not used.
            batch_size: for arrays. Defaults to `32`.
            validation_data: labelled data to fit the mean-field factor to.
        """
        if validation_data is not None and not has_free_mean_field(self):
            raise ValueError(
                "`validation_data` fits the mean-field factor, which is fixed "
                "here: a regression has none, and `mean_field_factor` is given."
            )
        fit_covariance(self, dataset, batch_size)
        if validation_data is not None:
            fit_mean_field(self, validation_data)

    def fit(self, *args, **kwargs) -> keras.callbacks.History:
        """`fit` of the stock model; the covariance takes care of itself."""
        arguments = FitArguments.bind(super().fit, args, kwargs)
        if self.gp_head is not None:
            arguments.put_first_reset_covariance(self)
        validation = arguments.validation_data()
        self._plex.validation_data = validation
        try:
            history = super().fit(*arguments.args, **arguments.kwargs)
        finally:
            self._plex.validation_data = None
        if has_free_mean_field(self) and validation is not None:
            try_fit_mean_field(self, validation, arguments.validation_steps())
        return history

    def compile(self, *args, **kwargs) -> None:
        """`compile` of the stock model."""
        super().compile(*args, **kwargs)
        self._plex.functions.clear()
        old = self.output_kinds
        kinds = kinds_under_loss(self, self.conversion.heads, old)
        if kinds != old:
            self.output_kinds = kinds

    def call(self, *args, **kwargs):
        conversion, size = self.conversion, self.ensemble_size
        if conversion.layout.tiled_inputs:
            args, kwargs = map_tensors(
                self, args, kwargs, lambda name, x: tile_with_mask(x, size)
            )
        with forward_pass.model_pass(conversion.class_token_only) as current:
            outputs = super().call(*args, **kwargs)
            head_inputs = current.head_inputs
        return RETURNS[forward_pass.mode()](self, outputs, head_inputs)

    def summary(self, *args, **kwargs) -> None:
        """`summary` of the stock model, then the converted layers."""
        super().summary(*args, **kwargs)
        bound = inspect.signature(super().summary).bind(*args, **kwargs)
        print_fn = bound.arguments.get("print_fn")
        print_conversion(self.conversion, print_fn or print)

    def get_config(self) -> Config:
        return {
            "stock": self._plex.stock_config,
            "settings": dataclasses.asdict(self.conversion.settings),
            "output_kinds": list(self.output_kinds),
        }

    @classmethod
    def from_config(cls, config: Config, custom_objects=None) -> "PlexModel":
        model = keras.saving.deserialize_keras_object(
            config["stock"], custom_objects=custom_objects
        )
        model = adopt(model, config["stock"], Settings(**config["settings"]))
        model.output_kinds = tuple(config["output_kinds"])
        return model

    def __reduce__(self):
        return from_bytes, (to_bytes(self),)

    def get_build_config(self) -> None:
        """Nothing: `from_config` gives a built model."""

    def compile_from_config(self, config: Config) -> None:
        """Compiles a loaded model as it was, also a KerasHub task."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if getattr(self, "optimizer", None) is not None:
            self.optimizer.build(self.trainable_variables)

    def save_to_preset(self, *args, **kwargs) -> None:
        raise ValueError(
            "A preset cannot hold a converted model. Use "
            '`model.save("model.keras")` and `keras.saving.load_model`.'
        )


def adopt(
    model: keras.Model, stock_config: Config, settings: Settings
) -> PlexModel:
    """Makes a stock model, which the caller owns, a `PlexModel` in place."""
    conversion = convert(model, settings)
    kinds = kinds_of_model(model, conversion.heads)
    model._plex = PlexState(stock_config, conversion, kinds)
    set_model_class(model, plex_class(type(model)))
    set_mean_field_for(kinds, model.gp_head)
    return model


def plex_class(stock: type[keras.Model]) -> type:
    """`PlexModel` in front of a stock class, one class for each."""
    if stock not in _plex_classes:
        # Keras would import the stock class's module to find this one.
        names = {"__module__": "keras_plex"}
        cls = type("Plex" + stock.__name__, (PlexModel, stock), names)
        # All are saved under one name, which loads through `PlexModel`.
        keras.saving.register_keras_serializable(*REGISTERED)(cls)
        keras.saving.register_keras_serializable(*REGISTERED)(PlexModel)
        _plex_classes[stock] = cls
    return _plex_classes[stock]


_plex_classes: dict[type, type] = {}
keras.saving.register_keras_serializable(*REGISTERED)(PlexModel)
