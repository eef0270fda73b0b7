import { chart } from '../chart.js'
import { HISTORY_MS, MOST_REALMS } from '../figures.js'
import { counted, figure, span, when } from '../format.js'
import { type Html, html, named, plain } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'
import type { RealmFigures, Sight } from '../watch.js'

interface Overview {
  readonly seen: Pick<Sight, 'at' | 'health' | 'nodes' | 'away'>
  readonly realms: readonly RealmFigures[]
  readonly silent: readonly string[]
  readonly charts: Readonly<Record<'sessions' | 'logins' | 'locks', readonly (number | undefined)[]>>
  readonly lastHour: { readonly logins: number; readonly locks: number }
  /** Of the whole deployment; absent for an operator of some realms. */
  readonly deployment?: {
    readonly failed: readonly (number | undefined)[]
    readonly failedLastHour: number
    readonly redis?: { readonly verdict: string; readonly at: number; readonly sentences: readonly string[] }
  }
  readonly realmsLeftOut: number
}

/** How the deployment is, on one page. */
export const overview: Screen<Overview> = {
  path: '',
  api: 'overview',
  title: 'Overview',
  scope: 'all',
  liveSeconds: 4,
  load,
  view,
}

async function load({ operator, realms }: Asked, { watch, figures, examiner }: Sources): Promise<Overview> {
  const sight = await watch.look()
  const followed = realms.slice(0, MOST_REALMS)
  const isSeen = ({ realmId }: RealmFigures) => realms.includes(realmId)
  const isWhole = operator.realms === undefined
  const { at, health, nodes, away } = sight
  return {
    seen: {
      at,
      health: isWhole ? health : { ok: health.ok, providers: [] },
      ...(isWhole && nodes !== undefined && { nodes }),
      ...(away && { away }),
    },
    realms: sight.realms.filter(isSeen),
    silent: sight.silent.filter((realmId) => realms.includes(realmId)),
    charts: {
      sessions: figures.series('sessions', followed),
      logins: figures.series('logins', followed),
      locks: figures.series('locks', followed),
    },
    lastHour: { logins: figures.lastHour('logins', followed), locks: figures.lastHour('locks', followed) },
    ...(isWhole && {
      deployment: {
        failed: figures.series('failed'),
        failedLastHour: figures.lastHour('failed'),
        ...(examiner.isThere && { redis: redisOf(examiner.glance()) }),
      },
    }),
    realmsLeftOut: realms.length - followed.length,
  }
}

function redisOf({ examination, failure, at }: ReturnType<Sources['examiner']['glance']>) {
  const found = examination?.findings ?? []
  const bad = found.filter(({ verdict }) => verdict === 'fail')
  const said = [...(failure === undefined ? [] : [failure]), ...bad.map(({ message }) => message)]
  const { fail = 0, warn = 0 } = examination?.summary ?? {}
  if (failure !== undefined) return { verdict: 'not examined', at, sentences: said }
  if (examination === undefined) return { verdict: 'being examined', at, sentences: said }
  const verdict = fail > 0 ? `${fail} fail` : warn > 0 ? `${counted(warn, 'warning')}` : 'fit'
  return { verdict, at, sentences: said }
}

function view(data: Overview, page: Page): Html {
  const { seen, realms, charts, lastHour, deployment, silent, realmsLeftOut } = data
  const hours = span(HISTORY_MS)
  const sum = (of: (realm: RealmFigures) => number) => realms.reduce((all, realm) => all + of(realm), 0)
  const isMore = realms.some(({ isMoreLocked }) => isMoreLocked)
  return html`${troubles(data)}
<div class="tiles">${facts([
    ['Online sessions', figure(sum(({ online }) => online))],
    ['Offline sessions', figure(sum(({ offline }) => offline))],
    ['Web sessions', figure(sum(({ web }) => web))],
    ['Logins in the last hour, of this node', figure(lastHour.logins)],
    ['Locked out now', `${figure(sum(({ locked = 0 }) => locked))}${isMore ? '+' : ''}`],
    ...(seen.nodes === undefined ? [] : [['Nodes', page.link('cluster', {}, figure(seen.nodes))] as const]),
    ...(deployment === undefined
      ? []
      : [
          ['Commands that failed in the last hour, of this node', figure(deployment.failedLastHour)] as const,
        ]),
    ...(deployment?.redis === undefined
      ? []
      : [['Redis', page.link('redis', {}, deployment.redis.verdict)] as const]),
  ])}</div>
<section aria-label="The last hours" class="charts">${[
    chart('Online sessions', charts.sessions, hours),
    chart('Logins of this node', charts.logins, hours),
    chart('Lock-outs of this node', charts.locks, hours),
    ...(deployment ? [chart('Failed commands of this node', deployment.failed, hours)] : []),
  ]}</section>
${table(
  'Realms',
  realms,
  [
    { title: 'Realm', of: ({ realmId }) => page.link('sessions', { realm: realmId }, named(realmId)) },
    { title: 'Online', of: ({ online }) => figure(online), isNumber: true },
    { title: 'Offline', of: ({ offline }) => figure(offline), isNumber: true },
    { title: 'Web', of: ({ web }) => figure(web), isNumber: true },
    { title: 'Logging in', of: ({ logins }) => figure(logins), isNumber: true },
    {
      title: 'Locked out',
      of: ({ realmId, locked, isMoreLocked }) =>
        locked === undefined
          ? undefined
          : page.link('failures', { realm: realmId }, `${figure(locked)}${isMoreLocked ? '+' : ''}`),
      isNumber: true,
    },
  ],
  seen.at === 0 ? 'Nothing is known yet.' : 'There is no realm to look at.',
)}
${silent.length > 0 && html`<p class="warn">Not all realms answered. Missing: ${silent.map(plain).join(', ')}.</p>`}
${realmsLeftOut > 0 && html`<p>${counted(realmsLeftOut, 'more realm')} not counted here: figures are kept of the first ${MOST_REALMS}.</p>`}
<p class="age">Seen ${seen.at === 0 ? 'never' : when(seen.at, page.now)}.</p>`
}

function troubles({ seen, deployment }: Overview): Html {
  const ill = seen.health.providers.filter(({ ok }) => !ok)
  const warnings = seen.health.providers.flatMap(({ warnings = [] }) => warnings)
  const sentences = [
    ...new Set([...ill.map(({ spi, error }) => `${spi}: ${error ?? 'does not serve'}`), ...warnings]),
    ...(deployment?.redis?.sentences ?? []),
  ]
  if (sentences.length === 0) return html``
  return html`<section class="bad" aria-label="What is wrong"><h2>What is wrong</h2><ul>${sentences.map((text) => html`<li>${plain(text)}</li>`)}</ul></section>`
}
