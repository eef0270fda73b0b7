import { memoryTarget } from '@authstate/conformance'
import { describe, test } from 'vitest'
import { describeCluster } from '../src/conformance.js'
import { clusterSpi, memoryCluster } from '../src/index.js'

describeCluster(
  memoryTarget(clusterSpi, () => [memoryCluster()]),
  { describe, test },
)
