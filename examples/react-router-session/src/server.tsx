import { renderToString } from 'react-dom/server'
import {
  createStaticHandler,
  createStaticRouter,
  RouterContextProvider,
  StaticRouterProvider,
} from 'react-router'
import { keepSession } from './session.js'
import { action, loader, Shop } from './shop.js'

const routes = [
  {
    path: '/',
    middleware: [keepSession],
    children: [
      { index: true, loader, Component: Shop },
      { path: ':form', action },
    ],
  },
]

const handler = createStaticHandler(routes)

/** Answers a request of the shop. In framework mode React Router does this by itself. */
export async function respond(request: Request): Promise<Response> {
  const answered = await handler.query(request, {
    requestContext: new RouterContextProvider(),
    generateMiddlewareResponse: async (query) => {
      const context = await query(request)
      if (context instanceof Response) return context
      const router = createStaticRouter(handler.dataRoutes, context)
      const html = renderToString(<StaticRouterProvider router={router} context={context} hydrate={false} />)
      return new Response(`<!doctype html>${html}`, {
        status: context.statusCode,
        headers: { 'content-type': 'text/html; charset=utf-8' },
      })
    },
  })
  return answered as Response
}
