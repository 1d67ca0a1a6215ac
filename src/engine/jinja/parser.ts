import { LexemeReader } from './lexemeReader';
import { lex, type Lexeme } from './lexer';
import type { CallArguments, Expression, MacroBody, Statement, Target } from './nodes';
import { exact, Float } from './values';

const compareOperators = new Set(['==', '!=', '<', '<=', '>', '>=']);

/** Reads a template as Jinja 3.1 does, with its loop controls and the `generation` tag of transformers. Throws {@link JinjaError}. */
export function parse(template: string): readonly Statement[] {
  const parser = new Parser(lex(template));
  return parser.template();
}

class Parser {
  readonly #read: LexemeReader;
  #loops = 0;
  #uses = { varargs: false, kwargs: false, caller: false };

  constructor(lexemes: readonly Lexeme[]) {
    this.#read = new LexemeReader(lexemes);
  }

  template(): readonly Statement[] {
    const body = this.#body([]);
    if (this.#read.current.type !== 'end') this.#read.fail(`Encountered unknown tag '${this.#read.current.text}'.`);
    return body;
  }

  /** Statements up to a tag of one of the names, which is not taken; the `{%` before it is. */
  #body(ends: readonly string[]): readonly Statement[] {
    const body: Statement[] = [];
    for (;;) {
      const { type, text } = this.#read.current;
      if (type === 'end') {
        if (ends.length > 0)
          this.#read.fail(
            `Unexpected end of template. Jinja was looking for the following tags: '${ends.join("' or '")}'`,
          );
        return body;
      }
      this.#read.at++;
      if (type === 'data') body.push({ kind: 'text', text });
      else if (type === 'variableBegin') {
        body.push({ kind: 'print', value: this.#tuple() });
        this.#read.expect('variableEnd');
      } else {
        if (this.#read.current.type !== 'name') this.#read.fail('tag name expected');
        if (this.#read.isName(...ends)) return body;
        body.push(...this.#statement());
        this.#read.expect('blockEnd');
      }
    }
  }

  /** The body of a tag that ends here, up to the tag of that name. */
  #block(end: string): readonly Statement[] {
    this.#read.expect('blockEnd');
    const body = this.#body([end]);
    this.#read.at++;
    return body;
  }

  #statement(): readonly Statement[] {
    const tag = this.#read.expect('name');
    switch (tag) {
      case 'if':
        return [this.#if()];
      case 'for':
        return [this.#for()];
      case 'set':
        return [this.#set()];
      case 'with':
        return [this.#with()];
      case 'macro':
        return [{ kind: 'macro', macro: this.#macro(this.#read.expect('name'), 'endmacro') }];
      case 'call':
        return [this.#callBlock()];
      case 'filter':
        return [this.#filterBlock()];
      case 'generation':
        return [{ kind: 'scope', body: this.#block('endgeneration') }];
      case 'print':
        return this.#print();
      case 'break':
      case 'continue':
        if (this.#loops === 0) this.#read.fail(`'${tag}' outside loop`);
        return [{ kind: tag }];
      case 'extends':
      case 'include':
      case 'import':
      case 'from':
        return this.#read.fail('no loader for this environment specified');
      case 'block':
      case 'autoescape':
        return this.#read.fail(`the tag '${tag}' is not supported`);
      default:
        return this.#read.fail(`Encountered unknown tag '${tag}'.`);
    }
  }

  #if(): Statement {
    const branches: [Expression, readonly Statement[]][] = [];
    let otherwise: readonly Statement[] = [];
    for (let tag = 'if'; tag !== 'endif';) {
      const test = tag === 'else' ? undefined : this.#tuple(false);
      this.#read.expect('blockEnd');
      const body = this.#body(tag === 'else' ? ['endif'] : ['elif', 'else', 'endif']);
      if (test === undefined) otherwise = body;
      else branches.push([test, body]);
      tag = this.#read.expect('name');
    }
    return { kind: 'if', branches, otherwise };
  }

  #for(): Statement {
    const target = this.#target('in');
    this.#read.expect('name', 'in');
    const over = this.#tuple(false, ['recursive']);
    const test = this.#read.skip('name', 'if') ? this.#expression() : undefined;
    const isRecursive = this.#read.skip('name', 'recursive');
    this.#read.expect('blockEnd');
    this.#loops++;
    const body = this.#body(['endfor', 'else']);
    this.#loops--;
    const otherwise = this.#read.expect('name') === 'else' ? this.#block('endfor') : [];
    return { kind: 'for', target, over, test, isRecursive, body, otherwise };
  }

  #set(): Statement {
    const target = this.#target('', true);
    if (this.#read.skip('operator', '=')) return { kind: 'set', target, value: this.#tuple() };
    const filter = this.#filters(undefined, false);
    return { kind: 'setBlock', target, filter, body: this.#block('endset') };
  }

  #with(): Statement {
    const pairs: [Target, Expression][] = [];
    while (this.#read.current.type !== 'blockEnd') {
      if (pairs.length > 0) this.#read.expect('operator', ',');
      const target: Target = { kind: 'name', name: this.#read.expect('name') };
      this.#read.expect('operator', '=');
      pairs.push([target, this.#expression()]);
    }
    return { kind: 'with', pairs, body: this.#block('endwith') };
  }

  #target(end: string, isSet = false): Target {
    const targets: Target[] = [];
    let isTuple = false;
    do {
      if (
        targets.length > 0 &&
        (this.#read.isName(end) || this.#read.isOperator('=', ')') || this.#read.current.type === 'blockEnd')
      )
        break;
      if (this.#read.skip('operator', '(')) {
        targets.push(this.#target(end, isSet));
        this.#read.expect('operator', ')');
      } else {
        const name = this.#read.expect('name');
        if (/^(?:true|false|none|True|False|None|loop)$/.test(name) && (name !== 'loop' || !isSet))
          this.#read.fail(`can't assign to '${name}'`);
        targets.push(
          isSet && this.#read.skip('operator', '.')
            ? { kind: 'attribute', name, attribute: this.#read.expect('name') }
            : { kind: 'name', name },
        );
      }
      isTuple ||= this.#read.isOperator(',');
    } while (this.#read.skip('operator', ','));
    return isTuple ? { kind: 'several', targets } : targets[0];
  }

  #macro(name: string, end: string): MacroBody {
    const outer = this.#uses;
    const loops = this.#loops;
    this.#uses = { varargs: false, kwargs: false, caller: false };
    this.#loops = 0;
    const parameters = name === 'caller' && !this.#read.isOperator('(') ? [] : this.#signature();
    const body = end === 'endcall' ? [] : this.#block(end);
    const macro = { name, parameters, body, uses: this.#uses };
    this.#uses = outer;
    this.#loops = loops;
    return macro;
  }

  #signature(): MacroBody['parameters'] {
    const parameters: { name: string; byDefault: Expression | undefined }[] = [];
    this.#read.expect('operator', '(');
    while (!this.#read.isOperator(')')) {
      if (parameters.length > 0) this.#read.expect('operator', ',');
      const name = this.#read.expect('name');
      const byDefault = this.#read.skip('operator', '=') ? this.#expression() : undefined;
      if (byDefault === undefined && parameters.some((other) => other.byDefault !== undefined))
        this.#read.fail('non-default argument follows default argument');
      parameters.push({ name, byDefault });
    }
    this.#read.at++;
    return parameters;
  }

  #callBlock(): Statement {
    const parameters = this.#read.isOperator('(') ? this.#signature() : [];
    const call = this.#expression();
    if (call.kind !== 'call') this.#read.fail('expected call');
    const outer = this.#uses;
    this.#uses = { varargs: false, kwargs: false, caller: false };
    const body = this.#block('endcall');
    const uses = this.#uses;
    this.#uses = outer;
    return { kind: 'callBlock', call, caller: { name: 'caller', parameters, body, uses } };
  }

  #filterBlock(): Statement {
    const filter = this.#filters(undefined, true) ?? this.#read.fail('a filter is expected');
    return { kind: 'filterBlock', filter, body: this.#block('endfilter') };
  }

  #print(): readonly Statement[] {
    const printed: Statement[] = [];
    while (this.#read.current.type !== 'blockEnd') {
      if (printed.length > 0) this.#read.expect('operator', ',');
      printed.push({ kind: 'print', value: this.#expression() });
    }
    return printed;
  }

  /** One expression, or several with commas between them, which make a tuple. */
  #tuple(withCondition = true, ends: readonly string[] = [], isInParentheses = false): Expression {
    const items: Expression[] = [];
    let isTuple = false;
    do {
      if (
        this.#read.current.type === 'variableEnd' ||
        this.#read.current.type === 'blockEnd' ||
        this.#read.isOperator(')') ||
        this.#read.isName(...ends)
      )
        break;
      items.push(withCondition ? this.#expression() : this.#or());
      isTuple ||= this.#read.isOperator(',');
    } while (this.#read.skip('operator', ','));
    if (isTuple || (items.length === 0 && isInParentheses)) return { kind: 'tuple', items };
    return items[0] ?? this.#read.fail('Expected an expression');
  }

  #expression(): Expression {
    let then = this.#or();
    while (this.#read.skip('name', 'if')) {
      const test = this.#or();
      then = {
        kind: 'condition',
        test,
        then,
        otherwise: this.#read.skip('name', 'else') ? this.#expression() : undefined,
      };
    }
    return then;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#read.skip('name', 'or')) left = { kind: 'binary', operator: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#read.skip('name', 'and')) left = { kind: 'binary', operator: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Expression {
    return this.#read.skip('name', 'not') ? { kind: 'unary', operator: 'not', operand: this.#not() } : this.#compare();
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: [string, Expression][] = [];
    for (;;) {
      const { type, text } = this.#read.current;
      if (type === 'operator' && compareOperators.has(text)) {
        this.#read.at++;
        rest.push([text, this.#sum()]);
      } else if (this.#read.skip('name', 'in')) rest.push(['in', this.#sum()]);
      else if (this.#read.isName('not') && this.#read.following.type === 'name' && this.#read.following.text === 'in') {
        this.#read.at += 2;
        rest.push(['not in', this.#sum()]);
      } else return rest.length === 0 ? first : { kind: 'compare', first, rest };
    }
  }

  #sum(): Expression {
    return this.#binary(['+', '-'], () => this.#concat());
  }

  #concat(): Expression {
    const items = [this.#product()];
    while (this.#read.skip('operator', '~')) items.push(this.#product());
    return items.length === 1 ? items[0] : { kind: 'concat', items };
  }

  #product(): Expression {
    return this.#binary(['*', '/', '//', '%'], () => this.#binary(['**'], () => this.#unary(true)));
  }

  #binary(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (this.#read.isOperator(...operators)) {
      const operator = this.#read.expect('operator');
      left = { kind: 'binary', operator, left, right: operand() };
    }
    return left;
  }

  #unary(withFilter: boolean): Expression {
    let node: Expression;
    if (this.#read.isOperator('-', '+')) {
      const operator = this.#read.expect('operator') === '-' ? '-' : '+';
      node = { kind: 'unary', operator, operand: this.#unary(false) };
    } else node = this.#primary();
    node = this.#postfix(node);
    return withFilter ? this.#filtered(node) : node;
  }

  #primary(): Expression {
    const { type, text } = this.#read.current;
    this.#read.at++;
    switch (type) {
      case 'name':
        if (/^(?:true|True|false|False)$/.test(text)) return { kind: 'constant', value: text.toLowerCase() === 'true' };
        if (text === 'none' || text === 'None') return { kind: 'constant', value: null };
        if (text === 'varargs' || text === 'kwargs' || text === 'caller') this.#uses[text] = true;
        return { kind: 'name', name: text };
      case 'string': {
        let value = text;
        while (this.#read.current.type === 'string') value += this.#read.expect('string');
        return { kind: 'constant', value };
      }
      case 'integer':
        return { kind: 'constant', value: exact(Number(text.replaceAll('_', ''))) };
      case 'float':
        return { kind: 'constant', value: new Float(Number(text.replaceAll('_', ''))) };
      default:
    }
    this.#read.at--;
    if (this.#read.skip('operator', '(')) {
      const inner = this.#tuple(true, [], true);
      this.#read.expect('operator', ')');
      return inner;
    }
    if (this.#read.skip('operator', '['))
      return { kind: 'list', items: this.#separated(']', () => this.#expression()) };
    if (this.#read.skip('operator', '{')) {
      return {
        kind: 'dict',
        pairs: this.#separated('}', () => {
          const key = this.#expression();
          this.#read.expect('operator', ':');
          return [key, this.#expression()] as const;
        }),
      };
    }
    return this.#read.fail(`unexpected '${text === '' ? type : text}'`);
  }

  #separated<T>(end: string, read: () => T): T[] {
    const items: T[] = [];
    while (!this.#read.isOperator(end)) {
      if (items.length > 0) this.#read.expect('operator', ',');
      if (!this.#read.isOperator(end)) items.push(read());
    }
    this.#read.at++;
    return items;
  }

  #postfix(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.#read.skip('operator', '.')) {
        const { type, text } = this.#read.current;
        this.#read.at++;
        if (type === 'name') node = { kind: 'attribute', of: node, name: text };
        else if (type === 'integer')
          node = { kind: 'item', of: node, key: { kind: 'constant', value: exact(Number(text)) } };
        else this.#read.fail('expected name or number');
      } else if (this.#read.skip('operator', '[')) {
        const keys = this.#separated(']', () => this.#subscript());
        if (keys.length === 0) this.#read.fail('expected subscript expression');
        node = { kind: 'item', of: node, key: keys.length === 1 ? keys[0] : { kind: 'tuple', items: keys } };
      } else if (this.#read.isOperator('(')) node = { kind: 'call', callee: node, args: this.#arguments() };
      else return node;
    }
  }

  #subscript(): Expression {
    const start = this.#read.isOperator(':') ? undefined : this.#expression();
    if (start !== undefined && !this.#read.isOperator(':')) return start;
    this.#read.expect('operator', ':');
    const stop = this.#read.isOperator(':', ']', ',') ? undefined : this.#expression();
    const step = this.#read.skip('operator', ':') && !this.#read.isOperator(']', ',') ? this.#expression() : undefined;
    return { kind: 'slice', start, stop, step };
  }

  /** Filters and tests after an expression, and calls of what they give. */
  #filtered(start: Expression): Expression {
    let node = start;
    for (;;) {
      if (this.#read.isOperator('|')) node = this.#filters(node, false) ?? node;
      else if (this.#read.skip('name', 'is')) node = this.#test(node);
      else if (this.#read.isOperator('(')) node = { kind: 'call', callee: node, args: this.#arguments() };
      else return node;
    }
  }

  #filters(start: Expression | undefined, startsInline: boolean): Expression | undefined {
    let node = start;
    for (let isFirst = startsInline; isFirst || this.#read.skip('operator', '|'); isFirst = false) {
      const name = this.#dotted();
      node = {
        kind: 'filter',
        name,
        operand: node,
        args: this.#read.isOperator('(') ? this.#arguments() : noArguments,
      };
    }
    return node;
  }

  #dotted(): string {
    let name = this.#read.expect('name');
    while (this.#read.skip('operator', '.')) name += `.${this.#read.expect('name')}`;
    return name;
  }

  #test(operand: Expression): Expression {
    const isNegated = this.#read.skip('name', 'not');
    const name = this.#dotted();
    let args: CallArguments = noArguments;
    const { type } = this.#read.current;
    if (this.#read.isOperator('(')) args = this.#arguments();
    else if (
      (type === 'name' && !this.#read.isName('else', 'or', 'and')) ||
      type === 'string' ||
      type === 'integer' ||
      type === 'float' ||
      this.#read.isOperator('[', '{')
    ) {
      if (this.#read.isName('is')) this.#read.fail('You cannot chain multiple tests with is');
      args = { ...noArguments, positional: [this.#postfix(this.#primary())] };
    }
    const test: Expression = { kind: 'test', name, operand, args };
    return isNegated ? { kind: 'unary', operator: 'not', operand: test } : test;
  }

  #arguments(): CallArguments {
    this.#read.expect('operator', '(');
    const positional: Expression[] = [];
    const named: [string, Expression][] = [];
    let [rest, namedRest]: (Expression | undefined)[] = [];
    for (let isFirst = true; !this.#read.isOperator(')'); isFirst = false) {
      if (!isFirst) {
        this.#read.expect('operator', ',');
        if (this.#read.isOperator(')')) break;
      }
      if (this.#read.skip('operator', '*')) rest = this.#expression();
      else if (this.#read.skip('operator', '**')) namedRest = this.#expression();
      else if (
        this.#read.current.type === 'name' &&
        this.#read.following.type === 'operator' &&
        this.#read.following.text === '='
      ) {
        const name = this.#read.expect('name');
        this.#read.at++;
        named.push([name, this.#expression()]);
      } else {
        if (named.length > 0 || rest !== undefined || namedRest !== undefined)
          this.#read.fail('invalid syntax for function call expression');
        positional.push(this.#expression());
      }
    }
    this.#read.at++;
    return { positional, named, rest, namedRest };
  }
}

const noArguments: CallArguments = { positional: [], named: [], rest: undefined, namedRest: undefined };
