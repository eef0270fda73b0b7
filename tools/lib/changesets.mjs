// What the files in .changeset come to: one version for every package. `changeset version` would make 1.0.0 of 0.1.0 as soon as one
// package that others have as a peer gets a minor version, because ^0.1.0 does not reach 0.2.0.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const RANK = { none: 0, patch: 1, minor: 2, major: 3 }
const FORM = /^---\n([\s\S]*?)\n?---\n([\s\S]*)$/
const ENTRY = /^["']?([^"':]+)["']?\s*:\s*(\w+)\s*$/

/** One file: the packages that it names, the largest bump among them, and its words. */
export function parseChangeset(file, text) {
  const [, head, words = ''] = FORM.exec(text) ?? []
  if (head === undefined) throw new Error(`${file}: must begin with packages between two lines of ---`)
  const entries = head
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name, bump] = ENTRY.exec(line) ?? []
      if (RANK[bump] === undefined) throw new Error(`${file}: "${line}" must be like "authstate": minor`)
      return { name, bump }
    })
  const bump = entries.reduce((most, entry) => (RANK[entry.bump] > RANK[most] ? entry.bump : most), 'none')
  return { file, names: entries.map(({ name }) => name), bump, words: words.trim() }
}

export function readChangesets(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .sort()
    .map((file) => parseChangeset(file, readFileSync(join(folder, file), 'utf8')))
}

/**
 * The version after `version`. Before 1.0 what breaks raises the minor number, as npm's ranges have it, and 1.0.0 is reached only by
 * asking for it.
 */
export function nextVersion(version, changesets, { first = false } = {}) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`"${version}" is no version`)
  const [major, minor, patch] = version.split('.').map(Number)
  if (first && major === 0) return '1.0.0'
  const most = Math.max(0, ...changesets.map(({ bump }) => RANK[bump]))
  if (most === 0) return version
  if (most === RANK.patch) return `${major}.${minor}.${patch + 1}`
  if (major > 0 && most === RANK.major) return `${major + 1}.0.0`
  return `${major}.${minor + 1}.0`
}

/** The changelog with the section of what is not released yet closed, or made of the words of the changesets where there is none. */
export function releasedChangelog(page, version, changesets) {
  const open = new RegExp(`^## ${version.replaceAll('.', '\\.')}, not released$`, 'm')
  if (open.test(page)) return page.replace(open, `## ${version}`)
  const stale = /^## (\S+), not released$/m.exec(page)
  if (stale)
    throw new Error(
      `CHANGELOG.md has a section ${stale[1]}, not released, and the changesets make ${version}`,
    )
  const words = changesets.map((changeset) => `- ${changeset.words.replaceAll('\n', '\n  ')}`)
  const at = page.search(/^## /m)
  const section = `## ${version}\n\n${words.join('\n')}\n\n`
  return at < 0 ? `${page}\n${section}` : `${page.slice(0, at)}${section}${page.slice(at)}`
}
