import type { EngineHostApi } from '../../protocol';
import type { Channel } from '../../rpc/channel';
import type { Client } from '../../rpc/connection';
import type { FileAccess } from '../files/fileAccess';
import type { Interrupt } from '../limits/deadlines';
import type { ModelBounds } from '../folder/loading';
import type { NumbersWriter } from './writeNumbers';
import type { SyntaxFiles } from '../syntax/syntaxFiles';
import type { Sha256 } from './modelHash';
import type { timeLimits } from '../limits/timeLimits';
import type { MemoryLimits } from '../long/memoryPlan';
import type { RuntimeLoaders } from '../runtime/runtimes';

/** What an entry knows of its host and the engine does not. */
export interface EngineHost {
  readonly channel: Channel;
  /** The builds of the runtime that this host has, given the window (for an engine that cannot read their files itself). */
  readonly runtimes: (window: Client<EngineHostApi>) => RuntimeLoaders;
  /** Makes the file access, given the window's own (for an engine that cannot read files itself). */
  readonly access: (window: Client<EngineHostApi>) => FileAccess;
  readonly numProcessors: number;
  /** Attention held beyond this makes older runs go. */
  readonly attentionBudgetBytes: number;
  /** How much memory runs may take; the usual limits unless told otherwise. */
  readonly memoryLimits?: MemoryLimits;
  readonly residentBytes: () => number;
  /** Ends work that takes too long; without it the window is told what to watch. */
  readonly interrupt?: Interrupt;
  /** Which models are run in stages; large ones unless told otherwise. */
  readonly staging?: ModelBounds['staging'];
  /** Where the parser of programs and its grammars are read from; without them there are no relations. */
  readonly syntax?: (window: Client<EngineHostApi>) => SyntaxFiles;
  /** Tells models apart; without it none can be told. */
  readonly sha256?: Sha256;
  /** Writes files of numbers; without it the window does. */
  readonly numbersWriter?: NumbersWriter;
  /** How long steps may take; the usual limits unless told otherwise. */
  readonly timeLimits?: typeof timeLimits;
}
