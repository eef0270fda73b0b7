import { memoryTarget, runSuite } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { clusterSuite } from '../src/conformance.js'
import { clusterSpi, memoryCluster } from '../src/index.js'

runSuite(
  clusterSuite,
  memoryTarget(clusterSpi, () => [memoryCluster()]),
  { describe, test },
)
