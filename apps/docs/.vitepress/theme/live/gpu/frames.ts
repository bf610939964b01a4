/** Measures how long the page goes without a frame. */
export class Frames {
  /** Milliseconds of the longest time between two frames since {@link restart}. */
  longest = 0
  #last = Number.NaN
  #request = 0

  /** @param onFrame called at each frame, with the time in milliseconds */
  start(onFrame: (now: number) => void): void {
    const frame = (now: number): void => {
      // Where the page is hidden there are no frames, which says nothing about it.
      if (document.hidden) this.#last = Number.NaN
      else {
        if (!Number.isNaN(this.#last)) this.longest = Math.max(this.longest, now - this.#last)
        this.#last = now
      }
      onFrame(now)
      this.#request = requestAnimationFrame(frame)
    }
    document.addEventListener('visibilitychange', this.#forget)
    this.#request = requestAnimationFrame(frame)
  }

  restart(): void {
    this.longest = 0
  }

  stop(): void {
    cancelAnimationFrame(this.#request)
    document.removeEventListener('visibilitychange', this.#forget)
  }

  readonly #forget = (): void => {
    this.#last = Number.NaN
  }
}
