import { realmCacheSpi } from 'authstate'
import type { Command } from 'commander'
import { openState } from '../configuration.js'
import { type ConfirmOptions, confirm } from '../confirm.js'
import { EXIT } from '../exit-codes.js'
import { type Column, counted, instant, jsonOf, tableOf } from '../output.js'
import { type CommonOptions, type Context, withDeployment, withJson, withOperations } from './context.js'

/** `authstate tokens`, `authstate cache`, `authstate cluster` */
export function addOthers(program: Command, context: Context): void {
  const { surroundings } = context
  const tokens = program.command('tokens').description('action tokens and their families')
  withJson(withDeployment(tokens.command('revoke-family <realm> <family>')))
    .description('withdraw every token of a family, and refuse what joins it later')
    .option('-y, --yes', 'do not ask')
    .action(async (realm: string, family: string, options: CommonOptions & ConfirmOptions) => {
      await confirm(options, surroundings, `withdraw a family of tokens of ${realm}`)
      await withOperations(context, options, ['action-token'], async (operations) => {
        const revoked = await operations.tokens.revokeFamily(realm, family)
        const text = `${counted(revoked, 'token')} withdrawn; later ones of the family are refused\n`
        surroundings.stdout.write(options.json ? jsonOf({ revoked }) : text)
      })
    })

  const cache = program.command('cache').description('cached realm data')
  withJson(withDeployment(cache.command('clear')))
    .description('empty a region, or every region, on every node')
    .option('--region <name>', 'only this region')
    .action(async (options: CommonOptions & { region?: string }) => {
      const { state } = await openState(options, surroundings, ['realm-cache', 'cluster'])
      try {
        const realmCache = state.get(realmCacheSpi)
        if (options.region === undefined) await realmCache.clearAll()
        else await realmCache.region(options.region).clear()
        const { nodes } = await state.cluster.refresh()
        const told = nodes.length - 1
        const what = options.region === undefined ? 'every region' : 'the region'
        surroundings.stdout.write(
          options.json ? jsonOf({ told }) : `${what} is emptied; ${counted(told, 'node')} told\n`,
        )
        if (told === 0) context.end(EXIT.nothing)
      } finally {
        await state.close()
      }
    })

  const cluster = program.command('cluster').description('nodes of the deployment')
  withJson(withDeployment(cluster.command('nodes')))
    .description('list the nodes that live now')
    .action((options: CommonOptions) =>
      withOperations(context, options, ['cluster'], async (operations) => {
        const view = await operations.cluster.nodes()
        const nodes = view.nodes.filter(({ isThis }) => !isThis).map(({ isThis, ...node }) => node)
        const columns: Column<(typeof nodes)[number]>[] = [
          { title: 'NODE', of: ({ name }) => name, canShrink: true },
          { title: 'SITE', of: ({ site }) => site },
          { title: 'JOINED', of: ({ joinedAt }) => instant(joinedAt) },
        ]
        surroundings.stdout.write(
          options.json ? jsonOf({ nodes }) : tableOf(nodes, columns, surroundings.stdout),
        )
      }),
    )
}
