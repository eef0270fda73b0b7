import type { GuardOutcome, LoginFailureProvider } from '../contract.js'
import type { LoginFailureStage } from './fixture.js'

export const wrong = async () => false
export const right = async () => true

/** A credential that takes a turn of the event loop to verify, and counts how often it was verified, and at once. */
export function credential(answer: boolean) {
  const seen = { verified: 0, atOnce: 0, mostAtOnce: 0 }
  const verify = async (): Promise<boolean> => {
    seen.verified += 1
    seen.atOnce += 1
    seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce)
    await new Promise(setImmediate)
    seen.atOnce -= 1
    return answer
  }
  return { seen, verify }
}

/** A verification that goes on until it is told how it ends. */
export function pending() {
  let begun: () => void = () => {}
  let end: (answer: boolean) => void = () => {}
  const started = new Promise<void>((resolve) => {
    begun = resolve
  })
  const ended = new Promise<boolean>((resolve) => {
    end = resolve
  })
  const verify = () => {
    begun()
    return ended
  }
  return { started, end, verify }
}

/** How many attempts came to what. */
export function count(outcomes: readonly GuardOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}

/** Two nodes of one deployment, with properties. */
export async function twoNodes(
  stage: LoginFailureStage,
  properties = {},
): Promise<[LoginFailureProvider, LoginFailureProvider]> {
  return [await stage.withProperties(properties), await stage.withProperties(properties)]
}
