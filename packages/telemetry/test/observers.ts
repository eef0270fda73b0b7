import { createRequire } from 'node:module'
import { inspect } from 'node:util'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { IORedisInstrumentation } from '@opentelemetry/instrumentation-ioredis'
import { type DataPoint, type Histogram, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import pino from 'pino'
import { Registry } from 'prom-client'

/** Everything a value holds, as text: properties that are not enumerable, causes and stacks as well. */
export const everythingIn = (...values: unknown[]): string =>
  inspect(values, {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxArrayLength: null,
    maxStringLength: null,
  })

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** A metric of OpenTelemetry, as an exporter would get it. */
export interface ExportedMetric {
  readonly name: string
  readonly unit: string
  readonly points: readonly {
    readonly attributes: Readonly<Record<string, unknown>>
    readonly value: number
  }[]
}

/** One for all tests: it is told of a module once. */
const instrumentation = new IORedisInstrumentation({ requireParentSpan: false })
// It hears of require(); import() gets the same module.
createRequire(import.meta.url)('ioredis')
instrumentation.disable()

/** OpenTelemetry's SDK, which keeps what it would export. The instrumentation of ioredis is on, as in an application. */
export function openTelemetry() {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const reader = new Reader()
  const meterProvider = new MeterProvider({ readers: [reader] })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  instrumentation.setTracerProvider(tracerProvider)
  instrumentation.enable()
  return {
    providers: { tracerProvider, meterProvider },
    tracer: tracerProvider.getTracer('application'),
    spans: (): ReadableSpan[] => exporter.getFinishedSpans(),
    async metrics(): Promise<ExportedMetric[]> {
      const { resourceMetrics } = await reader.collect()
      return resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
        metrics.map(({ descriptor, dataPoints }) => ({
          name: descriptor.name,
          unit: descriptor.unit,
          points: (dataPoints as DataPoint<number | Histogram>[]).map(({ attributes, value }) => ({
            attributes,
            value: typeof value === 'number' ? value : value.count,
          })),
        })),
      )
    },
    forget: () => exporter.reset(),
    end(): void {
      instrumentation.disable()
      context.disable()
      trace.disable()
    },
  }
}

/** A logger of pino that keeps its lines. */
export function linesOfPino() {
  const lines: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  return { logger, lines }
}

export const newRegistry = (): Registry => new Registry()

/** The samples of a registry, by name and labels, without those that a histogram is made of but for its count. */
export async function samplesOf(registry: Registry): Promise<Map<string, number>> {
  const metrics = await registry.getMetricsAsJSON()
  const samples = metrics.flatMap(({ values, name }) =>
    (values as { value: number; labels: object; metricName?: string }[])
      .filter(({ metricName }) => metricName === undefined || /_count$/.test(metricName))
      .map(
        ({ value, labels, metricName }) =>
          [`${metricName ?? name} ${JSON.stringify(labels)}`, value] as const,
      ),
  )
  return new Map(samples)
}
