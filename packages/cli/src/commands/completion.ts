import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.js'
import type { Context } from './context.js'

const SHELLS = ['bash', 'zsh', 'fish'] as const

/** `authstate completion` */
export function addCompletion(program: Command, { surroundings }: Context): void {
  program
    .command('completion <shell>')
    .description(`print what ${SHELLS.join(', ')} needs to complete this command`)
    .action((shell: string) => {
      const known = SHELLS.find((name) => name === shell)
      if (known === undefined)
        throw new CommandError(
          EXIT.configuration,
          `there is no completion for this shell. Known: ${SHELLS.join(', ')}`,
        )
      const words = wordsOf(program)
      surroundings.stdout.write(
        known === 'fish'
          ? fish(words)
          : known === 'zsh'
            ? `autoload -U +X bashcompinit && bashcompinit\n${bash(words)}`
            : bash(words),
      )
    })
}

/** What can follow each line of commands: its subcommands and its options. */
function wordsOf(command: Command, path = ''): [path: string, words: string[]][] {
  const names = command.commands.map((sub) => sub.name())
  const options = command.options.flatMap(({ long }) => (long == null ? [] : [long]))
  return [
    [path, [...names, ...options, '--help']],
    ...command.commands.flatMap((sub) => wordsOf(sub, `${path} ${sub.name()}`.trim())),
  ]
}

const bash = (words: readonly [string, string[]][]): string => `_authstate() {
  local path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  while :; do
    case "$path" in
${words.map(([path, of]) => `      "${path}") words="${of.join(' ')}"; break ;;`).join('\n')}
      *) path="\${path% *}" ;;
    esac
  done
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _authstate authstate
`

const fish = (words: readonly [string, string[]][]): string =>
  `${words
    .map(([path, of]) => {
      const seen = path.split(' ').filter(Boolean)
      const condition =
        seen.length === 0
          ? '__fish_use_subcommand'
          : seen.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
      const names = of.filter((word) => !word.startsWith('-'))
      const options = of.filter((word) => word.startsWith('--')).map((word) => ` -l ${word.slice(2)}`)
      return [
        ...(names.length > 0 ? [`complete -c authstate -f -n '${condition}' -a '${names.join(' ')}'`] : []),
        ...options.map((option) => `complete -c authstate -n '${condition}'${option}`),
      ].join('\n')
    })
    .join('\n')}\n`
