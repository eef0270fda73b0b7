/** The price of an item: PRICES_URL asks a service, which may take its time. */
export async function priceOf(item: string): Promise<number> {
  const { PRICES_URL } = process.env
  if (PRICES_URL === undefined) return 12
  const response = await fetch(new URL(encodeURIComponent(item), PRICES_URL))
  return Number(await response.text())
}
