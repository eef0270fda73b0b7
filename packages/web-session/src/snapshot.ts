import type { JsonValue, SessionData, WebSessionPatch } from './contract.js'

/** The data of a session at one moment, name by name: what a request loaded, or what it saves. */
export interface SessionSnapshot {
  /** As JSON has it: dates are texts, what is `undefined` is not there. */
  readonly data: SessionData
  /** Each name with the JSON of its value. */
  readonly names: ReadonlyMap<string, string>
}

/** What an `update` needs to say of a change: names that get another value, and names that go. */
export interface SessionChanges extends Pick<WebSessionPatch, 'set' | 'unset'> {
  readonly set: SessionData
  readonly unset: readonly string[]
}

/**
 * Notes what a session holds now, so that a store can save what a request changed and leave the rest to others.
 *
 * @param session The session as a framework has it. It is not kept: what changes in it later changes no snapshot.
 * @throws {TypeError} it is no object, or JSON has no form for what is in it
 */
export function snapshotOf(session: object): SessionSnapshot {
  const data: unknown = JSON.parse(JSON.stringify(session) ?? 'null')
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new TypeError('"session" must be an object of JSON values')
  let names: ReadonlyMap<string, string> | undefined
  return {
    data: data as SessionData,
    get names() {
      names ??= new Map(Object.entries(data).map(([name, value]) => [name, JSON.stringify(value)]))
      return names
    },
  }
}

/**
 * What changed from one snapshot to a later one, for `update`.
 *
 * @returns `undefined` where nothing did: what is left to do is a touch
 */
export function changesBetween(before: SessionSnapshot, after: SessionSnapshot): SessionChanges | undefined {
  const changed = [...after.names].filter(([name, json]) => before.names.get(name) !== json)
  const unset = [...before.names.keys()].filter((name) => !after.names.has(name))
  if (changed.length === 0 && unset.length === 0) return undefined
  const set = changed.map(([name]) => [name, after.data[name] as JsonValue] as const)
  return { set: Object.fromEntries(set), unset }
}
