// The views that someone opens: a bundle of its own, which takes what it has in common with the page's from there (see shared.ts).
import { ComparePane } from './components/ComparePane';
import { EffectsPane } from './components/EffectsPane';
import { HeadTableView } from './components/HeadTableView';
import { HowPane } from './components/HowPane';
import { KeysOverlay } from './components/KeysOverlay';
import { PredictionsPane } from './components/PredictionsPane';
import { RelationsView } from './components/RelationsView';
import { takeViews } from './laterViews';

takeViews({ ComparePane, EffectsPane, HeadTableView, HowPane, KeysOverlay, PredictionsPane, RelationsView });
