import { defineScript, type RedisConnection, type Script } from '@authstate/redis'

/** A change of the text of a script, by the script's name. */
export type Plant = Readonly<Record<string, readonly [from: string, to: string]>>

/** A connection whose scripts say something else. */
export function planted(connection: RedisConnection, plant: Plant): RedisConnection {
  const mutants = new Map<string, Script>()
  const mutant = <S extends Script>(script: S): S => {
    const change = plant[script.name]
    if (change === undefined) return script
    const known = mutants.get(script.name)
    if (known !== undefined) return known as S
    const [from, to] = change
    if (!script.lua.includes(from)) throw new Error(`${script.name} does not say: ${from}`)
    const made = defineScript({ ...script, lua: script.lua.replace(from, () => to) })
    mutants.set(script.name, made as Script)
    return made as unknown as S
  }
  const run: RedisConnection['run'] = (script, keys, args) => connection.run(mutant(script), keys, args)
  return new Proxy(connection, {
    get: (target, name) => {
      if (name === 'run') return run
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
