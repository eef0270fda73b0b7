import type { RedisConnection } from '@authstate/redis'
import type { RuleBook } from '../rule-book.js'

const books = new WeakMap<RedisConnection, RuleBook>()

/** Lets sites know by which policies failures are counted over a connection. */
export function countedBy(connection: RedisConnection, book: RuleBook): void {
  books.set(connection, book)
}

/** By which policies failures are counted over a connection; `undefined` where nobody in this process counts any. */
export const ruleBookOf = (connection: RedisConnection): RuleBook | undefined => books.get(connection)
