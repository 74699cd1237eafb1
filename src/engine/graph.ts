import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { DragomanError, messageOf } from '../errors.js';
import { type AttrValue, attrValue, GRAPH_TAG, type GraphNode, graphFile, shapeOf } from './graph-file.js';
import { type Binding, type Handle, nativeBackend, nativeOps } from './native.js';
import type { Program, Source } from './recording.js';
import type { Residence, ResourceVariable } from './variables.js';

/** Numbers for a graph, in JavaScript's memory. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/**
 * A program as one TensorFlow graph: a run is one call, and TensorFlow's executor starts its operations without coming
 * back to JavaScript, at a tenth of the cost. (The binding runs graphs as saved models, so the graph is written to a
 * file and loaded; the file is gone when the constructor returns.)
 */
export class Graph implements Residence {
  readonly #binding: Binding = nativeBackend().binding;
  readonly #id: number;
  readonly #variables: readonly ResourceVariable[];
  readonly #inputNames: string;
  readonly #outputNames: string;

  /**
   * @param inputs one for each input of the program, to know their shapes by
   * @param variables those of the program, in its order
   */
  constructor(program: Program, inputs: readonly HostTensor[], variables: readonly ResourceVariable[]) {
    const nodes = new GraphNodes(this.#binding, program, inputs, variables);
    this.#variables = variables.filter((_, index) => nodes.touched(index));
    this.#inputNames = inputs.map((_, k) => inputName(k)).join();
    this.#outputNames = program.outputs.map((_, k) => `out${k}:0`).join();
    this.#id = load(this.#binding, graphFile(nodes.all));
  }

  /** Runs the program on these inputs; the results live in the current tidy scope. */
  run(inputs: readonly HostTensor[]): Tensor[] {
    const binding = this.#binding;
    const moving = this.#variables.filter((variable) => variable.residence !== this);
    if (moving.length > 0) this.#moveIn(moving);
    for (const variable of this.#variables) variable.forget();
    const fed = inputs.map(({ shape, values }) =>
      binding.createTensor([...shape], typeOf(binding, values), values),
    );
    try {
      const results = binding.runSavedModel(this.#id, fed, this.#inputNames, this.#outputNames);
      return results.map((handle) => nativeOps().toTensor(handle));
    } finally {
      for (const id of fed) binding.deleteTensor(id);
    }
  }

  bringValues(): void {
    const here = this.#variables.filter((variable) => variable.residence === this);
    const names = here.map((variable) => `value${this.#variables.indexOf(variable)}:0`).join();
    this.#binding.runSavedModel(this.#id, [], '', names).forEach((handle, k) => {
      here[k]!.receive(handle);
    });
  }

  /** Frees the graph; variables that live in it take their values with them. */
  dispose(): void {
    for (const variable of this.#variables) {
      if (variable.residence === this) variable.handleForUpdate();
    }
    this.#binding.deleteSavedModel(this.#id);
  }

  #moveIn(moving: readonly ResourceVariable[]): void {
    const numbers = moving.map((variable) => this.#variables.indexOf(variable));
    const values = moving.map((variable) => nativeOps().from(variable.value()).id);
    const names = numbers.map((k) => `given${k}:0`).join();
    const done: Handle[] = this.#binding.runSavedModel(
      this.#id,
      values,
      names,
      numbers.map((k) => `moved${k}:0`).join(),
    );
    for (const { id } of done) this.#binding.deleteTensor(id);
    for (const variable of moving) variable.moveTo(this);
  }
}

