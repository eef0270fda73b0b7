import type { ChildProcess, Serializable } from 'node:child_process'
import { once } from 'node:events'

/** Sends a child something and waits for its answer; a child that ends answers nothing any more. */
export async function ask<Answer extends object>(
  child: ChildProcess,
  request: Serializable,
): Promise<Exclude<Answer, { readonly failed: string }>> {
  const ended = new AbortController()
  const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the process that was asked has ended')
  })
  exit.catch(() => {})
  try {
    const reply = once(child, 'message', { signal: ended.signal })
    reply.catch(() => {})
    child.send(request)
    const [answer] = (await Promise.race([reply, exit])) as [Answer]
    if ('failed' in answer) throw new Error(answer.failed as string)
    return answer as Exclude<Answer, { readonly failed: string }>
  } finally {
    ended.abort()
  }
}
