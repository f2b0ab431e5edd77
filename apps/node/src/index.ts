/** The server as a library: what `orbit serve` does, for a program that starts it itself, and the parts of the command line. */

export { Arguments, parseArguments } from './args/parse.ts'
export { commands } from './commands/catalogue.ts'
export { type ConfigFault, type ConfigNote, type Configuration, loadConfig } from './config/load.ts'
export { cliErrors } from './errors.ts'
export { type ExitCode, exitCodes } from './exit-codes.ts'
export { differences, type Field, type Fields, type Schema, schemas } from './schemas.ts'
export { type Facts, type LogFormat, type Logger, makeLogger } from './serve/log.ts'
export { type Node, type NodeOptions, startNode } from './serve/node.ts'
export { version } from './version.ts'
