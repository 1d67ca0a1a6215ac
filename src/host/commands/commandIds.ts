/** The ids of all commands; the manifest has the same. */
export const commands = {
  explainAttention: 'attentionExplorer.explainAttention',
  explainAgain: 'attentionExplorer.explainAgain',
  explainSample: 'attentionExplorer.explainSample',
  cancel: 'attentionExplorer.cancelExplanation',
  selectModel: 'attentionExplorer.selectModel',
  selectHead: 'attentionExplorer.selectHead',
  clearHighlights: 'attentionExplorer.clearHighlights',
  showExtractionReport: 'attentionExplorer.showExtractionReport',
  restartEngine: 'attentionExplorer.restartEngine',
  showLog: 'attentionExplorer.showLog',
  showMenu: 'attentionExplorer.showMenu',
  openPanel: 'attentionExplorer.openPanel',
  openSettings: 'attentionExplorer.openSettings',
  pinToken: 'attentionExplorer.pinToken',
  revealToken: 'attentionExplorer.revealToken',
  nextHead: 'attentionExplorer.nextHead',
} as const;
