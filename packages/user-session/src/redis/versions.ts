import { RecordVersions } from '@authstate/spi'

/** Values of a stored session, in whatever order. */
export type Values = readonly (string | null)[]

/**
 * Of the values of a session; the version stands before its times. Since version 2 links stand behind the times and not behind the data,
 * and what a client session holds has a field of its own. The scripts read both, and write version 2 with the next change.
 */
export const versions = new RecordVersions<Values>({
  current: '2',
  versionOf: (values) => versionIn(values.find((value) => value?.startsWith('v'))),
  upcasters: { '1': ofVersion1 },
})

const versionIn = (times: string | null | undefined): string | undefined => /^v(\d+) /.exec(times ?? '')?.[1]

/** As lua/lib/upcasting.lua writes what it finds in version 1. */
function ofVersion1(values: Values): Values {
  const data = values.find((value) => value?.startsWith('{')) ?? ''
  const end = data.lastIndexOf('}') + 1
  return values.flatMap((value) => {
    if (value?.startsWith('v')) return [`${value.replace('v1', 'v2')} ${data.slice(end)}`]
    if (value?.startsWith('{')) return [value.slice(0, end)]
    return value?.startsWith('c ') ? split(value) : [value]
  })
}

/** Times of a client session with the client behind them, and the client with what its session holds. */
function split(text: string): Values {
  const json = text.indexOf('{')
  if (json < 0) return [text]
  const times = text.slice(0, json - 1)
  return [times, `a ${times.split(' ').slice(5).join(' ')} ${text.slice(json)}`]
}
