/**
 * Starts `count` calls in one tick and waits for all of them.
 *
 * @throws the first failure, after every call has ended
 */
export async function together<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const settled = await Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)))
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason
    return one.value
  })
}
