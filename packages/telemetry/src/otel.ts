import { assertBoolean, assertFunction, assertOptions, type Known } from '@authstate/spi'
import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { sharedFor } from './board.js'
import { type MetricOptions, tokenKindsOf } from './options.js'
import { Meters } from './otel-metrics.js'
import { followSpans } from './otel-spans.js'
import { checkState, type ObservedState } from './state.js'

export type { MetricOptions } from './options.js'
export type { ObservedState } from './state.js'

/** What {@link instrument} takes. Everything may be left out. */
export interface OtelOptions extends MetricOptions {
  /** @default the global one, as it is when this is called: start the SDK before */
  readonly meterProvider?: MeterProvider | undefined
  /** @default the global one */
  readonly tracerProvider?: TracerProvider | undefined
  /**
   * A span of its own for each command to Redis, below that of its verb. Without it there is half of the spans. Of a state that is
   * instrumented twice, what was said first holds until that is stopped.
   *
   * @default true
   */
  readonly commandSpans?: boolean | undefined
}

const OPTIONS: Known<OtelOptions> = {
  meterProvider: true,
  tracerProvider: true,
  commandSpans: true,
  tokenKinds: true,
}

/** The name under which OpenTelemetry knows what this package makes. */
const SCOPE = '@authstate/telemetry'

/**
 * Metrics and spans of a state for OpenTelemetry.
 *
 * A verb is an internal span, and each command to Redis a client span below it. What other instrumentation would make of that
 * command is suppressed. To instrument a state twice is the same as once.
 *
 * @returns Stops it; what was counted stays.
 * @throws {TypeError} an option is unknown or of the wrong type
 */
export function instrument(state: ObservedState, options: OtelOptions = {}): () => void {
  checkState(state)
  assertOptions(options, 'options', OPTIONS)
  const { commandSpans = true } = options
  assertBoolean(commandSpans, 'options.commandSpans')
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = options
  assertFunction(meterProvider?.getMeter, 'options.meterProvider.getMeter')
  assertFunction(tracerProvider?.getTracer, 'options.tracerProvider.getTracer')
  const tokenKinds = tokenKindsOf(options)
  const { board } = sharedFor(meterProvider, () => new Meters(meterProvider.getMeter(SCOPE)))
  const stopMetrics = board.observe(state, { tokenKinds })
  const stopSpans = followSpans(state, tracerProvider, SCOPE, commandSpans)
  return () => {
    stopMetrics()
    stopSpans()
  }
}
