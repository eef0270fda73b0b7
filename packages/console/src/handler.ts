import { isProviderError } from '@authstate/spi'
import type { Action } from './action.js'
import { answer, jsonAnswer, type Problem, pageAnswer, problemAnswer } from './answers.js'
import { ASSETS } from './assets/index.js'
import { isFromProgram, readFields } from './body.js'
import { documentOf, openTo } from './document.js'
import { type Html, html } from './html.js'
import type { Live } from './live.js'
import { openApi } from './openapi.js'
import { checkOperator, may, type Operator } from './operator.js'
import { Pace } from './pace.js'
import { Page, pathOf } from './page.js'
import { actingAs, NotRecorded, Recorder } from './record.js'
import { type Aged, Remembered } from './remembered.js'
import { actionAt, dataAt, type Found, partsOf, SCREENS, screenAt } from './routes.js'
import { type AnyScreen, type Asked, BadRequest, type Sources } from './screen.js'
import { awaySentence, isAway, isClosed, sentenceOf } from './trouble.js'
import { comesFromHere, isOwnForm } from './walls.js'

/** A request, once it is known who sent it. */
interface Visit {
  readonly request: Request
  readonly url: URL
  readonly operator: Operator
  /** Those that the operator sees. */
  readonly realms: readonly string[]
  /** Whether the answer is for a program. */
  readonly isApi: boolean
}

const API = ['api', 'v1'] as const

const NOT_FOUND: Problem = { code: 'not-found', title: 'There is nothing here.' }
const REFUSED: Problem = {
  code: 'refused',
  title: 'This was refused.',
  detail:
    'Nothing was done. Load the page again and repeat it there: a form works for twelve hours, for the operator who loaded it, and holds at most 64 kB.',
}

/** Answers requests. */
export class Handler {
  readonly #sources: Sources
  readonly #live: Live
  readonly #remembered: Remembered
  readonly #recorder: Recorder
  readonly #actions: Pace
  readonly #refusals: Pace
  #isClosed = false

  constructor(sources: Sources, live: Live) {
    const now = () => sources.clock.now()
    this.#sources = sources
    this.#live = live
    this.#remembered = new Remembered(now)
    this.#recorder = new Recorder(sources)
    this.#actions = new Pace(now)
    this.#refusals = new Pace(now)
  }

  close(): void {
    this.#isClosed = true
  }

  async handle(request: Request): Promise<Response> {
    const response = await this.#answer(request)
    return request.method === 'HEAD' ? new Response(null, response) : response
  }

