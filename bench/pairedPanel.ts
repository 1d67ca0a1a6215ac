// One round of the first paint in a real VS Code, as JSON: milliseconds from the command, by the package in AE_VSIX (`npm run bench -- --against COMMIT`).
import { explainAgain, explainTwice } from './firstPaint';
import { median } from './statistics';

const vsix = process.env['AE_VSIX'];
if (vsix === undefined) throw new Error('AE_VSIX names no package');
const { cold, reopened } = await explainTwice(vsix, 64);
const warm = await explainAgain(vsix, 256, 5);
console.log(
  JSON.stringify({
    'first paint in the editor, 64 tokens, cold': cold.lit,
    'first paint in the panel, 64 tokens, cold': cold.total,
    'first paint in the editor, 64 tokens, window loaded again': reopened.lit,
    'first paint in the panel, 64 tokens, window loaded again': reopened.total,
    'first paint in the editor, 256 tokens, warm': median(warm.map(({ lit }) => lit)),
    'first paint in the panel, 256 tokens, warm': median(warm.map(({ total }) => total)),
  }),
);
