import { gather, type Tensor2D, tensor1d, tidy } from '@tensorflow/tfjs-core';
import type { State } from '../cell/cell.js';
import { hasCompiledKernels } from '../engine/compiled-kernels.js';
import { CompiledDecoder } from '../kernel/compiled-decoder.js';
import { CompiledForcing } from '../kernel/compiled-forcing.js';
import { DecoderStepKernel } from '../kernel/decoder-step.js';
import { PackedDecoder } from '../kernel/packed-decoder.js';
import type { StepParts, StepSource } from '../kernel/step-parts.js';
import { ArrayState } from './array-state.js';
import type { Decoder } from './decoder.js';
import type { OutputLayer } from './output-layer.js';
import type { Weights } from './parameters.js';
import type { SearchState } from './search-state.js';
import { TensorState } from './tensor-state.js';

/** What one step gives. */
interface Stepped {
  readonly state: SearchState;
  /** `[rows, vocabulary]` */
  readonly logits: Tensor2D;
  /** Attention weights `[rows, source]`; null without attention. */
  readonly weights: Tensor2D | null;
}

/** Runs a decoder with its embedding and output layer one step at a time: as one kernel where there is one. */
export class DecoderSteps {
  readonly #kernel = new DecoderStepKernel();
  #packed: PackedDecoder | null = null;
  #compiled: CompiledDecoder | null = null;
  #forcing: CompiledForcing | null = null;

  /** @param table name of the embedding table of the target */
  constructor(
    private readonly decoder: Decoder,
    private readonly layer: OutputLayer,
    private readonly table: string,
  ) {}

  /**
   * The state for the compiled kernels, which consumes the one that is given; null, with that as it was, where they do not run
   * this decoder.
   */
  inArrays(w: () => Weights, old: SearchState): ArrayState | null {
    if (old instanceof ArrayState) return old;
    const decoder = old instanceof TensorState ? this.compiled(w()) : null;
    if (decoder === null) return null;
    const state = ArrayState.from(old as TensorState, decoder, this.decoder.stateNames);
    old.release();
    return state;
  }

  /** The decoder for the compiled kernels; null where they do not run it. */
  compiled(w: Weights): CompiledDecoder | null {
    const packed = this.#packedWeights(w);
    if (packed === null) return null;
    this.#compiled ??= new CompiledDecoder(packed);
    return this.#compiled;
  }

  /** The decoder over whole targets for the compiled kernels; null where they do not run it so. */
  forcing(w: Weights): CompiledForcing | null {
    const packed = this.#packedWeights(w);
    if (packed === null || packed.parts.inputFeeding) return null;
    this.#forcing ??= new CompiledForcing(packed);
    return this.#forcing;
  }

  /** The next step from tensors, which consumes the state. @param previous `[rows]` */
  step(w: Weights, old: TensorState, previous: Int32Array): Stepped {
    const parts = DecoderStepKernel.isHere ? this.#parts(w) : null;
    const result = parts === null ? this.#composed(w, old, previous) : this.#fused(parts, old, previous);
    for (const tensor of Object.values(old.parts.state)) tensor.dispose();
    return result;
  }

  /** Frees what was derived from the parameters. */
  forget(): void {
    this.#kernel.forget();
    this.#forgetPacked();
  }

  #forgetPacked(): void {
    this.#packed = null;
    this.#compiled = null;
    this.#forcing = null;
  }

  /** The parameters as they are now, for the compiled kernels. */
  #packedWeights(w: Weights): PackedDecoder | null {
    const parts = hasCompiledKernels() ? this.#parts(w) : null;
    if (parts === null) return null;
    if (this.#packed?.isOf(parts) !== true) {
      this.#forgetPacked();
      this.#packed = new PackedDecoder(parts);
    }
    return this.#packed;
  }

  /** From single operations: the reference, and what runs where there is no kernel for the whole. */
  #composed(w: Weights, old: TensorState, previous: Int32Array): Stepped {
    const result = tidy(() => {
      const y = gather(w[this.table] as Tensor2D, tensor1d(previous, 'int32')); // [rows, embedding]
      const { state, output, weights } = this.decoder.step(w, y, old.inPlace(), sourceOf(old));
      const tensors = { state, logits: this.layer.logits(w, output) };
      return weights === null ? tensors : { ...tensors, weights };
    }) as { state: State; logits: Tensor2D; weights?: Tensor2D };
    return {
      state: new TensorState({ ...old.parts, state: result.state, rows: null }),
      logits: result.logits,
      weights: result.weights ?? null,
    };
  }

  #fused(parts: StepParts, old: TensorState, previous: Int32Array): Stepped {
    const names = this.decoder.stateNames;
    const before = names.map((name) => old.parts.state[name]!);
    const { state, logits, weights } = this.#kernel.step(
      parts,
      before,
      old.parts.rows,
      previous,
      sourceOf(old),
    );
    const after = Object.fromEntries(names.map((name, k) => [name, state[k]!]));
    return { state: new TensorState({ ...old.parts, state: after, rows: null }), logits, weights };
  }

  #parts(w: Weights): StepParts | null {
    const parts = this.decoder.stepParts(w);
    if (parts === null) return null;
    return { ...parts, table: w[this.table] as Tensor2D, output: this.layer.parts(w) };
  }
}

function sourceOf({ parts: { source, summary } }: TensorState): StepSource {
  return {
    summary,
    attention: 'memory' in source ? (source as unknown as StepSource['attention']) : null,
  };
}
