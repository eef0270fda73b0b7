// The states of a link to another site, and what leads from one to the next. A test compares STEPS with the code.
import { arrow, box, COLORS, picture, text } from './draw.mjs'

const WIDTH = 180
const HEIGHT = 62
const [left, middle, right] = [40, 390, 740]
const [top, bottom] = [84, 310]

const STATES = {
  connecting: { x: left, y: top, what: 'not reached yet' },
  online: { x: middle, y: top, what: 'changes are sent at once' },
  suspect: { x: right, y: top, what: 'tried with every change' },
  blocked: { x: left, y: bottom, what: 'nothing is sent' },
  syncing: { x: middle, y: bottom, what: 'gets what it missed' },
  offline: { x: right, y: bottom, what: 'nothing is sent' },
}

/** Straight ways: from a place in a box to a place in another, with words above, beside (to the right) or before (to the left). */
const STEPS_DRAWN = [
  { from: 'connecting', to: 'online', words: 'it answers', start: [180, 31], end: [0, 31] },
  { from: 'online', to: 'suspect', words: 'a failure', start: [180, 18], end: [0, 18] },
  { from: 'suspect', to: 'online', words: 'it works again', start: [0, 46], end: [180, 46] },
  {
    from: 'suspect',
    to: 'offline',
    before: ['3 failures in a row,', '30 s after the first'],
    start: [90, 62],
    end: [90, 0],
  },
  { from: 'offline', to: 'syncing', words: 'it answers for 60 s', start: [0, 18], end: [180, 18] },
  { from: 'syncing', to: 'offline', words: 'a failure', start: [180, 46], end: [0, 46] },
  {
    from: 'syncing',
    to: 'online',
    beside: ['it has all', 'that it missed'],
    start: [90, 0],
    end: [90, 62],
  },
  { from: 'blocked', to: 'syncing', words: 'you fixed it', start: [180, 31], end: [0, 31] },
]

const stepFrom = ({ from, to, words, before, beside = before ?? [], start, end }) => {
  const [x1, y1] = [STATES[from].x + start[0], STATES[from].y + start[1]]
  const [x2, y2] = [STATES[to].x + end[0], STATES[to].y + end[1]]
  const besideIt = beside.map((line, i) =>
    text(x1 + (before ? -10 : 10), (y1 + y2) / 2 + i * 16, line, {
      size: 12,
      anchor: before ? 'end' : 'start',
    }),
  )
  return [arrow(x1, y1, x2, y2, words), ...besideIt].join('\n')
}

/** From `connecting` over the top to `suspect`. */
const overTheTop = [
  `<path d="M${left + 90} ${top}V56H${right + 90}" fill="none" stroke="${COLORS.accent}" stroke-width="1.5"/>`,
  arrow(right + 90, 56, right + 90, top),
  text(middle + 90, 50, 'a failure', { size: 12 }),
]

/** Each step that the picture shows, as `from → to`; `*`: from every state. */
export const STEPS = [
  ...STEPS_DRAWN.map(({ from, to }) => `${from} → ${to}`),
  'connecting → suspect',
  '* → blocked',
  '* → offline',
]

export function linkStates() {
  return picture(960, 500, 'A link to another site, and its states', [
    text(480, 28, 'A link to another site, and its states', { size: 16, bold: true }),
    ...overTheTop,
    ...Object.entries(STATES).map(([name, { x, y, what }]) =>
      box(x, y, WIDTH, HEIGHT, [name, what], {
        fill: ['offline', 'blocked'].includes(name) ? COLORS.redis : COLORS.ours,
      }),
    ),
    ...STEPS_DRAWN.map(stepFrom),
    box(left, 420, WIDTH, 44, ['any state'], { dashed: true }),
    arrow(left + 90, 420, left + 90, bottom + HEIGHT, undefined, { dashed: true }),
    text(left + 100, 400, 'only you can fix it: clock, rights, version, …', { size: 12, anchor: 'start' }),
    box(right, 420, WIDTH, 44, ['any state'], { dashed: true }),
    arrow(right + 90, 420, right + 90, bottom + HEIGHT, undefined, { dashed: true }),
    text(right + 80, 400, 'you call takeOffline', { size: 12, anchor: 'end' }),
    text(480, 440, 'While nothing is sent, every change is remembered.', { size: 12, color: COLORS.faint }),
    text(480, 458, 'bringOnline ends an offline state as soon as the site answers.', {
      size: 12,
      color: COLORS.faint,
    }),
    text(480, 476, 'The figures are the defaults.', { size: 12, color: COLORS.faint }),
  ])
}
