import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate with its key, as PEM and as files. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly certFile: string
  readonly keyFile: string
}

/** An authority of a test. */
export interface Authority {
  readonly cert: string
  readonly certFile: string
  /** Issues a certificate for names (`DNS:a.example`, `IP:127.0.0.1`). */
  issue(names: readonly string[], options?: { readonly days?: number }): Certificate
}

/** A folder with authorities; `remove` takes it away. */
export function openCertificates() {
  const folder = mkdtempSync(join(tmpdir(), 'authstate-tls-'))
  let count = 0
  const openssl = (...args: string[]): string =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
  const keyed = (subject: string, ...args: string[]): [string, string] => {
    const name = `c${count++}`
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    openssl('req', ...curve, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', subject, ...args)
    return [join(folder, `${name}.pem`), join(folder, `${name}.key`)]
  }
  return {
    folder,
    authority(name: string): Authority {
      const [certFile, authorityKey] = keyed(`/CN=${name}`, '-x509', '-days', '30')
      return {
        cert: readFileSync(certFile, 'utf8'),
        certFile,
        issue(names, { days = 10 } = {}) {
          const [request, keyFile] = keyed('/CN=nobody')
          const certFileOfIssued = request.replace('.pem', '.crt')
          writeFileSync(`${request}.ext`, `subjectAltName=${names.join(',')}\n`)
          const authorityFiles = ['-CA', certFile, '-CAkey', authorityKey, '-CAcreateserial']
          const life =
            days > 0
              ? ['-days', String(days)]
              : ['-not_before', '20200101000000Z', '-not_after', '20200102000000Z']
          if (days > 0)
            openssl(
              'x509',
              '-req',
              '-in',
              request,
              ...authorityFiles,
              ...life,
              '-extfile',
              `${request}.ext`,
              '-out',
              certFileOfIssued,
            )
          else expired(openssl, folder, { request, certFile, authorityKey, out: certFileOfIssued })
          return {
            cert: readFileSync(certFileOfIssued, 'utf8'),
            key: readFileSync(keyFile, 'utf8'),
            certFile: certFileOfIssued,
            keyFile,
          }
        },
      }
    },
    /** A certificate with its key in PKCS #12. */
    pfx({ certFile, keyFile }: Certificate, passphrase: string): string {
      const file = `${certFile}.p12`
      openssl(
        'pkcs12',
        '-export',
        '-in',
        certFile,
        '-inkey',
        keyFile,
        '-out',
        file,
        '-passout',
        `pass:${passphrase}`,
      )
      return file
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** `openssl x509` of version 3.0 cannot set dates; `openssl ca` can. */
function expired(
  openssl: (...args: string[]) => string,
  folder: string,
  files: { request: string; certFile: string; authorityKey: string; out: string },
): void {
  const config = join(folder, 'ca.cnf')
  writeFileSync(join(folder, 'index.txt'), '')
  writeFileSync(
    config,
    [
      '[ca]\ndefault_ca=d\n[d]',
      `database=${join(folder, 'index.txt')}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p`,
      '[p]\ncommonName=supplied\n',
    ].join('\n'),
  )
  const { request, certFile, authorityKey, out } = files
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z']
  openssl(
    'ca',
    '-batch',
    '-notext',
    '-config',
    config,
    '-cert',
    certFile,
    '-keyfile',
    authorityKey,
    '-in',
    request,
    '-out',
    out,
    '-extfile',
    `${request}.ext`,
    ...dates,
  )
}
