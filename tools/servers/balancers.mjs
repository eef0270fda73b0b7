// The load balancers whose recipes in docs/load-balancers.md are tested. Needs nothing but Node.
import { findProgram, HOW_TO_STOP, installPackages, whyNoInstall } from './debian.mjs'

const BALANCERS = {
  haproxy: { programs: ['haproxy'], package: 'haproxy', services: { haproxy: 80 } },
  nginx: { programs: ['nginx'], package: 'nginx', services: { nginx: 80 } },
  // The program alone; the package apache2 would add a service.
  apache: { programs: ['apache2', 'httpd'], package: 'apache2-bin', services: {} },
}

/** The absolute path of a balancer, or undefined. */
export function findBalancer(name, env = process.env) {
  // A login that is not root's often has no sbin on its PATH.
  const PATH = `${env.PATH ?? ''}:/usr/local/sbin:/usr/sbin`
  return findProgram(BALANCERS[name].programs, { PATH })
}

/** What to install where a balancer is missing. */
export const packageOf = (name) => BALANCERS[name].package

/** Sees to it that the balancers are there where that can be, and says in one line what came of it. */
export async function ensureBalancers() {
  const say = (what) => console.log(`balancers: ${what}`)
  const missing = () => Object.keys(BALANCERS).filter((name) => findBalancer(name) === undefined)
  const wanted = missing()
  if (wanted.length === 0) return say('haproxy, nginx and apache are there')
  const obstacle = whyNoInstall()
  if (obstacle !== undefined) return say(`${wanted.join(', ')} missing and not installed (${obstacle})`)
  say(`installing Debian's ${wanted.join(', ')} with apt-get, their services stay off; ${HOW_TO_STOP}`)
  const services = Object.assign({}, ...wanted.map((name) => BALANCERS[name].services))
  const trouble = await installPackages(wanted.map(packageOf), services)
  const left = missing()
  if (left.length > 0) say(`apt-get did not bring ${left.join(', ')} (${trouble ?? 'not on the PATH'})`)
}
