import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'vitepress'
import { anchorOf } from '../markdown.mjs'

const sidebar = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'pages', 'sidebar.json'), 'utf8'))

export default defineConfig({
  title: 'authstate',
  description: 'The state of an authentication server, in memory or in Redis',
  base: process.env.SITE_BASE ?? '/',
  srcDir: 'pages',
  outDir: '../../site',
  cleanUrls: true,
  ignoreDeadLinks: false,
  lastUpdated: false,
  markdown: { anchor: { slugify: anchorOf } },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Errors', link: '/errors' },
      { text: 'API', link: '/reference/index.html', target: '_self' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
  },
  // The index of the search is one file, which a browser loads when its reader first searches.
  vite: { build: { chunkSizeWarningLimit: 1_500 } },
})
