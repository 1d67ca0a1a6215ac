// What the page's script shares with that of the views: modules that are there once, since they hold a state or are large. The build
// reads the names from here (`scripts/build.mjs`): where the views import one of them, they are given the page's.
import * as signals from '@preact/signals';
import * as l10n from '@vscode/l10n';
import * as preact from 'preact';
import * as hooks from 'preact/hooks';
import * as jsxRuntime from 'preact/jsx-runtime';
import * as errors from '../src/base/errors';
import * as context from './components/context';
import * as laterViews from './laterViews';
import * as loadElements from './loadElements';
import * as words from './words';

Object.assign(globalThis, {
  pageModules: {
    '@preact/signals': signals,
    '@vscode/l10n': l10n,
    preact,
    'preact/hooks': hooks,
    'preact/jsx-runtime': jsxRuntime,
    '../src/base/errors': errors,
    './components/context': context,
    './laterViews': laterViews,
    './loadElements': loadElements,
    './words': words,
  },
});
