import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose'

export const ALGORITHM = 'ES256'

/** A private key as a JWK, for all nodes of a server. */
export async function generateSigningKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, alg: ALGORITHM, use: 'sig', kid: await calculateJwkThumbprint(jwk) }
}

export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** What clients fetch. */
  readonly publicJwk: JWK
}

export async function readSigningKey(jwk: JWK): Promise<SigningKey> {
  const { d: _, ...publicJwk } = jwk
  const kid = jwk.kid ?? (await calculateJwkThumbprint(jwk))
  return {
    kid,
    privateKey: (await importJWK(jwk, ALGORITHM)) as CryptoKey,
    publicKey: (await importJWK(publicJwk, ALGORITHM)) as CryptoKey,
    publicJwk: { ...publicJwk, kid, alg: ALGORITHM, use: 'sig' },
  }
}