function load(binding: Binding, file: Uint8Array): number {
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), 'dragoman-graph-'));
  } catch (error) {
    throw new DragomanError('engine', `cannot write temporary files, see TMPDIR: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    writeFileSync(join(folder, 'saved_model.pb'), file);
    return binding.loadSavedModel(folder, GRAPH_TAG);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function inputName(index: number): string {
  return `in${index}:0`;
}

function typeOf(binding: Binding, values: Float32Array | Int32Array): number {
  return values instanceof Float32Array ? binding.TF_FLOAT : binding.TF_INT32;
}

/** The nodes of a program's graph, and those by which variables come and go. */
class GraphNodes {
  readonly all: GraphNode[] = [];
  /** Of each variable the nodes that read it since it was last changed, and the one that changed it. */
  readonly #uses = new Map<number, { readers: string[]; writer: string | null }>();

  constructor(
    readonly binding: Binding,
    program: Program,
    inputs: readonly HostTensor[],
    variables: readonly ResourceVariable[],
  ) {
    const float = { type: binding.TF_FLOAT };
    inputs.forEach(({ shape, values }, k) => {
      const type = { type: typeOf(binding, values) };
      this.#add(`in${k}`, 'Placeholder', [], { dtype: type, shape: { shape: shapeOf(shape) } });
    });
    program.nodes.forEach((node, index) => {
      const name = `node${index}`;
      if (node.kind === 'constant') {
        const tensor = { dtype: node.dtype, tensorShape: shapeOf(node.shape), tensorContent: node.bytes };
        this.#add(name, 'Const', [], { dtype: { type: node.dtype }, value: { tensor } });
        return;
      }
      const attributes = node.attributes.map((a): [string, AttrValue] => [a.name, attrValue(binding, a)]);
      const before = node.inputs.flatMap((source) => this.#order(source, name, node.op));
      this.#add(
        name,
        node.op,
        [...node.inputs.map(inputOf), ...new Set(before)],
        Object.fromEntries(attributes),
      );
    });
    // A run gives the results of its program and has changed all that the program changes.
    const changes = [...this.#uses.values()].flatMap(({ writer }) => (writer === null ? [] : [`^${writer}`]));
    program.outputs.forEach(({ source, dtype }, k) => {
      this.#add(`out${k}`, 'Identity', [inputOf(source), ...changes], { T: { type: dtype } });
    });
    const numberOf = [...this.#uses.keys()].sort((a, b) => a - b);
    const tensor = { dtype: binding.TF_FLOAT, tensorShape: shapeOf([]), tensorContent: new Uint8Array(4) };
    this.#add('zero', 'Const', [], { dtype: float, value: { tensor } });
    numberOf.forEach((index, k) => {
      const shape = { shape: shapeOf(variables[index]!.shape) };
      const variable = inputOf({ kind: 'variable', index });
      this.#add(variable, 'VarHandleOp', [], {
        dtype: float,
        shape,
        shared_name: { s: Buffer.from(variable) },
      });
      this.#add(`given${k}`, 'Placeholder', [], { dtype: float, shape });
      this.#add(`move${k}`, 'AssignVariableOp', [variable, `given${k}`], { dtype: float });
      this.#add(`moved${k}`, 'Identity', ['zero', `^move${k}`], { T: float });
      this.#add(`value${k}`, 'ReadVariableOp', [variable], { dtype: float });
    });
  }

  /** Whether the program uses the variable at all. */
  touched(index: number): boolean {
    return this.#uses.has(index);
  }

  #add(name: string, op: string, input: readonly string[], attr: Readonly<Record<string, AttrValue>>): void {
    this.all.push({ name, op, input, attr });
  }

  /**
   * What has to run before a node that uses the source. In a graph order is only what data flow says, and a variable's
   * value does not flow: who reads it waits for the last change, who changes it for all who read it.
   */
  #order(source: Source, name: string, op: string): string[] {
    if (source.kind !== 'variable') return [];
    const uses = this.#uses.get(source.index) ?? { readers: [], writer: null };
    this.#uses.set(source.index, uses);
    const last = uses.writer === null ? [] : [`^${uses.writer}`];
    if (op === 'ReadVariableOp') {
      uses.readers.push(name);
      return last;
    }
    const before = [...last, ...uses.readers.map((reader) => `^${reader}`)];
    uses.readers = [];
    uses.writer = name;
    return before;
  }
}

function inputOf(source: Source): string {
  switch (source.kind) {
    case 'input':
      return `in${source.index}`;
    case 'variable':
      return `variable${source.index}`;
    case 'node':
      return source.output === 0 ? `node${source.index}` : `node${source.index}:${source.output}`;
  }
}
