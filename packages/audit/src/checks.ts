import {
  assertInstant,
  assertInteger,
  assertName,
  assertOneOf,
  assertOptionalName,
  assertOptions,
  type Known,
} from '@authstate/spi'
import type { AuditAction, AuditActor, AuditFilter, AuditKind, AuditQuery, AuditRecord } from './contract.js'

const KINDS: Readonly<Record<AuditKind, true>> = {
  user: true,
  network: true,
  'unknown-name': true,
  'user-session': true,
  'web-session': true,
  token: true,
  'token-id': true,
  'token-family': true,
}
const RECORD: Known<AuditRecord> = { kind: true, id: true }
const ACTOR: Known<AuditActor> = { name: true, via: true }
const ACTION: Known<AuditAction> = { actor: true, event: true, realm: true, records: true, details: true }
const FILTER: Known<AuditFilter> = { since: true, realm: true, events: true, only: true, record: true }
const QUERY: Known<AuditQuery> = { ...FILTER, first: true, limit: true, cursor: true }
const MOST_RECORDS = 100
const MOST_LINES = 1_000

/** @throws {TypeError} it names no record */
export function assertRecord(record: unknown, name = 'record'): asserts record is AuditRecord {
  assertOptions(record as AuditRecord, name, RECORD)
  const { kind, id } = record as AuditRecord
  assertOneOf(kind, `${name}.kind`, Object.keys(KINDS) as AuditKind[])
  for (const part of Array.isArray(id) ? id : [id]) assertName(part, `${name}.id`)
}

/** @throws {TypeError} it cannot be the name of somebody */
export function assertActor(actor: unknown, name = 'actor'): asserts actor is AuditActor {
  assertOptions(actor as AuditActor, name, ACTOR)
  const { name: called, via } = actor as AuditActor
  assertName(called, `${name}.name`)
  assertOneOf(via, `${name}.via`, ['api', 'command', 'console'])
}

/** @throws {TypeError | RangeError} something of it cannot be; names it */
export function assertAction(action: unknown): asserts action is AuditAction {
  assertOptions(action as AuditAction, 'action', ACTION)
  const { actor, event, realm, records = [] } = action as AuditAction
  assertActor(actor, 'action.actor')
  assertEvent(event, 'action.event')
  assertOptionalName(realm, 'action.realm')
  if (!Array.isArray(records)) throw new TypeError('"action.records" must be a list')
  assertInteger(records.length, 'action.records.length', 0, MOST_RECORDS)
  for (const record of records) assertRecord(record, 'action.records')
  if (records.length > 0 && realm === undefined)
    throw new TypeError('"action.realm" must be given where there are records: it is part of their names')
}

/** @throws {TypeError | RangeError} something of it cannot be; names it */
export function assertFilter(filter: unknown): asserts filter is AuditFilter {
  assertOptions(filter as AuditFilter, 'filter', FILTER)
  assertEach(filter as AuditFilter, 'filter')
}

/** @throws {TypeError | RangeError} something of it cannot be; names it */
export function assertQuery(query: unknown): asserts query is AuditQuery {
  assertOptions(query as AuditQuery, 'query', QUERY)
  const { first, limit, cursor } = query as AuditQuery
  assertEach(query as AuditQuery, 'query')
  if (first !== undefined) assertOneOf(first, 'query.first', ['newest', 'oldest'])
  if (limit !== undefined) assertInteger(limit, 'query.limit', 1, MOST_LINES)
  if (cursor !== undefined && !/^[\w.~-]{1,400}$/.test(cursor))
    throw new TypeError('"query.cursor" must be the cursor of a page of lines')
}

function assertEach({ since, realm, events, only, record }: AuditFilter, name: string): void {
  if (since !== undefined) assertInstant(since, `${name}.since`)
  assertOptionalName(realm, `${name}.realm`)
  if (only !== undefined) assertOneOf(only, `${name}.only`, ['actions', 'trail'])
  if (events !== undefined) {
    if (!Array.isArray(events) || events.length === 0)
      throw new TypeError(`"${name}.events" must be a list of events`)
    for (const event of events) assertEvent(event, `${name}.events`)
  }
  if (record === undefined) return
  assertRecord(record, `${name}.record`)
  if (realm === undefined) throw new TypeError(`"${name}.realm" must be given beside "record"`)
}

function assertEvent(event: unknown, name: string): void {
  if (typeof event === 'string' && /^[a-z][a-z-]{0,39}(\.[a-z][a-z-]{0,39})?$/.test(event)) return
  throw new TypeError(`"${name}" must be words such as 'sessions.end'`)
}
