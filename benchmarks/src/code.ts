/** An authorization code and what it stands for. */
export const codeOf = (n: number) => ({
  id: `c${n.toString(36).padStart(9, '0')}-q7Zb3kq0Yt7mXc1VfR9sLwP0`,
  data: {
    clientId: 'web-portal',
    session: 'Zb3kq0Yt7mXc1VfR9sLwP00a',
    challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  },
})
