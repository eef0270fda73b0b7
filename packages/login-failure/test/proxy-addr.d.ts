/** The part of proxy-addr that tests compare with; it comes without types. */
declare module 'proxy-addr' {
  type Trust = (address: string, hops: number) => boolean
  interface Request {
    readonly socket: { readonly remoteAddress: string }
    readonly headers: { readonly 'x-forwarded-for'?: string }
  }
  function proxyaddr(request: Request, trust: Trust): string
  namespace proxyaddr {
    function compile(trusted: string[]): Trust
  }
  export = proxyaddr
}
