// Work shared among threads. All threads run this module on one memory; thread 0 is JavaScript's own.
//
// A job is a task (a function of chunk and thread) and a number of chunks. Threads take chunks from a common counter, so
// one that is interrupted holds nobody up. Which thread computes a chunk, and how many there are, never changes a result.

// Words of the first page, each on a cache line of its own. Memory below 4096 belongs to this file and to arguments.
const GENERATION: usize = 64 // counts jobs; sleepers wait for it to change
const NEXT: usize = 128 // the next chunk to take
const ACTIVE: usize = 192 // a bit for each worker that may be inside the job; the main thread waits until none of them works
const OPEN: usize = 256 // 1 while chunks may be taken
const TASK: usize = 260
const CHUNKS: usize = 264
const SLEEPERS: usize = 320
const MAIN_SLEEPS: usize = 324
const LOST: usize = 384 // a bit for each worker that trapped or ended, and will not work again
const QUIT: usize = 388
/** What the task reads: up to 128 words. */
const ARGUMENTS: usize = 512
/** One page of 256 bytes for each thread, for what a task wants to point to. */
const CORNER: usize = 1024

/** Below that many picoseconds of work a job is not shared: waking a thread costs as much. */
const WORTH_WAKING: f64 = 50e6
/** The same where all threads are awake, waiting for the next job. */
const WORTH_SHARING: f64 = 15e6
/** How often a thread looks before it goes to sleep: a thousandth of a second, more or less. */
const PATIENCE: i32 = 1 << 19
/** The main thread sleeps for a tenth of a second at a time; after so many rounds it has somebody look after the workers. */
const DOUBT: i32 = 2

let team: i32 = 1
let mayWait: bool = false

/** Throws a BackendError in JavaScript. */
@external('env', 'failed')
declare function failed(): void

/**
 * The main thread waits for long: a worker may have ended, which its own event loop could not hear of. JavaScript has another
 * thread watch, which writes into LOST.
 */
@external('env', 'doubt')
declare function doubt(): void

/** How many threads there are, and whether the main one is allowed to sleep. */
export function assemble(threads: i32, mainMayWait: bool): void {
  team = threads
  mayWait = mainMayWait
}

@inline export function put<T>(word: usize, value: T): void {
  store<T>(ARGUMENTS + (word << 2), value)
}

@inline export function arg<T>(word: usize): T {
  return load<T>(ARGUMENTS + (word << 2))
}

/** Where argument words are, for lists of them that JavaScript writes. */
@inline export function argAddress(word: usize): usize {
  return ARGUMENTS + (word << 2)
}

/** 256 bytes of a thread's own. */
@inline export function corner(thread: i32): usize {
  return CORNER + (<usize>thread << 8)
}

/** How many threads may run a job of that much work: for jobs that need memory for each. */
export function hands(picoseconds: f64): i32 {
  return picoseconds < WORTH_SHARING ? 1 : team
}

@inline function worthSharing(picoseconds: f64): bool {
  return picoseconds >= WORTH_WAKING || (picoseconds >= WORTH_SHARING && atomic.load<i32>(SLEEPERS) == 0)
}

/** Runs all chunks of a task, on as many threads as it is worth. */
export function share(task: i32, chunks: i32, picoseconds: f64): void {
  if (team == 1 || chunks < 2 || !worthSharing(picoseconds)) {
    for (let chunk = 0; chunk < chunks; chunk++) call_indirect<void>(task, chunk, 0)
    return
  }
  if (atomic.load<i32>(LOST)) failed()
  store<i32>(TASK, task)
  store<i32>(CHUNKS, chunks)
  atomic.store<i32>(NEXT, 0)
  atomic.store<i32>(OPEN, 1)
  atomic.add<i32>(GENERATION, 1)
  if (atomic.load<i32>(SLEEPERS)) atomic.notify(GENERATION, team)
  takeChunks(0)
  atomic.store<i32>(OPEN, 0)
  // A worker that arrives from here on finds the job closed and leaves: see work().
  waitForWorkers()
  if (atomic.load<i32>(LOST)) failed()
}

/** Ends a job that the main thread has left by an error. */
export function settle(): void {
  if (atomic.load<i32>(OPEN) == 0) return
  atomic.store<i32>(OPEN, 0)
  atomic.store<i32>(NEXT, load<i32>(CHUNKS)) // workers finish the chunks that they have begun
  waitForWorkers()
}

function takeChunks(thread: i32): void {
  const task = load<i32>(TASK)
  const chunks = load<i32>(CHUNKS)
  for (let chunk = atomic.add<i32>(NEXT, 1); chunk < chunks; chunk = atomic.add<i32>(NEXT, 1))
    call_indirect<void>(task, chunk, thread)
}

/** The workers that are inside the job and will leave it. */
@inline function working(): i32 {
  return atomic.load<i32>(ACTIVE) & ~atomic.load<i32>(LOST)
}

/** However long a living worker takes, it is waited for: it writes into memory until it is done. */
function waitForWorkers(): void {
  for (let i = 0; i < PATIENCE; i++) if (atomic.load<i32>(ACTIVE) == 0) return
  if (!mayWait) {
    while (working()) {}
    return
  }
  atomic.store<i32>(MAIN_SLEEPS, 1)
  for (let round = 1; working(); round++) {
    const active = atomic.load<i32>(ACTIVE)
    if (active) atomic.wait<i32>(ACTIVE, active, 100_000_000)
    if (round == DOUBT) doubt()
  }
  atomic.store<i32>(MAIN_SLEEPS, 0)
}

/** The life of a worker: waits for jobs and helps, until it is told to quit. */
export function work(thread: i32): void {
  let seen = 0
  while (true) {
    seen = nextGeneration(seen)
    if (atomic.load<i32>(QUIT)) return
    atomic.or<i32>(ACTIVE, 1 << thread)
    // Only now is it safe to look: the main thread does not begin another job before ACTIVE is back at 0.
    if (atomic.load<i32>(OPEN)) takeChunks(thread)
    leave(thread)
  }
}

function leave(thread: i32): void {
  atomic.and<i32>(ACTIVE, ~(1 << thread))
  if (atomic.load<i32>(MAIN_SLEEPS)) atomic.notify(ACTIVE, 1)
}

function nextGeneration(seen: i32): i32 {
  for (let i = 0; i < PATIENCE; i++) {
    const generation = atomic.load<i32>(GENERATION)
    if (generation != seen) return generation
  }
  atomic.add<i32>(SLEEPERS, 1)
  while (atomic.load<i32>(GENERATION) == seen) atomic.wait<i32>(GENERATION, seen, -1)
  atomic.sub<i32>(SLEEPERS, 1)
  return atomic.load<i32>(GENERATION)
}

/** A worker whose task has trapped: the main thread shall neither wait for it nor trust the result. */
export function collapse(thread: i32): void {
  reportLoss(thread)
  leave(thread)
}

/** A worker has ended. */
export function reportLoss(thread: i32): void {
  atomic.or<i32>(LOST, 1 << thread)
}

/** Where who watches the workers sets the bit of one that ended. */
export function lossAddress(): usize {
  return LOST
}

/** Sends all workers home. */
export function dismiss(): void {
  atomic.store<i32>(QUIT, 1)
  atomic.add<i32>(GENERATION, 1)
  atomic.notify(GENERATION, team)
}
