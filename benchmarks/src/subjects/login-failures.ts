import { loginFailureSpi } from '@authstate/login-failure'
import { redisLoginFailures } from '@authstate/login-failure/redis'
import { REALM, userOf } from '../login.js'
import { openStore } from '../open-store.js'
import type { Place, Subject } from '../subject.js'

/** The login failures of this library. */
export async function open(place: Place): Promise<Subject> {
  const store = await openStore(place, [redisLoginFailures()])
  const failures = store.registry.get(loginFailureSpi)
  return {
    operations: {
      failure: (turn) => failures.recordFailure(REALM, userOf(turn % 1_000), { ip: '203.0.113.7' }),
    },
    close: store.close,
  }
}
