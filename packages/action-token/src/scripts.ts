/** What lets one of several sites decide. */
export {
  conflicts,
  decideConsume,
  decideCountUse,
  decidePut,
  decideTake,
} from './redis/deciding-scripts.js'
/** What keeps sites in step. */
export { join, joinRevocation, names, share, shareRevocation } from './redis/site-scripts.js'
export {
  consume,
  countUse,
  type ListedTail,
  page,
  put,
  remove,
  replace,
  revoke,
  take,
  withdraw,
} from './redis/verb-scripts.js'
