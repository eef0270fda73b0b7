import { type Html, html } from './html.js'

const SPANS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const

/** `12 s`, `3 min`, `9 h`. */
export function span(ms: number): string {
  const [length, unit] = SPANS.find(([of]) => ms >= of) ?? [1_000, 's']
  return `${Math.floor(ms / length)} ${unit}`
}

/** `3 min ago`, `in 9 h`, `now`. */
export function relative(at: number, now: number): string {
  const away = Math.abs(at - now)
  if (away < 1_000) return 'now'
  return at < now ? `${span(away)} ago` : `in ${span(away)}`
}

/** `2026-11-29 09:12:00Z`. */
export const instant = (at: number): string =>
  new Date(at).toISOString().replace('T', ' ').replace(/\.\d+/, '')

/** An instant as the time that has passed since, with the instant itself as a title. */
export const when = (at: number | undefined, now: number): Html =>
  at === undefined
    ? html`–`
    : html`<time datetime="${new Date(at).toISOString()}" title="${instant(at)}">${relative(at, now)}</time>`

/** `1 session`, `2 sessions`, `1,234 sessions`. */
export const counted = (count: number, noun: string): string =>
  `${figure(count)} ${noun}${count === 1 ? '' : 's'}`

/** `12,345`. */
export const figure = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ',')

/** An address without what tells one host: `203.0.113.…`, `2001:db8:7:…`. What is no address is not shown. */
export function shortened(address: string): string {
  if (/^\d+(\.\d+){3}$/.test(address)) return address.replace(/\d+$/, '…')
  const [head = '', ...rest] = address.split(':')
  if (rest.length < 2) return '…'
  const groups = [head, ...rest.slice(0, 2)]
  const gap = groups.indexOf('', 1)
  return `${(gap < 0 ? groups : groups.slice(0, gap)).join(':')}:…`
}

/** A network without what tells one host: `203.0.113.…/32`. */
export function shortenedNetwork(network: string): string {
  const [address = '', bits] = network.split('/')
  return `${shortened(address)}${bits === undefined ? '' : `/${bits}`}`
}
