import type { Operations } from '@authstate/operations'
import type { Action, Plan } from './action.js'
import type { ConsoleAction } from './console-action.js'
import type { Operator } from './operator.js'
import type { CheckedOptions } from './options.js'
import type { Sources } from './screen.js'
import { sentenceOf } from './trouble.js'

/** Why nothing was done: it could not be written down. */
export class NotRecorded extends Error {}

/** The verbs of an operator: what they do is written under this name in the audit of the state. */
export const actingAs = (operations: Operations, { id }: Operator): Operations =>
  operations.as({ name: id, via: 'console' })

type Outcome = Awaited<ReturnType<Plan['run']>>

/** Tells who does what: before it is done, and what came of it. The audit of the state is written by the verbs themselves. */
export class Recorder {
  readonly #options: CheckedOptions
  readonly #operations: Operations

  constructor({ options, operations }: Pick<Sources, 'options' | 'operations'>) {
    this.#options = options
    this.#operations = operations
  }

  /**
   * Does what is planned.
   *
   * @throws {NotRecorded} `onAction` refused: nothing was done
   * @throws what the action throws
   */
  async run(operator: Operator, action: Action, realmId: string | undefined, plan: Plan): Promise<Outcome> {
    const { onAction } = this.#options
    const about = this.#about(operator, action.name, realmId, plan)
    try {
      await onAction?.({ ...about, outcome: 'begun' })
    } catch (error) {
      this.#options.logger.error({ error }, 'an action of the console could not be recorded and was not done')
      throw new NotRecorded('The action could not be recorded, so nothing was done.')
    }
    try {
      const outcome = await plan.run()
      await this.#tell({ ...about, outcome: 'done', count: outcome.count })
      return outcome
    } catch (error) {
      await this.#tell({ ...about, outcome: 'failed', reason: sentenceOf(error) })
      throw error
    }
  }

  /** Writes down that something was not allowed. Never rejects. */
  async refuse(
    operator: Operator,
    action: Action | undefined,
    realmId: string | undefined,
    reason: string,
  ): Promise<void> {
    const { logger } = this.#options
    logger.warn({ operatorId: operator.id, action: action?.name, reason }, 'the console refused an action')
    if (action === undefined) return
    const about = this.#about(operator, action.name, realmId, { subject: {} })
    await this.#tell({ ...about, outcome: 'refused', reason })
    try {
      await actingAs(this.#operations, operator).audit.refuse(action.name, realmId, reason)
    } catch (error) {
      logger.error({ error }, 'a refusal of the console could not be written to the audit')
    }
  }

  #about(
    operator: Operator,
    action: ConsoleAction['action'],
    realmId: string | undefined,
    { subject }: Pick<Plan, 'subject'>,
  ) {
    const at = this.#options.state.clock.now()
    return { at, operatorId: operator.id, action, subject, ...(realmId !== undefined && { realmId }) }
  }

  async #tell(action: ConsoleAction): Promise<void> {
    try {
      await this.#options.onAction?.(action)
    } catch (error) {
      this.#options.logger.error({ error }, 'what came of an action of the console could not be recorded')
    }
  }
}
