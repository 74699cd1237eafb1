import { isDeepStrictEqual } from 'node:util';
import type { Tensor } from '@tensorflow/tfjs-core';
import { DragomanError } from '../errors.js';
import { type Attribute, type Binding, nativeBackend, nativeOps } from './native.js';
import type { ResourceVariable } from './variables.js';

/** Where an operation takes a tensor from. */
export type Source =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'variable'; readonly index: number }
  | { readonly kind: 'node'; readonly index: number; readonly output: number };

/** An operation that ran, or a tensor that was made from numbers. */
export type RecordedNode =
  | {
      readonly kind: 'op';
      readonly op: string;
      readonly attributes: readonly Attribute[];
      readonly inputs: readonly Source[];
    }
  | {
      readonly kind: 'constant';
      readonly shape: readonly number[];
      readonly dtype: number;
      readonly bytes: Uint8Array;
    };

/** Everything that TensorFlow was told to do while a function ran, in order. */
export interface Program {
  readonly nodes: readonly RecordedNode[];
  readonly outputs: readonly { readonly source: Source; readonly dtype: number }[];
}

let recordings = 0;

/** Whether what TensorFlow is told is being written down. */
export function isRecording(): boolean {
  return recordings > 0;
}

/**
 * Runs `compute` and writes down what it had TensorFlow do.
 * @param inputs tensors that may be others the next time; any other tensor from outside is taken for a constant
 * @param variables what it may read and change
 * @returns the program, and what `compute` returned
 * @throws DragomanError `engine` if `compute` reads a value of its own: what it does next may then depend on it
 */
export function record(
  inputs: readonly Tensor[],
  variables: readonly ResourceVariable[],
  compute: () => Tensor[],
): { program: Program; results: Tensor[] } {
  const backend = nativeBackend();
  const native = nativeOps();
  const recorder = new Recorder(backend.binding);
  inputs.forEach((tensor, index) => {
    recorder.know(native.from(tensor).id, { kind: 'input', index });
  });
  variables.forEach((variable, index) => {
    recorder.know(variable.handleForUpdate().id, { kind: 'variable', index });
  });
  const own = backend.binding;
  backend.binding = recorder.binding();
  recordings++;
  try {
    const results = compute();
    const outputs = results.map((result) => {
      const { id, dtype } = native.from(result);
      return { source: recorder.source(id), dtype };
    });
    return { program: { nodes: recorder.nodes, outputs }, results };
  } finally {
    recordings--;
    backend.binding = own;
  }
}

/** In what two recordings of a function differ; null if they are the same program. */
export function differenceOf(first: Program, second: Program): string | null {
  if (first.nodes.length !== second.nodes.length) {
    return `${first.nodes.length} and then ${second.nodes.length} operations`;
  }
  const k = first.nodes.findIndex((node, k) => !isDeepStrictEqual(node, second.nodes[k]));
  const node = first.nodes[k];
  if (node === undefined) return null;
  const what = node.kind === 'op' ? node.op : `a constant of shape [${node.shape}]`;
  return `another operation or other numbers at ${what} (number ${k})`;
}

class Recorder {
  readonly nodes: RecordedNode[] = [];
  readonly #sources = new Map<number, Source>();

  constructor(readonly engine: Binding) {}

  know(id: number, source: Source): void {
    this.#sources.set(id, source);
  }

  /** The source of a tensor; one that nobody knows came from outside and stays as it is. */
  source(id: number): Source {
    const known = this.#sources.get(id);
    if (known !== undefined) return known;
    // Of an id the binding tells neither shape nor type; a copy comes with both.
    const [copy] = this.engine.executeOp('Identity', [], [id], 1);
    this.engine.deleteTensor(copy!.id);
    return this.#constant(id, copy!.shape, copy!.dtype, this.engine.tensorDataSync(id));
  }

  /** The binding with every call written down that makes a tensor. */
  binding(): Binding {
    const { engine } = this;
    const overrides: Pick<Binding, 'executeOp' | 'createTensor' | 'tensorDataSync'> = {
      executeOp: (op, attributes, inputs, outputs) => {
        const sources = inputs.map((id) => this.source(id));
        const made = engine.executeOp(op, attributes, inputs, outputs);
        const index = this.nodes.push({
          kind: 'op',
          op,
          attributes: attributes.map((attribute) => ({ ...attribute })),
          inputs: sources,
        });
        made.forEach(({ id }, output) => {
          this.know(id, { kind: 'node', index: index - 1, output });
        });
        return made;
      },
      createTensor: (shape, dtype, values) => {
        const id = engine.createTensor(shape, dtype, values);
        this.#constant(id, shape, dtype, values);
        return id;
      },
      tensorDataSync: () => {
        throw new DragomanError('engine', 'expected a step that reads no value back, got one that does');
      },
    };
    // The addon's properties cannot be overwritten, but an object that inherits the others can have its own.
    return Object.create(
      engine,
      Object.fromEntries(Object.entries(overrides).map(([name, value]) => [name, { value }])),
    ) as Binding;
  }

  #constant(id: number, shape: readonly number[], dtype: number, values: ArrayBufferView): Source {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const index = this.nodes.push({ kind: 'constant', shape: [...shape], dtype, bytes }) - 1;
    const source = { kind: 'node', index, output: 0 } as const;
    this.know(id, source);
    return source;
  }
}
