import { type Untyped, type Variant, variant, type Workload } from '../workload.ts'

// (a) Matrix products: plain, with one side transposed, and many at once.

const ONE = 1e-5 // float32 sums of up to 1024 products

function plain(m: number, k: number, n: number): Variant {
  const square = m === k && k === n
  return variant({
    name: square ? `${n}` : `${m}x${k}x${n}`,
    inputs: draw => ({ x: draw.normal([m, k]), y: draw.normal([k, n]) }),
    tolerance: ONE,
    gpu: 'any',
    flops: 2 * m * k * n,
    ...(square ? { along: { chart: 'Matrix product', axis: 'size', at: n } } : {}),
    heed:
      ({ x, y }) =>
      () => ({ z: x.matmul(y) }),
    peers: {
      tfjs: (tf, { x, y }) => {
        return () => ({ z: tf.matMul(x, y) })
      },
      jax: ({ numpy: np }, { x, y }) => {
        return () => ({ z: np.matmul(x.ref, y.ref) })
      },
      // 2 s and more a product of 512
      ...(n <= 256
        ? {
            jsPytorch:
              (torch, { x, y }) =>
              () => ({ z: torch.matmul(x, y) }),
          }
        : {}),
      ort: { feeds: ['x', 'y'], build: graph => ({ z: graph.op('MatMul', ['x', 'y']) }) },
      torch: `
def make(a):
    x, y = a['x'], a['y']
    return torch.no_grad()(lambda: dict(z=x @ y))`,
    },
  })
}

/** `x yᵀ`: what every linear layer computes. */
function transposedRight(n: number): Variant {
  return variant({
    name: `${n}-right-transposed`,
    inputs: draw => ({ x: draw.normal([n, n]), y: draw.normal([n, n]) }),
    tolerance: ONE,
    gpu: 'any',
    flops: 2 * n ** 3,
    heed:
      ({ x, y }) =>
      () => ({ z: x.matmul(y.transpose()) }),
    peers: {
      tfjs: (tf, { x, y }) => {
        return () => ({ z: tf.matMul(x, tf.transpose(y)) }) // ten times faster than its own flag
      },
      jax: ({ numpy: np, jit }, { x, y }) => {
        const f = jit((a: Untyped, b: Untyped) => np.matmul(a, np.transpose(b)))
        return () => ({ z: f(x.ref, y.ref) })
      },
      ort: {
        feeds: ['x', 'y'],
        build: graph => ({ z: graph.op('Gemm', ['x', 'y'], { transB: 1 }) }),
      },
      torch: `
def make(a):
    x, y = a['x'], a['y']
    return torch.no_grad()(lambda: dict(z=x @ y.T))`,
    },
  })
}

/** `xᵀ y`: what the gradient of every weight computes. */
function transposedLeft(n: number): Variant {
  return variant({
    name: `${n}-left-transposed`,
    inputs: draw => ({ x: draw.normal([n, n]), y: draw.normal([n, n]) }),
    tolerance: ONE,
    gpu: 'any',
    flops: 2 * n ** 3,
    heed:
      ({ x, y }) =>
      () => ({ z: x.transpose().matmul(y) }),
    peers: {
      tfjs: (tf, { x, y }) => {
        return () => ({ z: tf.matMul(tf.transpose(x), y) })
      },
      jax: ({ numpy: np, jit }, { x, y }) => {
        const f = jit((a: Untyped, b: Untyped) => np.matmul(np.transpose(a), b))
        return () => ({ z: f(x.ref, y.ref) })
      },
      ort: {
        feeds: ['x', 'y'],
        build: graph => ({ z: graph.op('Gemm', ['x', 'y'], { transA: 1 }) }),
      },
      torch: `
def make(a):
    x, y = a['x'], a['y']
    return torch.no_grad()(lambda: dict(z=x.T @ y))`,
    },
  })
}

/** Many products at once, with flops as one of 512. */
function batched(batch: number, n: number): Variant {
  return variant({
    name: `${batch}x${n}-batched`,
    inputs: draw => ({ x: draw.normal([batch, n, n]), y: draw.normal([batch, n, n]) }),
    tolerance: ONE,
    gpu: 'any',
    flops: 2 * batch * n ** 3,
    heed:
      ({ x, y }) =>
      () => ({ z: x.matmul(y) }),
    peers: {
      tfjs: (tf, { x, y }) => {
        return () => ({ z: tf.matMul(x, y) })
      },
      jax: ({ numpy: np }, { x, y }) => {
        return () => ({ z: np.matmul(x.ref, y.ref) })
      },
      ort: { feeds: ['x', 'y'], build: graph => ({ z: graph.op('MatMul', ['x', 'y']) }) },
      torch: `
def make(a):
    x, y = a['x'], a['y']
    return torch.no_grad()(lambda: dict(z=x @ y))`,
    },
  })
}

export const gemm: Workload = {
  name: 'gemm',
  letter: 'a',
  title: 'Matrix product',
  variants: [
    plain(512, 512, 512),
    plain(256, 256, 256),
    plain(1024, 1024, 1024),
    plain(64, 512, 1024),
    transposedRight(512),
    transposedLeft(512),
    batched(8, 256),
    { ...plain(128, 128, 128), threads: 'one' },
  ],
}
