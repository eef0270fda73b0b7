/**
 * Starts `count` calls in one tick and waits for all of them.
 *
 * @throws the first failure, after every call has ended
 */
export async function together<T>(count: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const settled = await Promise.allSettled(Array.from({ length: count }, (_, index) => call(index)))
  return settled.map((item) => {
    if (item.status === 'rejected') throw item.reason
    return item.value
  })
}
