import assert from 'node:assert/strict'
import { together } from '@authstate/conformance'
import { LoaderTimeoutError } from '@authstate/spi'
import { type Add, heldLoad } from './fixture.js'

export function source(add: Add): void {
  add.faults(
    'get: when the loader throws, everyone who waited gets the error and nothing is kept',
    '§15.2',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      const held = heldLoad()
      const answers = Promise.allSettled(Array.from({ length: 5 }, () => region.get('k', held.load)))
      const error = new Error('the database is away')
      held.fail(error)
      for (const answer of await answers) assert.deepEqual(answer, { status: 'rejected', reason: error })
      assert.equal(held.calls, 1)
      assert.equal(await region.get('k', () => 'back'), 'back')
      assert.equal(region.stats().loadFailures, 1)
    },
  )

  add.faults('get: a loader that throws at once is no different', '§15.2', async ({ provider }) => {
    const region = provider.region<string>('realms')
    const load = () => {
      throw new Error('at once')
    }
    await assert.rejects(region.get('k', load), /at once/)
    assert.equal(region.stats().size, 0)
  })

  add.faults(
    'loadTimeoutMs: a loader that never returns is given up, its signal says so, and so does the error',
    '§15',
    async ({ provider }) => {
      const region = provider.region<string>('hanging', { loadTimeoutMs: 20 })
      let aborted = false
      const never = ({ signal }: { readonly signal: AbortSignal }) => {
        signal.addEventListener('abort', () => {
          aborted = true
        })
        return new Promise<string>(() => {})
      }
      const answers = await Promise.allSettled([region.get('k', never), region.get('k', never)])
      for (const answer of answers) {
        assert.ok(answer.status === 'rejected' && answer.reason instanceof LoaderTimeoutError)
        assert.match(answer.reason.message, /the loader of the application gave no answer within 20 ms/)
      }
      assert.equal(aborted, true)
      assert.equal(await region.get('k', () => 'v'), 'v')
    },
  )

  add.faults('loadTimeoutMs: what a loader brings too late is dropped', '§15', async ({ provider }) => {
    const region = provider.region<string>('hanging', { loadTimeoutMs: 20 })
    const late = heldLoad()
    await assert.rejects(region.get('k', late.load), LoaderTimeoutError)
    late.finish('late')
    await late.load()
    assert.equal(region.peek('k'), undefined)
  })

  add.faults(
    'get: a loader that asks for its own key gets an error, at whatever depth',
    '§15',
    async ({ provider }) => {
      const region = provider.region<string>('realms')
      const again = (): Promise<string | undefined> => region.get('k', again)
      await assert.rejects(region.get('k', again), { name: 'TypeError', message: /"load"/ })
      const outer = () => region.get('inner', () => region.get('outer', () => 'v'))
      await assert.rejects(region.get('outer', outer), { name: 'TypeError', message: /"load"/ })
      assert.equal(await region.get('outer', () => region.get('inner', () => 'v')), 'v')
    },
  )

  add.faults(
    'get: two loaders that need each other end with an error at once, in whatever regions',
    'issue',
    async ({ provider }) => {
      const [users, realms] = [provider.region<string>('users'), provider.region<string>('realms')]
      for (let round = 0; round < 10; round++) {
        const [a, b] = [`a${round}`, `b${round}`]
        let begun = 0
        let go: () => void = () => {}
        const both = new Promise<void>((resolve) => {
          go = resolve
        })
        const needing = (other: () => Promise<string | undefined>) => async () => {
          if (++begun === 2) go()
          await both
          return other()
        }
        const answers = await Promise.allSettled([
          users.get(
            a,
            needing(() => realms.get(b, () => 'never asked')),
          ),
          realms.get(
            b,
            needing(() => users.get(a, () => 'never asked')),
          ),
        ])
        for (const answer of answers) {
          assert.ok(answer.status === 'rejected' && answer.reason instanceof TypeError)
          assert.match(answer.reason.message, /"load" must not need a key whose loader needs this one/)
        }
        assert.equal(await users.get(a, () => realms.get(b, () => 'v')), 'v', 'one that needs the other may')
      }
    },
  )

  add.faults(
    'get: a loader of one region may ask another region for the same key',
    '§15',
    async ({ provider }) => {
      const users = provider.region<string>('users')
      assert.equal(
        await provider.region<string>('realms').get('k', () => users.get('k', () => 'user')),
        'user',
      )
    },
  )

  add.faults('staleIfErrorMs: off, an error is an error', '§15', async ({ provider, clock }) => {
    const region = provider.region<string>('short', { ttlMs: 10 })
    await region.get('k', () => 'old')
    clock.advance(10)
    await assert.rejects(
      region.get('k', () => Promise.reject(new Error('away'))),
      /away/,
    )
  })

  add.faults(
    'staleIfErrorMs: a value that ran out stands in for a source that fails, that long',
    '§15',
    async ({ provider, clock }) => {
      const region = provider.region<string>('kind', { ttlMs: 10, staleIfErrorMs: 100 })
      const away = () => Promise.reject(new Error('away'))
      await region.get('k', () => 'old')
      clock.advance(109)
      assert.equal(await region.get('k', away), 'old')
      assert.equal(region.peek('k'), undefined, 'peek does not')
      assert.equal(region.stats().staleAnswers, 1)
      clock.advance(1)
      await assert.rejects(region.get('k', away), /away/)
    },
  )

  add.faults('staleIfErrorMs: never for a value that was invalidated', '§15', async ({ provider, clock }) => {
    const region = provider.region<string>('kind', { ttlMs: 10, staleIfErrorMs: 100 })
    await region.get('k', () => 'old')
    clock.advance(10)
    await region.invalidate('k')
    await assert.rejects(
      region.get('k', () => Promise.reject(new Error('away'))),
      /away/,
    )
  })

  add.faults(
    'softTimeoutMs: a slow loader lets its callers have the value that ran out',
    '§15',
    async ({ provider, clock }) => {
      const region = provider.region<string>('kind', { ttlMs: 10, staleIfErrorMs: 1_000, softTimeoutMs: 10 })
      await region.get('k', () => 'old')
      clock.advance(10)
      const slow = heldLoad()
      assert.deepEqual(new Set(await together(3, () => region.get('k', slow.load))), new Set(['old']))
      slow.finish('new')
      await slow.load()
      await new Promise((resolve) => setImmediate(resolve))
      assert.equal(region.peek('k'), 'new', 'and what it brought is kept')
    },
  )

  add.faults('softTimeoutMs: without a value to stand in, callers wait', '§15', async ({ provider }) => {
    const region = provider.region<string>('kind', { ttlMs: 10, staleIfErrorMs: 1_000, softTimeoutMs: 1 })
    const slow = heldLoad()
    const answer = region.get('k', slow.load)
    await new Promise((resolve) => setTimeout(resolve, 5))
    slow.finish('first')
    assert.equal(await answer, 'first')
  })
}
