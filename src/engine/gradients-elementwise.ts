import * as tf from '@tensorflow/tfjs-core';

type Rank = tf.Tensor;

/** Sums a gradient over the axes along which an operand of this shape was broadcast. */
export function unbroadcast(gradient: Rank, shape: readonly number[]): Rank {
  const added = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((size, axis) =>
    axis < added || (shape[axis - added] === 1 && size !== 1) ? [axis] : [],
  );
  const summed = axes.length > 0 ? tf.sum(gradient, axes) : gradient;
  return tf.reshape(summed, [...shape]);
}

/** The gradient y' of y = f(x) from dy and x. */
function ofInput(kernelName: string, f: (dy: Rank, x: Rank) => Rank): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ['x'],
    gradFunc: (dy, saved) => ({ x: () => f(dy as Rank, saved[0]!) }),
  };
}

/** The gradient y' of y = f(x) from dy and y. */
function ofOutput(kernelName: string, f: (dy: Rank, y: Rank) => Rank): tf.GradConfig {
  return {
    kernelName,
    outputsToSave: [true],
    gradFunc: (dy, saved) => ({ x: () => f(dy as Rank, saved[0]!) }),
  };
}

/** Steps and counts: nothing flows back. */
function zero(kernelName: string, input = 'x'): tf.GradConfig {
  return { kernelName, gradFunc: (dy) => ({ [input]: () => tf.zerosLike(dy as Rank) }) };
}

/** Both partial derivatives of z = f(a, b), before broadcasting is undone. */
function ofBoth(
  kernelName: string,
  a: (dz: Rank, a: Rank, b: Rank) => Rank,
  b: (dz: Rank, a: Rank, b: Rank) => Rank,
): tf.GradConfig {
  return {
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, saved) => {
      const [left, right] = saved as [Rank, Rank];
      return {
        a: () => unbroadcast(a(dy as Rank, left, right), left.shape),
        b: () => unbroadcast(b(dy as Rank, left, right), right.shape),
      };
    },
  };
}

/** dz where the condition holds, 0 elsewhere. */
function only(condition: Rank, dz: Rank): Rank {
  return tf.mul(dz, tf.cast(condition, 'float32'));
}

