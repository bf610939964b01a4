import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Ended, type Program, program } from './child.ts'

let scenes: Program
beforeAll(async () => {
  scenes = await program('programs/workers.ts')
})
afterAll(() => scenes.remove())

/** The lines that a scene prints, once its process has ended by itself and in peace. */
async function lines(scene: string): Promise<string[]> {
  const { code, stdout, stderr } = await scenes.run(scene)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trimEnd().split('\n')
}

describe('a process ends by itself', () => {
  it('while its workers are idle', async () => {
    expect(await lines('idle')).toEqual(['ready'])
  })

  it('after its workers have worked', async () => {
    expect(await lines('used')).toEqual(['done'])
  })

  it('with several backends at once, which compute the same and apart', async () => {
    expect(await lines('two at once')).toEqual(['1'])
  })

  it('when a backend is disposed, twice even, after which it says so', async () => {
    expect(await lines('is disposed')).toEqual([
      'BackendError: cpu: this backend was disposed; make a new one with await cpu()',
    ])
  })

  it("with the code of the user's own error", async () => {
    const { code, stderr }: Ended = await scenes.run('fails')
    expect(code).toBe(1)
    expect(stderr).toContain('Error: of the user')
  })
})

describe('workers that are lost', () => {
  it('make every shared job an error that says which one ended, and none a job of one thread', async () => {
    const error = 'BackendError: cpu: worker 2 of 2 ended, exit code 1; make a new backend with await cpu()'
    expect(await lines('a worker ends')).toEqual([error, error, '1', 'true'])
  })

  it('hold up nobody before the event loop has told of them', async () => {
    expect(await lines('a worker ends and nobody has heard of it')).toEqual([
      'true',
      'BackendError: cpu: worker 1 of 1 ended, exit code 1; make a new backend with await cpu()',
    ])
  })

  it('in the middle of a chunk are an error while the main thread is blocked', async () => {
    const error =
      'BackendError: cpu: a worker has stopped in the middle of its work; make a new backend with await cpu()'
    expect(await lines('a worker ends in the middle of a chunk')).toEqual([error, 'true', error, '3', 'true'])
  })

  it('are not those that take long', async () => {
    expect(await lines('a worker takes long')).toEqual(['true', '2'])
  })

  it('by a trap, or a main thread that traps, are an error and never a wrong result', async () => {
    const { code, stdout } = await scenes.run('a kernel traps')
    expect(code).not.toBeNull()
    const [first, ...more] = stdout.trimEnd().split('\n')
    expect(first).toMatch(/^(RuntimeError: memory access out of bounds|BackendError: cpu: )/)
    expect(more.at(-1)).toBe('true')
    expect(await lines('the main thread traps alone')).toEqual(['true', '0'])
  })

  it.each([
    ['workers do not start', 'no more threads'],
    ['workers end before they are ready', 'one ended with exit code \\d'],
    ['workers fail before they are ready', 'WebAssembly\\.instantiate.*'],
  ])('from the beginning are an error: %s', async (scene, why) => {
    expect(await lines(scene)).toEqual([
      expect.stringMatching(
        new RegExp(`^BackendError: cpu: its workers do not start, ${why}; use cpu\\(\\{ threads: 1 \\}\\)$`),
      ),
    ])
  })
})
