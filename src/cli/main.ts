import { createRequire } from 'node:module';
import { runCommandLine } from './commandLine';
import { isGuardedProcess } from './guardedLines';

// What runs models is a bundle of its own, several times as large, which only the process that needs it reads.
if (isGuardedProcess()) createRequire(import.meta.url)('./commands.cjs');
else runCommandLine();
