import type { DeadLetter, Delivery, DeliveryTarget } from './contract.js'
import { deadIdOf, isFinal } from './rules.js'
import type { StoredDeadLetter, StoredDelivery, StoredMessage } from './store.js'

/** A delivery as callers see it. */
export function toDelivery(
  realmId: string,
  deliveryId: string,
  { createdAt, type, messages }: StoredDelivery,
): Delivery {
  const targets = messages
    .map(({ target, state }): DeliveryTarget => {
      const { nextAt } = state
      return {
        ...placeOf(target),
        state: state.state,
        attempts: state.attempts,
        ...answerOf(state),
        ...(!isFinal(state) && { nextAt }),
      }
    })
    .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1))
  const settled = messages.every(({ state }) => isFinal(state))
  return { deliveryId, realmId, type, createdAt, settled, targets }
}

/** Whom a message is to. */
export const placeOf = ({ clientId, host, kind }: StoredMessage['target']) => ({
  clientId,
  ...(host !== '' && { host }),
  message: kind,
})

const answerOf = ({ lastStatus, reason }: StoredMessage['state']) => ({
  ...(lastStatus !== undefined && { lastStatus }),
  ...(reason !== undefined && { reason }),
})

const orderOf = ({ clientId, host = '', message }: DeliveryTarget): string =>
  JSON.stringify([clientId, host, message])

/** A dead letter as callers see it. */
export function toLetter({
  deliveryId,
  id,
  createdAt,
  announcement,
  target,
  state,
  expiresAt,
}: StoredDeadLetter): DeadLetter {
  return {
    id: deadIdOf(deliveryId, id),
    deliveryId,
    type: announcement.type,
    ...placeOf(target),
    attempts: state.attempts,
    ...answerOf(state),
    createdAt,
    expiresAt,
  }
}