  async #answer(request: Request): Promise<Response> {
    const { basePath, logger } = this.#sources.options
    const url = new URL(request.url)
    const isBelow = url.pathname === basePath || url.pathname.startsWith(`${basePath}/`)
    const parts = isBelow ? partsOf(url.pathname.slice(basePath.length + 1)) : undefined
    const isApi = parts?.[0] === API[0]
    if (this.#isClosed) return this.#trouble(503, { code: 'closed', title: 'The console was closed.' }, isApi)
    try {
      const operator = await this.#sources.options.authorize(request)
      if (operator instanceof Response) return operator
      if (operator === undefined) {
        return this.#trouble(401, { code: 'unauthorized', title: 'Sign in first.' }, isApi)
      }
      checkOperator(operator)
      const known = await this.#sources.operations.realms()
      const realms = known.filter((realmId) => operator.realms?.includes(realmId) ?? true)
      const visit: Visit = { request, url, operator, realms, isApi }
      if (request.method === 'POST') return await this.#act(visit, parts ?? [])
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return this.#trouble(405, { code: 'method', title: 'There is GET, HEAD and POST.' }, isApi, visit, {
          allow: 'GET, HEAD, POST',
        })
      }
      return parts === undefined ? this.#missing(visit) : await this.#show(visit, parts)
    } catch (error) {
      if (isClosed(error))
        return this.#trouble(503, { code: 'closed', title: 'The state was closed.' }, isApi)
      logger.error({ error }, 'the console could not answer')
      return this.#trouble(500, { code: 'error', title: 'Something went wrong here.' }, isApi)
    }
  }

  async #show(visit: Visit, parts: readonly string[]): Promise<Response> {
    const asset = ASSETS.find(({ path }) => path === parts.join('/'))
    if (asset !== undefined) {
      return answer(200, asset.text, {
        'content-type': asset.type,
        'cache-control': 'private, max-age=31536000, immutable',
      })
    }
    if (!visit.isApi) {
      const found = screenAt(parts)
      return found === undefined ? this.#missing(visit) : this.#page(visit, found)
    }
    const [, version, ...rest] = parts
    if (version !== API[1]) return this.#missing(visit)
    const [first, ...others] = rest
    if (others.length === 0 && first === 'events') return this.#events(visit)
    if (others.length === 0 && first === 'me') return this.#me(visit)
    if (others.length === 0 && first === 'openapi.json') return jsonAnswer(200, openApi(this.#base))
    const found = dataAt(rest)
    return found === undefined ? this.#missing(visit) : this.#data(visit, found)
  }

  get #base(): string {
    return this.#sources.options.basePath
  }

  #events(visit: Visit): Response {
    if (!this.#readsSomething(visit)) return this.#lacks(visit, 'read')
    const stream = this.#live.open()
    if (stream === undefined) {
      const problem = { code: 'busy', title: 'As many pages are kept up to date as may be.' }
      return this.#trouble(503, problem, true, visit, { 'retry-after': '15' })
    }
    return answer(200, stream, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
  }

  #me({ operator, realms }: Visit): Response {
    const { id, name = id, can } = operator
    const token = this.#sources.seals.seal('form', '', id)
    return jsonAnswer(200, { id, name, can, realms, readOnly: this.#sources.options.readOnly, token })
  }

  #readsSomething({ operator, realms }: Visit): boolean {
    return may(operator, 'read') || realms.some((realmId) => may(operator, 'read', realmId))
  }

  /** What is asked of a screen; an answer where the operator may not ask it. */
  #asked(visit: Visit, { target, realmId: inPath, rest }: Found<AnyScreen>): Asked | Response {
    const { operator, realms, url } = visit
    const query = url.searchParams
    const given = inPath ?? query.get('realm') ?? undefined
    if (given !== undefined && !realms.includes(given)) return this.#missing(visit)
    if (target.scope === 'realm') {
      const realmId = given ?? realms.find((realm) => may(operator, 'read', realm)) ?? realms[0]
      if (realmId === undefined) return this.#missing(visit)
      if (!may(operator, 'read', realmId)) return this.#lacks(visit, 'read')
      return { operator, realms, realmId, rest, query }
    }
    if (target.scope === 'deployment' && operator.realms !== undefined) return this.#missing(visit)
    if (!openTo(operator, realms, target)) return this.#lacks(visit, 'read')
    const readable = realms.filter((realm) => may(operator, 'read', realm))
    return { operator, realms: readable, realmId: given ?? '', rest, query }
  }

  /** The data of a screen; an answer where there are none. */
  async #load(visit: Visit, target: AnyScreen, asked: Asked): Promise<Aged<unknown> | Response> {
    const { operator, realmId, rest, query } = asked
    const kept = [...query].filter(([name]) => name !== 'said' && name !== 'again')
    const key = JSON.stringify([target.path, realmId, rest, kept, operator.realms, operator.can.read])
    try {
      const aged = await this.#remembered.read(key, () => target.load(asked, this.#sources))
      return aged.data === undefined ? this.#missing(visit) : aged
    } catch (error) {
      return this.#failed(visit, error)
    }
  }

  async #data(visit: Visit, found: Found<AnyScreen>): Promise<Response> {
    const asked = this.#asked(visit, found)
    if (asked instanceof Response) return asked
    const loaded = await this.#load(visit, found.target, asked)
    if (loaded instanceof Response) return loaded
    const { data, at, away } = loaded
    return jsonAnswer(200, { at, ...(away !== undefined && { away: awaySentence(away) }), data })
  }

  async #page(visit: Visit, found: Found<AnyScreen>): Promise<Response> {
    const asked = this.#asked(visit, found)
    if (asked instanceof Response) return asked
    const loaded = await this.#load(visit, found.target, asked)
    if (loaded instanceof Response) return loaded
    const { options, seals, clock, watch } = this.#sources
    const { operator, realms, url } = visit
    const screen = found.target
    const realmId = asked.realmId === '' ? undefined : asked.realmId
    const away = awayOf(loaded, screen.path === '' ? watch.sight : undefined)
    const query = Object.fromEntries(
      [...url.searchParams].filter(([name]) => name !== 'said' && name !== 'again'),
    )
    const [path = ''] = [url.pathname.slice(options.basePath.length + 1)]
    const page = new Page({
      options,
      seals,
      operator,
      realms,
      realmId: screen.scope === 'realm' ? realmId : undefined,
      here: pathOf(options.basePath, path, query),
      now: clock.now(),
      isAway: away !== undefined,
    })
    return pageAnswer(
      200,
      this.#document(visit, screen.title, screen.view(loaded.data, page), {
        current: found.target,
        realmId,
        away,
        liveSeconds: screen.liveSeconds,
      }),
    )
  }

  #document(
    { operator, realms, url }: Visit,
    title: string,
    content: Html,
    more: {
      readonly current?: AnyScreen | undefined
      readonly realmId?: string | undefined
      readonly away?: { readonly sentence: string; readonly at: number } | undefined
      readonly liveSeconds?: number | undefined
    } = {},
  ): Html {
    const { options, clock, seals } = this.#sources
    const { current, realmId, away, liveSeconds } = more
    const sealed = url.searchParams.get('said')
    const said = sealed === null ? undefined : seals.open('said', sealed, operator.id)
    return documentOf({
      basePath: this.#base,
      title,
      content,
      now: clock.now(),
      navigation: { operator, realms, realmId, current, screens: SCREENS, readOnly: options.readOnly },
      liveSeconds,
      said: said === undefined ? undefined : { text: said, isBad: false },
      away,
    })
  }

  async #act(visit: Visit, parts: readonly string[]): Promise<Response> {
    const { request, url, operator, realms } = visit
    const { options, seals } = this.#sources
    const [api, version, ...rest] = parts
    const isAction = api === API[0] && version === API[1]
    const isLookup = isAction && rest.join('/') === 'users/find'
    const found = isAction ? actionAt(rest) : undefined
    const action = found?.target
    if (!comesFromHere(request, options.origin)) return this.#refuse(visit, action, undefined, 'cross-site')
    const fields = await readFields(request)
    if (fields === undefined) return this.#refuse(visit, action, undefined, 'body')
    const token = fields.get('token')?.[0] ?? request.headers.get('x-console-token') ?? undefined
    if (!isOwnForm(seals, token, operator.id)) return this.#refuse(visit, action, undefined, 'forged')
    const realmId = found?.realmId ?? url.searchParams.get('realm') ?? fields.get('realm')?.[0] ?? undefined
    if (isLookup) return this.#find(visit, realmId, fields.get('user')?.[0])
    if (action === undefined) return this.#refuse(visit, action, undefined, 'unknown-action')
    const isRealm = realmId !== undefined && realms.includes(realmId)
    const isSeen = action.isOfRealm ? isRealm : operator.realms === undefined
    if (!isSeen) return this.#refuse(visit, action, undefined, 'realm')
    const where = action.isOfRealm ? realmId : undefined
    if (options.readOnly) {
      await this.#recorder.refuse(operator, action, where, 'read-only')
      const problem = { code: 'read-only', title: 'This console reads only.', detail: 'Nothing was done.' }
      return this.#trouble(403, problem, isFromProgram(request), visit)
    }
    if (!may(operator, action.right, where)) {
      await this.#recorder.refuse(operator, action, where, 'forbidden')
      return this.#lacks(visit, action.right)
    }
    if (!this.#actions.take(operator.id)) {
      const problem = {
        code: 'pace',
        title: 'At most 60 actions can be done in a minute.',
        detail: 'Nothing was done.',
      }
      return this.#trouble(429, problem, isFromProgram(request), visit, { 'retry-after': '60' })
    }
    try {
      const sent = { realmId: realmId ?? '', rest: found?.rest ?? [], fields }
      const operations = actingAs(this.#sources.operations, operator)
      const plan = await action.plan(sent, { ...this.#sources, operations })
      const { text, data } = await this.#recorder.run(operator, action, where, plan)
      this.#remembered.clear()
      if (isFromProgram(request)) return jsonAnswer(200, { text, data })
      void this.#sources.watch.lookAgain()
      return this.#back(visit, fields.get('back')?.[0], text)
    } catch (error) {
      return this.#failed(visit, error)
    }
  }

  /** The page of a user whose id was typed. */
  #find(visit: Visit, realmId: string | undefined, userId: string | undefined): Response {
    const { operator, realms, request } = visit
    if (realmId === undefined || !realms.includes(realmId))
      return this.#refuse(visit, undefined, undefined, 'realm')
    if (!may(operator, 'read', realmId)) return this.#lacks(visit, 'read')
    if (userId === undefined || userId.trim() === '') {
      return this.#failed(visit, new BadRequest('Say the id of a user.'))
    }
    const reference = this.#sources.seals.seal('user', userId, realmId)
    if (isFromProgram(request)) return jsonAnswer(200, { data: { reference } })
    return answer(303, null, {
      location: pathOf(this.#base, `users/${encodeURIComponent(realmId)}/${reference}`),
    })
  }

  /** Leads back to the page that a form was on, which says what came of it. */
  #back({ operator }: Visit, back: string | undefined, text: string): Response {
    const home = `${this.#base}/`
    const isOurs = back?.startsWith(home) === true && !back.startsWith('//') && !/[\\\s]/.test(back)
    const url = new URL(isOurs ? (back as string) : home, 'http://console.invalid')
    url.searchParams.set('said', this.#sources.seals.seal('said', text, operator.id))
    return answer(303, null, { location: `${url.pathname}${url.search}` })
  }

  /** Every way in which a request is none of ours is answered alike. */
  #refuse(visit: Visit, action: Action | undefined, realmId: string | undefined, reason: string): Response {
    if (this.#refusals.take(visit.operator.id)) {
      void this.#recorder.refuse(visit.operator, action, realmId, reason)
    }
    return this.#trouble(403, REFUSED, visit.isApi && isFromProgram(visit.request), visit)
  }

  #lacks(visit: Visit, right: string): Response {
    const problem = {
      code: 'forbidden',
      title: 'You may not do this.',
      detail: `The right "${right}" is missing.`,
    }
    return this.#trouble(403, problem, forProgram(visit), visit)
  }

  #missing(visit: Visit): Response {
    return this.#trouble(404, NOT_FOUND, forProgram(visit), visit)
  }

  #failed(visit: Visit, error: unknown): Response {
    const isProgram = forProgram(visit)
    if (error instanceof BadRequest || error instanceof TypeError || error instanceof RangeError) {
      const detail = error instanceof BadRequest ? error.message : 'What was sent cannot be.'
      return this.#trouble(400, { code: 'bad-request', title: 'This cannot be.', detail }, isProgram, visit)
    }
    if (error instanceof NotRecorded) {
      return this.#trouble(
        503,
        { code: 'not-recorded', title: 'Nothing was done.', detail: error.message },
        isProgram,
        visit,
      )
    }
    if (!isProviderError(error) || isClosed(error)) throw error
    const { applied } = error as { readonly applied?: string }
    const isDoubtful = visit.request.method === 'POST' && applied === 'unknown'
    const doubt = isDoubtful ? ' Whether it was done is not known: look, and repeat it, which is safe.' : ''
    const problem = {
      code: error.code,
      title: isAway(error) ? 'The store does not answer.' : 'This could not be done.',
      detail: `${sentenceOf(error)}.${doubt}`,
    }
    return this.#trouble(503, problem, isProgram, visit, { 'retry-after': '5' })
  }

  #trouble(
    status: number,
    problem: Problem,
    isProgram: boolean,
    visit?: Visit,
    headers: Readonly<Record<string, string>> = {},
  ): Response {
    if (isProgram) return problemAnswer(status, problem, headers)
    const content = html`<p>${problem.detail ?? problem.title}</p>${visit && html`<p><a href="${this.#base}/">To the overview</a></p>`}`
    const page =
      visit === undefined
        ? documentOf({ basePath: this.#base, title: problem.title, content, now: 0 })
        : this.#document(visit, problem.title, content)
    return pageAnswer(status, page, headers)
  }
}

const forProgram = ({ isApi, request }: Visit): boolean =>
  isApi && (request.method !== 'POST' || isFromProgram(request))

/** Whether what is shown is of an earlier time, and why. */
function awayOf(
  { at, away }: Aged<unknown>,
  sight: Sources['watch']['sight'] | undefined,
): { readonly sentence: string; readonly at: number } | undefined {
  if (away !== undefined) return { sentence: awaySentence(away), at }
  return sight?.away && { sentence: sight.away.sentence, at: sight.at }
}
