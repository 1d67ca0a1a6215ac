import { runCommandLine } from './commandLine';
import { effect } from './effect';
import { explain } from './explain';
import { explainImage } from './explainImage';
import { extract } from './extract';
import { heads } from './heads';
import { how } from './how';
import { predict } from './predict';
import { prove } from './prove';
import { relations } from './relations';
import { tokenize } from './tokenize';

runCommandLine({ effect, explain, explainImage, extract, heads, how, predict, prove, relations, tokenize });
