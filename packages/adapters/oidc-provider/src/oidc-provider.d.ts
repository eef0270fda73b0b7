/** What is used of the peer, which brings no types of its own. */
declare module 'oidc-provider' {
  const Provider: { readonly ctx: unknown }
  export default Provider
}
