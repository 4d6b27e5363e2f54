// AssemblyScript.
/** The commands of one geometry, as src/kernels/mvt.ts writes them. */
import { COMMANDS } from './memory';
import { xAt, yAt } from './simplify';
import { varint } from './varint';

let at: usize = COMMANDS;
let x: i32 = 0;
let y: i32 = 0;

export function beginCommands(): void {
  at = COMMANDS;
  x = 0;
  y = 0;
}

export function commandBytes(): i32 {
  return i32(at - COMMANDS);
}

@inline
function delta(v: i32): void {
  at = varint(at, u32((v << 1) ^ (v >> 31)));
}

@inline
function move(px: i32, py: i32): void {
  delta(px - x);
  delta(py - y);
  x = px;
  y = py;
}

export function putPoints(n: i32): void {
  if (n == 0) return;
  at = varint(at, u32(n * 8 + 1));
  for (let i = 0; i < n; i++) move(xAt(i), yAt(i));
}

export function putLine(n: i32): void {
  store<u8>(at++, 9);
  move(xAt(0), yAt(0));
  at = varint(at, u32((n - 1) * 8 + 2));
  for (let i = 1; i < n; i++) move(xAt(i), yAt(i));
}

export function putRing(n: i32, backwards: bool): void {
  store<u8>(at++, 9);
  move(xAt(0), yAt(0));
  at = varint(at, u32((n - 1) * 8 + 2));
  if (backwards) for (let i = n - 1; i > 0; i--) move(xAt(i), yAt(i));
  else for (let i = 1; i < n; i++) move(xAt(i), yAt(i));
  store<u8>(at++, 15);
}
