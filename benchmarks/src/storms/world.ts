/** What the server of a storm and its clients agree on. */
export const PASSWORD = 'open sesame'
export const USERS = 500

export type Question = { readonly url: string | undefined } | 'cpu'
export type Reply = { readonly origin: string } | { readonly cpuUs: number } | { readonly failed: string }
