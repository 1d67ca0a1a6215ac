/** What a button of the panel, of a notification or of the status bar's menu can ask for. */
export const panelActions = [
  'explain',
  'explainSample',
  'explainFromStart',
  'readInContext',
  'readAlone',
  'openFile',
  'explainWithTarget',
  'useModelOutput',
  'chooseLanguages',
  'rerun',
  'toggleLive',
  'cancel',
  'restartEngine',
  'selectModel',
  'selectTextModel',
  'selectImageModel',
  'trustWorkspace',
  'chooseModelFile',
  'chooseTokenizer',
  'showReport',
  'showLog',
  'openSettings',
] as const;
/** One of them. */
export type PanelAction = (typeof panelActions)[number];
