import {
  assertInstant,
  assertKnown,
  assertName,
  assertOneOf,
  type CheckedPage,
  checkPage,
  type Known,
  type PageOptions,
} from '@authstate/spi'
import { type IpAddress, parseIp } from './address.js'
import type {
  FailureCategory,
  FailureOptions,
  GuardOptions,
  SuccessOptions,
  UnknownUserOptions,
} from './contract.js'

/** Every verb about a user starts here. */
export function checkIds(realmId: unknown, userId: unknown): void {
  assertName(realmId, 'realmId')
  assertName(userId, 'userId')
}

/** The checked options of a verb about one attempt. */
export interface Attempt {
  readonly ip: IpAddress | undefined
  readonly at: number | undefined
  readonly secondary: boolean
}

export const CATEGORIES = ['password', 'otp'] as const satisfies readonly FailureCategory[]

const FAILURE: Known<FailureOptions> = { ip: true, at: true, category: true }
const GUARD: Known<GuardOptions> = { ip: true, category: true }
const SUCCESS: Known<SuccessOptions> = { category: true }
/**
 * A category has no effect there and is accepted all the same: a login need not change its options to hide
 * which users exist.
 */
const UNKNOWN: Known<UnknownUserOptions & GuardOptions> = { ip: true, username: true, category: true }
const ADDRESS: Known<{ readonly ip?: string | undefined }> = { ip: true }

/** What the options of a verb may be called; the same for a name without a user, which must look like any other. */
const ATTEMPTS = {
  failure: FAILURE,
  guard: GUARD,
  success: SUCCESS,
  look: ADDRESS,
  unknown: UNKNOWN,
} as const

/** @throws {TypeError | RangeError} naming the option that is wrong */
export function checkAttempt(options: unknown, verb: keyof typeof ATTEMPTS): Attempt {
  // Whatever the verb: what it can have is among these.
  assertKnown(options, 'options', ATTEMPTS[verb] as Known<FailureOptions>)
  const { ip, at, category } = options
  if (at !== undefined) assertInstant(at, 'at')
  if (category !== undefined) assertOneOf(category, 'category', CATEGORIES)
  return { ip: ip === undefined ? undefined : parseIp(ip), at, secondary: category === 'otp' }
}

const PAGE: Known<PageOptions> = { limit: true, cursor: true }

/** @throws {TypeError | RangeError} naming what is wrong */
export function checkPageOptions(page: PageOptions = {}): CheckedPage {
  assertKnown(page, 'page', PAGE)
  return checkPage(page as PageOptions)
}
