"""TensorFlow's graphs, read and written by protobuf, and cutting one down to what some of its nodes need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

# What cutting a graph needs of TensorFlow's graph.proto, node_def.proto and attr_value.proto. Protobuf keeps the fields
# that are not named here, and writes them again as they were.
SCHEMA = """
name: "graph.proto" syntax: "proto3"
message_type {
  name: "GraphDef"
  field { name: "node" number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: "NodeDef" }
}
message_type {
  name: "NodeDef"
  field { name: "name" number: 1 type: TYPE_STRING }
  field { name: "op" number: 2 type: TYPE_STRING }
  field { name: "input" number: 3 label: LABEL_REPEATED type: TYPE_STRING }
  field { name: "attr" number: 5 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: "NodeDef.AttrEntry" }
  nested_type {
    name: "AttrEntry" options { map_entry: true }
    field { name: "key" number: 1 type: TYPE_STRING }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: "AttrValue" }
  }
}
message_type {
  name: "AttrValue"
  field { name: "list" number: 1 type: TYPE_MESSAGE type_name: "AttrValue.ListValue" }
  field { name: "type" number: 6 type: TYPE_INT32 }
  nested_type { name: "ListValue" field { name: "i" number: 3 label: LABEL_REPEATED type: TYPE_INT64 } }
}
"""
FLOAT = 1  # DT_FLOAT of types.proto


def _graph_class() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(text_format.Parse(SCHEMA, descriptor_pb2.FileDescriptorProto()))
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("GraphDef"))


Graph = _graph_class()  # GraphDef, whose nodes have `name`, `op`, `input` and `attr`


def subgraph(graph: Any, outputs: Iterable[str]) -> Any:
    """The nodes of a `Graph` that its nodes called `outputs` need, those included, in the graph's order."""
    nodes = {node.name: node for node in graph.node}
    needed, waiting = set[str](), list(outputs)
    while waiting:
        name = waiting.pop().lstrip("^").split(":")[0]  # inputs are `x`, its second output `x:1`, or `^x`: after x
        if name not in needed:
            needed.add(name)
            waiting += nodes[name].input
    return Graph(node=[node for node in graph.node if node.name in needed])
