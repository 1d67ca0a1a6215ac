import { runCommandLine } from './commandLine';
import { compare } from './compare';
import { effect } from './effect';
import { explain } from './explanation/explain';
import { explainImage } from './explanation/explainImage';
import { extract } from './extract';
import { generate } from './generate';
import { heads } from './heads';
import { how } from './how';
import { profile } from './profile/profile';
import { predict } from './predict';
import { prove } from './prove';
import { relations } from './relations';
import { tokenize } from './tokenize';
import { writes } from './writes';

runCommandLine({
  compare,
  effect,
  explain,
  explainImage,
  extract,
  generate,
  heads,
  how,
  predict,
  profile,
  prove,
  relations,
  tokenize,
  writes,
});
