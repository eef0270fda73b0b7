import {
  assertName,
  assertSpanMs,
  ProviderClosedError,
  type ProviderContext,
  type ProviderFactory,
  parseDuration,
} from '@authstate/spi'
import { toStandardJsonSchema } from '@valibot/to-json-schema'
import type { Properties } from 'authstate'
import * as v from 'valibot'
import { type TrustedDevice, type TrustedDeviceProvider, trustedDeviceSpi } from './contract.js'

const DAY_MS = 86_400_000

const trustedDeviceConfig = v.strictObject({
  maxDevices: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1)), 10),
  maxTrustMs: v.optional(
    v.pipe(
      v.union([v.number(), v.string()]),
      v.transform((given) => parseDuration(given)),
      v.number(),
      v.safeInteger(),
      v.minValue(1),
    ),
    30 * DAY_MS,
  ),
})

export type TrustedDeviceConfig = v.InferOutput<typeof trustedDeviceConfig>

declare module 'authstate' {
  interface SpiSections {
    readonly 'trusted-device'?: Properties<TrustedDeviceConfig> | undefined
  }
}

/** Keeps devices in this process. They are lost with it and not shared. */
export function memoryTrustedDevices(): ProviderFactory<TrustedDeviceProvider, TrustedDeviceConfig> {
  return {
    spi: trustedDeviceSpi,
    id: 'memory',
    config: toStandardJsonSchema(trustedDeviceConfig),
    create: (context, config) => new MemoryTrustedDevices(context, config),
  }
}

class MemoryTrustedDevices implements TrustedDeviceProvider {
  readonly #users = new Map<string, Map<string, TrustedDevice>>()
  readonly #context: ProviderContext
  readonly #config: TrustedDeviceConfig
  #closed = false

  constructor(context: ProviderContext, config: TrustedDeviceConfig) {
    this.#context = context
    this.#config = config
  }

  async trust(realmId: string, userId: string, deviceId: string, forMs: number) {
    const devices = this.#livingOf(realmId, userId)
    assertName(deviceId, 'deviceId')
    assertSpanMs(forMs, 'forMs')
    const trustedAt = this.#context.clock.now()
    const expiresAt = trustedAt + Math.min(forMs, this.#config.maxTrustMs)
    // Frozen: the caller gets the object that is kept.
    const device: TrustedDevice = Object.freeze({ deviceId, trustedAt, expiresAt })
    devices.delete(deviceId)
    const evicted = devices.size < this.#config.maxDevices ? undefined : byEnd(devices).at(-1)?.deviceId
    if (evicted !== undefined) devices.delete(evicted)
    devices.set(deviceId, device)
    this.#users.set(JSON.stringify([realmId, userId]), devices)
    return { device, ...(evicted !== undefined && { evicted }) }
  }

  async isTrusted(realmId: string, userId: string, deviceId: string) {
    assertName(deviceId, 'deviceId')
    return this.#livingOf(realmId, userId).has(deviceId)
  }

  async list(realmId: string, userId: string) {
    return byEnd(this.#livingOf(realmId, userId))
  }

  async distrust(realmId: string, userId: string, deviceId: string) {
    assertName(deviceId, 'deviceId')
    return this.#livingOf(realmId, userId).delete(deviceId)
  }

  async distrustAll(realmId: string, userId: string) {
    const devices = this.#livingOf(realmId, userId)
    this.#users.delete(JSON.stringify([realmId, userId]))
    return devices.size
  }

  async close() {
    this.#closed = true
    this.#users.clear()
  }

  /** The user's devices without those that have expired. */
  #livingOf(realmId: string, userId: string): Map<string, TrustedDevice> {
    if (this.#closed) throw new ProviderClosedError('trusted-device: the provider is closed')
    assertName(realmId, 'realmId')
    assertName(userId, 'userId')
    const devices = this.#users.get(JSON.stringify([realmId, userId])) ?? new Map<string, TrustedDevice>()
    const now = this.#context.clock.now()
    for (const [deviceId, { expiresAt }] of devices) if (expiresAt <= now) devices.delete(deviceId)
    return devices
  }
}

/** The one whose trust ends last first; of one instant the one trusted later. */
const byEnd = (devices: ReadonlyMap<string, TrustedDevice>): TrustedDevice[] =>
  [...devices.values()].reverse().sort((a, b) => b.expiresAt - a.expiresAt)
