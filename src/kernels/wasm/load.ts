/** Starts a module of wasm/ that is checked in as text: no file is read, in any thread. */
import { Buffer } from 'node:buffer';

/** What of the global is used: its types are the browser's, which a server has no other use for. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

type Imports = Readonly<Record<string, Readonly<Record<string, (...numbers: number[]) => number>>>>;

/** An instance with a memory of its own; its exports are what `T` says, and only the sources in wasm/ can hold it to that. */
export function startModule<T>(code: string, imports: Imports = {}): T {
  const module = new WebAssembly.Module(Buffer.from(code, 'base64'));
  return new WebAssembly.Instance(module, imports).exports as T;
}

interface WithMemory {
  readonly memory: { readonly buffer: ArrayBuffer };
}

/** A module without imports, started when it is first asked for: threads differ in what they need. Its memory must never grow. */
export class LazyModule<T extends WithMemory> {
  readonly #text: string;
  #code: T | null = null;
  #bytes = new Uint8Array(0);

  constructor(text: string) {
    this.#text = text;
  }

  get code(): T {
    return this.#code ?? this.#start();
  }

  /** All of its memory. */
  get bytes(): Uint8Array {
    if (this.#code === null) this.#start();
    return this.#bytes;
  }

  #start(): T {
    this.#code = startModule<T>(this.#text);
    this.#bytes = new Uint8Array(this.#code.memory.buffer);
    return this.#code;
  }
}
