let enabled = true

/** Whether operations note what gradients will need. */
export function gradEnabled(): boolean {
  return enabled
}

/** Runs the body without noting anything for gradients: for evaluation and generation. The body may be async. */
export function noGrad<T>(body: () => T): T {
  return withGrad(false, body)
}

/** @internal */
export function withGrad<T>(on: boolean, body: () => T): T {
  const outer = enabled
  enabled = on
  let result: T
  try {
    result = body()
  } catch (error) {
    enabled = outer
    throw error
  }
  if (result instanceof Promise)
    return result.finally(() => {
      enabled = outer
    }) as T
  enabled = outer
  return result
}
