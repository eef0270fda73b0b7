import { assertFunction, consoleLogger, Emitter } from '@authstate/spi'

/** A session whose changes came to nothing: it was ended meanwhile, or its user's sessions were. */
export interface RefusedSession {
  readonly sessionId: string
}

interface Refusals {
  readonly refused: RefusedSession & { readonly type: 'refused' }
}

/** Tells a function of the application what was refused. What it throws, or rejects with, is logged once. */
export function refusalsTo(
  onRefused: ((refused: RefusedSession) => unknown) | undefined,
): (refused: RefusedSession) => void {
  if (onRefused === undefined) return () => {}
  assertFunction(onRefused, 'onRefused')
  const refusals = new Emitter<Refusals>({ owner: 'web-session', events: ['refused'], logger: consoleLogger })
  refusals.on('refused', ({ sessionId }) => onRefused({ sessionId }))
  return (refused) => refusals.emit('refused', refused)
}
