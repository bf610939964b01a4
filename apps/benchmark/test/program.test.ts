import { describe, expect, it } from 'vitest'
import type { PeerName } from '../src/participants.ts'
import { plan } from '../src/plan.ts'
import { benchmark } from '../src/program.ts'
import { workloads } from '../src/workloads/index.ts'

async function told(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await benchmark(argv, {
    out: text => {
      out += text
    },
    err: text => {
      err += text
    },
  })
  return { code, out, err }
}

describe('wrong input ends with code 2 and one clear line:', () => {
  it.each([
    ['a workload that there is not', ['gem'], /no workload gem; use gemm, softmax, /],
    ['a variant that there is not', ['gemm/9'], /no workload gemm\/9; gemm has 512, 256, /],
    ['no number of threads', ['--threads', 'many'], /threads.*many.*whole numbers from 1 to 32/],
    ['no threads at all', ['--threads', '0'], /whole numbers from 1 to 32/],
    ['a peer that there is not', ['--peers', 'torch,numpy'], /There is no numpy; use torch, ort-node/],
    ['an engine that there is not', ['--engines', 'turbo'], /There is no turbo; use stock, wide/],
    ['a place that there is not', ['--place', 'firefox'], /firefox.*Allowed choices are node, chromium, gpu/],
    [
      'a peer that no page runs',
      ['--place', 'chromium', '--peers', 'torch'],
      /no page runs torch; use ort-web, /,
    ],
    ['wide SIMD in a page', ['--place', 'chromium', '--engines', 'wide'], /pages have no wide SIMD/],
    [
      'processes of Node in a page',
      ['--place', 'chromium', 'cold-start'],
      /cold-start is about processes of Node/,
    ],
    [
      'a peer without a GPU backend',
      ['--place', 'gpu', '--peers', 'tfjs'],
      /no GPU backend in tfjs; use tfjs-/,
    ],
    ['a GPU peer in Node', ['--peers', 'jax-webgpu'], /Node does not run jax-webgpu; use torch, /],
    [
      'a CPU engine on a GPU',
      ['--place', 'gpu', '--engines', 'stock'],
      /no engine stock there; use webgpu, webgl2/,
    ],
    ['a GPU engine in Node', ['--engines', 'webgpu'], /no engine webgpu there; use stock, wide/],
    ['threads on a GPU', ['--place', 'gpu', '--threads', '2'], /a GPU knows no threads/],
    [
      'work for GPUs of software in Node',
      ['attention/forward-1x8x512x64'],
      /attention in that size is for GPUs of software/,
    ],
    ['no minutes', ['--minutes', 'x'], /number of 1 or more/],
    ['an option that there is not', ['--fast'], /unknown option '--fast'/],
    [
      'a file that cannot be written',
      ['--peers', 'none', '--json', '/nowhere/x.json', 'add'],
      /--json.*nowhere/,
    ],
  ])('%s', async (_, argv, words) => {
    const { code, out, err } = await told(...argv)
    expect(err).toMatch(words)
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(err).toMatch(/^bench: /)
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})

it('help names every workload and ends well', async () => {
  const { code, out } = await told('--help')
  for (const { name } of workloads) expect(out).toContain(name)
  expect(code).toBe(0)
})

describe('a plan', () => {
  const wish = {
    place: 'node' as const,
    names: [],
    threads: [1, 2],
    engines: ['stock' as const],
    peers: ['torch', 'tfjs'] as PeerName[],
  }

  it('covers the letters a to k', () => {
    const letters = new Set(plan(workloads, wish).map(cell => cell.workload.letter))
    expect([...letters].sort().join('')).toBe('abcdefghijk')
  })

  it('has what takes longer than a cell may only by its own name', () => {
    const planned = (...names: string[]): string[] =>
      plan(workloads, { ...wish, names }).map(cell => cell.variant.name)
    expect(planned('memory')).toEqual(['encoder', 'seq2seq'])
    expect(planned('memory/seq2seq-to-the-end')).toEqual(['seq2seq-to-the-end'])
    expect(plan(workloads, wish).filter(cell => cell.variant.longMs !== undefined)).toEqual([])
  })

  it('begins with one thread, and leaves out peers that have no more', () => {
    const cells = plan(workloads, wish)
    expect(cells[0]?.threads).toBe(1)
    const peersOf = (threads: number): Set<string> =>
      new Set(
        cells
          .filter(cell => cell.threads === threads)
          .flatMap(cell => cell.participants.flatMap(one => (one.kind === 'peer' ? [one.peer] : []))),
      )
    expect(peersOf(1)).toEqual(new Set(['torch', 'tfjs']))
    expect(peersOf(2)).toEqual(new Set(['torch']))
  })

  it('has in pages only what runs there, with threads where they have them', () => {
    const peers: PeerName[] = ['torch', 'ort-node', 'ort-web', 'jax-js', 'tfjs', 'js-pytorch']
    const cells = plan(workloads, { ...wish, peers, place: 'chromium' })
    const kinds = new Set(cells.map(cell => cell.variant.kind))
    expect(kinds).toEqual(new Set([undefined, 'memory']))
    const peersOf = (threads: number): Set<string> =>
      new Set(
        cells
          .filter(cell => cell.threads === threads)
          .flatMap(cell => cell.participants.flatMap(one => (one.kind === 'peer' ? [one.peer] : []))),
      )
    expect(peersOf(1)).toEqual(new Set(['ort-web', 'jax-js', 'tfjs', 'js-pytorch']))
    expect(peersOf(2)).toEqual(new Set(['ort-web', 'jax-js', 'tfjs']))
  })

  describe('for a GPU', () => {
    const peers: PeerName[] = ['tfjs', 'tfjs-webgl', 'jax-webgpu', 'ort-webgpu']
    const gpu = { place: 'gpu' as const, names: [], threads: [1], engines: ['webgpu' as const], peers }
    const names = (software: boolean, named: string[] = []): string[] =>
      plan(workloads, { ...gpu, software, names: named }).map(
        ({ workload, variant }) => `${workload.name}/${variant.name}`,
      )

    it('covers the letters a to f and h', () => {
      for (const software of [true, false]) {
        const letters = plan(workloads, { ...gpu, software }).map(cell => cell.workload.letter)
        expect([...new Set(letters)].sort().join('')).toBe('abcdefh')
      }
    })

    it('of software has smaller work, and the full one where it is named', () => {
      expect(names(true)).toContain('attention/forward-1x8x512x64')
      expect(names(true)).not.toContain('attention/forward')
      expect(names(false)).toContain('attention/forward')
      expect(names(false)).not.toContain('attention/forward-1x8x512x64')
      expect(names(true, ['attention/forward', 'softmax'])).toEqual([
        'softmax/4096x1024',
        'attention/forward',
      ])
    })

    it('says which peers have no version, and takes none that computes elsewhere', () => {
      const [cell] = plan(workloads, { ...gpu, names: ['encoder/training-step'] })
      expect(cell?.unable).toEqual(['ort-webgpu'])
      expect(cell?.participants).toEqual([
        { kind: 'heed', engine: 'webgpu' },
        { kind: 'peer', peer: 'tfjs-webgl' },
        { kind: 'peer', peer: 'jax-webgpu' },
      ])
    })
  })

  it('has Heed first in every cell', () => {
    for (const { participants } of plan(workloads, wish)) expect(participants[0]?.kind).toBe('heed')
  })

  it('takes one variant by name', () =>
    expect(plan(workloads, { ...wish, names: ['gemm/512'], threads: [1] })).toHaveLength(1))
})
