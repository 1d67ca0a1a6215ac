/** A program's syntax tree as lists, each node after its parent: UTF-16 offsets, and `parents[0]` is −1. */
export interface SyntaxTree {
  readonly types: readonly string[];
  /** The field of its parent that a node is in; empty for none. */
  readonly fields: readonly string[];
  readonly isNamed: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly parents: Int32Array;
}

/** A stretch of a text: half-open UTF-16 offsets. */
export type Span = readonly [start: number, end: number];

/** What is asked of a syntax tree for relations, whatever the language: node types of the shipped grammars alone are known. */
export class SyntaxFacts {
  readonly tree: SyntaxTree;
  readonly #text: string;
  readonly #numChildren: Int32Array;
  #names: readonly Name[] | undefined;
  /** Of blocks that were asked for, the header of their owner: many tokens are in the same. */
  readonly #headers = new Map<number, Span | undefined>();

  constructor(tree: SyntaxTree, text: string) {
    this.tree = tree;
    this.#text = text;
    this.#numChildren = new Int32Array(tree.types.length);
    tree.parents.forEach((parent) => parent >= 0 && this.#numChildren[parent]++);
  }

  /** The offsets of brackets that belong together: `[opening, closing]`. */
  brackets(): readonly (readonly [number, number])[] {
    const { types, isNamed, starts, parents } = this.tree;
    const found: (readonly [number, number])[] = [];
    /** The opening brackets of each node that are not closed yet. */
    const open = new Map<number, { readonly mark: string; readonly at: number }[]>();
    types.forEach((type, node) => {
      if (isNamed[node] === 1) return;
      const parent = parents[node];
      if (type in closing) {
        const list = open.get(parent);
        if (list === undefined) open.set(parent, [{ mark: closing[type], at: starts[node] }]);
        else list.push({ mark: closing[type], at: starts[node] });
      } else if (closingMarks.has(type)) {
        const last = open.get(parent)?.pop();
        if (last?.mark === type) found.push([last.at, starts[node]]);
      }
    });
    return found;
  }

  /** The names of a program in the order of the text, with where each is defined by the scopes of the grammar. */
  names(): readonly Name[] {
    return (this.#names ??= this.#findNames());
  }

  /** What of more than one line has a name by the grammar, as an outline lists it: functions, classes and their like. */
  symbols(): readonly { readonly start: number; readonly end: number; readonly name: string }[] {
    const { types, fields, parents, starts, ends } = this.tree;
    const found = new Map<number, string>();
    types.forEach((type, node) => {
      const parent = parents[node];
      if (parent < 0) return;
      const isDeclared = types[parent] === 'function_declarator' && fields[node] === 'declarator';
      const owner = isDeclared ? this.#scopeOf(parent) : isScope(types[parent]) && fields[node] === 'name' ? parent : 0;
      const text = owner > 0 && isNameType(type) ? this.#text.slice(starts[owner], ends[owner]) : '';
      if (text.includes('\n') && !found.has(owner)) found.set(owner, this.#text.slice(starts[node], ends[node]));
    });
    return [...found].map(([owner, name]) => ({ start: starts[owner], end: ends[owner], name }));
  }

  /** The innermost node that holds a place; undefined outside of all. */
  nodeAt(place: number): number | undefined {
    const { starts, ends } = this.tree;
    // Nodes stand in the order of their starts, parents first: the last one that begins there or before, or one above it.
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= place) low = middle;
      else high = middle - 1;
    }
    for (let node = low; node >= 0; node = this.tree.parents[node])
      if (starts[node] <= place && place < ends[node]) return node;
    return undefined;
  }

  /** The innermost statement around a node: a child of a block, or of the whole. */
  statementOf(node: number): number | undefined {
    const { parents, isNamed } = this.tree;
    for (let at = node; parents[at] >= 0; at = parents[at])
      if (isNamed[at] === 1 && this.#isBlock(parents[at]) && !this.#isBlock(at)) return at;
    return undefined;
  }

  /** The header of the innermost block around a node: what stands of its owner before it. The same one is the same object. */
  headerOf(node: number): Span | undefined {
    const { parents } = this.tree;
    for (let at = node; at > 0; at = parents[at]) {
      const owner = parents[at];
      if (!this.#isBlock(at) || owner < 0 || this.#isBlock(owner)) continue;
      if (!this.#headers.has(at)) this.#headers.set(at, this.#headerBetween(owner, at));
      const header = this.#headers.get(at);
      if (header !== undefined) return header;
    }
    return undefined;
  }

  #headerBetween(owner: number, block: number): Span | undefined {
    const { starts } = this.tree;
    const header = this.#text.slice(starts[owner], starts[block]).trimEnd();
    return header === '' ? undefined : [starts[owner], starts[owner] + header.length];
  }

  #isBlock(node: number): boolean {
    return node === 0 || blocks.has(this.tree.types[node]);
  }

  #findNames(): readonly Name[] {
    const { types, starts, ends, parents, isNamed } = this.tree;
    const names: { readonly node: number; readonly text: string }[] = [];
    /** Where each name is first defined in a scope. */
    const defined = new Map<string, number>();
    const key = (scope: number, text: string): string => `${scope} ${text}`;
    types.forEach((type, node) => {
      if (isNamed[node] !== 1 || this.#numChildren[node] > 0 || !isNameType(type)) return;
      const text = this.#text.slice(starts[node], ends[node]);
      names.push({ node, text });
      if (!this.#isDefinition(node)) return;
      const parent = parents[node];
      // A function's own name belongs to what is around it, its parameters to itself.
      const isOwnName = isScope(types[parent]) && this.tree.fields[node] === 'name';
      const isDeclared = types[parent] === 'function_declarator' && this.tree.fields[node] === 'declarator';
      const scope = this.#scopeOf(isOwnName ? parent : node);
      const name = key(isDeclared && scope > 0 ? this.#scopeOf(scope) : scope, text);
      if (!defined.has(name)) defined.set(name, node);
    });
    return names.map(({ node, text }) => {
      const span: Span = [starts[node], ends[node]];
      if (member.test(this.tree.fields[node])) return { span, text, definition: undefined };
      for (let scope = this.#scopeOf(node); scope >= 0; scope = scope === 0 ? -1 : this.#scopeOf(scope)) {
        const found = defined.get(key(scope, text));
        if (found !== undefined)
          return { span, text, definition: found === node ? undefined : ([starts[found], ends[found]] as const) };
      }
      return { span, text, definition: undefined };
    });
  }

  /** The innermost scope around a node, not itself; 0 is that of the whole text. */
  #scopeOf(node: number): number {
    const { parents, types } = this.tree;
    for (let at = parents[node]; at > 0; at = parents[at]) if (isScope(types[at])) return at;
    return 0;
  }

  /** Whether a name is being defined where it stands. */
  #isDefinition(node: number): boolean {
    const { parents, types, fields } = this.tree;
    for (let at = node; at > 0; at = parents[at]) {
      const parent = parents[at];
      const [field, type] = [fields[at], types[parent]];
      if (member.test(field) || type === 'argument_list' || type === 'arguments') return false;
      if (field === 'name') return defining.test(type) && !using.test(type);
      if (field === 'left') return assigning.test(type);
      if (field === 'pattern' || field === 'declarator' || field === 'alias') return true;
      if (parameters.test(type)) return field !== 'type' && field !== 'value' && field !== 'default_value';
      if (!transparent.test(type)) return false;
    }
    return false;
  }
}

/** A name where it stands, and where it is defined: undefined where it is not known, or is defined there. */
export interface Name {
  readonly span: Span;
  readonly text: string;
  readonly definition: Span | undefined;
}

const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', '${': '}', '#{': '}' };
const closingMarks = new Set(Object.values(closing));

const blocks = new Set(
  'block statement_block class_body interface_body enum_body program module source_file translation_unit compilation_unit compound_statement declaration_list field_declaration_list body_statement block_body do_block begin_block then else do statement_list switch_body switch_block function_body constructor_body script_block script_block_body stylesheet enum_member_declaration_list match_block do_group annotation_type_body closure_body enum_variant_list'.split(
    ' ',
  ),
);
const nameType = /identifier$|^constant$|^variable_name$|^name$|^word$|^variable$/;
/** What a name is looked up in is not its scope. */
const member = /^(attribute|property|field|member)$/;
const scopes =
  /^(?!.*(call|invocation|modifier|declarator|signature|parameter|_type|_name)).*(function|method|lambda|arrow|closure|class_d|class_s|^class$|struct_item|namespace|impl_item|constructor_d|^do_block$|^module$)/;
/** What an expression says of node types, each asked once: there are some hundred of them, and thousands of nodes. */
function ofTypes(expression: RegExp): (type: string) => boolean {
  const known = new Map<string, boolean>();
  return (type) => {
    let is = known.get(type);
    if (is === undefined) known.set(type, (is = expression.test(type)));
    return is;
  };
}
const isNameType = ofTypes(nameType);
const isScope = ofTypes(scopes);
const defining =
  /function|method|class|struct|enum|interface|trait|module|namespace|type_|declarator|parameter|variable_d|_item|definition|declaration|specifier|property|import|const|alias/;
const using = /call|invocation|argument|access|attribute|reference|expression|scoped|qualified/;
const assigning =
  /^(assignment|augmented_assignment|assignment_expression|short_var_declaration|for_statement|for_in_statement|for_in_clause|named_expression|range_clause|foreach_statement|variable_assignment)$/;
const parameters =
  /^(parameters|formal_parameters|parameter_list|lambda_parameters|method_parameters|block_parameters|closure_parameters|inferred_parameters)$/;
const transparent =
  /pattern|expression_list|^(variable_name|typed_parameter|default_parameter|typed_default_parameter|list_splat|dictionary_splat|parameter|formal_parameter|required_parameter|optional_parameter|parameter_declaration|pointer_declarator|reference_declarator|array_declarator|rest_pattern|left_assignment_list|tuple)$/;
