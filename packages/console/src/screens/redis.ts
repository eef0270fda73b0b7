import type { Health } from 'authstate'
import type { Diagnosis } from '../examiner.js'
import { counted, when } from '../format.js'
import { type Html, html, plain } from '../html.js'
import { facts, type Page, table } from '../page.js'
import type { Asked, Screen, Sources } from '../screen.js'

interface Redis {
  readonly hasDoctor: boolean
  readonly diagnosis: Diagnosis
  readonly health: Health
  /** What the connection of this node has done; absent in memory. */
  readonly connection?: Readonly<Record<string, number>>
}

const GRAVEST_FIRST = ['fail', 'warn', 'unknown', 'ok', 'skip'] as const
const MARKS = { fail: 'FAIL', warn: 'warn', unknown: '?', ok: 'ok', skip: '–' } as const

/** Whether Redis is fit, and what to do about it. */
export const redis: Screen<Redis> = {
  path: 'redis',
  api: 'doctor',
  title: 'Redis',
  scope: 'deployment',
  load,
  view,
}

async function load({ query }: Asked, { operations, examiner }: Sources): Promise<Redis> {
  const [diagnosis, health] = await Promise.all([examiner.diagnose(query.has('again')), operations.health()])
  const connection = operations.stats()['redis'] as Readonly<Record<string, number>> | undefined
  return { hasDoctor: examiner.isThere, diagnosis, health, ...(connection && { connection }) }
}

function view({ hasDoctor, diagnosis, health, connection }: Redis, page: Page): Html {
  const { examination, failure, at } = diagnosis
  const { summary, findings = [] } = examination ?? {}
  const sorted = GRAVEST_FIRST.flatMap((verdict) => findings.filter((finding) => finding.verdict === verdict))
  return html`${failure !== undefined && html`<section class="bad" aria-label="What is wrong"><h2>Redis could not be examined</h2><p>${plain(failure)}</p></section>`}
${!hasDoctor && html`<p class="empty">This console has no doctor: give it <code>doctor: () =&gt; examine(redis)</code> of authstate/redis/doctor.</p>`}
${hasDoctor && examination === undefined && failure === undefined && html`<p class="empty">Redis is being examined. Load the page again in a few seconds.</p>`}
${
  examination &&
  html`<p>${examination.server} ${examination.mode}, ${plain(examination.target)}, prefix ${plain(examination.prefix)}, ${counted(examination.partitions, 'partition')}. ${summary && `${summary.fail} fail, ${summary.warn} warn, ${summary.unknown} unknown, ${summary.ok} ok.`}</p>
${table(
  'Findings',
  sorted,
  [
    { title: 'Verdict', of: ({ verdict }) => html`<b class="v-${verdict}">${MARKS[verdict]}</b>` },
    { title: 'Check', of: ({ id }) => id },
    { title: 'What it means', of: ({ message }) => plain(message) },
    { title: 'What to do', of: ({ fix }) => fix && plain(fix) },
    { title: 'About', of: ({ spi }) => (spi.length === 0 ? 'all' : spi.join(', ')) },
  ],
  'No check was made.',
)}`
}
${hasDoctor && html`<p>${at > 0 && html`Examined ${when(at, page.now)}. `}${page.link('redis', { again: '1' }, 'Examine again')}</p>`}
${table(
  'Providers of this node',
  health.providers,
  [
    { title: 'Service', of: ({ spi }) => spi },
    { title: 'Provider', of: ({ provider }) => provider },
    {
      title: 'Serves',
      of: ({ ok, error }) => (ok ? 'yes' : html`<span class="bad">no: ${plain(error ?? 'unknown')}</span>`),
    },
    { title: 'Warnings', of: ({ warnings }) => warnings && plain(warnings.join('. ')) },
    { title: 'Answered in', of: ({ latencyMs }) => `${latencyMs.toFixed(1)} ms`, isNumber: true },
  ],
  'Nothing was started.',
)}
${
  connection &&
  facts([
    ['Commands sent by this node', connection['sent']],
    ['Failed', connection['failed']],
    ['Waiting for an answer', connection['pending']],
  ])
}`
}
