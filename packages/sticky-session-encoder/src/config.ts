import * as v from 'valibot'
import { ROUTE } from './rules.js'

const properties = {
  /** `false`: no route is attached, for a balancer that appends its own. Decoding takes one off either way. */
  shouldAttachRoute: v.optional(v.boolean(), true),
  /** Name of the cookie. */
  cookieName: v.optional(
    v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/, 'must have 1 to 64 of A-Z a-z 0-9 _ -')),
    'AUTH_SESSION_ID',
  ),
  /** Path of the cookie. */
  path: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\/[\x21-\x3a\x3c-\x7e]*$/, 'must begin with "/" and have no space and no ";"'),
    ),
    '/',
  ),
  /** Host that the cookie is for. @default the host that set the cookie, and no other */
  domain: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]{1,255}$/, 'must be a host name'))),
  /** `none`, `lax` or `strict`; `none` needs `secure`. */
  sameSite: v.optional(v.picklist(['none', 'lax', 'strict']), 'none'),
  /** `false` only where browsers come without TLS. */
  secure: v.optional(v.boolean(), true),
}

const isKeptByBrowsers = (config: { sameSite: string; secure: boolean }): boolean =>
  config.secure || config.sameSite !== 'none'
const NEEDS_SECURE = '"none" needs "secure": a browser drops the cookie otherwise'

/** Properties of the memory provider. */
export const memoryStickySessionConfig = v.pipe(
  v.strictObject({
    ...properties,
    /** What the load balancer calls this node. @default `node.route`, else none */
    route: v.optional(
      v.pipe(v.string(), v.regex(ROUTE, 'must have 1 to 255 of A-Z a-z 0-9 _ . ~ : @ + / = -')),
    ),
  }),
  v.forward(
    v.check((config) => isKeptByBrowsers(config), NEEDS_SECURE),
    ['sameSite'],
  ),
)

/** Properties that every provider has. */
export const stickySessionConfig = v.pipe(
  v.strictObject(properties),
  v.forward(
    v.check((config) => isKeptByBrowsers(config), NEEDS_SECURE),
    ['sameSite'],
  ),
)

/** Properties that every provider has, with defaults filled in. */
export type StickySessionConfig = v.InferOutput<typeof stickySessionConfig>
/** Properties of the memory provider, with defaults filled in. */
export type MemoryStickySessionConfig = v.InferOutput<typeof memoryStickySessionConfig>
