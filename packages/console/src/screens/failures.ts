import { figure, shortenedNetwork, when } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import { ifProvided } from '../trouble.js'
import { cursorOf, limitOf } from './sessions.js'

interface LockOut {
  /** Of a user. */
  readonly userId?: string
  /** Of a network, without what tells one host. */
  readonly network?: string
  readonly reference: string
  readonly until?: number
  readonly permanent: boolean
  readonly numFailures: number
  readonly lastFailureAt: number
  /** Why, in sentences. */
  readonly why: readonly string[]
}

interface LockOuts {
  /** `false`: failures are not counted in this deployment. */
  readonly isCounted: boolean
  readonly items: readonly LockOut[]
  readonly cursor?: string
}

const REASONS: Readonly<Record<string, string>> = {
  failures: 'Too many failures.',
  'quick-login': 'Two failures faster than a person types.',
  'secondary-auth-failures': 'Too many failures of a second factor.',
}

/** Which users are locked out, and why. */
export const failures: Screen<LockOuts> = {
  path: 'failures',
  api: 'failures',
  title: 'Lock-outs',
  scope: 'realm',
  liveSeconds: 20,
  load,
  view,
}

async function load({ realmId, query }: Asked, sources: Sources): Promise<LockOuts> {
  const { operations, seals, options } = sources
  const page = { limit: limitOf(query), cursor: cursorOf(query, sources, realmId) }
  const locked = await ifProvided(() => operations.failures.locked(realmId, page))
  if (locked === undefined) return { isCounted: false, items: [] }
  const items = await Promise.all(
    locked.items.map(
      async ({ subject, until, permanent, reason, numFailures, lastFailureAt }): Promise<LockOut> => {
        const common = { ...(until !== undefined && { until }), permanent, numFailures, lastFailureAt }
        if (subject.rule === 'address') {
          const { network } = subject
          return {
            network: options.showAddresses ? network : shortenedNetwork(network),
            reference: seals.seal('network', network, realmId),
            ...common,
            why: [REASONS[reason] ?? reason],
          }
        }
        const { userId } = subject
        const { explanation } = await operations.failures.show(realmId, { userId })
        const rules = explanation?.rules.filter((rule) => rule.locked) ?? []
        return {
          userId,
          reference: seals.seal('user', userId, realmId),
          ...common,
          why: rules.length > 0 ? rules.map(({ text }) => text) : [REASONS[reason] ?? reason],
        }
      },
    ),
  )
  return {
    isCounted: true,
    items,
    ...(locked.cursor !== undefined && { cursor: seals.seal('cursor', locked.cursor, realmId) }),
  }
}

function view({ isCounted, items, cursor }: LockOuts, page: Page): Html {
  const { realmId } = page
  if (!isCounted) return html`<p class="empty">Login failures are not counted in this deployment.</p>`
  const canClear = page.can('clearFailures')
  const list = table(
    'Locked out now',
    items,
    [
      {
        title: 'Who',
        of: ({ userId, network = '', reference }) =>
          userId === undefined ? html`network ${named(network)}` : page.user(userId, reference),
      },
      { title: 'Until', of: ({ until }) => (until === undefined ? 'it is cleared' : when(until, page.now)) },
      { title: 'Why', of: ({ why }) => plain(why.join(' ')) },
      { title: 'Failures', of: ({ numFailures }) => figure(numFailures), isNumber: true },
      { title: 'Last failure', of: ({ lastFailureAt }) => when(lastFailureAt, page.now) },
      ...(canClear
        ? [
            {
              title: html`<span class="hide">Action</span>`,
              of: ({ userId, network, reference }: LockOut) =>
                page.button('Clear', {
                  name: userId === undefined ? 'network' : 'user',
                  value: reference,
                  label: `Clear ${plain(userId ?? `network ${network}`)}`,
                }),
            },
          ]
        : []),
    ],
    html`Nobody is locked out in ${named(realmId)}.`,
  )
  return html`${canClear && items.length > 0 ? page.form('clearFailures', 'failures/clear', list) : list}
${cursor !== undefined && html`<p>${page.link('failures', { realm: realmId, cursor }, 'Next page')}</p>`}
${page.form(
  'clearFailures',
  'failures/clear-realm',
  html`<h2>Clear all of the realm</h2><p>Forgets the failures of everybody, and ends every lock.</p>
<label>The name of the realm, typed <input name="typed" required maxlength="512" autocomplete="off" spellcheck="false"></label>${page.button('Clear all')}`,
)}`
}
