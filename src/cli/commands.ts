import { runCommandLine } from './commandLine';
import { compare } from './compare';
import { explain } from './explain';
import { explainImage } from './explainImage';
import { extract } from './extract';
import { heads } from './heads';
import { how } from './how';
import { predict } from './predict';
import { prove } from './prove';
import { relations } from './relations';
import { tokenize } from './tokenize';

runCommandLine({ compare, explain, explainImage, extract, heads, how, predict, prove, relations, tokenize });
