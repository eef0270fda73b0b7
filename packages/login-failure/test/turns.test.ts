import { describe, expect, test } from 'vitest'
import { Turns } from '../src/turns.js'

const ticks = () => new Promise(setImmediate)

describe('turns', () => {
  test('callers get what they wait for in the order they came, one try at a time', async () => {
    const turns = new Turns(5_000, 100)
    const order: number[] = []
    let [free, trying] = [0, 0]
    const take = (n: number) =>
      turns.take(['a'], async () => {
        trying += 1
        expect(trying).toBe(1)
        await ticks()
        trying -= 1
        if (free === 0) return undefined
        free -= 1
        order.push(n)
        return n
      })
    const all = Promise.all(Array.from({ length: 8 }, (_, n) => take(n)))
    while (order.length < 8) {
      free += 1
      turns.changed(['a'])
      await ticks()
    }
    expect(await all).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  test('whoever needs one of several things is woken by each of them', async () => {
    const turns = new Turns(60_000, 100)
    let free = false
    let tries = 0
    const waiting = turns.take(['user', 'network'], async () => {
      tries += 1
      return free || undefined
    })
    // Behind a few looks the next one is far away, so only being woken can be this quick.
    await expect.poll(() => tries, { timeout: 5_000 }).toBeGreaterThan(5)
    free = true
    const seen = tries
    turns.changed(['network'])
    await ticks()
    expect(tries).toBe(seen + 1)
    expect(await waiting).toBe(true)
  })

  test('something given back during a try is not missed', async () => {
    const turns = new Turns(60_000, 100)
    let [tries, pauses] = [0, 0]
    const timer = setInterval(() => {
      pauses += 1
    })
    await turns.take(['a'], async () => {
      tries += 1
      if (tries === 1) turns.changed(['a'])
      return tries === 2 || undefined
    })
    clearInterval(timer)
    expect(tries).toBe(2)
    expect(pauses).toBe(0)
  })

  test('who needs other things does not wait', async () => {
    const turns = new Turns(5_000, 0)
    const never = turns.take(['a'], () => new Promise<undefined>(() => {}))
    expect(await turns.take(['b'], async () => 'b')).toBe('b')
    expect(await turns.take(['a', 'b'], async () => 'both')).toBe('both')
    expect(await turns.take(['a'], async () => 'a')).toBeUndefined()
    expect(never).toBeInstanceOf(Promise)
  })

  test('a try that fails lets the next one try', async () => {
    const turns = new Turns(5_000, 100)
    const broken = new Error('broken')
    const first = turns.take(['a'], () => Promise.reject(broken))
    const second = turns.take(['a'], async () => 2)
    await expect(first).rejects.toBe(broken)
    expect(await second).toBe(2)
  })
})