/** Gradients of the functions that work element by element; at a kink, that of one side. */
export const elementwiseGradients: readonly tf.GradConfig[] = [
  ofBoth(
    tf.Add,
    (dz) => dz,
    (dz) => dz,
  ),
  ofBoth(
    tf.Sub,
    (dz) => dz,
    (dz) => tf.neg(dz),
  ),
  ofBoth(
    tf.Multiply,
    (dz, _, b) => tf.mul(dz, b),
    (dz, a) => tf.mul(dz, a),
  ),
  ofBoth(
    tf.RealDiv,
    (dz, _, b) => tf.div(dz, b),
    (dz, a, b) => tf.neg(tf.div(tf.mul(dz, a), tf.square(b))),
  ),
  ofBoth(
    tf.SquaredDifference,
    (dz, a, b) => tf.mul(dz, tf.mul(2, tf.sub(a, b))),
    (dz, a, b) => tf.mul(dz, tf.mul(2, tf.sub(b, a))),
  ),
  ofBoth(
    tf.Maximum,
    (dz, a, b) => only(tf.greaterEqual(a, b), dz),
    (dz, a, b) => only(tf.less(a, b), dz),
  ),
  ofBoth(
    tf.Minimum,
    (dz, a, b) => only(tf.lessEqual(a, b), dz),
    (dz, a, b) => only(tf.greater(a, b), dz),
  ),
  {
    kernelName: tf.Pow,
    inputsToSave: ['a', 'b'],
    outputsToSave: [true],
    gradFunc: (dy, saved) => {
      const [a, b, y] = saved as [Rank, Rank, Rank];
      const dz = dy as Rank;
      return {
        a: () => unbroadcast(tf.mul(dz, tf.mul(b, tf.pow(a, tf.sub(b, 1)))), a.shape),
        // ln a exists for positive a only; elsewhere a power with a varying exponent has no gradient.
        b: () => {
          const logarithm = tf.where(tf.greater(a, 0), tf.log(a), tf.zerosLike(a));
          return unbroadcast(tf.mul(dz, tf.mul(y, logarithm)), b.shape);
        },
      };
    },
  },
  ofInput(tf.Abs, (dy, x) => tf.mul(dy, tf.sign(x))),
  ofInput(tf.Neg, (dy) => tf.neg(dy)),
  ofInput(tf.Square, (dy, x) => tf.mul(dy, tf.mul(2, x))),
  ofOutput(tf.Sqrt, (dy, y) => tf.div(dy, tf.mul(2, y))),
  ofOutput(tf.Rsqrt, (dy, y) => tf.mul(dy, tf.mul(-0.5, tf.mul(y, tf.square(y))))),
  ofOutput(tf.Reciprocal, (dy, y) => tf.neg(tf.mul(dy, tf.square(y)))),
  ofOutput(tf.Exp, (dy, y) => tf.mul(dy, y)),
  ofOutput(tf.Expm1, (dy, y) => tf.mul(dy, tf.add(y, 1))),
  ofInput(tf.Log, (dy, x) => tf.div(dy, x)),
  ofInput(tf.Log1p, (dy, x) => tf.div(dy, tf.add(x, 1))),
  ofInput(tf.Sin, (dy, x) => tf.mul(dy, tf.cos(x))),
  ofInput(tf.Cos, (dy, x) => tf.neg(tf.mul(dy, tf.sin(x)))),
  ofOutput(tf.Tanh, (dy, y) => tf.mul(dy, tf.sub(1, tf.square(y)))),
  ofOutput(tf.Sigmoid, (dy, y) => tf.mul(dy, tf.mul(y, tf.sub(1, y)))),
  ofInput(tf.Softplus, (dy, x) => tf.mul(dy, tf.sigmoid(x))),
  ofInput(tf.Relu, (dy, x) => only(tf.greater(x, 0), dy)),
  ofOutput(tf.Elu, (dy, y) => tf.mul(dy, tf.minimum(tf.add(y, 1), 1))),
  {
    kernelName: tf.LeakyRelu,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const { alpha } = attrs as unknown as tf.LeakyReluAttrs;
      return { x: () => tf.where(tf.greater(saved[0]!, 0), dy as Rank, tf.mul(dy as Rank, alpha)) };
    },
  },
  {
    kernelName: tf.ClipByValue,
    inputsToSave: ['x'],
    gradFunc: (dy, saved, attrs) => {
      const { clipValueMin, clipValueMax } = attrs as unknown as tf.ClipByValueAttrs;
      const x = saved[0]!;
      const inside = (): Rank =>
        tf.logicalAnd(tf.greaterEqual(x, clipValueMin), tf.lessEqual(x, clipValueMax));
      return { x: () => only(inside(), dy as Rank) };
    },
  },
  {
    kernelName: tf.Select,
    inputsToSave: ['condition'],
    gradFunc: (dy, saved) => {
      const condition = saved[0]!;
      return {
        condition: () => tf.zerosLike(tf.cast(condition, 'float32')),
        t: () => only(condition, dy as Rank),
        e: () => only(tf.logicalNot(condition), dy as Rank),
      };
    },
  },
  { kernelName: tf.Cast, gradFunc: (dy) => ({ x: () => tf.cast(dy as Rank, 'float32') }) },
  { kernelName: tf.Identity, gradFunc: (dy) => ({ x: () => tf.clone(dy as Rank) }) },
  zero(tf.Floor),
  zero(tf.Ceil),
  zero(tf.Round),
  zero(tf.Sign),
  zero(tf.Step),
  zero(tf.ZerosLike),
  zero(tf.OnesLike),
];
