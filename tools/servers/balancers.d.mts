export type Balancer = 'haproxy' | 'nginx' | 'apache'
export function findBalancer(name: Balancer, env?: NodeJS.ProcessEnv): string | undefined
export function packageOf(name: Balancer): string
export function ensureBalancers(): Promise<void>
