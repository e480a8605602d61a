// Runs many at once, each taking the next piece of work when it has done one.

/** @param work resolves when this piece is done; false: there is no more */
export async function together(workers: number, work: () => Promise<boolean>): Promise<void> {
  const one = async () => {
    while (await work());
  }
  await Promise.all(Array.from({ length: workers }, one))
}

/** Fails instead of waiting for ever. */
export async function within<T>(ms: number, promise: Promise<T>, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what()}: not within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
