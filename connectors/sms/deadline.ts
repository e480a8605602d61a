// A wait that ends.

/** What the promise gives, or an error after so many milliseconds; what it does later is nobody's concern. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('It took too long.')), milliseconds)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
