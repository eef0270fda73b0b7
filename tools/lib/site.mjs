// The docs site: the pages of the repository and the API reference, built by VitePress, which is installed beside it.

import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sectionsOf, sitePathOf } from '../site/contents.mjs'
import { llmsText, sitePage, titleOf } from '../site/markdown.mjs'
import { root, runProgram, toolEnv } from './run.mjs'

const folder = join(root, 'tools', 'site')
const staged = join(folder, 'pages')
export const site = join(root, 'site')

const tracked = (...patterns) =>
  spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', ...patterns], {
    cwd: root,
    encoding: 'utf8',
  })
    .stdout.split('\n')
    .filter((path) => path !== '' && existsSync(join(root, path)))

/** The pages that the site shows, by their path in the repository. */
export const sitePages = () =>
  new Map(
    tracked('*.md')
      .filter((path) => sitePathOf(path) !== undefined)
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  )

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Writes what VitePress reads: pages, pictures and the side bar. */
function stagePages(pages, sections) {
  rmSync(staged, { recursive: true, force: true })
  for (const [path, text] of pages) write(join(staged, `${sitePathOf(path)}.md`), sitePage(path, text, pages))
  for (const path of tracked('docs/*.svg', 'docs/*.png')) {
    const file = join(staged, 'public', path.replace(/^docs\//, ''))
    mkdirSync(dirname(file), { recursive: true })
    copyFileSync(join(root, path), file)
  }
  const items = ({ title, pages: paths }) => ({
    text: title,
    collapsed: ['Packages', 'Examples', 'Storage'].includes(title),
    items: paths.map((path) => ({ text: titleOf(pages.get(path)), link: `/${sitePathOf(path)}` })),
  })
  write(join(staged, 'sidebar.json'), JSON.stringify(sections.map(items)))
}

/** Adds what VitePress does not make: the reference, each page as it is written, and the list of pages for language models. */
function complete(pages, sections) {
  for (const [path, text] of pages) write(join(site, `${sitePathOf(path)}.md`), text)
  write(join(site, 'llms.txt'), llmsText(sections, pages))
  const reference = join(root, 'reference')
  if (existsSync(reference)) cpSync(reference, join(site, 'reference'), { recursive: true })
}

/** Installs VitePress below tools/site, where its lock file is: no other command needs it. */
export async function installSite() {
  const pnpm = join(root, 'node_modules', '.bin', 'pnpm')
  const args = ['install', '--ignore-workspace', '--frozen-lockfile', '--prefer-offline', '--ignore-scripts']
  const { status, output } = await runProgram(pnpm, args, { cwd: folder, quiet: true })
  if (status !== 0) throw new Error(`VitePress cannot be installed\n${output}`)
}

/** Builds the site into `site/`, with the reference that is in `reference/`. A dead link fails it. @returns whether it could, and what VitePress said */
export async function buildSite() {
  const pages = sitePages()
  const sections = sectionsOf([...pages.keys()])
  stagePages(pages, sections)
  const vitepress = join(folder, 'node_modules', '.bin', 'vitepress')
  const { status, output } = await runProgram(vitepress, ['build', folder], {
    quiet: true,
    env: { ...toolEnv(), NO_COLOR: '1' },
  })
  if (status === 0) complete(pages, sections)
  return { isBuilt: status === 0, output }
}
