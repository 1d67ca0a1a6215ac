"""What every export ends with: weights in half precision, nothing of this machine in the file."""

import re

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# What is smaller than this stays in single precision: norms, constants, shapes.
HALF_FROM_ELEMENTS = 2048


def halve(model):
    """Large weights in half precision, each cast back to single precision in the graph; the tied embedding is kept once."""
    graph = model.graph
    kept, nodes, same = [], [], {}
    for initializer in graph.initializer:
        values = numpy_helper.to_array(initializer)
        if values.dtype != np.float32 or values.size < HALF_FROM_ELEMENTS:
            kept.append(initializer)
            continue
        halved = values.astype(np.float16)
        content = (halved.shape, halved.tobytes())
        transposed = (halved.T.shape, np.ascontiguousarray(halved.T).tobytes()) if halved.ndim == 2 else None
        if content in same:
            nodes.append(helper.make_node("Identity", [same[content]], [initializer.name], name=f"{initializer.name}/Identity"))
        elif transposed in same:
            nodes.append(helper.make_node("Transpose", [same[transposed]], [initializer.name], name=f"{initializer.name}/Transpose", perm=[1, 0]))
        else:
            name = f"{initializer.name}.half"
            kept.append(numpy_helper.from_array(halved, name))
            nodes.append(helper.make_node("Cast", [name], [initializer.name], name=f"{initializer.name}/Cast", to=TensorProto.FLOAT))
            same[content] = initializer.name
    del graph.initializer[:]
    graph.initializer.extend(kept)
    ordered = nodes + list(graph.node)
    del graph.node[:]
    graph.node.extend(ordered)


def strip(model, name):
    """Takes out what tells of the machine: doc strings and metadata (the exporter puts source paths there)."""
    strip_graph(model.graph)
    del model.metadata_props[:]
    model.doc_string = ""
    model.graph.name = name


def strip_graph(graph):
    """The same for a graph and for those in its nodes, such as the bodies of loops."""
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                strip_graph(attribute.g)
    for value in [*graph.input, *graph.output]:
        value.doc_string = ""
    del graph.value_info[:]
    graph.doc_string = ""


def strip_traces(path):
    """Takes the lines of source that the exporter notes out of a file; names of modules stay."""
    model = onnx.load(str(path))
    for node in model.graph.node:
        node.doc_string = ""
        told = [entry for entry in node.metadata_props if "stack_trace" not in entry.key]
        del node.metadata_props[:]
        node.metadata_props.extend(told)
    onnx.save(model, str(path))
    return model


def save(plain, path, name):
    """Writes the exported file `plain` to `path` with large weights halved; gives the model. Raises where a path of this machine is left in it."""
    exported = onnx.load(str(plain))
    strip(exported, name)
    halve(exported)
    onnx.checker.check_model(exported)
    onnx.save(exported, str(path))
    if re.search(rb"/(work|root|home|usr|tmp)/", path.read_bytes()):
        raise SystemExit(f"{path.name} holds a path of this machine")
    return exported


def feeds(session, ids):
    """What a model of texts is given for ids [batch, position] that it reads from the start: nothing masked, nothing read before."""
    given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    for value in session.get_inputs():
        if value.name.startswith("past"):
            batch, heads, _, width = value.shape
            given[value.name] = np.zeros((ids.shape[0], heads, 0, width), np.float32)
    return given
