declare module 'oidc-provider' {
  const Provider: { readonly ctx: unknown }
  export default Provider
}
