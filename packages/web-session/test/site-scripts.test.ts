// A deployment without sites pays nothing: what its verbs run knows of no site.
import { expect, test } from 'vitest'
import * as siteScripts from '../src/redis/site-scripts.js'
import * as scripts from '../src/scripts.js'

/** Kinds of keys that are there only for other sites. */
const OF_SITES = /['"{}]:?x[svf][:'"]/

test('only scripts of sites read or write what is kept for other sites', () => {
  const ofSites: readonly unknown[] = Object.values(siteScripts)
  const ofVerbs = Object.values(scripts).filter((script) => !ofSites.includes(script))
  expect(ofVerbs.length).toBeGreaterThan(9)
  expect(ofVerbs.filter(({ lua }) => OF_SITES.test(lua)).map(({ name }) => name)).toEqual([])
  for (const { lua } of [siteScripts.share, siteScripts.join]) expect(lua).toMatch(OF_SITES)
})
