// Waits for what becomes true, without sleeping longer than it takes.

/** Repeats `check` until it neither throws nor answers false; fails with its last error after `ms` milliseconds. */
export async function eventually(check: () => unknown, ms = 10_000): Promise<void> {
  const end = performance.now() + ms
  for (;;)
    try {
      if ((await check()) === false) throw new Error(`Not within ${ms} ms: ${check.toString()}`)
      return
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
}
