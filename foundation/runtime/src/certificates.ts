/** Certificates for tests and trials, made by the system's openssl: an authority, and what it has signed. Never for a server that others rely on. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Why tests with certificates cannot run here; false where they can. */
export function missingOpenssl(): string | false {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return false
  } catch (error) {
    return `openssl is not installed (Debian: apt-get install openssl): ${error}`
  }
}

export interface Issued {
  readonly certificateFile: string
  readonly keyFile: string
  readonly certificate: string
  readonly key: string
}

/** Makes an authority in a folder; `issue` signs a certificate for a name. */
export function makeAuthority(folder: string, name: string): Issued & { issue(subject: string): Issued } {
  const run = (...args: string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const files = (subject: string) => ({
    certificateFile: join(folder, `${name}-${subject}.pem`),
    keyFile: join(folder, `${name}-${subject}.key`),
  })
  const read = ({ certificateFile, keyFile }: ReturnType<typeof files>): Issued => ({
    certificateFile,
    keyFile,
    certificate: readFileSync(certificateFile, 'utf8'),
    key: readFileSync(keyFile, 'utf8'),
  })
  const own = files('authority')
  run('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-keyout', own.keyFile, '-out', own.certificateFile)
  return {
    ...read(own),
    issue(subject) {
      const issued = files(subject)
      const signer = ['-CA', own.certificateFile, '-CAkey', own.keyFile]
      const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-addext', 'basicConstraints=CA:FALSE']
      const out = ['-keyout', issued.keyFile, '-out', issued.certificateFile]
      run('req', '-x509', ...newKey, ...signer, '-subj', `/CN=${subject}`, ...names, ...out)
      return read(issued)
    },
  }
}
