import type * as Ort from 'onnxruntime-common';
import { ExplorerError } from '../../base/errors';
import { dataTypeNumber } from '../../onnx/file/dataType';
import type { StageCut } from '../../onnx/stages/cutStages';
import { encodeStage, type PassedTensor, type StageModel } from '../../onnx/stages/encodeStage';
import { variantStage } from '../../onnx/stages/variantStage';
import type { StageInputs } from './stageInputs';

/** Tensors by their names, as far as they are there. */
export type Tensors = Readonly<Record<string, Ort.Tensor | undefined>>;

/** What the stages run on. */
export interface StageRuntime {
  /** Makes a session of a stage's model file. */
  open(model: StageModel): Promise<Ort.InferenceSession>;
  /** Runs one for those outputs that are named. */
  run(
    session: Ort.InferenceSession,
    feeds: Readonly<Record<string, Ort.Tensor>>,
    fetches: readonly string[],
  ): Promise<Ort.InferenceSession.OnnxValueMapType>;
  /** Frees one. */
  release(session: Ort.InferenceSession): Promise<void>;
}

/** How the stages of a run are gone through. */
export interface StagedRun {
  /** Outputs of the model that are wanted. */
  readonly fetches: readonly string[];
  /** Called before each stage: lets messages in, and throws where the run is no longer wanted. */
  readonly turn?: (() => Promise<void>) | undefined;
  /** Takes what a stage gave of what is wanted, as soon as it has run. */
  onStage?(this: void, outputs: Readonly<Record<string, Ort.Tensor>>, stage: number): void | Promise<void>;
  /** Remembers what each stage is given. */
  readonly keeps?: StageInputs | undefined;
}

/** What of a run that was kept is to be run again, and how. */
export interface StagedRerun extends Omit<StagedRun, 'keeps'> {
  readonly kept: StageInputs;
  /** The stage to begin with. */
  readonly from: number;
  /** The stage to end before; all that follow where it is missing. */
  readonly to?: number;
  /** Other values for what the model is fed. */
  readonly fed?: ReadonlyMap<string, Ort.Tensor>;
  /** Values for tensors of the first stage, in the place of those that it computes or was given. */
  readonly given?: ReadonlyMap<string, Ort.Tensor>;
  /** Given what is held when a stage has run, and what that gave of what is wanted: may put other tensors in the place of those that pass on. */
  readonly alter?: (this: void, held: Map<string, Ort.Tensor>, stage: number, outputs: Tensors) => void;
}

/** One stage of a run: which outputs it is asked for, and which of what was held is let go after it. */
interface Step {
  readonly stage: number;
  readonly own: readonly string[];
  readonly passed: readonly string[];
  readonly last: readonly string[];
}

/** What is known of a model's stages before they are opened. */
export interface StageFacts {
  /** What passes between stages, as far as it is known from sessions of them that were open before; more comes here. */
  readonly passed: Map<string, PassedTensor>;
  /** See {@link encodeStage}. */
  readonly cpuNodeNames: readonly string[];
}

/** A stage in another form, kept as long as it is asked for. */
interface Variant {
  readonly key: string;
  readonly session: Ort.InferenceSession;
}

/**
 * A model as sessions of its stages, which run one after another; a tensor that no later stage needs is let go. A stage's session is opened when it is
 * first run, in order, so that the first layers are there before the last are loaded.
 */
export class StagedSession {
  readonly cut: StageCut;
  readonly #runtime: StageRuntime;
  /** Those that are open, from the first on. */
  readonly #sessions: Ort.InferenceSession[] = [];
  /** What passes between stages, as the runtime has told of those that were opened. */
  readonly #passed: Map<string, PassedTensor>;
  readonly #cpuNodeNames: readonly string[];
  /** The stage that makes a tensor which others are given. */
  readonly #makers = new Map<string, number>();
  #variant: Variant | undefined;
  #opening: Promise<void> | undefined;
  #isReleased = false;
  #refusal: unknown;

