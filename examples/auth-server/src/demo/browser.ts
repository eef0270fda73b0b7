import { CookieJar } from 'tough-cookie'
import { fetchFrom } from './fetch-from.js'
import type { Node } from './nodes.js'
import { ISSUER } from './world.js'

/** Where a browser ended up. */
export interface Visit {
  readonly url: URL
  /** 0 when the address is not the issuer's: the browser has left for the application. */
  readonly status: number
  readonly html: string
}

/** A request that was answered. */
export interface Exchange {
  readonly path: string
  /** The Cookie header it was sent with. */
  readonly cookie: string
  readonly response: Response
}

/** A user's browser: keeps cookies, follows redirects, fills in forms. */
export class Browser {
  readonly #jar = new CookieJar()
  readonly #watch: (exchange: Exchange) => void

  /** @param watch Is shown every answer; leaves its body alone. */
  constructor(watch: (exchange: Exchange) => void = () => {}) {
    this.#watch = watch
  }

  /** Opens an address at a node. */
  open(node: Node, address: string | URL): Promise<Visit> {
    return this.#go(node, new URL(address, ISSUER))
  }

  /** Sends the form of a page to a node, its hidden fields as they are. */
  submit(
    node: Node,
    page: Visit,
    action: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Visit> {
    const form = formsOf(page.html).find((one) => one.action === action)
    if (!form) throw new Error(`the page has no form for ${action}`)
    return this.#go(node, new URL(action, ISSUER), new URLSearchParams({ ...form.hidden, ...fields }))
  }

  async #go(node: Node, start: URL, body?: URLSearchParams): Promise<Visit> {
    let url = start
    let init: RequestInit = body ? { method: 'POST', body } : {}
    for (let hops = 0; hops < 10; hops++) {
      if (url.origin !== ISSUER) return { url, status: 0, html: '' }
      const cookie = await this.#jar.getCookieString(url.href)
      const response = await fetchFrom(node, url, { ...init, headers: { cookie } })
      this.#watch({ path: url.pathname, cookie, response })
      for (const set of response.headers.getSetCookie()) await this.#jar.setCookie(set, url.href)
      const location = response.headers.get('location')
      if (location === null) return { url, status: response.status, html: await response.text() }
      await response.body?.cancel()
      url = new URL(location, url)
      init = {}
    }
    throw new Error('too many redirects')
  }
}

function formsOf(html: string): { action: string; hidden: Record<string, string> }[] {
  return [...html.matchAll(/<form [^>]*action="([^"]*)"[^>]*>(.*?)<\/form>/gs)].map(
    ([, action = '', inside = '']) => ({
      action,
      hidden: Object.fromEntries(
        [...inside.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(
          ([, name = '', value = '']) => [
            name,
            value
              .replaceAll('&quot;', '"')
              .replaceAll('&#39;', "'")
              .replaceAll('&lt;', '<')
              .replaceAll('&gt;', '>')
              .replaceAll('&amp;', '&'),
          ],
        ),
      ),
    }),
  )
}
