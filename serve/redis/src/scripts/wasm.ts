/** As much of WebAssembly as the Lua machine needs: the type libraries that we compile with know nothing of it. */

/** Compiled, and of no use but to be instantiated. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string
}

export interface WasmTable {
  get(index: number): unknown
  set(index: number, value: unknown): void
}

/** By the two parts of their names. */
export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>

interface WebAssemblyGlobal {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: WasmImports) => { readonly exports: Record<string, unknown> }
  readonly RuntimeError: new () => Error
  compile(bytes: Uint8Array): Promise<WasmModule>
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyGlobal }).WebAssembly
