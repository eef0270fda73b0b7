// An identity provider that signs responses: as much of SAML and of XML signatures as node-saml verifies.
import { createHash, createSign, generateKeyPairSync } from 'node:crypto'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** For `idpCert`. */
export const idpCert = publicKey.export({ type: 'spki', format: 'pem' }) as string

const C14N = 'http://www.w3.org/2001/10/xml-exc-c14n#'
const DSIG = 'http://www.w3.org/2000/09/xmldsig#'

/** What is said in a response, where that is not the usual. */
export interface Said {
  readonly audience?: string
}

/** A response to a request, signed as a whole and in base64, as a browser posts it. */
export function respondTo(requestId: string, { audience = 'sp' }: Said = {}): string {
  const now = Date.now()
  const at = (offset: number) => new Date(now + offset).toISOString()
  const before = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r${requestId}" InResponseTo="${requestId}" IssueInstant="${at(0)}" Version="2.0">`
  const after = [
    '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status>',
    `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a${requestId}" IssueInstant="${at(0)}" Version="2.0">`,
    '<saml:Issuer>idp</saml:Issuer>',
    '<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">ada@example.com</saml:NameID>',
    '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">',
    `<saml:SubjectConfirmationData InResponseTo="${requestId}" NotOnOrAfter="${at(300_000)}"></saml:SubjectConfirmationData>`,
    '</saml:SubjectConfirmation></saml:Subject>',
    `<saml:Conditions NotBefore="${at(-300_000)}" NotOnOrAfter="${at(300_000)}">`,
    `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`,
    `<saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="_s1"></saml:AuthnStatement>`,
    '</saml:Assertion></samlp:Response>',
  ].join('')
  const digest = createHash('sha256')
    .update(before + after)
    .digest('base64')
  const signedInfo = [
    `<ds:CanonicalizationMethod Algorithm="${C14N}"></ds:CanonicalizationMethod>`,
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>',
    `<ds:Reference URI="#_r${requestId}"><ds:Transforms><ds:Transform Algorithm="${DSIG}enveloped-signature"></ds:Transform>`,
    `<ds:Transform Algorithm="${C14N}"></ds:Transform></ds:Transforms>`,
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>',
    `<ds:DigestValue>${digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
  ].join('')
  const value = createSign('RSA-SHA256')
    .update(`<ds:SignedInfo xmlns:ds="${DSIG}">${signedInfo}`)
    .sign(privateKey, 'base64')
  const signature = `<ds:Signature xmlns:ds="${DSIG}"><ds:SignedInfo>${signedInfo}<ds:SignatureValue>${value}</ds:SignatureValue></ds:Signature>`
  return Buffer.from(before + signature + after).toString('base64')
}
