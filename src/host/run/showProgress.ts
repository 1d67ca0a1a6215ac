import { toDisposable, type Disposable } from '../../base/disposable';
import type { PlainText } from '../../base/safeText';
import { longRunMilliseconds } from '../../model/longRun';
import { progressTitle } from '../localize';
import type { ViewStore } from '../view/viewStore';
import { showProgressOf } from '../say/notifications';
import { said } from '../say/said';

/** Shows that something is waited for as a cancellable notification, where it is long in coming, until it has come or the result is disposed. */
export function showWaiting(title: PlainText, work: Promise<unknown>, onCancel: () => void): Disposable {
  const ended = work.then(
    () => {},
    () => {},
  );
  const timer = setTimeout(() => {
    showProgressOf(title, async (_, token) => {
      const cancelling = token.onCancellationRequested(onCancel);
      await ended;
      cancelling.dispose();
    });
  }, longRunMilliseconds);
  return toDisposable(() => clearTimeout(timer));
}

/** Shows the store's busy status as a cancellable notification, until disposed. A quick run needs none: the panel says the same, and its page would have to wait while one is shown. */
export function showProgress(store: ViewStore, onCancel: () => void): Disposable {
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  const timer = setTimeout(() => {
    showProgressOf(said('Explain Attention'), async (tell, token) => {
      let reported = 0;
      const report = (): void => {
        const { status } = store;
        if (status.kind !== 'busy') return;
        const percent = Math.floor((status.fraction ?? 0) * 100);
        // Stages count from nothing each; the bar only grows, so it follows the longest one, loading.
        const increment = status.stage === 'loadModel' ? Math.max(0, percent - reported) : 0;
        reported += increment;
        tell({
          step: progressTitle(status),
          percent: status.fraction === undefined ? undefined : percent,
          increment,
        });
      };
      report();
      const reporting = store.onDidChangeStatus(report);
      const cancelling = token.onCancellationRequested(onCancel);
      await ended;
      reporting.dispose();
      cancelling.dispose();
    });
  }, longRunMilliseconds);
  return toDisposable(() => {
    clearTimeout(timer);
    end();
  });
}
