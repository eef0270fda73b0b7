import type { Finding, Verdict } from './contract.js'
import type { Facts, Info, ServerFacts } from './facts.js'

/** What a check says; its name, its kinds of state and its page are added to it. */
export interface Judgement {
  readonly verdict: Verdict
  readonly message: string
  readonly fix?: string | undefined
  readonly measured?: Finding['measured'] | undefined
}

/** One row of the page: pure, over what was gathered. */
export interface Check {
  readonly id: string
  /** Kinds of state that it is about; left out where it is about all. */
  readonly spi?: readonly string[]
  readonly judge: (facts: Facts) => Judgement
}

export const ok = (message: string, measured?: Finding['measured']): Judgement => ({
  verdict: 'ok',
  message,
  measured,
})

export const skip = (message: string): Judgement => ({ verdict: 'skip', message })

/** The user of Redis may not ask. */
export const unknown = (message: string, fix: string): Judgement => ({ verdict: 'unknown', message, fix })

export const warn = (message: string, fix: string, measured?: Finding['measured']): Judgement => ({
  verdict: 'warn',
  message,
  fix,
  measured,
})

export const fail = (message: string, fix: string, measured?: Finding['measured']): Judgement => ({
  verdict: 'fail',
  message,
  fix,
  measured,
})

const WEIGHT: Readonly<Record<Verdict, number>> = { skip: 0, ok: 1, unknown: 2, warn: 3, fail: 4 }

/** The gravest of what was found on several servers. With more than one server its message begins with the address. */
export function worstOf(
  facts: Facts,
  judge: (info: Info, server: ServerFacts) => Judgement,
  ask: string,
): Judgement {
  const all = facts.servers.map((server): Judgement => {
    if (server.info === undefined) {
      return unknown('INFO is not allowed for this user of Redis, or was not answered', ask)
    }
    return judge(server.info, server)
  })
  const [first, ...rest] = all
  if (first === undefined) return unknown('no server takes writes', 'look at the cluster')
  const worst = rest.reduce((a, b) => (WEIGHT[b.verdict] > WEIGHT[a.verdict] ? b : a), first)
  if (rest.length === 0 || worst.verdict === 'ok') return worst
  return { ...worst, message: `${facts.servers[all.indexOf(worst)]?.address}: ${worst.message}` }
}

/** Adds what every finding has to what its check says. */
export function findingOf({ id, spi = [], judge }: Check, facts: Facts): Finding {
  const { fix, measured = {}, ...said } = judge(facts)
  return {
    id,
    ...said,
    spi,
    measured,
    ...(fix !== undefined && { fix }),
    docs: `docs/doctor.md#${id.replaceAll('.', '')}`,
  }
}
