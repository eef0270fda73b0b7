// A deployment without sites pays nothing: what its verbs run knows of no site.
import { expect, test } from 'vitest'
import * as siteScripts from '../src/redis/site-scripts.js'
import * as scripts from '../src/scripts.js'

test('only scripts of sites read or write what is kept for other sites', () => {
  const ofSites: readonly unknown[] = Object.values(siteScripts)
  const known = /['"{}]:?x[sy][:'"]/
  const ofVerbs = Object.values(scripts).filter((script) => !ofSites.includes(script))
  expect(ofVerbs.length).toBeGreaterThan(7)
  expect(ofVerbs.filter(({ lua }) => known.test(lua)).map(({ name }) => name)).toEqual([])
  for (const { lua } of [siteScripts.share, siteScripts.join]) expect(lua).toMatch(known)
})
