"""An equation of `EinsumDense`, and where its axes lie."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class EinsumSpec:
    """The three parts of `"inputs,kernel->outputs"`."""

    inputs: str
    kernel: str
    outputs: str

    @classmethod
    def parse(cls, equation: str) -> "EinsumSpec":
        left, outputs = equation.replace(" ", "").split("->")
        inputs, kernel = left.split(",")
        is_first = inputs.startswith("...") or inputs[0] not in kernel
        if not is_first or inputs[0] != outputs[0]:
            raise ValueError(
                "The first axis of the inputs and of the outputs must be the "
                "batch, which holds the members, and not in the kernel. "
                f"Received: equation={equation!r}"
            )
        return cls(inputs, kernel, outputs)

    @property
    def alpha_labels(self) -> str:
        return "".join(c for c in self.inputs if c in self.kernel)

    @property
    def gamma_labels(self) -> str:
        added = set(self.kernel) - set(self.inputs)
        return "".join(c for c in self.outputs if c in added)

    def kernel_sizes(self, labels: str, kernel_shape: tuple) -> tuple[int, ...]:
        return tuple(kernel_shape[self.kernel.index(c)] for c in labels)


def unfolded_axes(subscripts: str, labels: str, rank: int) -> tuple[int, ...]:
    """Axes of `labels` in a tensor whose first axis was unfolded into two."""
    if subscripts.startswith("..."):
        letters = subscripts[3:]
        return tuple(rank - len(letters) + letters.index(c) for c in labels)
    return tuple(1 + subscripts.index(c) for c in labels)
