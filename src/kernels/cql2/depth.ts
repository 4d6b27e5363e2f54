/** How deep a tree is: a chain of sums nests without parentheses, so its depth is known only when it is there. */
import { type FilterLimits, type Node, tooDeep } from './ast.ts';

/** Without recursion, which is what the depth is limited for. Errors: bad-filter. */
export function checkDepth(root: Node, limits: FilterLimits): void {
  let level: Node[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.maxDepth) throw tooDeep(level[0].at, limits);
    level = level.flatMap(node => (node.kind === 'array' ? node.items : 'args' in node ? node.args : []));
  }
}
