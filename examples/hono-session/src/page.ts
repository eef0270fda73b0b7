import { html } from 'hono/html'
import type { ShopData } from './app.js'

export function showShop({ userId, cart = [], language = 'en' }: Partial<ShopData>, sessions: number) {
  return html`<!doctype html>
    <html lang="${language}">
      <title>Shop</title>
      <h1>Shop</h1>
      ${
        userId === undefined
          ? html`<form method="post" action="/login">
              <input name="name" aria-label="Name" required /><button>Sign in</button>
            </form>`
          : html`<p>Signed in as ${userId}, in ${sessions} sessions.</p>
              <form method="post" action="/others"><button>Sign out elsewhere</button></form>
              <form method="post" action="/logout"><button>Sign out</button></form>`
      }
      <p>Language: ${language}</p>
      <form method="post" action="/language">
        <button name="language" value="en">English</button><button name="language" value="fr">Français</button>
      </form>
      <ul>
        ${cart.map(({ item, price }) => html`<li>${item}: ${price}</li>`)}
      </ul>
      <form method="post" action="/cart">
        <button name="item" value="book">A book</button><button name="item" value="pen">A pen</button>
      </form>
    </html>`
}
