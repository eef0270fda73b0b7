import { setTimeout as pause } from 'node:timers/promises'
import { createOperations, type Operations } from '@authstate/operations'
import type { AuthState, AuthStateConfig } from 'authstate'
import type { Context } from '../commands/context.js'
import { type DeploymentOptions, openState } from '../configuration.js'
import { CommandError, EXIT } from '../exit-codes.js'
import type { Surroundings } from '../surroundings.js'

/** What a command knows of its deployment without asking it. */
export interface Deployment {
  /** Whether the configuration has settings of realms: a program can, a JSON file cannot. */
  readonly saysRealms: boolean
}

/**
 * Runs something over the deployment that the options name, and ends what it opened.
 *
 * @param rest Says after Ctrl-C what is done and what is not.
 */
export async function withOperations(
  { surroundings }: Context,
  options: DeploymentOptions,
  wanted: readonly string[],
  work: (operations: Operations, deployment: Deployment) => Promise<void>,
  rest?: (operations: Operations) => Promise<string>,
): Promise<void> {
  let opened: Operations | undefined
  const run = async () => {
    const { state, config, saysRealms } = await openState(options, surroundings, wanted)
    try {
      opened = operationsOf(surroundings, state, config)
      await work(opened, { saysRealms })
    } finally {
      await state.close()
    }
  }
  await untilInterrupted(surroundings, run, async () => opened && rest?.(opened))
}

/** The operations on a state, by the person who runs the command. */
export function operationsOf(
  { user = 'unknown' }: Surroundings,
  state: AuthState,
  { keyring }: AuthStateConfig,
): Operations {
  return createOperations({ state, keyring, actor: { name: user, via: 'command' } })
}

/** How long what is left is asked for after Ctrl-C. */
const REST_MS = 2_000

/** Waits for work, or for Ctrl-C: what was sent to the store by then goes on there. */
export async function untilInterrupted(
  surroundings: Surroundings,
  work: () => Promise<void>,
  rest: () => Promise<string | undefined> = async () => undefined,
): Promise<void> {
  const { interrupted } = surroundings
  const error = new CommandError(EXIT.interrupted, 'what was done stays, and the command can be run again')
  if (interrupted.aborted) throw error
  let stop = () => {}
  const interruption = new Promise<never>((_, reject) => {
    stop = () => reject(error)
    interrupted.addEventListener('abort', stop, { once: true })
  })
  const working = work()
  // What it fails with after an interruption is nobody's.
  working.catch(() => {})
  try {
    await Promise.race([working, interruption])
  } catch (failure) {
    if (failure !== error) throw failure
    const late = pause(REST_MS, undefined, { ref: false })
    const said = await Promise.race([rest().catch(() => undefined), late])
    throw said === undefined
      ? error
      : new CommandError(EXIT.interrupted, `${said}. The command can be run again`)
  } finally {
    interrupted.removeEventListener('abort', stop)
  }
}
