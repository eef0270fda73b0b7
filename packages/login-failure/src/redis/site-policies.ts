import type { RedisConnection } from '@authstate/redis'
import type { RuleBook } from '../rule-book.js'

const books = new WeakMap<RedisConnection, RuleBook>()

/** Lets sites know by which policies failures are counted over a connection. */
export function countedBy(connection: RedisConnection, book: RuleBook): void {
  books.set(connection, book)
}

/** By which policies failures are counted over a connection; `undefined` if this process counts none. */
export const ruleBookOf = (connection: RedisConnection): RuleBook | undefined => books.get(connection)
