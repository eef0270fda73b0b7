/** Runs `work` for 0 to `count - 1`, many at a time. */
export async function forEach(
  count: number,
  work: (n: number) => Promise<unknown>,
  callers = 64,
): Promise<void> {
  let next = 0
  const caller = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}
