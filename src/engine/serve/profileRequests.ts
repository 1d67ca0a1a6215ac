import { ExplorerError } from '../../base/errors';
import type { EngineApi, EngineEvents, ModelSpec } from '../../protocol';
import type { Server } from '../../rpc/connection';
import { ProfiledTexts } from '../profile/profiledTexts';
import { readProfile } from '../profile/readProfile';
import type { Deadlines } from '../limits/deadlines';
import type { CodeParser } from '../syntax/parseCode';
import type { ReadingSteps } from '../text/textModel';
import type { LoadedModel } from './loadedModel';
import type { Sha256 } from './modelHash';

type ProfileRequests = Pick<Server<EngineApi>, 'readProfile' | 'profileText' | 'profileFiles'>;

/** What profiling needs of the engine. */
export interface ProfileHost {
  readonly parser: () => CodeParser | undefined;
  readonly sha256: Sha256 | undefined;
  readonly deadlines: Deadlines;
  /** Does something with a model of texts, after all that was asked before. */
  readonly withModel: <T>(
    spec: ModelSpec,
    signal: AbortSignal,
    work: (model: LoadedModel, steps: ReadingSteps) => Promise<T>,
  ) => Promise<T>;
  readonly hashOf: (spec: ModelSpec, signal: AbortSignal) => Promise<string>;
  /** Told of each chunk of a text how much of it has been read. */
  readonly onRead: (read: EngineEvents['profiling']) => void;
}

/** Chunks that nobody asks to be longer. */
const mostTokens = 1024;

/** A profile that grows, and the model that it is of. */
interface Growing {
  readonly id: number;
  readonly texts: ProfiledTexts;
  readonly model: { readonly name: string; readonly hash: string; readonly backend: string };
}

/** Reads profiles, and makes one, text by text: between chunks of a text messages have their turn, and it ends there when it is cancelled. */
export function profileRequests(host: ProfileHost): ProfileRequests {
  let growing: Growing | undefined;
  return {
    readProfile: ({ files, folder }) => readProfile(files, folder, host.deadlines),
    profileText: ({ profile, model: spec, length: asked, text, leftOut }, signal) =>
      host.withModel(spec, signal, async (model, steps) => {
        const parser = host.parser();
        if (host.sha256 === undefined || parser === undefined) throw new ExplorerError('internal', ['no parser']);
        if (growing?.id !== profile) {
          const length = asked === 0 ? Math.min(mostTokens, model.info.contextLength ?? mostTokens) : asked;
          // What a model's file is made for shows in its first run, which is not to be that of a text.
          const first = await model.tokens('a b\n'.repeat(length), length);
          await model.explain({ text: first.text, tokenLimit: length }, steps);
          growing = {
            id: profile,
            texts: new ProfiledTexts({ parser, sha256: host.sha256, length }),
            model: {
              name: model.info.name,
              hash: await host.hashOf(spec, signal),
              backend: model.info.backend,
            },
          };
        }
        if (leftOut !== undefined) {
          growing.texts.leaveOut(text.file, leftOut);
          return { status: leftOut, numTokens: 0 };
        }
        return growing.texts.take(
          {
            tokens: (from, limit) => model.tokens(from, limit),
            explain: async (reading, { arrays }) => {
              const read = await model.explain(reading, { ...steps, arrays });
              // After each chunk, so that what was cancelled counts nothing.
              await new Promise<void>((resolve) => setTimeout(resolve));
              signal.throwIfAborted();
              return read;
            },
          },
          text,
          (read) => host.onRead({ profile, ...read }),
        );
      }),
    profileFiles: ({ profile }) => {
      if (growing?.id !== profile) throw new ExplorerError('unknownRun');
      return { files: growing.texts.files(growing.model), model: growing.model.name };
    },
  };
}
