// npm run example -- oidc-provider-sessions: in memory, or on the Redis that REDIS_URL names.
const [major = '0'] = process.versions.node.split('.')
if (Number(major) < 22) {
  console.error(
    `This example needs Node 22, which oidc-provider asks for. This is Node ${process.versions.node}.`,
  )
  process.exit(1)
}

const { start } = await import('./server.js')
const { REDIS_URL: url, PORT = '3000' } = process.env
const { origin, stop } = await start(Number(PORT), url)
console.log(`${origin}/`)
process.once('SIGINT', () => void stop())

export {}
