/** Which of two axes is x: names as orderedAxes has them. */
const NORTH = /^(y|n|lat|latitude|north|northing)$/i;

export function isNorthFirst([first]: readonly string[]): boolean {
  return NORTH.test(first);
}
