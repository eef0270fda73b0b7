import { actionTokenSpi } from '@authstate/action-token'
import { redisActionTokens } from '@authstate/action-token/redis'
import { codeOf } from '../code.js'
import { REALM } from '../login.js'
import { openStore } from '../open-store.js'
import type { Place, Subject } from '../subject.js'

/** The single-use tokens of this library. */
export async function open(place: Place): Promise<Subject> {
  const store = await openStore(place, [redisActionTokens()])
  const tokens = store.registry.get(actionTokenSpi)
  return {
    operations: {
      'single use': async (turn) => {
        const { id, data } = codeOf(turn)
        await tokens.put(REALM, 'code', id, { lifespanMs: 60_000, data })
        const { outcome } = await tokens.consume(REALM, 'code', id)
        if (outcome !== 'consumed') throw new Error(`a code was ${outcome}`)
      },
    },
    close: store.close,
  }
}
