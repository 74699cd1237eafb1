import protobuf from 'protobufjs/light.js';
import type { Attribute, Binding } from './native.js';

/** An output of a node, as `name` or `name:1`; `^name` is a node that has to run first. */
export type NodeInput = string;

/** One operation of a TensorFlow graph. */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly NodeInput[];
  readonly attr: Readonly<Record<string, AttrValue>>;
}

/** TensorFlow's `AttrValue`, of which one field is set. */
export type AttrValue =
  | { readonly s: Uint8Array }
  | { readonly i: number }
  | { readonly f: number }
  | { readonly b: boolean }
  | { readonly type: number }
  | { readonly shape: TensorShape }
  | { readonly tensor: { dtype: number; tensorShape: TensorShape; tensorContent: Uint8Array } }
  | { readonly list: { i?: readonly number[]; f?: readonly number[]; b?: readonly boolean[] } };

interface TensorShape {
  readonly dim: readonly { readonly size: number }[];
}

/** The version of the graph format that is written (`producer`): that of TensorFlow 2.9, which newer ones read. */
const PRODUCER = 987;

/** The tag under which a saved model's only graph is found. */
export const GRAPH_TAG = 'serve';

/** The attributes of a node, by name. */
const ATTRIBUTES: protobuf.IMapField = { keyType: 'string', type: 'AttrValue', id: 5 };

/** The few messages of TensorFlow's saved models that a graph without stored variables needs; field numbers as there. */
const SCHEMA = protobuf.Root.fromJSON({
  nested: {
    SavedModel: {
      fields: {
        savedModelSchemaVersion: { type: 'int64', id: 1 },
        metaGraphs: { rule: 'repeated', type: 'MetaGraphDef', id: 2 },
      },
    },
    MetaGraphDef: {
      fields: { metaInfoDef: { type: 'MetaInfoDef', id: 1 }, graphDef: { type: 'GraphDef', id: 2 } },
    },
    MetaInfoDef: { fields: { tags: { rule: 'repeated', type: 'string', id: 4 } } },
    GraphDef: {
      fields: {
        node: { rule: 'repeated', type: 'NodeDef', id: 1 },
        versions: { type: 'VersionDef', id: 4 },
      },
    },
    VersionDef: { fields: { producer: { type: 'int32', id: 1 } } },
    NodeDef: {
      fields: {
        name: { type: 'string', id: 1 },
        op: { type: 'string', id: 2 },
        input: { rule: 'repeated', type: 'string', id: 3 },
        attr: ATTRIBUTES,
      },
    },
    AttrValue: {
      oneofs: { value: { oneof: ['list', 's', 'i', 'f', 'b', 'type', 'shape', 'tensor'] } },
      fields: {
        list: { type: 'ListValue', id: 1 },
        s: { type: 'bytes', id: 2 },
        i: { type: 'int64', id: 3 },
        f: { type: 'float', id: 4 },
        b: { type: 'bool', id: 5 },
        type: { type: 'int32', id: 6 },
        shape: { type: 'TensorShapeProto', id: 7 },
        tensor: { type: 'TensorProto', id: 8 },
      },
    },
    ListValue: {
      fields: {
        i: { rule: 'repeated', type: 'int64', id: 3 },
        f: { rule: 'repeated', type: 'float', id: 4 },
        b: { rule: 'repeated', type: 'bool', id: 5 },
      },
    },
    TensorShapeProto: { fields: { dim: { rule: 'repeated', type: 'Dim', id: 2 } } },
    Dim: { fields: { size: { type: 'int64', id: 1 } } },
    TensorProto: {
      fields: {
        dtype: { type: 'int32', id: 1 },
        tensorShape: { type: 'TensorShapeProto', id: 2 },
        tensorContent: { type: 'bytes', id: 4 },
      },
    },
  },
});

export function shapeOf(shape: readonly number[]): TensorShape {
  return { dim: shape.map((size) => ({ size })) };
}

/** An attribute of an op that was run through the binding, as a graph says it. */
export function attrValue(binding: Binding, { type, value }: Attribute): AttrValue {
  switch (type) {
    case binding.TF_ATTR_STRING:
      return { s: Buffer.from(value as string) };
    case binding.TF_ATTR_INT:
      return Array.isArray(value) ? { list: { i: value as number[] } } : { i: value as number };
    case binding.TF_ATTR_FLOAT:
      return Array.isArray(value) ? { list: { f: value as number[] } } : { f: value as number };
    case binding.TF_ATTR_BOOL:
      return Array.isArray(value) ? { list: { b: value as boolean[] } } : { b: value as boolean };
    case binding.TF_ATTR_SHAPE:
      return { shape: shapeOf(value as number[]) };
    default:
      return { type: value as number };
  }
}

/** The contents of `saved_model.pb`: a graph, as TensorFlow loads it. */
export function graphFile(nodes: readonly GraphNode[]): Uint8Array {
  const type = SCHEMA.lookupType('SavedModel');
  const message = type.fromObject({
    savedModelSchemaVersion: 1,
    metaGraphs: [
      {
        metaInfoDef: { tags: [GRAPH_TAG] },
        graphDef: { node: nodes, versions: { producer: PRODUCER } },
      },
    ],
  });
  return type.encode(message).finish();
}
