"""`generate` of a model whose way to write members cannot follow."""


class RefusesGenerate:
    """Mixin in front of a converted model with an unknown `generate`.

    Such a method calls layers by itself, and would mix members' rows.
    """

    def generate(self, *args, **kwargs) -> None:
        """Raises: members cannot follow."""
        raise ValueError(
            f"{self.name!r} has a `generate` that its members cannot follow: "
            "only KerasHub's `CausalLM` and `Seq2SeqLM` are supported. Use the "
            "stock model's `generate`, or `predict` of this one."
        )
