/** How many turns of the event loop others had while something was done. */
export async function turnsOfOthers<T>(work: () => Promise<T>): Promise<{ answer: T; turns: number }> {
  let [turns, isOver] = [0, false]
  const count = () => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  try {
    return { answer: await work(), turns }
  } finally {
    isOver = true
  }
}
