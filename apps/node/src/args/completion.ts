/**
 * Completion scripts for bash, zsh and fish, made from the command tables. Everything is in the script: completing
 * never starts `orbit`.
 */

import type { Command, Completes, Flag } from './command.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  if (shell === 'bash') return bash(commands)
  return shell === 'zsh' ? zsh(commands) : fish(commands)
}

const names = (commands: readonly Command[]): string => commands.map(({ name }) => name).join(' ')
const takesValue = (flag: Flag): boolean => flag.kind !== 'switch'

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const flags = command.flags.map(({ name }) => `--${name}`).join(' ')
    const values = command.flags
      .filter(takesValue)
      .map((flag) => `        --${flag.name}) ${bashOffer(flag.choices, flag.completes)} ;;`)
    const [operand] = command.operands
    const operandChoices = command.name === 'help' ? commands.map(({ name }) => name) : operand?.choices
    return [
      `    ${command.name})`,
      ...(values.length === 0 ? [] : ['      case "$previous" in', ...values, '      esac']),
      `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "${flags}" -- "$word")); return; fi`,
      `      ${bashOffer(operandChoices, operand?.completes)}`,
      '      ;;',
    ].join('\n')
  })
  return `# bash completion for orbit
_orbit() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${names(commands)} --help --version" -- "$word"))
    return
  fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
}
complete -F _orbit orbit
`
}

function bashOffer(choices: readonly string[] | undefined, completes: Completes | undefined): string {
  if (choices !== undefined) return `COMPREPLY=($(compgen -W "${choices.join(' ')}" -- "$word")); return`
  if (completes === 'file') return 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -f -- "$word")); return'
  if (completes === 'folder') return 'compopt -o filenames 2> /dev/null; COMPREPLY=($(compgen -d -- "$word")); return'
  return 'return'
}

function zsh(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    ${zshQuote(`${name}:${summary}`)}`).join('\n')
  const cases = commands.map((command) => {
    const specs = command.flags.map(
      (flag) =>
        `      ${zshQuote(`--${flag.name}[${zshText(flag.help)}]${takesValue(flag) ? `:${flag.value ?? flag.name}:${zshOffer(flag.choices, flag.completes)}` : ''}`)}`,
    )
    const operands = command.operands.map((operand, index) => {
      const choices = command.name === 'help' ? commands.map(({ name }) => name) : operand.choices
      return `      ${zshQuote(`${operand.many === true ? '*' : index + 1}:${operand.name}:${zshOffer(choices, operand.completes)}`)}`
    })
    return `    ${command.name}) _arguments \\\n${[...specs, ...operands].join(' \\\n')}\n      ;;`
  })
  return `#compdef orbit
# zsh completion for orbit
_orbit() {
  local -a commands
  commands=(
${list}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local chosen=$words[2]
  shift words
  (( CURRENT-- ))
  case $chosen in
${cases.join('\n')}
  esac
}
compdef _orbit orbit
`
}

function zshOffer(choices: readonly string[] | undefined, completes: Completes | undefined): string {
  if (choices !== undefined) return `(${choices.join(' ')})`
  if (completes === 'file') return '_files'
  return completes === 'folder' ? '_files -/' : ''
}

function zshText(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, (char) => `\\${char}`)
}

function zshQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

function fish(commands: readonly Command[]): string {
  const lines = ['# fish completion for orbit', 'complete -c orbit -f']
  const none = `not __fish_seen_subcommand_from ${names(commands)}`
  for (const { name, summary } of commands)
    lines.push(`complete -c orbit -n ${fishQuote(none)} -a ${name} -d ${fishQuote(summary)}`)
  for (const command of commands) {
    const when = fishQuote(`__fish_seen_subcommand_from ${command.name}`)
    for (const flag of command.flags) {
      const value = takesValue(flag) ? ` -r${fishOffer(flag.choices, flag.completes)}` : ''
      lines.push(`complete -c orbit -n ${when} -l ${flag.name}${value} -d ${fishQuote(flag.help)}`)
    }
    for (const operand of command.operands) {
      const choices = command.name === 'help' ? commands.map(({ name }) => name) : operand.choices
      const offer = fishOffer(choices, operand.completes)
      if (offer !== '') lines.push(`complete -c orbit -n ${when}${offer}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function fishOffer(choices: readonly string[] | undefined, completes: Completes | undefined): string {
  if (choices !== undefined) return ` -a ${fishQuote(choices.join(' '))}`
  if (completes === 'file') return ' -F'
  return completes === 'folder' ? ` -a '(__fish_complete_directories)'` : ''
}

function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
