/**
 * Loads another script of ours into the page.
 * @param nonce what the page's policy asks of scripts.
 */
export function appendScript(source: string, nonce: string, onLoad: () => void = () => {}): void {
  const script = document.createElement('script');
  Object.assign(script, { src: source, nonce });
  script.addEventListener('load', onLoad);
  document.head.append(script);
}
