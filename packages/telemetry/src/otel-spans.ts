import type { Around } from '@authstate/spi/internal'
import {
  type Context,
  context,
  createContextKey,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type { StartedCall } from 'authstate'
import type { RedisCommand } from 'authstate/redis'
import { sharedFor } from './board.js'
import { follow } from './channels.js'
import { attributesOf } from './command-attributes.js'
import { spell } from './otel-metrics.js'
import type { ObservedState } from './state.js'

/** Where the SDK looks whether it shall make spans: `suppressTracing` of @opentelemetry/core sets the same. */
const SUPPRESSED = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING')
/** The call whose verb runs in a context. */
const CALL = createContextKey('authstate.call')

/** What a verb may throw without anything being out of order. */
const IN_ORDER: ReadonlySet<string> = new Set(['ok', 'ERR_CONFLICT'])

/**
 * Makes spans of the calls and commands of a state. Where it is asked for more than once, the first one makes them.
 *
 * @returns how to stop
 */
export function followSpans(
  state: ObservedState,
  tracerProvider: TracerProvider,
  scope: string,
  commandSpans: boolean,
): () => void {
  const { node } = state.describe()
  const making = sharedFor(tracerProvider, () => new WeakMap<object, Making>())
  let made = making.get(node)
  if (made === undefined) {
    const spans = new Spans(tracerProvider.getTracer(scope), commandSpans)
    made = { times: 0, stop: follow(node, spans) }
    making.set(node, made)
  }
  const one = made
  one.times += 1
  let isOn = true
  return () => {
    if (!isOn) return
    isOn = false
    one.times -= 1
    if (one.times > 0) return
    making.delete(node)
    one.stop()
  }
}

interface Making {
  times: number
  readonly stop: () => void
}

class Spans {
  readonly #tracer: Tracer
  readonly #commandSpans: boolean
  readonly #spans = new WeakMap<StartedCall | RedisCommand, Span>()
  /** Verbs that have answered at once, out of memory: nothing to make a span of. */
  readonly #atOnce = new Set<string>()

  constructor(tracer: Tracer, commandSpans: boolean) {
    this.#tracer = tracer
    this.#commandSpans = commandSpans
  }

  onCallStart = (call: StartedCall): void => {
    const { spi, provider, verb } = call
    if (this.#atOnce.has(`${spi} ${verb}`)) return
    const active = context.active()
    const span = this.#tracer.startSpan(
      `authstate ${spi} ${verb}`,
      { kind: SpanKind.INTERNAL, attributes: { spi, verb, provider } },
      active,
    )
    this.#spans.set(call, span)
    call.around = within(trace.setSpan(active, span).setValue(CALL, call), call.around)
  }

  onCallEnd = (call: StartedCall): void => {
    const { spi, verb, outcome = 'error', answer, sync } = call
    const span = this.#spans.get(call)
    this.#spans.delete(call)
    if (sync) {
      // It is not ended, so that nobody gets to see it.
      this.#atOnce.add(`${spi} ${verb}`)
      return
    }
    if (span === undefined) return
    span.setAttribute('outcome', outcome)
    if (answer !== undefined) span.setAttribute('answer', answer)
    if (outcome !== 'ok') span.setAttribute('error.type', outcome)
    if (!IN_ORDER.has(outcome)) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }

  onCommandStart = (command: RedisCommand): void => {
    const active = context.active()
    // What other instrumentation would make of the command says less, and costs a span more.
    let inside = active.setValue(SUPPRESSED, true)
    if (this.#commandSpans && this.#isOfCall(active)) {
      const span = this.#tracer.startSpan(
        nameOf(command),
        { kind: SpanKind.CLIENT, attributes: spell(attributesOf(command)) },
        active,
      )
      this.#spans.set(command, span)
      inside = trace.setSpan(inside, span)
    }
    command.around = within(inside, command.around)
  }

  onCommandEnd = (command: RedisCommand): void => {
    const span = this.#spans.get(command)
    this.#spans.delete(command)
    if (span === undefined) return
    span.updateName(nameOf(command))
    span.setAttributes(spell(attributesOf(command)))
    if (command.outcome !== 'ok') span.setStatus({ code: SpanStatusCode.ERROR })
    span.end()
  }

  /** Whether a verb waits for the command. What a verb has set going outlives it, and belongs to none. */
  #isOfCall(active: Context): boolean {
    const call = active.getValue(CALL) as StartedCall | undefined
    return call !== undefined && this.#spans.has(call)
  }
}

/** `EVALSHA user-session.refresh` of a script, `HMGET` of any other command. */
const nameOf = ({ command, attempt, operation }: RedisCommand): string =>
  attempt === undefined ? command : `${command} ${operation}`

function within(inside: Context, inner: Around | undefined): Around {
  return (run) => context.with(inside, () => (inner === undefined ? run() : inner(run)))
}
