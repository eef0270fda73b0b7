/**
 * What every provider of outgoing requests must show. Each case opens servers of its own on loopback, so the process that
 * runs it needs nothing else.
 *
 * @module
 */
import { defineSuite, type Verbs } from '@authstate/conformance'
import { addAnswerCases } from './conformance/answers.js'
import { addFaultCases } from './conformance/faults.js'
import { addLimitCases } from './conformance/limits.js'
import { addTargetCases } from './conformance/targets.js'
import { type HttpClientProvider, httpClientSpi } from './contract.js'

const VERBS: Verbs<HttpClientProvider> = { request: true, certificateThumbprint: true, stats: true }

/** Loopback may be reached, as the sinks are there. */
const PROPERTIES = { egress: { allow: ['127.0.0.0/8'] }, useEnvironmentProxy: false }

/** The suite for every provider of outgoing requests. */
export const httpClientSuite = defineSuite<HttpClientProvider>(
  httpClientSpi,
  (add) => {
    addAnswerCases(add)
    addTargetCases(add)
    addLimitCases(add)
    addFaultCases(add)
  },
  PROPERTIES,
  VERBS,
)
