import type { Action, Plan } from './actions.js'
import type { ConsoleAction } from './audit.js'
import type { Operator } from './operator.js'
import type { CheckedOptions } from './options.js'
import { sentenceOf } from './trouble.js'

/** Why nothing was done: it could not be written down. */
export class NotRecorded extends Error {}

type Outcome = Awaited<ReturnType<Plan['run']>>

/** Writes down who does what: before it is done, and what came of it. */
export class Recorder {
  readonly #options: CheckedOptions

  constructor(options: CheckedOptions) {
    this.#options = options
  }

  /**
   * Does what is planned.
   *
   * @throws {NotRecorded} `onAction` refused: nothing was done
   * @throws what the action throws
   */
  async run(operator: Operator, action: Action, realmId: string | undefined, plan: Plan): Promise<Outcome> {
    const { audit, onAction } = this.#options
    const about = this.#about(operator, action.name, realmId, plan)
    try {
      await onAction?.({ ...about, outcome: 'begun' })
    } catch (error) {
      this.#options.logger.error({ error }, 'an action of the console could not be recorded and was not done')
      throw new NotRecorded('The action could not be recorded, so nothing was done.')
    }
    try {
      const { userId: _, network: __, ...details } = plan.subject
      const outcome =
        audit === undefined
          ? await plan.run()
          : await audit.act(
              {
                actor: { name: operator.id, via: 'console' },
                event: action.name,
                ...(realmId !== undefined && { realm: realmId }),
                records: plan.records,
                details,
              },
              () => plan.run(),
              ({ count }) => ({ count }),
            )
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
    const { audit, logger } = this.#options
    logger.warn({ operatorId: operator.id, action: action?.name, reason }, 'the console refused an action')
    if (action === undefined) return
    const about = this.#about(operator, action.name, realmId, { subject: {} })
    await this.#tell({ ...about, outcome: 'refused', reason })
    try {
      await audit?.refuse(
        {
          actor: { name: operator.id, via: 'console' },
          event: action.name,
          ...(realmId !== undefined && { realm: realmId }),
        },
        reason,
      )
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
