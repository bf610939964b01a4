/** Why a browser could not keep or give a file. */
export type StorageReason = 'full' | 'unavailable' | 'failed'

/** A browser could not keep or give a file. */
export class StorageError extends Error {
  override readonly name: string = 'StorageError'
  /** `full`: no room; `unavailable`: the page may not keep files; `failed`: something else, see `cause`. */
  readonly reason: StorageReason

  constructor(message: string, reason: StorageReason, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.reason = reason
  }
}

/** Runs the body; what the browser throws becomes a {@link StorageError} that says what was tried. */
export async function understood<T>(what: string, body: () => Promise<T>, bytes = 0): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (error instanceof StorageError) throw error
    const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    if ((error as Error | null)?.name !== 'QuotaExceededError')
      throw new StorageError(
        `browserFolder: ${what} failed (${told}); open the folder again, or clear the data of this site`,
        'failed',
        error,
      )
    // What navigator.storage.estimate() says of quota is not what counts: browsers hide it.
    throw new StorageError(
      `browserFolder: no room for ${what}${bytes ? ` (${counted(bytes)} bytes)` : ''}, this site may not keep more; remove what is not needed, or ask for more with navigator.storage.persist()`,
      'full',
      error,
    )
  }
}

/** `1,234,567` */
function counted(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}
