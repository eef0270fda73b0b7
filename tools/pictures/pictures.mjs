// What is drawn. Names of pictures are names of files in docs/pictures.
import { arrow, box, COLORS, line, picture, text } from './draw.mjs'
import { linkStates } from './link-states.mjs'

const { ours, redis } = COLORS

/** From the application down to Redis. */
function house() {
  const services = [
    'userSessions',
    'authSessions',
    'actionTokens',
    'webSessions',
    'loginFailures',
    'realmCache',
    'stickySessions',
    'cluster',
  ]
  const cell = (i) => ({ x: 40 + (i % 4) * 200, y: 190 + Math.floor(i / 4) * 50 })
  return picture(860, 560, 'The house: application, services, stores, Redis', [
    text(430, 34, 'The house', { size: 16, bold: true }),
    box(40, 54, 780, 44, ['Your server: Express, Fastify, Hono, oidc-provider, better-auth, Auth.js, …']),
    arrow(430, 98, 430, 122),
    box(40, 122, 780, 50, ['authstate', 'one configuration, state.realm(id), endUser, removeRealm, health'], {
      fill: ours,
    }),
    ...services.map((name, i) => box(cell(i).x, cell(i).y, 180, 40, [name], { fill: ours })),
    text(430, 302, 'Each service: contract → checks, limits and events, written once → port', {
      size: 12,
      color: COLORS.faint,
    }),
    arrow(230, 312, 230, 340),
    arrow(630, 312, 630, 340),
    box(40, 340, 380, 62, ['memory', 'one process, one synchronous step per verb'], { fill: ours }),
    box(440, 340, 380, 62, ['redis', 'all nodes, one script and one round trip per verb'], { fill: ours }),
    text(430, 424, 'One suite of cases judges both', { size: 12, color: COLORS.faint }),
    arrow(630, 402, 630, 452),
    box(440, 452, 380, 62, ['Redis or Valkey', 'one server, Sentinel or Cluster'], { fill: redis }),
    box(40, 452, 380, 62, ['around it', 'command · doctor · telemetry · adapters · test kit'], {
      fill: ours,
      dashed: true,
    }),
    text(430, 542, 'A store of your own implements the port and passes the same suite.', {
      size: 12,
      color: COLORS.faint,
    }),
  ])
}

/** One login whose requests meet two nodes. */
function login() {
  const lanes = { browser: 90, a: 340, b: 560, redis: 790 }
  const height = 600
  let y = 106
  const step = (from, to, words, extra) => {
    const drawn = arrow(lanes[from], y, lanes[to], y, words, extra)
    y += 34
    return drawn
  }
  const note = (x, words) => {
    const drawn = text(x, y - 4, words, { size: 12, color: COLORS.faint, over: true })
    y += 26
    return drawn
  }
  return picture(880, height, 'A login over two nodes', [
    text(440, 30, 'A login over two nodes', { size: 16, bold: true }),
    box(lanes.browser - 60, 46, 120, 34, ['browser']),
    box(lanes.a - 60, 46, 120, 34, ['node A'], { fill: ours }),
    box(lanes.b - 60, 46, 120, 34, ['node B'], { fill: ours }),
    box(lanes.redis - 60, 46, 120, 34, ['Redis'], { fill: redis }),
    ...Object.values(lanes).map((x) => line(x, 80, x, height - 20)),
    step('browser', 'a', 'GET /login'),
    step('a', 'redis', 'authSessions.getOrCreateRoot, addTab'),
    step('a', 'browser', 'form, cookie AUTH_SESSION_ID'),
    note(440, 'the next request meets another node'),
    step('browser', 'b', 'POST /login: name and password'),
    step('b', 'redis', 'loginFailures.guard: count it'),
    step('b', 'redis', 'authSessions.promote: once'),
    step('b', 'redis', 'userSessions.create: a fresh id'),
    step('b', 'browser', 'signed in'),
    note(440, 'later, from another device: sign out everywhere'),
    step('browser', 'a', 'POST /sign-out-everywhere'),
    step('a', 'redis', 'userSessions.removeByUser: sessions end'),
    note(440, 'every node asks Redis: no node knows the session any more'),
    step('browser', 'b', 'GET /account'),
    step('b', 'redis', 'userSessions.get: undefined'),
  ])
}

/** The keys of one session and what lies beside them. */
function partition() {
  const mono = { size: 12, anchor: 'start', mono: true }
  const keys = [
    ['authstate:{0a}:us:acme:…', 'hash', 'the session, with its clients in fields'],
    ['authstate:{0a}:uu:acme:…', 'sorted set', 'sessions of a user, by their end'],
    ['authstate:{0a}:uc:acme:…', 'sorted set', 'sessions at a client, by their end'],
    ['authstate:{0a}:ur:acme', 'sorted set', 'sessions of the realm, by their end'],
    ['authstate:{0a}:uf:acme:…', 'text', 'fence: what began before it is refused'],
  ]
  const tags = ['00', '01', '02', '03', '04', '…', '0f']
  const small = (i) => box(40 + i * 112, 360, 100, 44, [`{${tags[i]}}`], { fill: redis })
  return picture(860, 470, 'A partition with its keys', [
    text(430, 34, 'A partition with its keys', { size: 16, bold: true }),
    box(250, 50, 360, 44, ['userSessions.create', 'one script, all keys in one slot'], { fill: ours }),
    arrow(430, 94, 430, 122),
    `<rect x="40" y="122" width="780" height="206" rx="6" fill="${redis}" stroke="${COLORS.line}"/>`,
    text(
      60,
      148,
      'partition {0a}: its hash tag keeps all keys of a user’s sessions in one slot of a Cluster',
      {
        anchor: 'start',
        bold: true,
      },
    ),
    ...keys.flatMap(([key, type, what], i) => [
      text(60, 182 + i * 30, key, mono),
      text(300, 182 + i * 30, type, { size: 12, anchor: 'start', color: COLORS.faint }),
      text(400, 182 + i * 30, what, { anchor: 'start' }),
    ]),
    ...[0, 1, 2, 3, 4, 5, 6].map(small),
    text(
      430,
      430,
      '16 partitions by default. A listing by client or realm asks each of them; one of a user asks one.',
      {
        size: 12,
        color: COLORS.faint,
      },
    ),
    text(430, 450, 'Every key expires a little after what it holds has ended.', {
      size: 12,
      color: COLORS.faint,
    }),
  ])
}

export const PICTURES = {
  house: house(),
  login: login(),
  partition: partition(),
  'link-states': linkStates(),
}
