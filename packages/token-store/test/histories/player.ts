import assert from 'node:assert/strict'
import type { TokenStoreState } from '../../src/index.js'
import { Application, type AppOptions, Browser, Gate, replaced } from '../support.js'
import { Model } from './model.js'
import type { Step } from './steps.js'

const LIFE_MS = 200_000

/** Plays a history on an application of two nodes, and looks after each step at who is served by whom. */
export async function play(history: readonly Step[], options: AppOptions): Promise<void> {
  const app = await Application.open({ ...options, options: { sessionMs: LIFE_MS } })
  try {
    await playOn(app, history)
  } finally {
    await app.close()
  }
}

async function playOn(app: Application, history: readonly Step[]): Promise<void> {
  const model = new Model()
  /** Every state that a browser was in, with the number of its session: old cookies are tried again. */
  const browsers: { readonly browser: Browser; readonly number: number }[] = []
  const messages: string[] = []

  const logout = async (claims: Record<string, unknown>, node: number): Promise<void> => {
    const message = await app.op.sign(app.op.logoutClaims(claims))
    messages.push(message)
    assert.equal((await app.post(message, node)).status, 200)
  }
  const login = async (
    step: { node: number; subject: string; sid: string },
    lagMs: number,
    ends?: () => Promise<void>,
  ) => {
    const startedAt = app.clock.now() - lagMs
    const { subject, sid } = step
    const store = app.nodes[step.node as 0 | 1].store
    const [created] = await Promise.all([
      store.create({ subject, sid, startedAt, tokens: app.op.issue() }),
      ends?.(),
    ])
    const number = model.login({ subject, sid, startedAt, expiresAt: app.clock.now() + LIFE_MS })
    if (ends === undefined)
      assert.equal(created.outcome, number === undefined ? 'ended' : 'created', 'a login')
    if (created.outcome !== 'created') return
    const browser = new Browser()
    browser.take(created.cookies)
    browsers.push({ browser, number: number ?? Number.NaN })
  }
  const refresh = async (
    { node, browser }: { node: number; browser: number },
    force: boolean,
    meanwhile?: () => Promise<void>,
  ) => {
    const held = browsers[browser]
    if (held === undefined) return meanwhile?.()
    const gate = meanwhile && new Gate()
    app.op.gate = gate
    const changed = held.browser.copy()
    const asked = app.token(changed, node, { force })
    if (gate !== undefined) {
      await Promise.race([gate.arrival, asked])
      await meanwhile?.()
      gate.open()
    }
    const { outcome } = await asked
    app.op.gate = undefined
    if (outcome === 'token') browsers.push({ browser: changed, number: held.number })
  }

  for (const step of history) {
    switch (step.what) {
      case 'login':
        await login(step, step.lagMs)
        break
      case 'refresh':
        await refresh(step, step.force)
        break
      case 'logout-during-refresh':
        model.logoutSid(step.sid)
        await refresh(step, true, () => logout({ sid: step.sid }, 1 - step.node))
        break
      case 'logout-during-login':
        model.logoutSid(step.sid)
        await login(step, 0, () => logout({ sid: step.sid }, 1 - step.node))
        break
      case 'logout-sid':
        model.logoutSid(step.sid)
        await logout({ sid: step.sid }, step.node)
        break
      case 'logout-sub': {
        const before = app.clock.now() - step.agoMs
        // With a fraction it means the instant; without one, the whole second.
        const toe = before / 1_000
        const end = Number.isInteger(toe) ? before + 999 : before
        model.logoutSubject(step.subject, end)
        await logout({ sub: step.subject, toe }, step.node)
        break
      }
      case 'not-before':
        await app.nodes[step.node as 0 | 1].store.raiseNotBefore(app.clock.now() - step.agoMs)
        break
      case 'replay': {
        const message = messages[step.message]
        if (message !== undefined) await app.post(message, step.node)
        break
      }
      case 'restart':
        await app.restart()
        break
      case 'wait':
        app.clock.advance(step.ms)
    }
    const now = app.clock.now()
    for (const { browser, number } of browsers) {
      for (const node of [0, 1]) {
        const who = await app.who(browser, node)
        const isServed = who.startsWith('u-')
        assert.equal(isServed, model.isAlive(number, now), `after ${step.what} node ${node} said ${who}`)
      }
    }
  }
}

/** A state that keeps no mark of what was ended. */
export const noFence = ({ webSessions, actionTokens }: TokenStoreState): TokenStoreState => ({
  webSessions: replaced(webSessions, {
    get: async (realmId, id) => (realmId === 'tokens' ? webSessions.get(realmId, id) : undefined),
  }),
  actionTokens: replaced(actionTokens, { isRevoked: async () => false }),
})