  private constructor(cut: StageCut, runtime: StageRuntime, { passed, cpuNodeNames }: StageFacts) {
    this.cut = cut;
    this.#runtime = runtime;
    this.#passed = passed;
    this.#cpuNodeNames = cpuNodeNames;
    cut.stages.forEach(({ given }, stage) => given.forEach((name) => this.#makers.set(name, stage)));
  }

  /** Opens the first stage. Throws `runtimeFailed` where something passes between stages that is no tensor, and what opening a session throws. */
  static async create(cut: StageCut, runtime: StageRuntime, facts: StageFacts): Promise<StagedSession> {
    const session = new StagedSession(cut, runtime, facts);
    try {
      await session.#sessionOf(0);
    } catch (error) {
      await session.release();
      throw error;
    }
    return session;
  }

  /** What opening a stage threw, at last; undefined where nothing did. */
  get refusal(): unknown {
    return this.#refusal;
  }

  /** Runs all stages in turn; gives what is wanted, unless `onStage` takes it. Throws what running a session throws, and what `turn` throws. */
  async run(feeds: Readonly<Record<string, Ort.Tensor>>, run: StagedRun): Promise<Record<string, Ort.Tensor>> {
    run.keeps?.begin(feeds);
    return this.#through(this.#steps(run.fetches, 0, this.cut.stages.length), new Map(Object.entries(feeds)), run);
  }

  /**
   * Runs the stages from one on again, as they were run before. `fetches` may name any tensor of the first of them. Where that was
   * not kept, those before it are run too. A single stage can be run again when the sessions are freed, from a session of its own.
   * Throws RangeError where too little was kept for it or a tensor is not the stage's, and what {@link run} throws.
   */
  async rerun(rerun: StagedRerun): Promise<Record<string, Ort.Tensor>> {
    const { from, to = this.cut.stages.length, given = new Map<string, Ort.Tensor>(), fetches, turn, onStage } = rerun;
    const { outputs, received } = this.cut.stages[from];
    const isUsual =
      !this.#isReleased &&
      [...given.keys()].every((name) => received.includes(name)) &&
      fetches.every((name) => outputs.includes(name) || this.#isOutputBehind(name, from));
    let first = from;
    let held = this.#heldFor(rerun, first, to);
    while (held === undefined && isUsual && given.size === 0 && first > 0) held = this.#heldFor(rerun, --first, to);
    if (held === undefined) throw new RangeError('The run was not kept');
    const steps = this.#steps(fetches, first, to);
    if (isUsual) return this.#through(steps, held, rerun);
    await turn?.();
    const passed = steps.find(({ stage }) => stage === from)?.passed ?? [];
    const wanted = fetches.filter((name) => !this.#isOutputBehind(name, from));
    const made = new Map([
      ...given,
      ...(await this.#runVariant(from, held, { given, wanted: [...wanted, ...passed] })),
    ]);
    for (const name of passed) hold(held, name, made.get(name));
    const own = pick(made, wanted);
    await onStage?.(own, from);
    const others = await this.#through(
      steps.filter(({ stage }) => stage > from),
      held,
      rerun,
    );
    return onStage === undefined ? { ...own, ...others } : others;
  }

  /** Frees all sessions. */
  async release(): Promise<void> {
    this.#isReleased = true;
    await this.#opening?.catch(() => {});
    await this.#dropVariant();
    for (const session of this.#sessions.splice(0)) await this.#runtime.release(session);
  }

  /** The session of a stage; those before it are opened too, as they tell what it is given. */
  async #sessionOf(stage: number): Promise<Ort.InferenceSession> {
    while (this.#sessions.length <= stage) {
      if (this.#isReleased) throw new RangeError('The stages are freed');
      this.#opening ??= this.#openNext().finally(() => {
        this.#opening = undefined;
      });
      await this.#opening;
    }
    return this.#sessions[stage];
  }

  async #openNext(): Promise<void> {
    const stage = this.cut.stages[this.#sessions.length];
    try {
      const model = encodeStage(this.cut.index, stage, (name) => passedOf(this.#passed, name), this.#cpuNodeNames);
      const session = await this.#runtime.open(model);
      this.#sessions.push(session);
      const given = new Set(stage.given);
      for (const info of session.outputMetadata) if (given.has(info.name)) this.#passed.set(info.name, typeOf(info));
    } catch (error) {
      this.#refusal = error;
      throw error;
    }
  }

  /**
   * A whole number that passes on has a shape, without dimensions, which sessions do not tell from none. Of what has none the runtime takes a list that is
   * made of it for an empty one (`sizes` of Resize), and refuses the stage.
   */
  #learnScalar(name: string, tensor: Ort.Tensor | undefined): void {
    const known = this.#passed.get(name);
    const isWhole = tensor?.type === 'int64' || tensor?.type === 'int32';
    if (known?.dims === undefined && isWhole && tensor.dims.length === 0)
      this.#passed.set(name, { dataType: dataTypeNumber(tensor.type), dims: [] });
  }

  /** What stages are given that run again, without any before the first; undefined where some of it was not kept. */
  #heldFor({ kept, fed, given }: StagedRerun, from: number, to: number): Map<string, Ort.Tensor> | undefined {
    const held = new Map<string, Ort.Tensor>(given);
    for (const { inputs, received } of this.cut.stages.slice(from, to))
      for (const name of [...inputs, ...received]) {
        if (held.has(name) || (this.#makers.get(name) ?? -1) >= from) continue;
        const tensor = fed?.get(name) ?? kept.get(name);
        if (tensor === undefined) return undefined;
        held.set(name, tensor);
      }
    return held;
  }

  #isOutputBehind(name: string, stage: number): boolean {
    return this.cut.stages.some(({ outputs }, other) => other > stage && outputs.includes(name));
  }

  /** What is run for outputs: the stages that give them, and those whose tensors these need. */
  #steps(fetches: readonly string[], from: number, to: number): Step[] {
    const wanted = new Set(fetches);
    const needed = new Set<string>();
    const steps: Step[] = [];
    for (let stage = to - 1; stage >= from; stage--) {
      const { outputs, given, received, inputs } = this.cut.stages[stage];
      const own = outputs.filter((name) => wanted.has(name));
      const passed = given.filter((name) => needed.has(name));
      if (own.length === 0 && passed.length === 0) continue;
      const used = [...inputs, ...received];
      steps.push({ stage, own, passed, last: used.filter((name) => !needed.has(name)) });
      for (const name of used) needed.add(name);
    }
    return steps.reverse();
  }

  async #through(
    steps: readonly Step[],
    held: Map<string, Ort.Tensor>,
    { turn, onStage, keeps, alter }: Omit<StagedRun, 'fetches'> & Pick<StagedRerun, 'alter'>,
  ): Promise<Record<string, Ort.Tensor>> {
    const results: Record<string, Ort.Tensor> = {};
    for (const { stage, own, passed, last } of steps) {
      await turn?.();
      const { inputs, received } = this.cut.stages[stage];
      const feeds = pick(held, [...inputs, ...received]);
      keeps?.add(stage, feeds);
      const made = await this.#runtime.run(await this.#sessionOf(stage), feeds, [...new Set([...own, ...passed])]);
      for (const name of last) held.delete(name);
      for (const name of passed) {
        hold(held, name, made[name]);
        this.#learnScalar(name, made[name]);
      }
      const outputs = pick(new Map(Object.entries(made)), own);
      alter?.(held, stage, outputs);
      if (onStage === undefined) Object.assign(results, outputs);
      else await onStage(outputs, stage);
    }
    return results;
  }

  /** What a stage makes of other tensors, or which other tensors it makes. */
  async #runVariant(
    number: number,
    held: ReadonlyMap<string, Ort.Tensor>,
    { given, wanted }: { readonly given: ReadonlyMap<string, Ort.Tensor>; readonly wanted: readonly string[] },
  ): Promise<readonly (readonly [string, Ort.Tensor])[]> {
    const stage = variantStage(this.cut, number, { given: [...given.keys()], wanted });
    if (stage.outputs.length === 0) return [];
    if (!this.#isReleased && number > 0) await this.#sessionOf(number - 1);
    const key = JSON.stringify([number, stage.received, stage.outputs]);
    if (this.#variant?.key !== key) {
      await this.#dropVariant();
      const typed = (name: string): PassedTensor => {
        const tensor = given.get(name);
        return tensor === undefined || this.#passed.has(name)
          ? passedOf(this.#passed, name)
          : { dataType: dataTypeNumber(tensor.type), dims: tensor.dims.map(() => undefined) };
      };
      const model = encodeStage(this.cut.index, stage, typed, this.#cpuNodeNames);
      this.#variant = { key, session: await this.#runtime.open(model) };
    }
    const feeds = pick(held, [...stage.inputs, ...stage.received]);
    const made = await this.#runtime.run(this.#variant.session, feeds, stage.outputs);
    return stage.outputs.map((name) => [name, made[name]] as const);
  }

  async #dropVariant(): Promise<void> {
    const variant = this.#variant;
    this.#variant = undefined;
    if (variant !== undefined) await this.#runtime.release(variant.session);
  }
}

function hold(held: Map<string, Ort.Tensor>, name: string, tensor: Ort.Tensor | undefined): void {
  if (tensor !== undefined) held.set(name, tensor);
}

function pick(tensors: ReadonlyMap<string, Ort.Tensor>, names: readonly string[]): Record<string, Ort.Tensor> {
  const picked: Record<string, Ort.Tensor> = {};
  for (const name of names) {
    const tensor = tensors.get(name);
    if (tensor !== undefined) picked[name] = tensor;
  }
  return picked;
}

function typeOf(info: Ort.InferenceSession.ValueMetadata): PassedTensor {
  if (!info.isTensor)
    throw new ExplorerError('runtimeFailed', [`${info.name}, which passes between stages, is no tensor`]);
  // No shape and a shape without dimensions look the same, and a dimension without a number or a name is told as one that none has.
  const dimOf = (dim: number | string): number | string | undefined =>
    dim === '' || (typeof dim === 'number' && (dim <= 0 || dim > 2 ** 31)) ? undefined : dim;
  return {
    dataType: dataTypeNumber(info.type),
    dims: info.shape.length === 0 ? undefined : info.shape.map(dimOf),
  };
}

function passedOf(passed: ReadonlyMap<string, PassedTensor>, name: string): PassedTensor {
  const known = passed.get(name);
  if (known === undefined) throw new ExplorerError('runtimeFailed', [`no stage makes ${name}`]);
  return known;
}
