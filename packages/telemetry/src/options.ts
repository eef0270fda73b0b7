import { assertNames } from '@authstate/spi'

/** What every exporter of metrics takes. */
export interface MetricOptions {
  /**
   * Kinds of action tokens that are counted separately in `authstate.tokens.replayed`: those that
   * your code gives, such as `'code'`. Any other is `_other`, because a kind is text of the
   * application.
   *
   * @default none
   */
  readonly tokenKinds?: readonly string[] | undefined
}

/** Most kinds that can be declared, so that a metric keeps to its bound. */
const MOST_KINDS = 100

/** @throws {TypeError} it is no list of names, or too long */
export function tokenKindsOf({ tokenKinds = [] }: MetricOptions): ReadonlySet<string> {
  assertNames(tokenKinds, 'options.tokenKinds')
  if (tokenKinds.length > MOST_KINDS)
    throw new TypeError(`"options.tokenKinds" must have ${MOST_KINDS} names at most`)
  return new Set(tokenKinds)
}
