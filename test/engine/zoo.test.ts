import { describeReference } from './describeReference';
import { zooCases } from './zooCases';

describe('attention of the zoo', () => {
  for (const name of [...zooCases, 'real.text_line']) describeReference(`zoo/${name}`);
});
