import {
  assertBoolean,
  assertName,
  assertNames,
  assertObject,
  assertOptions,
  type Known,
} from '@authstate/spi'

/** In which realms something may be done: in all that the operator sees, in none, or in these. */
export type Right = boolean | readonly string[]

/** What an operator may do. What is left out is not allowed. */
export interface Rights {
  /** Look at sessions, users, clients and lock-outs, and at the deployment. */
  readonly read?: Right | undefined
  /** End sessions, also all of a user or at a client. */
  readonly endSessions?: Right | undefined
  /** Forget login failures and end lock-outs. */
  readonly clearFailures?: Right | undefined
  /** Empty caches on every node. They hold data of all realms, so no list of realms is taken. */
  readonly clearCache?: boolean | undefined
  /** Take another site offline, bring it back, push to it, and control pushes. Links are of all realms, so no list of realms is taken. */
  readonly manageSites?: boolean | undefined
}

/** The operator who uses the console, as your `authorize` returns it. */
export interface Operator {
  /** Fixed for a person: forms are bound to it, and it stands in every record of an action. */
  readonly id: string
  /** Shown on every page. @default the id */
  readonly name?: string | undefined
  readonly can: Rights
  /**
   * The only realms that exist for this operator. Caches, nodes, sites, Redis and the configuration are of all realms, and do not exist for an
   * operator of some. @default all that the console was given
   */
  readonly realms?: readonly string[] | undefined
}

/** Name of a right. */
export type RightName = keyof Rights

const OPERATOR: Known<Operator> = { id: true, name: true, can: true, realms: true }
const RIGHTS: Known<Rights> = {
  read: true,
  endSessions: true,
  clearFailures: true,
  clearCache: true,
  manageSites: true,
}

/** @throws {TypeError} what `authorize` answered is no operator */
export function checkOperator(operator: unknown): asserts operator is Operator {
  assertOptions(operator, 'operator', OPERATOR)
  assertName(operator.id, 'operator.id')
  if (operator.name !== undefined) assertName(operator.name, 'operator.name')
  if (operator.realms !== undefined) assertNames(operator.realms, 'operator.realms')
  assertObject(operator.can, 'operator.can')
  assertOptions(operator.can, 'operator.can', RIGHTS)
  const { clearCache, manageSites, ...ofRealms } = operator.can
  for (const [name, right] of Object.entries({ clearCache, manageSites }))
    if (right !== undefined) assertBoolean(right, `operator.can.${name}`)
  for (const [name, right] of Object.entries(ofRealms)) {
    if (Array.isArray(right)) assertNames(right, `operator.can.${name}`)
    else if (right !== undefined) assertBoolean(right, `operator.can.${name}`)
  }
}

/** Whether an operator may do something, in a realm or, without one, to the whole deployment. */
export function may({ can, realms }: Operator, right: RightName, realmId?: string): boolean {
  const given = can[right] ?? false
  if (realmId === undefined) return realms === undefined && given === true
  const isSeen = realms === undefined || realms.includes(realmId)
  return isSeen && (typeof given === 'boolean' ? given : given.includes(realmId))
}
