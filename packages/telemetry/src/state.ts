import { assertFunction, assertObject, type Provider, type Spi } from '@authstate/spi'
import type { AuthState } from 'authstate'

/** The part of a state that is observed. */
export type ObservedState = Pick<AuthState, 'describe' | 'find' | 'stats'>

/** @throws {TypeError} it is no state */
export function checkState(state: unknown): asserts state is ObservedState {
  assertObject(state, 'state')
  const { describe, find, stats } = state as Partial<ObservedState>
  assertFunction(describe, 'state.describe')
  assertFunction(find, 'state.find')
  assertFunction(stats, 'state.stats')
}

/** The provider of an SPI, where somebody provides it. Its name is all that the state asks for. */
export const findNamed = <P extends Provider>(state: ObservedState, name: string): P | undefined =>
  state.find({ name } as Spi<P>)
