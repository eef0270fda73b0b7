import {
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type RouterContextProvider,
  redirect,
  useLoaderData,
} from 'react-router'
import { priceOf } from './prices.js'
import { sessionContext, sessions } from './session.js'

export async function loader({ context }: LoaderFunctionArgs<RouterContextProvider>) {
  const { userId, cart = [], language = 'en' } = context.get(sessionContext).data
  const own = userId === undefined ? [] : await sessions.sessionsOf(userId)
  return { userId, cart, language, sessions: own.length }
}

/** `/login`, `/logout`, … */
export async function action({ context, request, params }: ActionFunctionArgs<RouterContextProvider>) {
  const session = context.get(sessionContext)
  const { data } = session
  const form = await request.formData()
  switch (params['form']) {
    case 'login': // your check of the password
      sessions.regenerate(session)
      data.userId = String(form.get('name'))
      break
    case 'logout':
      await sessions.end(session)
      break
    case 'others':
      await sessions.endOthers(session)
      break
    case 'cart': {
      const item = String(form.get('item'))
      data.cart = [...(data.cart ?? []), { item, price: await priceOf(item) }]
      break
    }
    case 'language':
      data.language = String(form.get('language'))
      break
    default:
      throw new Response('There is no such form.', { status: 404 })
  }
  return redirect('/', 303)
}

export function Shop() {
  const { userId, cart, language, sessions } = useLoaderData<typeof loader>()
  return (
    <html lang={language}>
      <title>Shop</title>
      <h1>Shop</h1>
      {userId === undefined ? (
        <form method="post" action="/login">
          <input name="name" aria-label="Name" required />
          <button type="submit">Sign in</button>
        </form>
      ) : (
        <>
          <p>
            Signed in as {userId}, in {sessions} sessions.
          </p>
          <form method="post" action="/others">
            <button type="submit">Sign out elsewhere</button>
          </form>
          <form method="post" action="/logout">
            <button type="submit">Sign out</button>
          </form>
        </>
      )}
      <p>Language: {language}</p>
      <form method="post" action="/language">
        <button type="submit" name="language" value="en">
          English
        </button>
        <button type="submit" name="language" value="fr">
          Français
        </button>
      </form>
      <ul>
        {cart.map(({ item, price }) => (
          <li key={item}>
            {item}: {price}
          </li>
        ))}
      </ul>
      <form method="post" action="/cart">
        <button type="submit" name="item" value="book">
          A book
        </button>
        <button type="submit" name="item" value="pen">
          A pen
        </button>
      </form>
    </html>
  )
}
