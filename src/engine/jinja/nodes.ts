import type { Value } from './values';

/** An expression of a template. */
export type Expression =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'list' | 'tuple' | 'concat'; readonly items: readonly Expression[] }
  | { readonly kind: 'dict'; readonly pairs: readonly (readonly [Expression, Expression])[] }
  | { readonly kind: 'unary'; readonly operator: 'not' | '-' | '+'; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: 'compare';
      readonly first: Expression;
      readonly rest: readonly (readonly [operator: string, operand: Expression])[];
    }
  | {
      readonly kind: 'condition';
      readonly test: Expression;
      readonly then: Expression;
      readonly otherwise: Expression | undefined;
    }
  | { readonly kind: 'attribute'; readonly of: Expression; readonly name: string }
  | { readonly kind: 'item'; readonly of: Expression; readonly key: Expression }
  | {
      readonly kind: 'slice';
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
    }
  | { readonly kind: 'call'; readonly callee: Expression; readonly args: CallArguments }
  | {
      readonly kind: 'filter';
      readonly name: string;
      readonly operand: Expression | undefined;
      readonly args: CallArguments;
    }
  | { readonly kind: 'test'; readonly name: string; readonly operand: Expression; readonly args: CallArguments };

/** The arguments of a call as they are written. */
export interface CallArguments {
  readonly positional: readonly Expression[];
  readonly named: readonly (readonly [string, Expression])[];
  /** After `*` and `**`. */
  readonly rest: Expression | undefined;
  readonly namedRest: Expression | undefined;
}

/** What is assigned to: a name, an attribute of a namespace, or several of them. */
export type Target =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'attribute'; readonly name: string; readonly attribute: string }
  | { readonly kind: 'several'; readonly targets: readonly Target[] };

/** A macro's signature and body, also that of a `call` block. */
export interface MacroBody {
  readonly name: string;
  readonly parameters: readonly { readonly name: string; readonly byDefault: Expression | undefined }[];
  readonly body: readonly Statement[];
  /** Whether the body asks for what the signature does not name. */
  readonly uses: { readonly varargs: boolean; readonly kwargs: boolean; readonly caller: boolean };
}

/** A statement of a template. */
export type Statement =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly value: Expression }
  | {
      readonly kind: 'if';
      readonly branches: readonly (readonly [test: Expression, body: readonly Statement[]])[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: 'for';
      readonly target: Target;
      readonly over: Expression;
      readonly test: Expression | undefined;
      readonly isRecursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly kind: 'set'; readonly target: Target; readonly value: Expression }
  | {
      readonly kind: 'setBlock';
      readonly target: Target;
      readonly filter: Expression | undefined;
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: 'with';
      readonly pairs: readonly (readonly [Target, Expression])[];
      readonly body: readonly Statement[];
    }
  | { readonly kind: 'macro'; readonly macro: MacroBody }
  | { readonly kind: 'callBlock'; readonly call: Expression; readonly caller: MacroBody }
  | { readonly kind: 'filterBlock'; readonly filter: Expression; readonly body: readonly Statement[] }
  | { readonly kind: 'scope'; readonly body: readonly Statement[] }
  | { readonly kind: 'break' | 'continue' };
