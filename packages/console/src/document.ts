import { SCRIPT, STYLE } from './assets/index.js'
import { relative } from './format.js'
import { type Html, html, named, plain } from './html.js'
import { may, type Operator } from './operator.js'
import { pathOf } from './page.js'
import type { AnyScreen } from './screen.js'

/** What a document is made of. */
export interface DocumentParts {
  readonly basePath: string
  readonly title: string
  readonly content: Html
  readonly now: number
  /** Absent if no operator is signed in. */
  readonly navigation?: Navigation
  /** Seconds after which an open page shows what is new. */
  readonly liveSeconds?: number | undefined
  /** What came of the last action. */
  readonly said?: { readonly text: string; readonly isBad: boolean } | undefined
  /** The store is away: why, and of when what is shown is. */
  readonly away?: { readonly sentence: string; readonly at: number } | undefined
}

/** Where somebody is, and can go. */
export interface Navigation {
  readonly operator: Operator
  readonly realms: readonly string[]
  readonly realmId?: string | undefined
  readonly current?: AnyScreen | undefined
  readonly screens: readonly AnyScreen[]
  readonly readOnly: boolean
}

/** A whole page. */
export function documentOf(parts: DocumentParts): Html {
  const { basePath, title, content, now, navigation, liveSeconds, said, away } = parts
  const realm = navigation?.current?.scope === 'realm' && navigation.realmId
  const events = pathOf(basePath, 'api/v1/events')
  return html`<!doctype html>
<html lang="en" data-now="${now}"${navigation && html` data-events="${events}"`}${liveSeconds !== undefined && html` data-live="${liveSeconds}"`}${away && html` data-away="1"`}><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}${realm && ` – ${plain(realm)}`} – authstate</title><link rel="icon" href="data:,"><link rel="stylesheet" href="${basePath}/${STYLE.path}">${navigation && html`<script src="${basePath}/${SCRIPT.path}" defer></script>`}</head>
<body><a class="skip" href="#main">To the content</a><header><b>authstate</b>${navigation && menu(basePath, navigation)}</header>
${navigation && navigation.current?.scope === 'realm' && realmMenu(basePath, navigation)}<main id="main" tabindex="-1">
<h1>${title}${realm && html` <small>${named(realm)}</small>`}</h1>
<div id="away" class="note bad" role="alert"${!away && html` hidden`}>${away && `${plain(away.sentence)} What is shown is what was known ${away.at === 0 ? 'never' : relative(away.at, now)}. Nothing can be done now.`}</div>
${said && html`<p class="note${said.isBad && ' bad'}" role="status" tabindex="-1">${plain(said.text)}</p>`}
${content}</main></body></html>`
}

/** The screens that an operator may open. */
export const openTo = (operator: Operator, realms: readonly string[], { scope }: AnyScreen): boolean => {
  if (scope === 'deployment') return may(operator, 'read')
  return realms.some((realmId) => may(operator, 'read', realmId)) || may(operator, 'read')
}

function menu(basePath: string, { operator, realms, realmId, current, screens, readOnly }: Navigation): Html {
  const shown = screens.filter((screen) => !screen.path.includes(':') && openTo(operator, realms, screen))
  const item = (screen: AnyScreen) => {
    const query = screen.scope === 'realm' ? { realm: realmId } : {}
    const isHere = screen === current && html` aria-current="page"`
    return html`<li><a href="${pathOf(basePath, screen.path, query)}"${isHere}>${screen.title}</a></li>`
  }
  return html`<nav aria-label="Screens"><ul>${shown.map(item)}</ul></nav><p>${named(operator.name ?? operator.id)}${readOnly && ', reading only'}</p>`
}

function realmMenu(basePath: string, { realms, realmId, current }: Navigation): Html {
  if (realms.length < 2 || current === undefined) return html``
  const path = current.path.includes(':') ? 'sessions' : current.path
  return html`<details class="realms"><summary><span>Realm ${named(realmId ?? '')}: choose another</span></summary><nav aria-label="Realms"><ul>${realms.map((realm) => html`<li><a href="${pathOf(basePath, path, { realm })}"${realm === realmId && html` aria-current="true"`}>${named(realm)}</a></li>`)}</ul></nav></details>`
}
