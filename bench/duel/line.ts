/** One client's keep-alive connection. A request that outlasts its time closes it, as a person's browser tab does. */
import net from 'node:net';
import { type Answer, responseReader } from '../lib/reader.ts';

/** 64 clients are 64 people: servers that share by address see 64 of them. All of 127.0.0.0/8 is this machine. */
export function addressOf(client: number): string {
  return `127.1.1.${1 + client}`;
}

export class Line {
  readonly #port: number;
  readonly #from: string;
  readonly #headers: string;
  #socket: net.Socket | null = null;
  #settle: ((answer: Answer | null) => void) | null = null;

  constructor(port: number, from: string) {
    this.#port = port;
    this.#from = from;
    this.#headers = `host: 127.0.0.1:${port}\r\naccept: */*\r\naccept-encoding: gzip\r\n\r\n`;
  }

  /** Null: no answer in time, or the connection was refused or lost. */
  ask(path: string, timeoutMs: number): Promise<Answer | null> {
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#end(null), timeoutMs);
      this.#settle = answer => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#open().write(`GET ${path} HTTP/1.1\r\n${this.#headers}`);
    });
  }

  close(): void {
    this.#end(null);
  }

  #open(): net.Socket {
    if (this.#socket !== null) return this.#socket;
    const socket = net.connect({ host: '127.0.0.1', port: this.#port, localAddress: this.#from, noDelay: true });
    const reader = responseReader(answer => {
      if (answer.close) this.#end(answer);
      else this.#answer(answer);
    });
    const lost = () => {
      if (this.#socket === socket) this.#end(null);
    };
    socket.on('data', (chunk: Buffer) => reader.feed(chunk));
    socket.on('end', () => reader.end());
    socket.on('error', lost);
    socket.on('close', lost);
    this.#socket = socket;
    return socket;
  }

  #answer(answer: Answer | null): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(answer);
  }

  #end(answer: Answer | null): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    this.#answer(answer);
  }
}
