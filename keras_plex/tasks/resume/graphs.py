"""What a SavedModel's graph computes, whatever its functions are called."""

import hashlib
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

# Attributes that say where a node runs, and not what it computes.
IGNORED = ("config", "config_proto", "executor_type")


def mark_functions(functions: Mapping[str, Any]) -> dict[str, str]:
    """Hex digits for each signature that TensorFlow loaded, by name.

    Nodes, their order, inputs and constants count, and so do calibrations,
    which are constants; the names of functions do not, which TensorFlow gives
    anew at each load.

    Args:
        functions: concrete functions by name.
    """
    return {
        name: _mark_graph(one.graph.as_graph_def(), one.structured_outputs)
        for name, one in sorted(functions.items())
    }


def _mark_graph(graph: Any, outputs: Any) -> str:
    library = {one.signature.name: one for one in graph.library.function}
    found = hashlib.blake2b(digest_size=16)
    found.update(repr(sorted(outputs)).encode())
    _update(found, graph.node, library)
    return found.hexdigest()


def _update(found: Any, nodes: Iterable, library: Mapping[str, Any]) -> None:
    for node in nodes:
        operation = "" if node.op in library else node.op
        found.update(repr([node.name, operation, *node.input]).encode())
        _update_function(found, node.op, library)
        for name, value in sorted(node.attr.items()):
            if name in IGNORED or name.startswith("_"):
                continue
            called = [value.func, *value.list.func]
            called = [one.name for one in called if one.name]
            for one in called:
                _update_function(found, one, library)
            if not called:
                content = value.SerializeToString(deterministic=True)
                found.update(name.encode() + content)


def _update_function(found: Any, name: str, library: Mapping[str, Any]) -> None:
    if name not in library:
        return
    function = library[name]
    arguments = [one.name for one in function.signature.input_arg]
    found.update(repr([arguments, sorted(function.ret.items())]).encode())
    _update(found, function.node_def, library)
