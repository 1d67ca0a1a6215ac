import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { laterViews, wantViews, type LaterViews } from '../laterViews';

type PropsOf<Name extends keyof LaterViews> = Parameters<LaterViews[Name]>[0];

/** A view whose script is loaded when it is first shown; until it is there its place is empty. */
export function later<Name extends keyof LaterViews>(name: Name): (props: PropsOf<Name>) => JSX.Element | null {
  return function Later(props) {
    useEffect(wantViews, []);
    const View = laterViews.value?.[name] as ((props: PropsOf<Name>) => JSX.Element) | undefined; // the one of this name
    return View === undefined ? null : <View {...props} />;
  };
}
