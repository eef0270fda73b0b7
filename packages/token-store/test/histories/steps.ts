import fc from 'fast-check'

const node = fc.nat(1)
const subject = fc.constantFrom('u-1', 'u-2')
const sid = fc.constantFrom('s-1', 's-2', 's-3')
const browser = fc.nat(7)

/** What happens in a history, at one of two nodes. */
export type Step =
  /** A login that began a while ago. */
  | { readonly what: 'login'; node: number; subject: string; sid: string; lagMs: number }
  | { readonly what: 'refresh'; node: number; browser: number; force: boolean }
  /** New tokens come after a logout that arrived at the other node meanwhile. */
  | { readonly what: 'logout-during-refresh'; node: number; browser: number; sid: string }
  | { readonly what: 'logout-during-login'; node: number; subject: string; sid: string }
  | { readonly what: 'logout-sid'; node: number; sid: string }
  | { readonly what: 'logout-sub'; node: number; subject: string; agoMs: number }
  | { readonly what: 'not-before'; node: number; agoMs: number }
  /** A logout token that was sent before comes again. */
  | { readonly what: 'replay'; node: number; message: number }
  | { readonly what: 'restart' }
  | { readonly what: 'wait'; ms: number }

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        what: fc.constant('login' as const),
        node,
        subject,
        sid,
        lagMs: fc.constantFrom(0, 1_500, 5_000),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ what: fc.constant('refresh' as const), node, browser, force: fc.boolean() }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ what: fc.constant('logout-during-refresh' as const), node, browser, sid }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ what: fc.constant('logout-during-login' as const), node, subject, sid }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('logout-sid' as const), node, sid }) },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constant('logout-sub' as const),
        node,
        subject,
        agoMs: fc.constantFrom(0, 1_500, 4_000),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant('not-before' as const),
        node,
        agoMs: fc.constantFrom(0, 3_000),
      }),
    },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('replay' as const), node, message: fc.nat(7) }) },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        what: fc.constant('wait' as const),
        ms: fc.constantFrom(1, 999, 2_000, 55_000, 70_000),
      }),
    },
  ),
  { minLength: 2, maxLength: 20 },
)
