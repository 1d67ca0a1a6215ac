/** The engine's methods, for the caller's side of a connection: interfaces leave no trace at run time. */
export const engineMethods = [
  'warmUp',
  'explain',
  'explainImage',
  'openAttention',
  'picture',
  'pattern',
  'overview',
  'tile',
  'row',
  'sinkMass',
  'strongestCell',
  'weighing',
  'methodReasons',
  'thumbnails',
  'headPairs',
  'headRows',
  'headTable',
  'measureRandom',
  'how',
  'relations',
  'predict',
  'release',
  'inspect',
  'input',
  'chatTemplate',
  'memory',
] as const;

/** What the window does for an engine that cannot read files itself. */
export const engineHostMethods = ['readFile', 'listFolder', 'statFile', 'readAsset'] as const;

/** What the webview asks of the editor host. */
export const panelMethods = [
  'pattern',
  'overview',
  'tile',
  'row',
  'sinkMass',
  'strongestCell',
  'weighing',
  'methodReasons',
  'symbols',
  'thumbnails',
  'headPairs',
  'headRows',
  'headTable',
  'measureRandom',
  'how',
  'relations',
  'predict',
  'picture',
] as const;
