export interface Offered {
  /** What `askFor` is given. */
  readonly folder: string
  /** Stops what was started. */
  stop(): Promise<void>
}
export type Start = () => Promise<{ readonly address: string; stop(): Promise<unknown> }>
export function offer(start: Readonly<Record<string, Start>>): Offered
export function askFor(folder: string, name: string): string
