/**
 * Devices on which a user is not asked for a second factor for a while.
 *
 * @module
 */
import { defineSpi, type Provider } from '@authstate/spi'

export interface TrustedDevice {
  readonly deviceId: string
  /** Ms since the epoch. */
  readonly trustedAt: number
  /** Ms since the epoch; from this instant on the second factor is asked for again. */
  readonly expiresAt: number
}

/** Keeps whom to trust. Every verb is one atomic step. */
export interface TrustedDeviceProvider extends Provider {
  /**
   * Trusts a device from now on; a device that is trusted already starts again.
   *
   * A user has at most `maxDevices`: one more drives out the one whose trust ends first.
   *
   * @param forMs Ms, above 0. Cut to the configured `maxTrustMs`.
   */
  trust(
    realmId: string,
    userId: string,
    deviceId: string,
    forMs: number,
  ): Promise<{ readonly device: TrustedDevice; readonly evicted?: string }>

  /** Whether the second factor may be left out. Asking never prolongs. */
  isTrusted(realmId: string, userId: string, deviceId: string): Promise<boolean>

  /** The user's devices, the one whose trust ends last first. */
  list(realmId: string, userId: string): Promise<readonly TrustedDevice[]>

  /** Of N concurrent calls exactly one gets `true`. */
  distrust(realmId: string, userId: string, deviceId: string): Promise<boolean>

  /** Distrusts every device of a user, as after a stolen password. @returns how many there were */
  distrustAll(realmId: string, userId: string): Promise<number>
}

/** Names the SPI in the registry and in configurations. */
export const trustedDeviceSpi = defineSpi<TrustedDeviceProvider>('trusted-device')
