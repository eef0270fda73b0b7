/**
 * What the author of a provider or of a service needs: SPIs and factories, errors, checks, clocks, and the registry that
 * selects and starts providers. The port of each SPI is at `authstate/<spi>/store`, its suite at `authstate/<spi>/conformance`.
 *
 * @module
 */
export * from '@authstate/registry'
export * from '@authstate/spi'
